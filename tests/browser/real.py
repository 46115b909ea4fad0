"""A real server that answers as the routes of `fetched.py` do, written for itself: what fetch is compared with."""

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from fauxserver.errors import reason_phrase
from tests.browser.fetched import ANSWERS, MOVED, PLAIN, tell

_ended: list[str] = []


def serve(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """Answer one request below /api/."""
    url = urlsplit(handler.path)
    kind, _, rest = url.path.removeprefix("/api/").partition("/")
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    if handler.command == "OPTIONS" and "Access-Control-Request-Method" in handler.headers:
        return _send(handler, 204)
    if kind == "echo":
        headers = {name.lower(): value for name, value in handler.headers.items()}
        return _send_json(handler, tell(handler.command, handler.path, headers, body))
    if kind in ("answers", "rooted"):
        content, given = ANSWERS[rest or "text"]
        return _send(handler, 200, content, given)
    if kind == "status":
        return _send(handler, int(rest), b"" if rest == "205" else f"status {rest}".encode(), PLAIN)
    if kind == "redirect":
        given = {name: query[key] for key, name in MOVED.items() if key in query}
        return _send(handler, int(rest), b"moved", {**PLAIN, **given})
    if kind == "hops":
        if rest == "0":
            return _send(handler, 200, b"there", PLAIN)
        return _send(handler, 302, b"", {"location": str(int(rest) - 1)})
    if kind == "pieces":
        return _stream(handler, iter([b"one", b"tw\xff", b"three"]), 0.06)
    if kind == "forever":
        with contextlib.suppress(ConnectionError):
            _stream(handler, _endless(), 0.01)
        _ended.append(rest)
        return None
    if kind == "ended":
        return _send_json(handler, rest in _ended)
    if kind == "breaks":
        return _stream(handler, iter([b"one"]), 0.06, whole=False)
    if kind == "halfway":
        with contextlib.suppress(ConnectionError):
            _stream(handler, iter([b"one", b"two"]), 2)
        return None
    assert kind == "slow", handler.path
    time.sleep(2)
    with contextlib.suppress(ConnectionError):
        _send(handler, 200, b"late", PLAIN)
    return None


def _endless() -> Iterator[bytes]:
    while True:
        yield b"-" * 1000


def _begin(handler: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str]) -> None:
    # Neither date nor server: a route file has none.
    handler.send_response_only(status, reason_phrase(status))
    for name, value in headers.items():
        # Several lines of one name are one value to a script.
        for each in value.split(", ") if name == "x-many" else [value]:
            handler.send_header(name, each)
    for name in ("Origin", "Methods", "Headers"):
        handler.send_header(f"Access-Control-Allow-{name}", "*" if name != "Headers" else "*, authorization")
    handler.send_header("Access-Control-Expose-Headers", "*")
    if "cache-control" not in headers:
        handler.send_header("Access-Control-Max-Age", "600")


def _send(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", headers: Mapping[str, str] = {}) -> None:
    empty = status in (204, 304)
    _begin(handler, status, headers)
    if not empty:
        handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    if handler.command != "HEAD" and not empty:
        handler.wfile.write(body)


def _send_json(handler: BaseHTTPRequestHandler, value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    _send(handler, 200, text.encode(), {"content-type": "application/json"})


def _stream(handler: BaseHTTPRequestHandler, pieces: Iterator[bytes], pause: float, whole: bool = True) -> None:
    _begin(handler, 200, PLAIN)
    handler.send_header("transfer-encoding", "chunked")
    handler.end_headers()
    for piece in pieces:
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        time.sleep(pause)
    if whole:
        handler.wfile.write(b"0\r\n\r\n")
    else:
        handler.close_connection = True
