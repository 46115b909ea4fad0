"""Row F3: what is not ours reaches the real server, as if we were not there."""

import pytest

from tests.browser.conftest import Visitor
from tests.browser.matrix import COMBINATIONS, LATEST, OLDEST
from tests.browser.pages import html, script
from tests.browser.site import Site

pytestmark = pytest.mark.every_engine

LIFE = """
    const Model = Backbone.Model.extend({ urlRoot: "/real/books" })
    const Books = Backbone.Collection.extend({ model: Model, url: "/real/books" })
    const done = act => new Promise(resolve => act({
      success: (it, answer, options) => resolve(["success", answer, typeof options.xhr]),
      error: (it, xhr) => resolve(["error", xhr.status])
    }))
    return [
      await done(ends => new Model({ a: 1 }).save(null, ends)),
      await done(ends => new Model({ id: 1 }).save({ b: 2 }, ends)),
      await done(ends => new Model({ id: 1 }).save({ c: 3 }, { patch: true, ...ends })),
      await done(ends => new Books().fetch({ data: { q: "x" }, ...ends })),
      await done(ends => new Model({ id: 1 }).destroy({ wait: true, ...ends })),
      await done(ends => new Model({ id: 1 }).fetch({ url: "/real/fail", ...ends })),
    ]
"""


@pytest.mark.parametrize("libraries", [OLDEST, COMBINATIONS[5], LATEST, COMBINATIONS[12]], ids=str)
def test_F3_what_no_route_matches_reaches_the_real_server(visitor: Visitor, site: Site, libraries):
    visitor.visit(html(libraries=libraries, faux=None))
    expected, reached = visitor.run(LIFE), site.reached()
    assert len(reached) == 6
    site.clear()
    visitor.open(script('fauxServer.get("mine", () => ({}))'), libraries=libraries)
    assert visitor.run(LIFE) == expected
    assert site.reached() == reached


def test_F3_what_is_disabled_reaches_the_real_server(visitor: Visitor, site: Site):
    visitor.open(script("fauxServer.addRoute(/real/, () => ({ faux: true }))"))
    ask = "return new Promise(success => Backbone.sync('read', new Backbone.Model(), { url: '/real/one', success }))"
    assert visitor.run(ask) == {"faux": True}
    assert visitor.run(f"fauxServer.enable(false); {ask}")["real"] is True
    assert visitor.run(f"fauxServer.enable(true); {ask}") == {"faux": True}
    assert len(site.reached()) == 1


def test_F3_a_real_request_can_be_aborted(visitor: Visitor, site: Site):
    visitor.open()
    assert visitor.run("""
        return new Promise(resolve => {
          const error = (it, xhr) => resolve([xhr.statusText, xhr.status])
          new (Backbone.Model.extend({ url: "/real/one" }))().fetch({ error }).abort()
        })
    """) == ["abort", 0]
