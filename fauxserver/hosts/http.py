"""What HTTP says of a request and an answer, by way of ASGI, in our words; and what it cannot say."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import quote

from fauxserver.errors import HandlerError
from fauxserver.messages import Request, Response

Scope: TypeAlias = "MutableMapping[str, Any]"
Receive: TypeAlias = "Callable[[], Awaitable[MutableMapping[str, Any]]]"
Send: TypeAlias = "Callable[[MutableMapping[str, Any]], Awaitable[None]]"
App: TypeAlias = "Callable[[Scope, Receive, Send], Awaitable[None]]"

MOST_BYTES = 16 * 1024 * 1024
"""The longest body that is accepted."""
MOST_HEADER_BYTES = 64 * 1024
"""The longest headers, all of a request's together."""
_LISTENED = 64 * 1024 * 1024
"""So many bytes more are read of one that is too long, and thrown away, before the client is told."""


class Refused(Exception):
    """A request that no handler gets to see, or that is no request."""

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = dict(headers or {})


class Answer(NamedTuple):
    """A response, as it is sent."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def read_headers(pairs: Any) -> dict[str, str]:
    """The request's headers. One that is there more than once has all values, as a page's `Headers` would."""
    headers: dict[str, str] = {}
    size = 0
    for name, value in pairs:
        size += len(name) + len(value) + 4
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        if key in headers:
            text = f"{headers[key]}{'; ' if key == 'cookie' else ', '}{text}"
        headers[key] = text
    if size > MOST_HEADER_BYTES:
        raise Refused(431, f"The headers are longer than {MOST_HEADER_BYTES} bytes.", {"connection": "close"})
    if "last-event-id" in headers:
        # The one header that browsers write as UTF-8: an id may have any letters.
        headers["last-event-id"] = headers["last-event-id"].encode("latin-1").decode("utf-8", "replace")
    return headers


def bodiless(scope: Scope, headers: Mapping[str, str]) -> bool:
    """Whether a request surely has no body."""
    return (
        "content-length" not in headers
        and "transfer-encoding" not in headers
        and str(scope.get("http_version", "")).startswith("1")
    )


async def read(receive: Receive, headers: Mapping[str, str], most: int = MOST_BYTES) -> bytes | None:
    """The request's body. Nothing if the client leaves meanwhile; raises Refused for one that is too long."""
    pieces: list[bytes] = []
    size = 0
    length = headers.get("content-length", "")
    refused = Refused(413, f"The body is longer than {most} bytes.", {"connection": "close"})
    if length.isdigit() and int(length) > most and headers.get("expect", "").lower() == "100-continue":
        raise refused
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        piece = message.get("body", b"")
        size += len(piece)
        if size <= most:
            pieces.append(piece)
        elif size > most + _LISTENED:
            raise refused
        if not message.get("more_body", False):
            break
    if size > most:
        # Most clients listen only when they have said all.
        raise Refused(413, refused.reason)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def pieces(receive: Receive) -> AsyncIterator[bytes]:
    """The request's body, as it comes."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise asyncio.CancelledError
        piece = message.get("body", b"")
        if piece:
            yield piece
        if not message.get("more_body", False):
            return


def address(scope: Scope, headers: Mapping[str, str]) -> str:
    """The url that the client has asked for. Its path stays encoded, as everywhere else."""
    path = scope.get("raw_path") or quote(scope["path"], safe="/:@!$&'()*+,;=~").encode()
    query = scope.get("query_string", b"")
    host = headers.get("host")
    if host is None:
        name, port = scope.get("server") or ("localhost", None)
        host = f"{name}:{port}" if port else str(name)
    target = path.partition(b"?")[0] + (b"?" + query if query else b"")
    return f"{scope.get('scheme', 'http')}://{host}{target.decode('latin-1')}"


def target(request: Request) -> str:
    """The url without its origin."""
    return "/" + request.url.split("/", 3)[3] if request.url.count("/") > 2 else request.url


def encode(response: Response) -> Answer | Response:
    """A response as it is sent; one that is streamed stays what it is."""
    kind = response.kind
    if kind == "json" and not response.headers and response.status == 200:
        text = response.json
        if text != "null" and text.isascii():
            body = text.encode()
            return Answer(200, [(b"content-length", b"%d" % len(body)), _JSON], body)
    if kind == "stream":
        return response
    status, headers, body = response.encode()
    try:
        pairs = encode_headers(headers, status)
    except HandlerError as error:
        status, pairs, body = 500, [(b"content-type", b"text/plain; charset=utf-8")], str(error).encode()
    # 204 and the like have no length.
    if body or status not in (204, 304):
        pairs.insert(0, (b"content-length", b"%d" % len(body)))
    return Answer(status, pairs, body)


_JSON = (b"content-type", b"application/json")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def encode_headers(headers: Mapping[str, str], status: int = 200) -> list[tuple[bytes, bytes]]:
    """Headers as ASGI has them; without those that say how the body is sent, which is not the handler's to decide.

    Raises HandlerError for what HTTP cannot send.
    """
    if status < 200:
        raise HandlerError(f"Status {status} announces an answer and is none. Give one from 200 to 599.")
    pairs = []
    for name, value in headers.items():
        if name == "set-cookie" and "\n" in value:
            # The one header that has a line for each of its values.
            for line in value.split("\n"):
                pairs += encode_headers({name: line}, status)
            continue
        text = str(value)
        if _TOKEN.fullmatch(name) is None:
            raise HandlerError(f"{name!r} is no name of a header. It has letters, digits and hyphens.")
        if _UNSENDABLE.search(text):
            raise HandlerError(f"The header {name} has a value that cannot be sent: {text!r}. Leave out line ends.")
        if name not in _OURS:
            pairs.append((name.encode(), text.encode("latin-1", "replace")))
    return pairs


_OURS = {"content-length", "transfer-encoding"}
