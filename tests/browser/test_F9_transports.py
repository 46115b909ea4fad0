"""Row F9: transports from Python, and the jqXHR-like one that is shipped."""

import pytest

from tests.browser.conftest import Visitor
from tests.browser.matrix import WITHOUT_JQUERY
from tests.browser.pages import script
from tests.browser.site import Site

pytestmark = pytest.mark.every_engine

ROUTES = """
from fauxserver import FauxServer
server = FauxServer()
server.get("good", {"b": 2})
server.get("bad", lambda: "410")
log = []

class Transport:
    def __init__(self, options, context):
        self.success, self.error = options.success, options.error
        log.append([context.url, context.http_method])
    def promise(self):
        return "from Python"
    def resolve(self, value):
        log.append(["resolve", value])
        self.success(value)
    def reject(self, reason):
        log.append(["reject", reason])
        self.error(reason)

server.get("log", lambda: log)
"""


def test_F9_a_transport_factory_from_python(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES + "\nserver.set_transport_factory(Transport)\n")
    visitor.open(routes=["/routes.py"])
    assert visitor.run("""
        const returned = []
        const ask = url => new Promise(resolve => {
          returned.push(Backbone.sync("read", new Backbone.Model(), {
            url, success: value => resolve(["success", value]), error: reason => resolve(["error", reason]),
          }))
        })
        const answers = [await ask("good"), await ask("bad")]
        fauxServer.setTransportFactory()
        return [answers, returned.slice(), (await ask("log"))[1]]
    """) == [
        [["success", {"b": 2}], ["error", "410"]],
        ["from Python", "from Python"],
        [["good", "GET"], ["resolve", {"b": 2}], ["bad", "GET"], ["reject", "410"]],
    ]
    assert visitor.failures == []


def test_F9_the_jqxhr_like_transport_gives_what_jquery_gives(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.open(routes=["/routes.py"])
    assert visitor.run("""
        fauxServer.setTransportFactory(fauxServer.jqXHRTransport)
        const good = new (Backbone.Model.extend({ url: "good" }))().fetch()
        const bad = new (Backbone.Model.extend({ url: "bad" }))().fetch()
        const done = await new Promise(resolve => good.done((...args) => resolve(args)))
        const fail = await new Promise(resolve => bad.fail((...args) => resolve(args)))
        return [
          done[0], done[1], [done[2].status, done[2].statusText, done[2].responseText, done[2].readyState],
          [fail[0].status, fail[0].statusText, fail[0].responseText], fail[1], fail[2],
        ]
    """) == [
        {"b": 2},
        "success",
        [200, "OK", '{"b":2}', 4],
        [410, "Gone", "410"],
        "error",
        "Gone",
    ]


def test_F9_without_jquery_too(visitor: Visitor):
    visitor.open(script('fauxServer.get("good", () => ({ b: 2 }))'), libraries=WITHOUT_JQUERY)
    assert visitor.run("""
        fauxServer.setTransportFactory(fauxServer.jqXHRTransport)
        const xhr = new (Backbone.Model.extend({ url: "good" }))().fetch()
        const answer = await xhr
        return [answer, xhr.status, typeof xhr.abort, xhr.getResponseHeader("x")]
    """) == [{"b": 2}, 200, "function", None]
