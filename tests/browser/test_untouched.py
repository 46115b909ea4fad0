"""What no route wants: its client sees what it would see without us, and the real server the same requests.

Each case (see untouched.js) runs twice in the same browser, natively and with us: all that its client is told is
written down, and all that the real server was asked.
"""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Visitor
from tests.browser.endpoints import Endpoints, refusing
from tests.browser.matrix import COMBINATIONS, LATEST, Combination
from tests.browser.pages import html, script
from tests.browser.site import Reply, Site
from tests.browser.test_route_files import ASKED_AGAIN, wheel

AXIOS = script("/npm/axios/dist/axios.js")
CASES = script("/untouched.js")
# Routes that nearly match, and one that is elsewhere altogether.
ROUTES = """
from fauxserver import FauxServer
server = FauxServer()
server.get("live/echoes/:id", lambda id: {"faux": True})
server.put("live/many", {"faux": True})
server.add_route("books/*rest", {"faux": True})
"""
INTERCEPT = script("""
    window.stop = fauxServer.intercept("fetch", "xhr", "eventsource")
    fauxServer.get(/^https?:.*\\/live\\/nowhere/, () => ({ faux: true }))
""")
# That it is on: what a route wants is answered.
ANSWERED = """
    const xhr = new XMLHttpRequest()
    xhr.open("GET", "/live/echoes/1", false)
    xhr.send()
    return [JSON.parse(xhr.responseText).faux, (await (await fetch("/live/echoes/1")).json()).faux]
"""

JQUERY_1_11 = COMBINATIONS[3]
JQUERY_4 = COMBINATIONS[12]


@pytest.fixture
def live(site: Site) -> Iterator[Endpoints]:
    site.write("/routes.py", ROUTES)
    with refusing() as refused:
        site.write("/untouched.js", Path(__file__).with_name("untouched.js").read_text().replace("{refused}", refused))
        site.raw["/live/"] = endpoints = Endpoints()
        yield endpoints
        endpoints.release()


