"""A `FauxServer` as an ASGI application: `uvicorn routes:server`, or mounted in another one.

Over HTTP there is one origin, so expressions are held against the path: `books/:id` and `/books/:id` both answer
`/books/7`. Where the application is mounted, they count from there.

The server itself is the plain application: its handlers run where the event loop does, which they do not see.
`Application(server)` gives them a thread of their own, and knows what `fauxserver serve` can do besides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from types import CoroutineType
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import quote

from fauxserver.bodies import decode
from fauxserver.errors import BodyError
from fauxserver.exchange import Exchange
from fauxserver.hosts.threads import GRACE, Job, Threads
from fauxserver.messages import Request, Response, encode_piece, to_json
from fauxserver.routes import Route
from fauxserver.server import FauxServer

Scope: TypeAlias = "MutableMapping[str, Any]"
Receive: TypeAlias = "Callable[[], Awaitable[MutableMapping[str, Any]]]"
Send: TypeAlias = "Callable[[MutableMapping[str, Any]], Awaitable[None]]"
App: TypeAlias = "Callable[[Scope, Receive, Send], Awaitable[None]]"

MOST_BYTES = 16 * 1024 * 1024
"""The longest body that is accepted."""
MOST_HEADER_BYTES = 64 * 1024
"""The longest headers, all of a request's together."""
_LOOK = 0.05
"""So often it is looked which requests take so long that their client may have left, in seconds."""


