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
from tests.browser.pages import script
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
        "a document says its charset": ["charsets: XML's own as default"],
        "a blob's type keeps its capitals": ["types: a blob of TEXT/HTML; Charset=UTF-8"],
        "JSON may have another charset": ["charsets: JSON is UTF-8"],
        "what breaks off is taken for whole": ["streams: broken off"],
        "an upload that is redirected is counted twice, and keeps its origin": REDIRECTED_UPLOADS,
        "after abort, the text stays": ["abort: in state 2"],
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
