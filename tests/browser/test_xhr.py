"""XMLHttpRequest, answered in the page: all that can be seen of it is what a real server's answer would give.

The cases run twice in the same page, natively against a real server and intercepted; see `xhrcases.js`.
"""

import time
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from fauxserver.errors import reason_phrase
from tests.browser import xhr_routes
from tests.browser.conftest import Visitor
from tests.browser.pages import html, script
from tests.browser.site import Site


def answer_for_real(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """The real server: what the route file says, over the network."""
    headers = {name.lower(): value for name, value in handler.headers.items()}
    said = xhr_routes.say(handler.command, handler.path, headers, body)
    if said.pause and said.pieces is None:
        time.sleep(said.pause / 1000)
    handler.send_response_only(said.status, reason_phrase(said.status))
    for name, value in said.headers.items():
        handler.send_header(name, value)
    if said.pieces is None:
        if said.status not in (204, 304):
            handler.send_header("content-length", str(len(said.body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(said.body)
        return
    # Without a length it ends where the line does; cut off early, it is one piece short of what was promised.
    chunked = "content-length" not in said.headers
    if chunked:
        handler.send_header("transfer-encoding", "chunked")
    handler.end_headers()
    for piece in said.pieces:
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        time.sleep(said.pause / 1000)
    if said.broken:
        handler.close_connection = True
    elif chunked:
        handler.wfile.write(b"0\r\n\r\n")


# Where an engine departs from the specification (and from the published tests), we do not follow it. Each departure is
# written here once: what is left out of both recordings, or the cases that are not compared in that engine.
def without_departures(engine: str, result: Any) -> Any:
    if isinstance(result, dict):
        result = {key: without_departures(engine, value) for key, value in result.items()}
        # Firefox and WebKit remember the address of what has failed.
        return {**result, "url": ""} if result.get("status") == 0 and engine != "chromium" else result
    if not isinstance(result, list):
        return result
    if len(result) == 3 and result[0] == "Blob":
        # Chromium and Firefox drop the parameters of its type.
        return [*result[:1], result[1].partition(";")[0], *result[2:]]
    # Chromium and WebKit tell of no progress where nothing came.
    result = [each for each in result if not (isinstance(each, list) and each[:3] == ["xhr", "progress", 2])]
    # Chromium tells of the failure of an upload that never began.
    if engine == "chromium" and ["upload", "loadstart"] not in [each[:2] for each in result if isinstance(each, list)]:
        result = [each for each in result if not (isinstance(each, list) and each[:1] == ["upload"])]
    return [without_departures(engine, each) for each in result]


EMPTY = ["events: POST with an empty body"] + [
    f"bodies: {body}" for body in ("an empty string", "empty URLSearchParams", "an empty Blob", "an empty ArrayBuffer")
]
KINDS = ("application/x", "text/plain;charset=iso-8859-1", "text/a; charset=utf-8; b=c", "nonsense; charset=x")
SENT_TEXTS = [
    f"bodies: {body} as {kind}" for body in ("a string", "URLSearchParams", "an XML document") for kind in KINDS[2:]
]
BLOB_TYPES = [
    f"types: a blob of {kind}"
    for kind in ("text/plain;charset=utf-8", "TEXT/HTML; Charset=UTF-8", 'text/x;a="b;c"; d=e', "text/html;x=1;x=2")
]
HEADS = ["events: HEAD", "sync: HEAD"] + [f"redirects: HEAD {status}" for status in (301, 302, 303, 307, 308)]
REDIRECTED_UPLOADS = [f"redirects: {method} {code}" for method in ("POST", "PUT") for code in (301, 302, 303, 307, 308)]
DEPARTURES: dict[str, dict[str, list[str]]] = {
    "chromium": {
        "an upload of nothing has a length and no end": EMPTY,
        "a right charset is rewritten too, and in what is no type": SENT_TEXTS,
        "the type of a blob has no parameters": BLOB_TYPES,
        "JSON is read anew each time": ["forms: the same object each time"],
        "after abort, sizes are others, and load is not told": [
            "abort: in state 3",
            "abort: in state 4",
            "abort: in load",
            "abort: in upload's progress",
        ],
        "what a listener opens anew gets the old answer's text, or is not told of its end": [
            "open: again in readystatechange 2",
            "open: again in readystatechange 4",
            "open: again in load 4",
        ],
    },
    "firefox": {
        "an upload of nothing has a length and no progress": EMPTY,
        "the type of a blob has no parameters": BLOB_TYPES,
        "HEAD has no length": HEADS,
        "a 205 has no length": ["events: status 205 with a body"],
        "an empty page is no document": ["forms: an empty page as document"],
        "a form's boundary is not always as long": [
            *("bodies: a form", "bodies: an empty form", "bodies: a form with files"),
            *("sync: sending a form", "sync: sending a form with files"),
            *(f"bodies: a form as {kind}" for kind in KINDS),
        ],
        "a document says its charset": ["charsets: XML's own as default"],
        "what came last before the line is cut is not told": ["streams: broken off"],
        "what was sent is only told with the answer": ["abort: when it was uploaded"],
        "after abort in an upload's progress it goes on": ["abort: in upload's progress"],
        "what is opened anew is told of the old one's end, without its size": ["open: again in readystatechange 4"],
        "a synchronous failure has events": ["sync: redirected without end"],
    },
    "webkit": {
        "an upload of nothing has no end": EMPTY,
        "HEAD has no length": HEADS,
        "a 205 has a body": ["events: status 205 with a body"],
        "a document says its charset": ["charsets: XML's own as default"],
        "a blob's type keeps its capitals": ["types: a blob of TEXT/HTML; Charset=UTF-8"],
        "JSON may have another charset": ["charsets: JSON is UTF-8"],
        "what breaks off is taken for whole": ["streams: broken off"],
        "an upload that is redirected is counted twice, and keeps its origin": REDIRECTED_UPLOADS,
        "after abort, the text stays": ["abort: in state 2"],
        "the name is left out of the address": [
            *("names: user and password", "names: in the address", "names: with a body", "sync: user and password")
        ],
        "what a listener opens anew gets the old answer's text, or is told of the old one's end without its size": [
            "open: again in readystatechange 2",
            "open: again in readystatechange 4",
            "open: again in load 4",
        ],
        "what was sent is told at once": ["timeout: of an upload"],
        "a timeout set meanwhile is not heard": ["timeout: set while it is under way"],
        "a synchronous failure has events": ["sync: redirected without end"],
    },
}


def compare(visitor: Visitor, site: Site) -> dict[str, tuple[Any, Any]]:
    """The cases whose two recordings differ: natively, intercepted."""
    site.raw["/api/"] = answer_for_real
    visitor.open(script("/tests/xhrcases.js"), routes=["/tests/xhr_routes.py"])
    native = visitor.run("return runCases()")
    site.requests.clear()
    ours = visitor.run("window.stop = fauxServer.intercept('xhr'); return runCases()")
    assert site.reached("/api/") == []
    assert len(native) > 120
    departures = [name for names in DEPARTURES[visitor.engine].values() for name in names]
    return {
        name: (native[name], ours[name])
        for name in native
        if name not in departures
        and without_departures(visitor.engine, native[name]) != without_departures(visitor.engine, ours[name])
    }


@pytest.mark.every_engine
def test_everything_is_as_with_a_real_server(visitor: Visitor, site: Site):
    assert compare(visitor, site) == {}


def test_what_no_route_wants_is_the_browsers_own(visitor: Visitor, site: Site):
    site.raw["/api/"] = answer_for_real
    visitor.open(script("/tests/xhrcases.js"))
    native = visitor.run("return runCases()")
    site.requests.clear()
    visitor.run("""
        fauxServer.get("another", {})
        window.stop = fauxServer.intercept("xhr")
    """)
    ours = visitor.run("return runCases()")
    assert {name: (native[name], ours[name]) for name in native if native[name] != ours[name]} == {}
    assert site.reached("/api/") != []


HELD = """
    window.log = []
    window.stop = fauxServer.intercept("xhr")
    const make = (url, { sync = false, ...more } = {}) => {
      const xhr = new XMLHttpRequest()
      const note = who => ({ type }) => log.push([url, who + type, xhr.readyState])
      for (const type of ["readystatechange", "loadstart", "load", "error", "abort", "timeout", "loadend"]) {
        xhr.addEventListener(type, note(""))
        if (type !== "readystatechange") xhr.upload.addEventListener(type, note("upload "))
      }
      xhr.open("POST", url, !sync)
      Object.assign(xhr, more)
      xhr.send("sent to " + url)
      log.push([url, "sent", xhr.readyState])
      return xhr
    }
    window.ours = make("/api/say?text=ours")
    window.theirs = make("/real/theirs")
    window.late = make("/api/say?text=late", { timeout: 20 })
    window.dropped = make("/api/say?text=given")
    dropped.abort()
    try {
      make("/api/say", { sync: true })
    } catch (error) {
      window.refused = error.message
    }
    window.handed = make("/api/say?text=handed")
    handed.open("GET", "/api/say?text=second")
    handed.send()
"""


@pytest.mark.every_engine
def test_before_ready_requests_wait_as_if_they_were_sent(visitor: Visitor, site: Site):
    site.hold("/tests/xhr_routes.py")
    visitor.visit(html(script(HELD), routes=["/tests/xhr_routes.py"]))
    visitor.until("late.readyState === 4")
    site.release("/tests/xhr_routes.py")
    visitor.until("[ours, theirs, handed].every(xhr => xhr.readyState === 4)")
    log = visitor.run("return log")
    by_url = {url: [entry[1:] for entry in log if entry[0] == url] for url, *_ in log}
    # What is held has begun when it is known who answers it.
    begun = [["readystatechange", 1], ["sent", 1], ["loadstart", 1], ["upload loadstart", 1]]
    uploaded = [["upload load", 1], ["upload loadend", 1]]
    answered = [["readystatechange", state] for state in (2, 3, 4)] + [["load", 4], ["loadend", 4]]

    def failed(how: str) -> list[list[Any]]:
        return [["readystatechange", 4], [f"upload {how}", 4], ["upload loadend", 4], [how, 4], ["loadend", 4]]

    assert by_url["/api/say?text=ours"] == [*begun, *uploaded, *answered]
    # Its upload is the network's business, and engines differ; but nothing is told twice.
    theirs = [entry for entry in by_url["/real/theirs"] if entry[0] not in ("upload load", "upload loadend")]
    assert theirs == [*begun, *answered]
    assert by_url["/api/say?text=late"] == [*begun, *failed("timeout")]
    assert by_url["/api/say?text=given"] == [*begun, *failed("abort")]
    assert visitor.run("return [ours, theirs, late, dropped, handed].map(xhr => [xhr.status, xhr.responseText])") == [
        [200, "ours"],
        [200, '{"real": true, "method": "POST", "path": "/real/theirs", "body": "sent to /real/theirs"}'],
        [0, ""],
        [0, ""],
        [200, "second"],
    ]
    assert visitor.run("return refused") == (
        f"A synchronous request for {site.url}/api/say cannot wait for the runtime to load. "
        "Make it after `await fauxServer.ready`."
    )
    assert site.reached("/api/") == []


@pytest.mark.every_engine
def test_a_synchronous_request_for_a_handler_that_waits_fails_and_names_it(visitor: Visitor, site: Site):
    visitor.open(routes=["/tests/xhr_routes.py"])
    told = visitor.run("""
        fauxServer.intercept("xhr")
        fauxServer.get("promised", async function promising() { return 1 })
        return ["/promised", "/api/say?pause=1", "/api/stream?pieces=a,b"].map(url => {
          const events = []
          const xhr = new XMLHttpRequest()
          xhr.onload = xhr.onerror = xhr.onloadend = ({ type }) => events.push(type)
          xhr.open("GET", url, false)
          try {
            xhr.send()
            return "sent"
          } catch (error) {
            return [error instanceof DOMException, error.name, xhr.readyState, xhr.status, xhr.responseText, events]
          }
        })
    """)
    assert told == [[True, "NetworkError", 4, 0, "", []]] * 3
    errors = "\n".join(visitor.failures)
    assert [word for word in ("promising", "answer", "cannot wait") if word not in errors] == []


def test_a_synchronous_redirect_to_the_network_is_followed(visitor: Visitor, site: Site):
    visitor.open(routes=["/tests/xhr_routes.py"])
    assert visitor.run("""
        fauxServer.intercept("xhr")
        const xhr = new XMLHttpRequest()
        xhr.open("POST", "/api/redirect?status=307&to=/real/there", false)
        xhr.send("body")
        return [xhr.status, JSON.parse(xhr.responseText), xhr.responseURL]
    """) == [
        200,
        {"real": True, "method": "POST", "path": "/real/there", "body": "body"},
        f"{site.url}/real/there",
    ]


FAKES = {
    "sinon": (
        ["/npm/sinon/pkg/sinon.js"],
        "const fake = sinon.useFakeXMLHttpRequest(); let caught = []; fake.onCreate = xhr => caught.push(xhr)",
        "fake.restore()",
        "caught.filter(xhr => xhr.sendFlag).length",
    ),
    "Pretender": (
        [
            "/npm/fake-xml-http-request/fake_xml_http_request.js",
            "/npm/route-recognizer/dist/route-recognizer.js",
            "/npm/pretender/dist/pretender.js",
        ],
        """
        let caught = 0
        const fake = new Pretender(function () {
          this.get("/other", () => {
            caught += 1
            return [200, {}, "fake"]
          })
        })
        """,
        "fake.shutdown()",
        "caught",
    ),
}


@pytest.mark.parametrize("library", FAKES)
def test_a_fake_below_us_gets_what_is_not_ours(visitor: Visitor, site: Site, library: str):
    scripts, install, restore, caught = FAKES[library]
    visitor.open(*(script(address) for address in scripts), routes=["/tests/xhr_routes.py"])
    assert visitor.run(f"""
        const get = (url, end = "onload") => new Promise(resolve => {{
          const xhr = new XMLHttpRequest()
          const states = []
          xhr.onreadystatechange = () => states.push(xhr.readyState)
          xhr.open("GET", url)
          xhr[end] = () => resolve([states, xhr.status, xhr.responseText, xhr.getResponseHeader("content-type")])
          xhr.send()
          if (end === "none") resolve("sent")
        }})
        {install}
        const Fake = XMLHttpRequest
        const stop = fauxServer.intercept("xhr")
        const log = [await get("/api/say?text=ours"), await get("/api/say?text=again")]
        await get("/other", "none")
        log.push({caught})
        stop()
        {restore}
        const again = fauxServer.intercept("xhr")
        log.push(await get("/api/say?text=native"), XMLHttpRequest !== Fake)
        again()
        return log
    """) == [
        [[1, 2, 3, 4], 200, "ours", "text/plain"],
        [[1, 2, 3, 4], 200, "again", "text/plain"],
        1,
        [[1, 2, 3, 4], 200, "native", "text/plain"],
        True,
    ]


@pytest.mark.parametrize("library", FAKES)
def test_a_fake_above_us_takes_all_until_it_leaves(visitor: Visitor, site: Site, library: str):
    scripts, install, restore, caught = FAKES[library]
    visitor.open(*(script(address) for address in scripts), routes=["/tests/xhr_routes.py"])
    assert visitor.run(f"""
        const send = url => {{
          const xhr = new XMLHttpRequest()
          xhr.open("GET", url)
          xhr.send()
          return xhr
        }}
        const stop = fauxServer.intercept("xhr")
        {install}
        send("/other")
        const log = [{caught}]
        {restore}
        const xhr = send("/api/say?text=ours")
        await new Promise(resolve => {{ xhr.onload = resolve }})
        stop()
        return [...log, xhr.responseText]
    """) == [1, "ours"]


def test_the_pages_clock_is_ours(visitor: Visitor, site: Site):
    visitor.open(script("/npm/sinon/pkg/sinon.js"), routes=["/tests/xhr_routes.py"])
    assert visitor.run("""
        fauxServer.intercept("xhr")
        fauxServer.setLatency(250)
        const clock = sinon.useFakeTimers()
        const log = []
        const send = (name, timeout) => {
          const xhr = new XMLHttpRequest()
          xhr.onload = xhr.ontimeout = ({ type }) => log.push([name, type, xhr.readyState])
          xhr.open("GET", "/api/say?text=ours")
          xhr.timeout = timeout
          xhr.send()
          return xhr
        }
        send("slow", 0)
        send("late", 200)
        const changed = send("changed", 10000)
        clock.tick(100)
        changed.timeout = 120
        clock.tick(49)
        log.push("149 ms")
        clock.tick(100)
        log.push("249 ms")
        clock.tick(1)
        log.push("250 ms")
        clock.restore()
        return log
    """) == [
        ["changed", "timeout", 4],
        "149 ms",
        ["late", "timeout", 4],
        "249 ms",
        ["slow", "load", 4],
        "250 ms",
    ]


@pytest.mark.parametrize("begins", [0, 20])
def test_what_is_answered_while_the_page_is_busy_has_come_in_time(visitor: Visitor, begins: int):
    visitor.open(routes=["/tests/xhr_routes.py"])
    assert (
        visitor.run(
            """
        fauxServer.intercept("xhr")
        const xhr = new XMLHttpRequest()
        xhr.open("GET", "/api/say?text=ours&pause=100")
        xhr.timeout = 400
        const ended = new Promise(resolve => { xhr.onload = xhr.ontimeout = ({ type }) => resolve(type) })
        const busy = () => {
          const over = performance.now() + 500
          while (performance.now() < over);
        }
        xhr.send()
        if (given) setTimeout(busy, given)
        else busy()
        return ended
        """,
            begins,
        )
        == "load"
    )


def test_what_was_answered_outlives_the_interception(visitor: Visitor, site: Site):
    visitor.open(routes=["/tests/xhr_routes.py"])
    assert visitor.run("""
        const before = JSON.stringify(Object.keys(Object.getOwnPropertyDescriptors(XMLHttpRequest.prototype)))
        const { open, send } = XMLHttpRequest.prototype
        const stop = fauxServer.intercept("xhr")
        const get = () => {
          const xhr = new XMLHttpRequest()
          xhr.open("GET", "/api/say?text=ours&h=x-a:1")
          xhr.send()
          return xhr
        }
        const ended = xhr => new Promise(resolve => { xhr.onloadend = resolve })
        const done = get()
        await ended(done)
        const late = get()
        const dropped = get()
        stop()
        dropped.abort()
        await ended(late)
        const read = xhr => [xhr.readyState, xhr.status, xhr.responseText, xhr.getResponseHeader("x-a")]
        const same = XMLHttpRequest.prototype.open === open && XMLHttpRequest.prototype.send === send
        const after = JSON.stringify(Object.keys(Object.getOwnPropertyDescriptors(XMLHttpRequest.prototype)))
        late.open("GET", "/real/now")
        late.send()
        await ended(late)
        const { path } = JSON.parse(late.responseText)
        return [read(done), read(dropped), same, before === after, path, Object.getOwnPropertyNames(late)]
    """) == [[4, 200, "ours", "1"], [0, 0, "", None], True, True, "/real/now", []]
