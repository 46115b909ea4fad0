"""A server as httpx's transport: `httpx.Client(transport=FauxTransport(server))`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx

from fauxserver.errors import reason_phrase
from fauxserver.exchange import Exchange
from fauxserver.hosts.clients import (
    Clock,
    Interception,
    Late,
    Pieces,
    accept,
    answer,
    answer_async,
    begin,
    hand,
    is_below,
    passes,
    request_of,
    told,
)
from fauxserver.hosts.http import Answer
from fauxserver.messages import Request
from fauxserver.server import FauxServer

ADVICE = "Add a route, or say where such requests are to go:"


class FauxTransport(httpx.BaseTransport):
    """Answers an `httpx.Client`.

    Expressions count from the root of the host that is asked, or from *base* (`"https://api.example.com/v1/"`). What
    no route wants goes to the *fallback*; without one it is an `httpx.ConnectError` that names the nearest routes.

    >>> server = FauxServer().get("books/:id", {"title": "Nine Stories"})
    >>> with httpx.Client(transport=FauxTransport(server), base_url="https://api.example.com") as client:
    ...     client.get("/books/7").json()
    {'title': 'Nine Stories'}
    """

    def __init__(
        self, server: FauxServer, *, base: str | None = None, fallback: httpx.BaseTransport | None = None
    ) -> None:
        self.server = server
        self.base = base
        self.fallback = fallback

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self.pass_on(request, self.fallback, "bypass", f"{ADVICE} fallback=httpx.HTTPTransport().")

    def pass_on(
        self, request: httpx.Request, fallback: httpx.BaseTransport | None, policy: str, advice: str
    ) -> httpx.Response:
        """Answer, or have the *fallback* do it."""
        given = read(request, self.base)
        exchange = accept(self.server, given)
        if exchange is None:
            if fallback is not None and passes(self.server, given, policy):
                return fallback.handle_request(request)
            raise httpx.ConnectError(f"{self.server.explain(given)}\n{advice}", request=request)
        assert isinstance(request.stream, httpx.SyncByteStream)
        # Not `request.read()`: after a redirect a generator is as used up as it is with a real server.
        hand(exchange, b"".join(request.stream))
        clock = clock_of(request)
        try:
            response = answer(exchange, clock)
        except Late:
            raise too_late(clock, request) from None
        begun, pieces = begin(response, clock)
        if pieces is None:
            return respond(begun, httpx.ByteStream(b"" if request.method == "HEAD" else begun.body))
        if request.method == "HEAD":
            pieces.close()
            return respond(begun, httpx.ByteStream(b""))
        return respond(begun, _Stream(exchange, pieces, clock, request))

    def close(self) -> None:
        if self.fallback is not None:
            self.fallback.close()


class AsyncFauxTransport(httpx.AsyncBaseTransport):
    """Answers an `httpx.AsyncClient`; otherwise as `FauxTransport`."""

    def __init__(
        self, server: FauxServer, *, base: str | None = None, fallback: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.server = server
        self.base = base
        self.fallback = fallback

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self.pass_on(request, self.fallback, "bypass", f"{ADVICE} fallback=httpx.AsyncHTTPTransport().")

    async def pass_on(
        self, request: httpx.Request, fallback: httpx.AsyncBaseTransport | None, policy: str, advice: str
    ) -> httpx.Response:
        """Answer, or have the *fallback* do it."""
        given = read(request, self.base)
        exchange = accept(self.server, given)
        if exchange is None:
            if fallback is not None and passes(self.server, given, policy):
                return await fallback.handle_async_request(request)
            raise httpx.ConnectError(f"{self.server.explain(given)}\n{advice}", request=request)
        assert isinstance(request.stream, httpx.AsyncByteStream)
        hand(exchange, b"".join([piece async for piece in request.stream]))
        clock = clock_of(request)
        try:
            response = await answer_async(exchange, clock)
        except Late:
            raise too_late(clock, request) from None
        begun, pieces = begin(response, clock)
        if pieces is None:
            return respond(begun, httpx.ByteStream(b"" if request.method == "HEAD" else begun.body))
        if request.method == "HEAD":
            await pieces.close_async()
            return respond(begun, httpx.ByteStream(b""))
        return respond(begun, _AsyncStream(exchange, pieces, clock, request))

    async def aclose(self) -> None:
        if self.fallback is not None:
            await self.fallback.aclose()


# --- Requests ------------------------------------------------------------------------------------------------------


def read(request: httpx.Request, base: str | None) -> Request:
    """A request as the server knows it."""
    # As it goes over the wire: no fragment, and no password in the address.
    url = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}{request.url.raw_path.decode('ascii')}"
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
    return request_of(request.method, url, headers, base)


def clock_of(request: httpx.Request) -> Clock:
    """How long the client waits for the answer, and for each piece of it."""
    return Clock(request.extensions.get("timeout", {}).get("read"))


def too_late(clock: Clock, request: httpx.Request) -> httpx.ReadTimeout:
    text = f"{request.method} {request.url} was not answered within the client's read timeout of {clock.limit:g} s."
    return httpx.ReadTimeout(text, request=request)


# --- Responses -----------------------------------------------------------------------------------------------------


def respond(begun: Answer, stream: Any) -> httpx.Response:
    extensions = {"http_version": b"HTTP/1.1", "reason_phrase": reason_phrase(begun.status).encode()}
    return httpx.Response(begun.status, headers=begun.headers, stream=stream, extensions=extensions)


class _Stream(httpx.SyncByteStream):
    """A streamed body, which the client pulls."""

    def __init__(self, exchange: Exchange, pieces: Pieces, clock: Clock, request: httpx.Request) -> None:
        self._exchange = exchange
        self._pieces = pieces
        self._clock = clock
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        while True:
            try:
                piece = self._pieces.next()
            except Late:
                raise too_late(self._clock, self._request) from None
            except Exception as error:
                raise broken(self._exchange, error, self._request) from error
            if piece is None:
                return
            if piece:
                yield piece

    def close(self) -> None:
        self._pieces.close()


class _AsyncStream(httpx.AsyncByteStream):
    def __init__(self, exchange: Exchange, pieces: Pieces, clock: Clock, request: httpx.Request) -> None:
        self._exchange = exchange
        self._pieces = pieces
        self._clock = clock
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            try:
                piece = await self._pieces.next_async()
            except Late:
                raise too_late(self._clock, self._request) from None
            except asyncio.CancelledError:
                raise
            except Exception as error:
                raise broken(self._exchange, error, self._request) from error
            if piece is None:
                return
            if piece:
                yield piece

    async def aclose(self) -> None:
        await self._pieces.close_async()


def broken(exchange: Exchange, error: Exception, request: httpx.Request) -> httpx.RemoteProtocolError:
    """What a client is told of a body that ends before its end."""
    text = f"The body of {request.method} {request.url} breaks off: {told(exchange, error)}"
    return httpx.RemoteProtocolError(text, request=request)


# --- Clients that make their own transports ------------------------------------------------------------------------

_intercepted: list[tuple[str | None, FauxTransport, AsyncFauxTransport]] = []
_UNWANTED = 'Add a route, or let such requests go to the network: server.set_unmatched("bypass").'


def intercept(server: FauxServer, base: str | None = None) -> Interception:
    """Answer the requests of every httpx client to urls below *base* (the server's own, if it has one).

    For code that makes its clients itself. Gives back what ends it: call it, or use it as a context manager. What no
    route wants is an `httpx.ConnectError`, unless the server's `set_unmatched` lets it go to the network.

    >>> server = FauxServer().get("books", [])
    >>> with intercept(server, "https://api.example.com/v1/"):
    ...     httpx.get("https://api.example.com/v1/books").json()
    []
    """
    base = base or server.base
    entry = (base, FauxTransport(server, base=base), AsyncFauxTransport(server, base=base))
    _intercepted.append(entry)
    httpx.HTTPTransport.handle_request = _handle_request  # type: ignore[method-assign]
    httpx.AsyncHTTPTransport.handle_async_request = _handle_async_request  # type: ignore[method-assign]

    def end() -> None:
        if entry in _intercepted:
            _intercepted.remove(entry)
        if not _intercepted:
            httpx.HTTPTransport.handle_request = _real  # type: ignore[method-assign]
            httpx.AsyncHTTPTransport.handle_async_request = _real_async  # type: ignore[method-assign]

    return Interception(end)


_real = httpx.HTTPTransport.handle_request
_real_async = httpx.AsyncHTTPTransport.handle_async_request


def _handle_request(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
    for base, transport, _ in reversed(_intercepted):
        if is_below(str(request.url), base):
            return transport.pass_on(request, _Real(self), "error", _UNWANTED)
    return _real(self, request)


async def _handle_async_request(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
    for base, _, transport in reversed(_intercepted):
        if is_below(str(request.url), base):
            return await transport.pass_on(request, _AsyncReal(self), "error", _UNWANTED)
    return await _real_async(self, request)


class _Real(httpx.BaseTransport):
    """A transport's own way to the network."""

    def __init__(self, transport: httpx.HTTPTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return _real(self._transport, request)


class _AsyncReal(httpx.AsyncBaseTransport):
    def __init__(self, transport: httpx.AsyncHTTPTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await _real_async(self._transport, request)