async def serve(server: FauxServer, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one connection, plainly."""
    await Application(server, threads=False)(scope, receive, send)


class Told(NamedTuple):
    """One line for the terminal: what was asked, and how it was answered."""

    method: str
    target: str
    status: int
    """0 for a client that has left."""
    duration: float
    """How long the handler took, in milliseconds."""
    where: str
    """The handler and its line, or who else has answered."""
    problem: str = ""


class Application:
    """A server with all that HTTP has besides: an ASGI application.

    *threads* run the handlers; with False they run where the event loop does. *cors* lets pages of all origins ask.
    What no route wants is a file of *static*, is fetched by *proxy*, or is refused. *most_bytes* a body may have.
    """

    def __init__(
        self,
        server: FauxServer,
        *,
        threads: Threads | bool = True,
        cors: bool = False,
        proxy: Any = None,
        static: Any = None,
        unmatched: str | None = None,
        most_bytes: int = MOST_BYTES,
        told: Callable[[Told], None] | None = None,
    ) -> None:
        self.server = server
        self.threads = threads if isinstance(threads, Threads) else Threads() if threads else None
        self.cors = cors
        self.proxy = proxy
        self.static = static
        self.unmatched = unmatched
        self.most_bytes = most_bytes
        self.told = told
        self.slow: set[Route] = set()
        """Routes whose handlers have kept others waiting."""
        self.asked: set[Asked] = set()
        """Requests whose handlers are at work."""
        self._looking = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            await self._answer(scope, receive, send)
        elif kind == "lifespan":
            await self._live(receive, send)
        elif kind == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000, "reason": "fauxserver answers HTTP only."})

    async def _live(self, receive: Receive, send: Send) -> None:
        """Be ready when the application starts."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.server.ready()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def close(self) -> None:
        """End what it has begun."""
        if self.proxy is not None:
            await self.proxy.close()
        if self.threads is not None:
            self.threads.close()

    # One request

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            headers = read_headers(scope["headers"])
            unread = bodiless(scope, headers)
            body = b"" if unread else await read(receive, self.most_bytes)
            if body is None:
                return  # The client has left.
            if len(body) > self.most_bytes:
                raise Refused(413, f"The body is longer than {self.most_bytes} bytes.")
        except Refused as refused:
            await refuse(refused, scope, send)
            return
        request = Request(
            scope["method"],
            address(scope, headers),
            None,
            headers,
            body,
            headers.get("x-http-method-override"),
            scope.get("root_path", "").rstrip("/") + "/",
        )
        asked = Asked(self, request, receive, unread)
        try:
            answer = await asked.outcome()
            if isinstance(answer, Refused):
                await refuse(answer, scope, send)
            elif isinstance(answer, Answer):
                await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
                body = b"" if scope["method"] == "HEAD" else answer.body
                await send({"type": "http.response.body", "body": body})
            else:
                await self._stream(asked, answer, scope, send)
        except asyncio.CancelledError:
            asked.drop()
            if not asked.left:
                raise
            asked.task.uncancel()
        except BaseException:
            asked.drop()
            raise
        finally:
            asked.end()

    async def _stream(self, asked: Asked, response: Response, scope: Scope, send: Send) -> None:
        """Send a body in the pieces in which it comes."""
        headers = {name.lower(): value for name, value in response.headers.items()}
        headers.setdefault("content-type", "text/plain; charset=utf-8")
        flow = Flow(self, response)
        try:
            await send({"type": "http.response.start", "status": response.status, "headers": encode_headers(headers)})
            if scope["method"] != "HEAD":
                while (piece := await flow.next()) is not None:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        finally:
            await flow.close()
        await send({"type": "http.response.body", "body": b""})

    # Who takes long

    def look(self) -> None:
        """From time to time, see who asks for something that takes long, and whether they still wait."""
        self._looking = False
        for asked in self.asked:
            if asked.looked:
                asked.watch()
            asked.looked = True
        self.look_later()

    def look_later(self) -> None:
        """Do so, if there is somebody."""
        if self.asked and not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_later(_LOOK, self.look)


class Refused(Exception):
    """A request that no handler gets to see."""

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


class Asked(Job):
    """A request on its way through the handlers' thread."""

    __slots__ = ("_unread", "_watcher", "app", "exchange", "left", "looked", "receive", "request", "task")

    def __init__(self, app: Application, request: Request, receive: Receive, unread: bool) -> None:
        super().__init__(asyncio.get_running_loop())
        self.app = app
        self.request = request
        self.receive = receive
        self.task: asyncio.Task[Any] = asyncio.current_task()  # type: ignore[assignment]
        self.exchange: Exchange | None = None
        self.looked = False
        self.left = False
        """Whether the client does not wait any more."""
        self._unread = unread
        self._watcher: asyncio.Task[None] | None = None
        app.asked.add(self)
        if not app._looking:
            app.look_later()

    async def outcome(self) -> Any:
        """What becomes of it."""
        threads = self.app.threads
        if threads is None:
            outcome = _unseen(self.run)
            if type(outcome) is CoroutineType:
                outcome = await outcome
        else:
            threads.submit(self)
            outcome = await self.future
        if outcome is _WAIT:
            assert self.exchange is not None
            await asyncio.sleep(self.exchange.delay / 1000)
            self.future = self.loop.create_future()
            return await self.outcome()
        return outcome

    def run(self) -> Any:
        """Find who answers, and let them. (On the handlers' thread.)"""
        exchange = self.exchange
        app = self.app
        if exchange is None:
            request = self.request
            self.exchange = exchange = app.server.accept(request)
            if exchange is None:
                return self._unwanted()
            if request.body:
                try:
                    exchange.data = decode(request.body, request.headers.get("content-type", ""))
                except BodyError as error:
                    exchange.done(400, 0, str(error))
                    return Refused(400, str(error))
            if exchange.delay:
                return _WAIT
        if exchange.route in app.slow and app.threads is not None:
            app.threads.step_aside(self)
        response = exchange.answer()
        if isinstance(response, Response):
            return encode(response)
        return self._later(response)

    async def _later(self, awaitable: Awaitable[Response]) -> Any:
        return encode(await awaitable)

    def _unwanted(self) -> Any:
        request = self.request
        server = self.app.server
        target = _target(request)
        explained = server.explain(request)
        near = " ".join(f"{near}." for near in explained.nearest)
        told = f"{request.method} {target} {explained.reason}{f' Nearest: {near}' if near else ''}"
        return Refused(404, told)

    def took(self, seconds: float) -> None:
        if self.exchange is not None:
            if seconds >= GRACE:
                self.app.slow.add(self.exchange.route)
            elif self.app.slow:
                self.app.slow.discard(self.exchange.route)

    # A client that leaves

    def watch(self) -> None:
        """See whether the client leaves before it has its answer."""
        if self._watcher is None:
            self._watcher = self.loop.create_task(self._leave())

    async def _leave(self) -> None:
        message = await self.receive()
        if self._unread and message["type"] == "http.request":
            message = await self.receive()
        if message["type"] == "http.disconnect":
            self.left = True
            self.task.cancel()

    def drop(self) -> None:
        """Nobody waits for the answer."""
        if self.exchange is not None:
            self.exchange.drop()

    def end(self) -> None:
        """All is said."""
        self.app.asked.discard(self)
        if self._watcher is not None:
            self._watcher.cancel()


_WAIT: Any = object()
"""Says that there is a latency to wait for."""


def _unseen(function: Callable[[], Any]) -> Any:
    """Call *function* with no running event loop in sight, so that `asyncio.run` and the like work in handlers."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        return function()
    finally:
        asyncio._set_running_loop(loop)


# --- A body in pieces ----------------------------------------------------------------------------------------------


class Flow:
    """The pieces of a streamed body, each made when the one before is on its way."""

    def __init__(self, app: Application, response: Response) -> None:
        self._threads = app.threads
        self._response = response
        self._pieces = response._body
        self._asynchronous = hasattr(self._pieces, "__anext__")
        self._slow = False
        self._pump: _Pump | None = None

    async def next(self) -> bytes | None:
        """The next piece; nothing at the end."""
        if self._threads is None:
            return await self._plain()
        if self._asynchronous:
            if self._pump is None:
                self._pump = _Pump(self._threads, self._pieces)
            return await self._pump.next()
        step = _Step(asyncio.get_running_loop(), self._pieces)
        if self._slow:
            # One that sleeps between its pieces, as those of events do.
            self._threads.submit_aside(step)
        else:
            self._threads.submit(step)
        try:
            piece: bytes | None = await step.future
        finally:
            self._slow = self._slow or step.seconds >= GRACE or not step.future.done()
        return piece

    async def _plain(self) -> bytes | None:
        try:
            if self._asynchronous:
                return encode_piece(await self._pieces.__anext__())
            piece = _unseen(lambda: next(self._pieces, None))
            return None if piece is None else encode_piece(piece)
        except StopAsyncIteration:
            return None

    async def close(self) -> None:
        """Let the generator clean up."""
        if self._pump is not None:
            await self._pump.close()
        elif self._threads is None:
            await self._response.close()
        elif self._asynchronous:
            await self._threads.call(self._response.close)
        else:
            await self._threads.call(lambda: getattr(self._pieces, "close", bool)())


class _Step(Job):
    """The next piece of a generator."""

    __slots__ = ("pieces", "seconds")

    def __init__(self, loop: asyncio.AbstractEventLoop, pieces: Any) -> None:
        super().__init__(loop)
        self.pieces = pieces
        self.seconds = 0.0

    def run(self) -> bytes | None:
        for piece in self.pieces:
            return encode_piece(piece)
        return None

    def took(self, seconds: float) -> None:
        self.seconds = seconds


class _Pump:
    """An asynchronous generator, run by one task on the handlers' event loop."""

    def __init__(self, threads: Threads, pieces: Any) -> None:
        self._threads = threads
        self._pieces = pieces
        self._here = asyncio.get_running_loop()
        self._piece: asyncio.Future[bytes | None] | None = None
        self._running = asyncio.ensure_future(threads.call(self._run))
        self._there: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._wanted: asyncio.Semaphore = asyncio.Semaphore(0)

    async def next(self) -> bytes | None:
        """The next piece; nothing at the end."""
        self._piece = self._here.create_future()
        if self._there is None:
            self._wanted.release()
        else:
            self._there.call_soon_threadsafe(self._wanted.release)
        await asyncio.wait((self._piece, self._running), return_when=asyncio.FIRST_COMPLETED)
        if self._piece.done():
            return self._piece.result()
        self._running.result()
        return None

    async def close(self) -> None:
        """End the task, and with it the generator."""
        if not self._running.done() and self._there is not None and self._task is not None:
            self._there.call_soon_threadsafe(self._task.cancel)
        await asyncio.wait((self._running,))
        if not self._running.cancelled():
            self._running.exception()

    async def _run(self) -> None:
        self._task = asyncio.current_task()
        self._there = asyncio.get_running_loop()
        try:
            await self._wanted.acquire()
            async for piece in self._pieces:
                self._here.call_soon_threadsafe(self._hand, encode_piece(piece))
                await self._wanted.acquire()
        finally:
            if hasattr(self._pieces, "aclose"):
                await self._pieces.aclose()

    def _hand(self, piece: bytes) -> None:
        if self._piece is not None and not self._piece.done():
            self._piece.set_result(piece)


# --- HTTP ----------------------------------------------------------------------------------------------------------


def read_headers(pairs: Any) -> dict[str, str]:
    """The request's headers. One that is there more than once has all values, as a page's `Headers` would."""
    headers: dict[str, str] = {}
    size = 0
    for name, value in pairs:
        size += len(name) + len(value)
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        if key in headers:
            text = f"{headers[key]}{'; ' if key == 'cookie' else ', '}{text}"
        headers[key] = text
    if size > MOST_HEADER_BYTES:
        raise Refused(431, f"The headers are longer than {MOST_HEADER_BYTES} bytes.")
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


async def read(receive: Receive, most: int = MOST_BYTES) -> bytes | None:
    """The request's body; of one that is too long the beginning. Nothing if the client leaves meanwhile."""
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        piece = message.get("body", b"")
        if size <= most:
            pieces.append(piece)
            size += len(piece)
        if not message.get("more_body", False):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


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


def _target(request: Request) -> str:
    """The url without its origin."""
    return "/" + request.url.split("/", 3)[3] if request.url.count("/") > 2 else request.url


def encode(response: Response) -> Answer | Response:
    """A response as it is sent; one that is streamed stays what it is."""
    if response.kind == "stream":
        return response
    status, headers, body = response.encode()
    # 204 and the like have no length.
    if body or status not in (204, 304):
        headers = {"content-length": str(len(body)), **headers}
    return Answer(status, encode_headers(headers), body)


def encode_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Headers as ASGI has them."""
    return [(name.encode("latin-1"), str(value).encode("latin-1", "replace")) for name, value in headers.items()]


async def refuse(refused: Refused, scope: Scope, send: Send) -> None:
    """Say why a request is not answered."""
    text = to_json({"error": refused.reason}).encode()
    headers = {"content-length": str(len(text)), "content-type": "application/json", **refused.headers}
    await send({"type": "http.response.start", "status": refused.status, "headers": encode_headers(headers)})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else text})
