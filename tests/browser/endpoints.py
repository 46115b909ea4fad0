"""Real servers behind the page, for comparing with ours: one that tells what it saw, and a route file over HTTP."""

import asyncio
import contextlib
import hashlib
import json
import re
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fauxserver.routefile import RouteFile

Raw = Callable[[BaseHTTPRequestHandler, bytes], None]

# What a browser makes up anew for each form.
BOUNDARY = re.compile(r"boundary=(\S+)")
# Longer than the buffers between here and the page.
LARGE = 300_000
# Long enough that a browser has seen what it is, and tells of it.
BEGINNING = b"the beginning\n" * 1000


class Endpoints:
    """The endpoints of a real server; `site.raw["/live/"] = Endpoints()`.

    `echo` tells what was asked, with `?status=`; `many` sends many bytes, `pieces` some of unknown number; `broken` and
    `broken-pieces` stop in the middle; `hangs` says nothing before `release()`, and `half` no more than a beginning;
    `redirect` leads to `?to=`, or in circles, and `text` says `?say=` in `?type=`. With `?cors=…` other origins may
    read it.
    """

    def __init__(self) -> None:
        self._released = threading.Event()

    def release(self) -> None:
        """Let go of those who wait."""
        self._released.set()

    def __call__(self, connection: BaseHTTPRequestHandler, body: bytes) -> None:
        address = urlsplit(connection.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        headers = {"Cache-Control": "no-store", "X-Answered": "by the real server", "X-Many": "a, b"}
        if "cors" in query:
            headers |= {
                "Access-Control-Allow-Origin": query["cors"],
                "Access-Control-Allow-Headers": "x-asked, content-type",
                "Access-Control-Allow-Methods": "PUT",
                "Access-Control-Max-Age": "0",
            }
        if connection.command == "OPTIONS":
            _send(connection, 204, headers)
            return
        with contextlib.suppress(ConnectionError):
            getattr(self, address.path.split("/")[2].replace("-", "_"))(connection, query, headers, body)

    def echo(self, connection: Any, query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        status = int(query.get("status", 200))
        _send(connection, status, headers, b"" if status in (204, 304) else json.dumps(told(connection, body)).encode())

    def many(self, connection: Any, query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        content = bytes(range(256)) * (LARGE // 256)
        _send(connection, 200, headers, content, "application/octet-stream")

    def text(self, connection: Any, query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        _send(connection, 200, headers, query["say"].encode(), query.get("type", "text/plain; charset=utf-8"))

    def pieces(self, connection: Any, query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        self._pieces(connection, headers, [b"first ", b"second ", b"third", b""])

    def broken_pieces(self, connection: Any, query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        self._pieces(connection, headers, [b"first ", b"second "])
        connection.close_connection = True

    def _pieces(self, connection: Any, headers: dict[str, str], pieces: list[bytes]) -> None:
        _begin(connection, 200, headers | {"Content-Type": "text/plain", "Transfer-Encoding": "chunked"})
        for piece in pieces:
            connection.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            connection.wfile.flush()

    def broken(self, connection: Any, query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        _begin(connection, 200, headers | {"Content-Type": "text/plain", "Content-Length": str(2 * len(BEGINNING))})
        connection.wfile.write(BEGINNING)
        connection.close_connection = True

    def half(self, connection: Any, query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        _begin(connection, 200, headers | {"Content-Type": "text/plain", "Content-Length": str(2 * len(BEGINNING))})
        connection.wfile.write(BEGINNING)
        self.hangs(connection, query, headers, body)

    def hangs(self, connection: Any, query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        self._released.wait(60)
        connection.close_connection = True

    def redirect(self, connection: Any, query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        _send(connection, int(query.get("status", 302)), headers | {"Location": query.get("to", "redirect")})


def told(connection: BaseHTTPRequestHandler, body: bytes) -> dict[str, Any]:
    """What the real server saw; boundaries and ports, which differ each time, left out."""
    headers = [(name, value) for name, value in connection.headers.items() if name not in ("Host", "Connection")]
    if boundary := BOUNDARY.search(connection.headers.get("Content-Type", "")):
        # Nor is it always as long.
        headers = [
            (name, value.replace(boundary[1], "BOUNDARY")) for name, value in headers if name != "Content-Length"
        ]
        body = body.replace(boundary[1].encode(), b"BOUNDARY")
    return {
        "method": connection.command,
        "path": connection.path,
        "headers": headers,
        "length": len(body),
        "hash": hashlib.sha256(body).hexdigest(),
        "body": body[:200].decode("utf-8", "replace"),
    }


def _begin(connection: BaseHTTPRequestHandler, status: int, headers: dict[str, str]) -> None:
    connection.send_response(status)
    for name, value in headers.items():
        connection.send_header(name, value)
    connection.end_headers()


def _send(
    connection: BaseHTTPRequestHandler,
    status: int,
    headers: dict[str, str],
    body: bytes = b"",
    content_type: str = "application/json",
) -> None:
    has_body = status not in (204, 304)
    described = {"Content-Type": content_type, "Content-Length": str(len(body))} if has_body else {}
    _begin(connection, status, headers | described)
    if connection.command != "HEAD":
        connection.wfile.write(body)


@contextmanager
def refusing() -> Iterator[str]:
    """An address where every connection is refused: its port is taken, and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/"


@contextmanager
def over_http(name: str, source: str) -> Iterator[Raw]:
    """A route file, answering over HTTP as any ASGI server would have it."""
    file = RouteFile(name, source)
    file.run()
    server: Any = file.servers[0]
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)

    def answer(connection: BaseHTTPRequestHandler, body: bytes) -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        asked = server(_scope(connection), receive, _sender(connection))
        # Who has left needs no answer, and at the end nobody does.
        with contextlib.suppress(ConnectionError, CancelledError):
            asyncio.run_coroutine_threadsafe(asked, loop).result()

    async def end() -> None:
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    thread.start()
    try:
        yield answer
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _scope(connection: BaseHTTPRequestHandler) -> dict[str, Any]:
    path, _, query = connection.path.partition("?")
    return {
        "type": "http",
        "method": connection.command,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in connection.headers.items()
        ],
    }


def _sender(connection: BaseHTTPRequestHandler) -> Callable[[dict[str, Any]], Awaitable[None]]:
    chunked = False

    async def send(message: dict[str, Any]) -> None:
        nonlocal chunked
        if message["type"] == "http.response.start":
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
            chunked = "content-length" not in headers and message["status"] not in (204, 304)
            _begin(connection, message["status"], headers | ({"Transfer-Encoding": "chunked"} if chunked else {}))
        elif connection.command != "HEAD":
            piece = message.get("body", b"")
            if chunked:
                end = b"" if message.get("more_body") else b"0\r\n\r\n"
                piece = (f"{len(piece):x}\r\n".encode() + piece + b"\r\n" if piece else b"") + end
            connection.wfile.write(piece)

    return send
