"""Row F4: handlers in two languages side by side, and what becomes of those that fail."""

import pytest

from tests.browser.conftest import Visitor
from tests.browser.pages import script
from tests.browser.site import Site

pytestmark = pytest.mark.every_engine

ROUTES = """
import asyncio
import time
from fauxserver import FauxServer, HTTPError

server = FauxServer()
server.time_limit = 300

@server.get("good")
def good():
    return {"good": True}

@server.get("loops")
def loops():
    while True:
        pass

@server.get("loops-later")
async def loops_later():
    await asyncio.sleep(0)
    while True:
        pass

@server.get("raises")
def raises():
    return {}["missing"]

@server.get("cannot")
def cannot():
    return {"books": [{"price": 1}, {"price": float("nan")}]}

@server.get("object")
def an_object():
    return {"books": [object()]}

@server.get("stubborn")
def stubborn():
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass

@server.get("sleeps")
def sleeps():
    time.sleep(60)

@server.get("goes-on")
def goes_on():
    while True:
        yield "and on"

@server.get("cancels")
async def cancels():
    raise asyncio.CancelledError

@server.get("leaves")
def leaves():
    raise GeneratorExit

@server.get("never")
async def never():
    await asyncio.Event().wait()
"""

ASK = """
    const ask = (url, more = {}) => new Promise(resolve => {
      const options = { url, ...more }
      Backbone.sync("read", new Backbone.Model(), Object.assign(options, {
        success: value => resolve(["success", value, options.faux.status]),
        error: reason => resolve(["error", reason, options.faux.status]),
      }))
    })
"""


@pytest.mark.parametrize(
    ("url", "line", "source", "says"),
    [
        ("loops", 16, "pass", ["300 ms", "loops"]),
        ("loops-later", 22, "pass", ["300 ms"]),
        ("stubborn", None, None, ["300 ms", "stubborn"]),
        ("sleeps", 47, "time.sleep(60)", ["300 ms", "sleeps"]),
        ("goes-on", None, None, ["300 ms", "goes_on"]),
        ("cancels", 56, "raise asyncio.CancelledError", ["CancelledError"]),
        ("leaves", 60, "raise GeneratorExit", ["GeneratorExit"]),
        ("raises", 26, 'return {}["missing"]', ["KeyError", "missing"]),
        ("cannot", None, None, ["$.books[1].price", "nan"]),
        ("object", None, None, ["$.books[0]", "object"]),
    ],
)
def test_F4_a_handler_that_fails_is_a_500_which_says_why(visitor: Visitor, site: Site, url, line, source, says):
    site.write("/routes.py", ROUTES)
    visitor.open(routes=["/routes.py"])
    how, reason, status = visitor.run(ASK + "return ask(given)", url)
    told = "\n".join([str(reason), *visitor.failures])
    assert (how, status) == ("error", 500)
    assert [word for word in says if word not in told] == [], told
    box = visitor.box
    assert [word for word in says if word not in box] == [], box
    if line:
        # A loop is stopped wherever it is just then.
        assert any(f"routes.py:{at}" in box for at in ({line, line - 1} if source == "pass" else {line})), box
        assert "routes.py" in told
    # The page lives.
    assert visitor.run(ASK + "return ask('good')") == ["success", {"good": True}, 200]
    assert visitor.run("return 6 * 7") == 42


def test_F4_while_true_is_stopped_after_the_default_time_limit(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES.replace("server.time_limit = 300\n", ""))
    visitor.open(routes=["/routes.py"])
    how, reason, status = visitor.run(ASK + "return ask('loops')")
    assert (how, status) == ("error", 500)
    assert "5000 ms" in f"{reason}{visitor.box}" or "5 s" in f"{reason}{visitor.box}"
    assert visitor.run(ASK + "return ask('good')") == ["success", {"good": True}, 200]


def test_F4_a_catastrophic_expression_is_stopped_too(visitor: Visitor, site: Site):
    site.write(
        "/routes.py",
        ROUTES
        + "\nimport re\n@server.get('backtracks')\ndef backtracks():\n    return re.match(r'(a+)+$', 'a' * 60 + 'b')\n",
    )
    visitor.open(routes=["/routes.py"])
    assert visitor.run(ASK + "return ask('backtracks')")[::2] == ["error", 500]
    assert visitor.run(ASK + "return ask('good')") == ["success", {"good": True}, 200]


def test_F4_a_handler_that_never_settles_holds_nobody_up(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.open(script('fauxServer.get("js-never", () => new Promise(() => {}))'), routes=["/routes.py"])
    assert visitor.run(
        ASK
        + """
        const settled = []
        ask("never").then(() => settled.push("never"))
        ask("js-never").then(() => settled.push("js-never"))
        return [await ask("good"), await ask("good"), settled]
        """
    ) == [["success", {"good": True}, 200], ["success", {"good": True}, 200], []]


APP = """
fauxServer.get("broken", function broken() {
  return null.title
})
fauxServer.get("rejects", async () => {
  await null
  JSON.parse("no JSON")
})
"""


@pytest.mark.parametrize(("url", "line", "says"), [("broken", 3, "null"), ("rejects", 7, "JSON")])
def test_F4_a_javascript_handler_that_throws_is_told_of_with_its_error(
    visitor: Visitor, site: Site, url: str, line: int, says: str
):
    site.write("/app.js", APP)
    visitor.open(script("/app.js"))
    how, _, status = visitor.run(ASK + "return ask(given)", url)
    assert (how, status) == ("error", 500)
    assert any(says in part for part in visitor.failures), visitor.console
    assert [word for word in (says, f"app.js:{line}") if word not in visitor.box] == [], visitor.box


def test_F4_data_quiet_leaves_errors_to_the_console(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.open(routes=["/routes.py"], data_quiet=True)
    assert visitor.run(ASK + "return ask('raises')")[::2] == ["error", 500]
    assert any("routes.py" in line and "KeyError" in line for line in visitor.failures)
    assert visitor.box is None


def test_F4_an_http_error_is_nothing_to_make_a_fuss_about(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES + "\n@server.get('gone')\ndef gone():\n    raise HTTPError(410)\n")
    visitor.open(routes=["/routes.py"])
    assert visitor.run(ASK + "return ask('gone')") == ["error", "Gone", 410]
    assert visitor.box is None
    assert visitor.failures == []


def test_F4_what_python_prints_is_on_the_console(visitor: Visitor):
    visitor.open()
    visitor.run("await fauxServer.runPython(\"print('hello from Python')\")")
    assert [line for line in visitor.console if "hello from Python" in line] == ["log: hello from Python"]


def test_F4_run_python_gives_back_what_it_ends_with(visitor: Visitor):
    visitor.open()
    assert visitor.run("return fauxServer.runPython('1 + 1')") == 2
    message = visitor.run("return fauxServer.runPython('1 / 0').then(() => 'nothing', error => String(error.message))")
    assert "ZeroDivisionError" in message


def test_F4_modules_that_the_snapshot_lacks_are_imported_when_asked_for(visitor: Visitor):
    visitor.open()
    assert (
        visitor.run("""
        return fauxServer.runPython(`
import fauxserver.hosts.asgi, sqlite3, csv, decimal
str(decimal.Decimal("1.10"))
`)
    """)
        == "1.10"
    )
