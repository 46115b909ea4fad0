"""Requests with `async: false` are answered before the call returns."""

import pytest

from tests.browser.conftest import Visitor
from tests.browser.site import Site

pytestmark = pytest.mark.every_engine

ROUTES = """
import asyncio
from fauxserver import FauxServer
server = FauxServer()

@server.get("python")
def in_python():
    return {"by": "Python"}

@server.get("coroutine")
async def a_coroutine():
    await asyncio.sleep(0)
    return {}
"""


def test_a_synchronous_request_is_answered_before_fetch_returns(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.open(routes=["/routes.py"])
    assert visitor.run("""
        fauxServer.get("javascript", () => ({ by: "JavaScript" })).get("bad", () => "410").setLatency(10000)
        const log = []
        for (const url of ["python", "javascript", "bad"]) {
          const model = new (Backbone.Model.extend({ url }))()
          const returned = model.fetch({ async: false, error: (model, reason) => log.push(["error", reason]) })
          log.push([url, model.toJSON(), returned.state()])
        }
        return log
    """) == [
        ["python", {"by": "Python"}, "resolved"],
        ["javascript", {"by": "JavaScript"}, "resolved"],
        ["error", "410"],
        ["bad", {}, "rejected"],
    ]


def test_with_a_handler_that_has_to_wait_it_fails_and_names_it(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.open(routes=["/routes.py"])
    visitor.run("""
        fauxServer.get("promise", async function promising() { return {} })
        window.ended = []
        for (const url of ["coroutine", "promise"]) {
          const told = how => () => ended.push(how, options.faux.status)
          const options = { url, async: false, success: told("success"), error: told("error") }
          Backbone.sync("read", new Backbone.Model(), options)
          ended.push(url)
        }
    """)
    assert visitor.run("return ended") == ["error", 500, "coroutine", "error", 500, "promise"]
    told = "\n".join(visitor.failures)
    assert [name for name in ("a_coroutine", "promising") if name not in told] == [], told


def test_one_that_is_not_ours_is_synchronous_on_the_network(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.open(routes=["/routes.py"])
    assert (
        visitor.run("""
        const model = new (Backbone.Model.extend({ url: "/real/one" }))()
        model.fetch({ async: false })
        return model.get("real")
    """)
        is True
    )
