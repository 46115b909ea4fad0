"""Row F7: as a global, under AMD, from CommonJS, as an ES module."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.conftest import Visitor
from tests.browser.matrix import LATEST
from tests.browser.pages import html, script
from tests.browser.site import Site

pytestmark = pytest.mark.every_engine

ROUTES = """
from fauxserver import FauxServer
server = FauxServer()
server.get("books", [{"id": 1}])
"""

ASK = """
    const ask = (Backbone, url) => new Promise(success => Backbone.sync("read", new Backbone.Model(), { url, success }))
"""


def test_F7_no_conflict_gives_the_global_back_once(visitor: Visitor):
    visitor.open(before=[script("window.fauxServer = { earlier: true }")])
    assert visitor.run(
        ASK
        + """
        const ours = fauxServer.noConflict()
        const restored = window.fauxServer.earlier
        window.fauxServer = "somebody else's"
        ours.get("it", () => ({ faux: true }))
        return [restored, ours.noConflict() === ours, window.fauxServer, await ask(Backbone, "it")]
        """
    ) == [True, True, "somebody else's", {"faux": True}]


def test_F7_no_conflict_acts_before_ready(visitor: Visitor):
    visitor.visit(html(script("window.ours = fauxServer.noConflict(); window.left = typeof window.fauxServer")))
    assert visitor.run("return [left, (await ours.ready) === ours, ours.boot]") == ["undefined", True, "snapshot"]


def test_F7_amd(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    jquery, underscore, backbone = (address.removesuffix(".js") for address in LATEST.scripts)
    visitor.visit(
        html(
            script("/npm/requirejs/require.js"),
            script(f"""
                require.config({{ paths: {{
                  jquery: "{jquery}", underscore: "{underscore}", backbone: "{backbone}", faux: "/fauxserver/fauxserver"
                }} }})
                const together = async (Backbone, fauxServer) => {{
                  {ASK}
                  const held = ask(Backbone, "books")
                  fauxServer.get("mine", () => ({{ mine: true }}))
                  const ready = (await fauxServer.ready) === fauxServer
                  return [ready, fauxServer.boot, await held, await ask(Backbone, "mine"), typeof window.fauxServer]
                }}
                window.answer = new Promise((resolve, reject) => {{
                  require(["backbone", "faux"], (...modules) => resolve(together(...modules)), reject)
                }})
            """),
            libraries=None,
            faux=None,
            routes=["/routes.py"],
        )
    )
    assert visitor.run("return answer") == [True, "snapshot", [{"id": 1}], {"mine": True}, "undefined"]
    assert visitor.failures == []


def test_F7_es_module(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.visit(html(faux=None, before=[script("window.native = Backbone.sync")]))
    assert visitor.run(
        ASK
        + """
        const { start } = await import("/fauxserver/fauxserver.module.js")
        const untouched = Backbone.sync === native && window.fauxServer === undefined
        const stop = await start({ routes: ["routes.py"] })
        const answer = await ask(Backbone, "books")
        stop()
        return [untouched, typeof stop, answer, Backbone.sync === native]
        """
    ) == [True, "function", [{"id": 1}], True]
    assert visitor.failures == []


def test_F7_es_module_needs_no_backbone_and_says_where_it_looked(visitor: Visitor, site: Site):
    visitor.visit(html(faux=None, libraries=None))
    assert (
        visitor.run("""
        const { start } = await import("/fauxserver/fauxserver.module.js")
        return start({ runtime: "/elsewhere/" }).then(() => "started", error => error.message)
    """).count("/elsewhere/")
        >= 1
    )


def test_F7_common_js_in_node(run_node: Callable[[str, Path], str], static: Path, npm_modules: Path, tmp_path: Path):
    modules = tmp_path / "node_modules"
    modules.mkdir()
    for name, there in {"backbone": "backbone-1.6.1", "underscore": "underscore-1.13.7"}.items():
        shutil.copytree(npm_modules / there, modules / name, ignore=shutil.ignore_patterns("test", "node_modules"))
    shutil.copytree(static, modules / "fauxserver", ignore=shutil.ignore_patterns("demo"))
    (tmp_path / "routes.py").write_text(ROUTES)
    printed = run_node(
        """
        const Backbone = require("backbone")
        const fauxServer = require("fauxserver")
        const ask = url => new Promise((success, error) => {
          Backbone.sync("read", new Backbone.Model(), { url, success, error })
        })
        fauxServer.get("mine", () => ({ mine: true }))
        const held = ask("mine")
        fauxServer.ready.then(async () => {
          await fauxServer.runPython('server.get("python", {"by": "Python"})')
          console.log(JSON.stringify([fauxServer.boot, await held, await ask("mine"), await ask("python")]))
        })
        """,
        tmp_path,
    )
    assert printed.splitlines()[-1] == '["snapshot",{"mine":true},{"mine":true},{"by":"Python"}]'
