"""A server as an adapter of requests: `session.mount("https://api.example.com/", FauxAdapter(server))`.

Only the connection is ours. What goes over it is HTTP, so that all that urllib3 and requests do with an answer
(retries, timeouts, pieces, cookies, what breaks off) is what they do with a real server's.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from functools import partial
from http.client import HTTPResponse as WireResponse
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.connection import HTTPConnection

from fauxserver.errors import reason_phrase
from fauxserver.exchange import Exchange
from fauxserver.hosts.clients import (
    Clock,
    Interception,
    Late,
    Pieces,
    accept,
    answer,
    begin,
    hand,
    is_below,
    passes,
    request_of,
    told,
)
from fauxserver.messages import Request, Response
from fauxserver.server import FauxServer

ADVICE = "Add a route, or say where such requests are to go: fallback=requests.adapters.HTTPAdapter()."


class FauxAdapter(HTTPAdapter):
    """Answers a `requests.Session`.

    Expressions count from the root of the host that is asked, or from *base* (`"https://api.example.com/v1/"`). What
    no route wants goes to the *fallback*; without one it is a `requests.ConnectionError` that names the nearest routes.
    *max_retries* is the library's own.

    >>> server = FauxServer().get("books/:id", {"title": "Nine Stories"})
    >>> with requests.Session() as session:
    ...     session.mount("https://api.example.com/", FauxAdapter(server))
    ...     session.get("https://api.example.com/books/7").json()
    {'title': 'Nine Stories'}
    """

    def __init__(
        self,
        server: FauxServer,
        *,
        base: str | None = None,
        fallback: BaseAdapter | None = None,
        max_retries: urllib3.Retry | int = 0,
    ) -> None:
        super().__init__(max_retries=max_retries)
        self.server = server
        self.base = base
        self.fallback = fallback

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        given = read(request, self.base)
        if accept(self.server, given) is None:
            if self.fallback is not None and passes(self.server, given, "bypass"):
                return self.fallback.send(request, *args, **options)
            raise requests.ConnectionError(f"{self.server.explain(given)}\n{ADVICE}", request=request)
        return super().send(request, *args, **options)

    def get_connection_with_tls_context(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        return Pool(self.server, read(request, self.base))

    def cert_verify(self, *args: Any) -> None:
        """Nothing is encrypted here."""

    def close(self) -> None:
        super().close()
        if self.fallback is not None:
            self.fallback.close()


def read(request: requests.PreparedRequest, base: str | None) -> Request:
    """A request as the server knows it, without its body."""
    assert request.url is not None
    assert request.method is not None
    # As it goes over the wire: no fragment, no password in the address, and no port that goes without saying.
    parts = urlsplit(request.url)
    host = parts.netloc.rpartition("@")[2].lower()
    port = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    url = f"{parts.scheme}://{host.removesuffix(port)}{request.path_url}"
    return request_of(request.method, url, [(text(name), text(value)) for name, value in request.headers.items()], base)


def text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


# --- The connection ------------------------------------------------------------------------------------------------


class Pool(urllib3.HTTPConnectionPool):
    """Where urllib3 finds a connection to the server, for one request and its retries."""

    def __init__(self, server: FauxServer, request: Request) -> None:
        parts = urlsplit(request.url)
        super().__init__(parts.hostname or "localhost", parts.port)
        self.scheme = parts.scheme
        self.ConnectionCls = partial(Connection, server, request)  # type: ignore[assignment]


class Connection(HTTPConnection):
    """A connection with a server at its other end, and no network between."""

    def __init__(self, server: FauxServer, request: Request, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._server = server
        self._request = request
        self._exchange: Exchange | None = None

    @property
    def is_closed(self) -> bool:
        return False

    @property
    def is_connected(self) -> bool:
        return True

    def connect(self) -> None:
        """It is connected."""

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **options: Any) -> None:
        self._exchange = accept(self._server, self._request)
        if self._exchange is None:
            raise ConnectionRefusedError(str(self._server.explain(self._request)))
        hand(self._exchange, b"".join(pieces_of(body)))

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        assert self._exchange is not None
        clock = Clock(self.timeout if isinstance(self.timeout, (int, float)) else None)
        try:
            response = answer(self._exchange, clock)
        except Late:
            raise TimeoutError("timed out") from None
        method = self._request.method
        parsed = WireResponse(Socket(self._exchange, response, clock), method=method)  # type: ignore[arg-type]
        parsed.begin()
        return urllib3.HTTPResponse(
            body=parsed,
            headers=urllib3.HTTPHeaderDict(parsed.headers.items()),
            status=parsed.status,
            version=parsed.version,
            reason=parsed.reason,
            preload_content=False,
            decode_content=False,
            original_response=parsed,
            request_method=method,
            request_url=self._request.url,
        )


def pieces_of(body: Any) -> Iterable[bytes]:
    """What is sent, whatever requests takes: bytes, a text, a file, or what yields some."""
    if body is None:
        return []
    if isinstance(body, (str, bytes)) or hasattr(body, "read"):
        body = [body.read() if hasattr(body, "read") else body]
    return (piece.encode() if isinstance(piece, str) else bytes(piece) for piece in body)


class Socket(io.RawIOBase):
    """The answer as it comes over a wire, piece by piece."""

    def __init__(self, exchange: Exchange, response: Response, clock: Clock) -> None:
        self._exchange = exchange
        begun, self._pieces = begin(response, clock)
        headers = [b"%s: %s" % header for header in begun.headers]
        if self._pieces is not None:
            headers.append(b"transfer-encoding: chunked")
        line = f"HTTP/1.1 {begun.status} {reason_phrase(begun.status)}".encode()
        self._ready = b"\r\n".join([line, *headers, b"", begun.body])

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._ready and self._pieces:
            self._ready = self._chunk(self._pieces)
        view = memoryview(buffer)
        size = min(len(view), len(self._ready))
        view[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _chunk(self, pieces: Pieces) -> bytes:
        piece: bytes | None = b""
        try:
            while piece == b"":
                piece = pieces.next()
        except Late:
            raise TimeoutError("timed out") from None
        except Exception as error:
            raise ConnectionResetError(told(self._exchange, error)) from error
        if piece is None:
            self._pieces = None
            return b"0\r\n\r\n"
        return b"%x\r\n%s\r\n" % (len(piece), piece)

    def close(self) -> None:
        if not self.closed and self._pieces:
            self._pieces.close()
        super().close()


# --- Sessions that somebody else makes -----------------------------------------------------------------------------

_intercepted: list[tuple[str | None, FauxServer]] = []
_UNWANTED = 'Add a route, or let such requests go to the network: server.set_unmatched("bypass").'


def intercept(server: FauxServer, base: str | None = None) -> Interception:
    """Answer the requests of every session to urls below *base* (the server's own, if it has one).

    For code that makes its sessions itself, whatever adapters they have. Gives back what ends it: call it, or use it as
    a context manager. What no route wants is a `requests.ConnectionError`, unless the server's `set_unmatched` lets it
    go to the network.

    >>> server = FauxServer().get("books", [])
    >>> with intercept(server, "https://api.example.com/v1/"):
    ...     requests.get("https://api.example.com/v1/books").json()
    []
    """
    entry = (base or server.base, server)
    _intercepted.append(entry)
    HTTPAdapter.get_connection_with_tls_context = _get_connection  # type: ignore[method-assign]

    def end() -> None:
        if entry in _intercepted:
            _intercepted.remove(entry)
        if not _intercepted:
            HTTPAdapter.get_connection_with_tls_context = _real  # type: ignore[method-assign]

    return Interception(end)


_real = HTTPAdapter.get_connection_with_tls_context


def _get_connection(self: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
    for base, server in reversed(_intercepted):
        given = read(request, base)
        if is_below(given.url, base):
            if accept(server, given) is not None:
                return Pool(server, given)
            if not passes(server, given, "error"):
                raise requests.ConnectionError(f"{server.explain(given)}\n{_UNWANTED}", request=request)
            break
    return _real(self, request, *args, **options)
