"""Row F8: what a request matched, it keeps; on Python's routes as well. JavaScript's are in cases.js."""

import pytest

from tests.browser.conftest import Visitor
from tests.browser.site import Site

pytestmark = pytest.mark.every_engine

ROUTES = """
import asyncio
from fauxserver import FauxServer
server = FauxServer()
server.get("it", lambda: {"by": "first"}, name="it")

@server.put("save")
async def save(data):
    sent = dict(data)
    await asyncio.sleep(0.02)
    return {"sent": sent}
"""


def test_F8_a_request_keeps_the_python_handler_it_matched(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.open(routes=["/routes.py"])
    assert visitor.run("""
        const ask = () => new Promise(success => Backbone.sync("read", new Backbone.Model(), { url: "it", success }))
        fauxServer.setLatency(5)
        const ended = [ask()]
        await fauxServer.runPython('server.get("it", lambda: {"by": "second"}, name="it")')
        ended.push(ask())
        fauxServer.get("it", () => ({ by: "JavaScript" }))
        ended.push(ask())
        fauxServer.removeRoutes().enable(false)
        return Promise.all(ended)
    """) == [{"by": "first"}, {"by": "second"}, {"by": "JavaScript"}]


def test_F8_wait_true_sees_its_data(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.open(routes=["/routes.py"])
    assert visitor.run("""
        const model = new (Backbone.Model.extend({ url: "save" }))({ id: 1, title: "old", tags: ["a"] })
        const seen = []
        fauxServer.setLatency(5)
        const ended = new Promise(success => model.save({ title: "new" }, { wait: true, success }))
        seen.push(model.get("title"))
        model.get("tags").push("later")
        await ended
        return [...seen, model.get("title"), model.get("sent")]
    """) == ["old", "new", {"id": 1, "title": "new", "tags": ["a"]}]


def test_F8_reset_drops_what_is_under_way(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.open(routes=["/routes.py"])
    assert (
        visitor.run("""
        const heard = []
        ask("it").then(() => heard.push("it"))
        ask("save", { method: "update" }).then(answer => heard.push(answer))
        await fauxServer.reset()
        await new Promise(resolve => setTimeout(resolve, 60))
        await new Promise(success => Backbone.sync("read", new Backbone.Model(), { url: "it", success }))
        return heard
    """)
        == []
    )
