"""Row F6: loading the script installs on the page's Backbone; others are installed and uninstalled one by one."""

import pytest

from tests.browser.conftest import Visitor
from tests.browser.matrix import LATEST
from tests.browser.pages import html, script

pytestmark = pytest.mark.every_engine


def test_F6_loading_the_script_installs_at_once(visitor: Visitor):
    visitor.visit(
        html(script("window.installed = Backbone.sync !== native"), before=[script("window.native = Backbone.sync")])
    )
    assert visitor.run("return installed") is True


def test_F6_a_second_backbone_is_installed_on_its_own(visitor: Visitor):
    visitor.open(
        before=[
            script(LATEST.scripts[0]),
            script("/npm/underscore-1.5.2/underscore.js"),
            script("/npm/backbone-1.1.2/backbone.js"),
            script("window.older = Backbone.noConflict()"),
        ],
        libraries=LATEST,
    )
    assert visitor.run("""
        fauxServer.get("it", () => ({ faux: true }))
        const ask = (Backbone, url) => new Promise(success => {
          Backbone.sync("read", new Backbone.Model(), { url, success })
        })
        const native = older.sync
        fauxServer.install(older)
        const answers = [older.VERSION, await ask(older, "it"), await ask(Backbone, "it")]
        fauxServer.uninstall(older)
        return [...answers, older.sync === native, await ask(Backbone, "it")]
    """) == ["1.1.2", {"faux": True}, {"faux": True}, True, {"faux": True}]


def test_F6_installing_twice_is_installing_once(visitor: Visitor):
    visitor.open(before=[script("window.native = Backbone.sync")])
    assert (
        visitor.run("""
        fauxServer.install(Backbone)
        fauxServer.install(Backbone)
        fauxServer.uninstall()
        return Backbone.sync === native
    """)
        is True
    )


def test_F6_a_backbone_that_comes_later_is_installed_by_hand(visitor: Visitor):
    visitor.open(libraries=None)
    assert visitor.run(
        """
        for (const src of given) {
          const tag = Object.assign(document.createElement("script"), { src })
          const loaded = new Promise(resolve => { tag.onload = resolve })
          document.head.append(tag)
          await loaded
        }
        fauxServer.get("it", () => ({ faux: true }))
        fauxServer.install(Backbone)
        return new Promise(success => Backbone.sync("read", new Backbone.Model(), { url: "it", success }))
        """,
        LATEST.scripts,
    ) == {"faux": True}