def natively(
    visitor: Visitor, libraries: Combination, clients: list[str]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What these clients are told without us, and what the real server was asked."""
    visitor.visit(html(AXIOS, CASES, libraries=libraries, faux=None))
    return record(visitor, clients)


def with_us(
    visitor: Visitor, libraries: Combination, clients: list[str]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The same with us on the page, and everything intercepted."""
    visitor.open(INTERCEPT, AXIOS, CASES, libraries=libraries, routes=["/routes.py"])
    assert visitor.run(ANSWERED) == [True, True]
    return record(visitor, clients)


def record(visitor: Visitor, clients: list[str]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    visitor.site.requests.clear()
    told = visitor.run("return record(given)", clients)
    # What is aborted at once may have been on its way, or not.
    asked = [(method, path) for method, path, _ in visitor.site.reached("/live/") if "hangs" not in path]
    return told, sorted(asked)


def differences(native: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    """The cases that are not the same, with both logs where they part."""
    found = []
    for case in native:
        if native[case] != ours.get(case):
            pairs = list(zip_longest(native[case], ours.get(case, [])))
            apart = next(i for i, (one, other) in enumerate(pairs) if one != other)
            logs = {"natively": native[case], "with us": ours.get(case, [])}
            found.append("\n".join([case, *(f"  {whose}: {log[apart : apart + 6]}" for whose, log in logs.items())]))
    return found


@pytest.mark.parametrize(
    ("libraries", "clients"),
    [
        (LATEST, ["XMLHttpRequest", "fetch", "axios, xhr", "axios, fetch"]),
        (JQUERY_1_11, ["jQuery", "Backbone"]),
        (JQUERY_4, ["jQuery", "Backbone"]),
    ],
    ids=["the browser's own and axios", "jQuery 1.11", "jQuery 4"],
)
def test_a_client_is_told_the_same_in_the_same_order(
    visitor: Visitor, site: Site, live: Endpoints, libraries: Combination, clients: list[str]
):
    native, asked = natively(visitor, libraries, clients)
    ours, asked_with_us = with_us(visitor, libraries, clients)
    assert "\n".join(differences(native, ours)) == ""
    assert asked_with_us == asked


# Below us, as an older library might be: it tells what it is handed, and whether that is what the page gave.
BELOW = script("""
    const native = window.fetch
    window.handed = []
    window.fetch = function (...args) {
      handed.push(args)
      return window.promised = native.apply(this, args)
    }
    const { open, send } = XMLHttpRequest.prototype
    XMLHttpRequest.prototype.open = function (...args) {
      handed.push(args)
      return open.apply(this, args)
    }
    XMLHttpRequest.prototype.send = function (...args) {
      handed.push(args)
      return send.apply(this, args)
    }
""")


def test_it_is_handed_on_at_once_and_as_it_was_given(visitor: Visitor, live: Endpoints):
    visitor.open(INTERCEPT, before=[BELOW], routes=["/routes.py"])
    assert (
        visitor.run("""
        const log = []
        const expect = (...wanted) => {
          const same = (args, i) => args.every((arg, j) => arg === wanted[i][j])
          log.push(handed.length === wanted.length && handed.every(same) ? "as given" : handed.splice(0))
          handed.length = 0
        }
        handed.length = 0
        const init = { method: "POST", body: new FormData(), headers: { a: "b" } }
        const request = new Request("/live/echo", { method: "POST", body: "x" })
        const url = new URL("/live/echo", location)
        const all = [fetch("/live/echo", init)]
        expect(["/live/echo", init])
        all.push(fetch(request))
        expect([request])
        all.push(fetch(url))
        expect([url])
        await Promise.all(all)
        for (const body of [undefined, "x", init.body, new Blob(["x"]), new Uint8Array(3)]) {
          const xhr = new XMLHttpRequest()
          const sent = new Promise(resolve => { xhr.onload = resolve })
          xhr.open("POST", "/live/echo", true)
          xhr.send(body)
          expect(["POST", "/live/echo", true], [body])
          await sent
        }
        return log
    """)
        == ["as given"] * 8
    )


EARLY = script("""
    const native = window.fetch
    const read = response => response.text().then(text => [response.status, JSON.parse(text).path])
    const asked = (method, url, body) => new Promise(resolve => {
      const xhr = new XMLHttpRequest()
      const log = []
      for (const type of ["readystatechange", "loadstart", "load", "loadend", "error", "timeout"]) {
        const line = () => `${type} ${xhr.readyState}`
        xhr.addEventListener(type, () => { if (log.at(-1) !== line()) log.push(line()) })
      }
      xhr.onloadend = () => resolve([log, xhr.status, xhr.responseText.length, xhr.getAllResponseHeaders().length > 0])
      xhr.open(method, url)
      xhr.setRequestHeader("X-Asked", "early")
      xhr.send(body)
    })
    window.early = Promise.all([
      fetch("/live/echo?1").then(read),
      fetch(new Request("/live/echo?2", { method: "POST", body: "x" })).then(read),
      fetch("/live/echo?3", { signal: AbortSignal.abort() }).catch(error => error.name),
      fetch("{refused}").catch(error => `${error.name}: ${error.message}`),
      asked("GET", "/live/echo?4"),
      asked("POST", "/live/echo?5", "body"),
      asked("GET", "/live/broken"),
      asked("GET", "{refused}"),
    ])
""")


def test_what_was_asked_before_the_runtime_is_there_ends_the_same(visitor: Visitor, live: Endpoints):
    with refusing() as refused:
        early = EARLY.replace("{refused}", refused)
        visitor.visit(html(early, faux=None))
        native = visitor.run("return early")
        visitor.open(INTERCEPT, early, routes=["/routes.py"])
        assert visitor.run("return early") == native
    # It is what it seems to be.
    assert native[0] == [200, "/live/echo?1"]


# For everything, in every way that there is to say so.
EVERYTHING = script("""
    fauxServer.intercept("fetch", "xhr", "eventsource")
    fauxServer.addRoute("everything", "*anything", "*", () => ({ faux: true }))
    for (const method of ["get", "post", "put", "patch", "del"]) fauxServer[method](/^/, () => ({ faux: true }))
""")


def test_the_runtimes_own_requests_are_never_answered(visitor: Visitor, site: Site):
    content = wheel("indexed_pkg", "2.0", "answer = 43\n")
    site.write("/wheels/tiny_pkg-1.2-py3-none-any.whl", wheel("tiny_pkg", "1.2", "answer = 42\n"))
    site.write("/files/indexed_pkg-2.0-py3-none-any.whl", content)
    link = '<!doctype html><a href="/files/indexed_pkg-2.0-py3-none-any.whl">indexed_pkg-2.0-py3-none-any.whl</a>'
    site.replies["/simple/indexed-pkg/"] = Reply(200, link.encode(), {"Content-Type": "text/html"})
    site.write("/books.json", '["Franny"]')
    head = f"""# /// script
# dependencies = ["tiny-pkg @ {site.url}/wheels/tiny_pkg-1.2-py3-none-any.whl", "indexed-pkg"]
# [tool.fauxserver]
# files = ["books.json"]
# index = "{site.url}/simple/"
# ///
import json, pathlib
import indexed_pkg, tiny_pkg
from fauxserver import FauxServer
server = FauxServer()
read = [tiny_pkg.answer, indexed_pkg.answer, json.loads(pathlib.Path(__file__).with_name("books.json").read_text())]
"""
    site.write("/routes.py", head + "read.append('first')\n")
    site.write("/later.py", "loaded = True\n")
    visitor.open(EVERYTHING, routes=["/routes.py"], data_reload=True)
    assert "\n".join(visitor.failures) == ""
    # The page's own are, all of them: what the runtime reads is asked of Python itself.
    seen = "JSON.parse(await fauxServer.runPython('import json, routes; json.dumps(routes.read)'))"
    assert visitor.run(f"return [(await (await fetch('/routes.py')).json()).faux, {seen}]") == [
        True,
        [42, 43, ["Franny"], "first"],
    ]
    visitor.run("await fauxServer.load('/later.py')")
    assert visitor.run("return fauxServer.runPython('import later; later.loaded')") is True
    visitor.until(ASKED_AGAIN)
    site.write("/routes.py", head + "read.append('second')\n")
    visitor.until(f"{seen}.at(-1) === 'second'")
    assert "\n".join(visitor.failures) == ""
