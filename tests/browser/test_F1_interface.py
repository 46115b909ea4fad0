"""Row F1: the interface from Python, in Python's manner, on the page's server. From JavaScript it is in cases.js."""

import pytest

from tests.browser.conftest import Visitor
from tests.browser.pages import html, script

pytestmark = pytest.mark.every_engine

PYTHON = """
from fauxserver import FauxServer
import re

log = []
server.add_route("all/:what", lambda context, what: {"what": what}, name="all")
server.get("books/:id", lambda id: {"got": id}, name="read")
server.post("books", lambda data: {"posted": data})
server.put("books/:id", lambda id, data: {"put": [id, data]})
server.patch("books/:id", lambda id, data: {"patched": [id, data]})
server.delete("books/:id", lambda id: {"deleted": id})
server.add_routes({"one": {"url_exp": "one", "handler": lambda: {"by": "one"}}})
server.add_route(re.compile(r"^v(\\d+)/status$"), lambda context, version: {"version": version}, method="GET")
server.add_route("gone", lambda: {}, name="gone")
server.remove_route("gone")

@server.get("decorated")
def decorated():
    return {"by": "decorated"}
"""

ASK = """
    const asks = window.ask
    const ask = (method, url, attrs = {}) => asks(url, { method, attrs, model: new Backbone.Model(attrs) })
"""


def test_F1_the_interface_from_python(visitor: Visitor):
    visitor.open()
    assert visitor.run(
        ASK
        + """
        await fauxServer.runPython(given)
        return [
          await ask("read", "all/x"), await ask("read", "books/1"), await ask("create", "books", { a: 1 }),
          await ask("update", "books/1", { a: 1 }), await ask("patch", "books/1", { b: 2 }),
          await ask("delete", "books/1"),
          await ask("read", "one"), await ask("read", "v12/status"), await ask("read", "decorated"),
          fauxServer.getRoute("gone"), fauxServer.getRouteAt(1).name,
          fauxServer.getMatchingRoute("books/7", "GET").handlerParams,
        ]
        """,
        PYTHON,
    ) == [
        {"what": "x"},
        {"got": "1"},
        {"posted": {"a": 1}},
        {"put": ["1", {"a": 1}]},
        {"patched": ["1", {"b": 2}]},
        {"deleted": "1"},
        {"by": "one"},
        {"version": "12"},
        {"by": "decorated"},
        None,
        "read",
        ["7"],
    ]
    assert visitor.failures == []


def test_F1_python_sees_the_routes_of_javascript(visitor: Visitor):
    visitor.open(script('fauxServer.get("mine", "mine/:id", () => ({})).addRoute("any", /^any$/, "*", () => ({}))'))
    visitor.run(
        "await fauxServer.runPython(given)",
        """
at = [server.get_route_at(i).name for i in range(2)]
route = server.get_route("mine")
match = server.get_matching_route("mine/7", "GET")
none = server.get_route("none")
server.get("told", {"at": at, "method": route.http_method, "none": none, "params": list(match.handler_params)})
""",
    )
    assert visitor.run(ASK + 'return ask("read", "told")') == {
        "at": ["mine", "any"],
        "method": "GET",
        "none": None,
        "params": ["7"],
    }


def test_F1_latency_default_handler_and_switch_from_python(visitor: Visitor):
    visitor.open()
    assert visitor.run(
        ASK
        + """
        await fauxServer.runPython(`
def by_default(context):
    return {"default": context.url}
server.set_default_handler(by_default)
seen = []
def think(context, *captures):
    seen.append([context.url, *captures])
    return 1
server.set_latency(think)
server.get("books/:id", lambda id: {"seen": seen})
`)
        const answers = [await ask("read", "books/7"), await ask("read", "other")]
        await fauxServer.runPython("server.enable(False)")
        answers.push((await ask("read", "/real/one")).real)
        await fauxServer.runPython("server.enable()")
        answers.push(await ask("read", "/real/one"))
        return answers
        """
    ) == [{"seen": [["books/7", "7"]]}, {"default": "other"}, True, {"default": "/real/one"}]


def test_F1_a_value_stands_for_a_handler_in_javascript_too(visitor: Visitor):
    visitor.open(script('fauxServer.get("empty", []).get("motto", { text: "read more" })'))
    assert visitor.run(ASK + 'return [await ask("read", "empty"), await ask("read", "motto")]') == [
        [],
        {"text": "read more"},
    ]


def test_F1_reset_brings_back_what_there_was_when_it_was_ready(visitor: Visitor):
    visitor.site.write(
        "/routes.py",
        "from fauxserver import FauxServer\nserver = FauxServer()\nbooks = [1]\n"
        "@server.post('books')\ndef add(data):\n    books.append(2)\n    return {'books': books}\n",
    )
    visitor.open(
        script("fauxServer.get('mine', () => ({ mine: true })).setLatency(1)"),
        routes=["/routes.py"],
    )
    assert visitor.run(
        ASK
        + """
        const answers = [await ask("create", "books"), await ask("create", "books")]
        fauxServer.removeRoutes().setDefaultHandler(() => ({ by: "default" }))
        answers.push(await ask("read", "mine"))
        await fauxServer.reset()
        answers.push(await ask("create", "books"), await ask("read", "mine"))
        answers.push(fauxServer.getMatchingRoute("other", "GET"))
        return answers
        """
    ) == [{"books": [1, 2]}, {"books": [1, 2, 2]}, {"by": "default"}, {"books": [1, 2]}, {"mine": True}, None]


def test_F1_each_answered_request_is_one_folded_line(visitor: Visitor):
    visitor.site.write(
        "/routes.py",
        "from fauxserver import FauxServer\nserver = FauxServer()\n\n"
        "@server.get('books/:id')\ndef read_book(id): return {'id': id}\n",
    )
    visitor.open(routes=["/routes.py"])
    visitor.run(ASK + 'await ask("read", "books/1")')
    [line] = [line for line in visitor.console if line.startswith("startGroupCollapsed")]
    before, after = line.removeprefix("startGroupCollapsed: ").split(" ms, ")
    assert (before.rsplit(" ", 1)[0], after) == ("GET books/1 → 200,", "read_book routes.py:4")


def test_F1_a_page_without_backbone_is_none_the_worse(visitor: Visitor):
    visitor.visit(html(libraries=None))
    assert visitor.ready() == "snapshot"
    assert visitor.failures == []
