"""A `FauxServer` as an ASGI application: `uvicorn routes:server`.

Over HTTP there is one origin, so expressions are held against the path: `books/:id` and `/books/:id` both answer
`/books/7`. Where the application is mounted, they count from there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import quote

from fauxserver.bodies import decode
from fauxserver.errors import BodyError
from fauxserver.messages import Request, Response, to_json
from fauxserver.server import FauxServer

Scope: TypeAlias = "MutableMapping[str, Any]"
Receive: TypeAlias = "Callable[[], Awaitable[MutableMapping[str, Any]]]"
Send: TypeAlias = "Callable[[MutableMapping[str, Any]], Awaitable[None]]"

MOST_BYTES = 16 * 1024 * 1024
"""The longest body that is accepted."""


async def serve(server: FauxServer, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one connection."""
    if scope["type"] == "lifespan":
        await live(server, receive, send)
    elif scope["type"] == "http":
        await answer(server, scope, receive, send)
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000, "reason": "fauxserver answers HTTP only."})


async def live(server: FauxServer, receive: Receive, send: Send) -> None:
    """Be ready when the application starts."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            server.ready()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return


async def answer(server: FauxServer, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request."""
    bare = scope["method"] == "HEAD"
    body = await read(receive)
    if body is None:
        return  # The client has left.
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    if "last-event-id" in headers:
        # The one header that browsers write as UTF-8: an id may have any letters.
        headers["last-event-id"] = headers["last-event-id"].encode("latin-1").decode("utf-8", "replace")
    try:
        if len(body) > MOST_BYTES:
            raise _Refused(413, f"The body is longer than {MOST_BYTES} bytes.")
        request = Request(
            scope["method"],
            address(scope, headers),
            None,
            headers,
            body,
            headers.get("x-http-method-override"),
            scope.get("root_path", "").rstrip("/") + "/",
        )
        exchange = server.accept(request)
        if exchange is None:
            where = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope.get("query_string") else "")
            explained = server.explain(request)
            near = " ".join(f"{near}." for near in explained.nearest)
            told = f"{scope['method']} {where} {explained.reason}{f' Nearest: {near}' if near else ''}"
            raise _Refused(404, told)
        try:
            exchange.data = decode(body, headers.get("content-type", ""))
        except BodyError as error:
            exchange.done(400, 0, str(error))
            raise _Refused(400, str(error)) from None
    except _Refused as refused:
        text = to_json({"error": refused.reason}).encode()
        await begin(send, refused.status, {"content-type": "application/json"}, len(text))
        await send({"type": "http.response.body", "body": b"" if bare else text})
        return
    await deliver(await exchange.settle(), send, bare)


class _Refused(Exception):
    """A request that no handler gets to see."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


async def read(receive: Receive) -> bytes | None:
    """The request's body; of one that is too long the beginning. Nothing if the client leaves meanwhile."""
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        piece = message.get("body", b"")
        if size <= MOST_BYTES:
            pieces.append(piece)
            size += len(piece)
        if not message.get("more_body", False):
            return b"".join(pieces)


def address(scope: Scope, headers: dict[str, str]) -> str:
    """The url that the client has asked for. Its path stays encoded, as everywhere else."""
    path = scope.get("raw_path") or quote(scope["path"], safe="/:@!$&'()*+,;=~").encode()
    query = scope.get("query_string", b"")
    host = headers.get("host")
    if host is None:
        name, port = scope.get("server") or ("localhost", None)
        host = f"{name}:{port}" if port else str(name)
    target = path.partition(b"?")[0] + (b"?" + query if query else b"")
    return f"{scope.get('scheme', 'http')}://{host}{target.decode('latin-1')}"


async def deliver(response: Response, send: Send, bare: bool) -> None:
    """Send a response: at once, or in the pieces in which it comes."""
    if response.kind != "stream":
        status, headers, body = response.encode()
        # 204 and the like have no length.
        await begin(send, status, headers, len(body) if body or status not in (204, 304) else None)
        await send({"type": "http.response.body", "body": b"" if bare else body})
        return
    headers = {name.lower(): value for name, value in response.headers.items()}
    headers.setdefault("content-type", "text/plain; charset=utf-8")
    await begin(send, response.status, headers, None)
    try:
        if not bare:
            async for piece in response.stream():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
    finally:
        await response.close()
    await send({"type": "http.response.body", "body": b""})


async def begin(send: Send, status: int, headers: dict[str, str], length: int | None) -> None:
    """Send status and headers."""
    if length is not None:
        headers = {"content-length": str(length), **headers}
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()
            ],
        }
    )
