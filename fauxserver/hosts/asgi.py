"""A `FauxServer` as an ASGI application: `uvicorn routes:server`, or mounted in another one.

Over HTTP there is one origin, so expressions are held against the path: `books/:id` and `/books/:id` both answer
`/books/7`. Where the application is mounted, they count from there.

The server itself is the plain application: its handlers run where the event loop does, which they do not see.
`Application(server)` gives them a thread of their own, and knows what `fauxserver serve` can do besides.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from itertools import count
from pathlib import Path
from time import perf_counter
from types import CoroutineType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from urllib.parse import quote
from weakref import finalize

from fauxserver.bodies import decode
from fauxserver.errors import BodyError, HandlerError
from fauxserver.exchange import Exchange
from fauxserver.hosts.cors import is_preflight, permit, share
from fauxserver.hosts.threads import GRACE, Job, Threads
from fauxserver.messages import Request, Response, encode_piece, to_json
from fauxserver.routes import Route
from fauxserver.server import FauxServer
from fauxserver.unmatched import judge, read_rule

if TYPE_CHECKING:
    from fauxserver.hosts.files import Files
    from fauxserver.hosts.proxy import Proxy

Scope: TypeAlias = "MutableMapping[str, Any]"
Receive: TypeAlias = "Callable[[], Awaitable[MutableMapping[str, Any]]]"
Send: TypeAlias = "Callable[[MutableMapping[str, Any]], Awaitable[None]]"
App: TypeAlias = "Callable[[Scope, Receive, Send], Awaitable[None]]"

MOST_BYTES = 16 * 1024 * 1024
"""The longest body that is accepted."""
MOST_HEADER_BYTES = 64 * 1024
"""The longest headers, all of a request's together."""
STOPPED = 5.0
"""A handler that still runs so many seconds after its client has left is stopped."""
_SLEEPS = 0.02
"""A generator that takes so long for a piece, in seconds, has a thread besides for the others."""
_FORGIVEN = 50
"""Whoever was quick so often in a row is not slow any more."""
_LISTENED = 64 * 1024 * 1024
"""So many bytes more are read of one that is too long, and thrown away, before the client is told."""
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
    What no route wants is a file of *static* (a folder), is fetched by *proxy* (an address), or is refused.
    *unmatched* is the policy for it where the server has none: see `FauxServer.set_unmatched`. *most_bytes* a body may
    have. *told* is called with a line for each answer.
    """

    def __init__(
        self,
        server: FauxServer,
        *,
        threads: Threads | bool = True,
        cors: bool = False,
        proxy: str | None = None,
        static: str | Path | None = None,
        unmatched: str | None = None,
        most_bytes: int = MOST_BYTES,
        told: Callable[[Told], None] | None = None,
    ) -> None:
        self.server = server
        self.threads = threads if isinstance(threads, Threads) else Threads() if threads else None
        if self.threads is not None:
            # Nobody's Ctrl+C comes to those threads.
            server.keyboard = False
        if threads is True and self.threads is not None:
            # One that is mounted is not told when it is over.
            finalize(self, self.threads.end)
        self.cors = cors
        self.most_bytes = most_bytes
        self.unmatched = None if unmatched is None else read_rule((unmatched,)).policy
        self.told = told
        self.slow: dict[Route, int] = {}
        """Routes whose handlers have kept others waiting, and how often each was quick since."""
        self.asked: set[Asked] = set()
        """Requests that are being answered."""
        self.ending = False
        self._looking = False
        self.proxy: Proxy | None = None
        self.files: Files | None = None
        if proxy is not None:
            from fauxserver.hosts.proxy import Proxy

            self.proxy = Proxy(proxy)
        if static is not None:
            from fauxserver.hosts.files import Files

            self.files = Files(Path(static))

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
        method = scope["method"]
        asked: Asked | None = None
        try:
            headers = read_headers(scope["headers"])
            if self.cors:
                if is_preflight(method, headers):
                    await self._send(scope, send, Answer(204, encode_headers(permit(headers)), b""))
                    return
                send = _sharing(send, headers.get("origin"))
            unread = bodiless(scope, headers)
            body: bytes | None = b""
            if not unread and self.proxy is None:
                body = await read(receive, headers, self.most_bytes)
                if body is None:
                    return  # The client has left.
            request = Request(
                method,
                address(scope, headers),
                None,
                headers,
                body or b"",
                headers.get("x-http-method-override"),
                scope.get("root_path", "").rstrip("/") + "/",
            )
            asked = Asked(self, request, receive, unread)
            if not unread and self.proxy is not None:
                # What is not ours goes on as it comes.
                asked.take = False
                if await asked.outcome() is _TAKEN:
                    body = await read(receive, headers, self.most_bytes)
                    if body is None:
                        asked.drop()
                        return
                    asked.give(body)
            answer = await asked.outcome()
            if type(answer) is Answer:
                await self._send(scope, send, answer)
                if self.told is not None:
                    self._tell(asked, answer.status)
            elif isinstance(answer, Response):
                await self._stream(asked, answer, scope, send)
            else:
                await self._unwanted(asked, answer, scope, receive, send)
        except Refused as refused:
            if asked is not None:
                asked.refused(refused)
            await self._refuse(refused, scope, send)
        except asyncio.CancelledError:
            if asked is None or not asked.left:
                if asked is not None:
                    asked.drop()
                raise
            asked.drop()
            asked.task.uncancel()
            if self.told is not None:
                self._tell(asked, 0)
            if self.ending:
                with contextlib.suppress(RuntimeError):  # If it has begun already.
                    await self._refuse(Refused(503, "The server ends.", {"connection": "close"}), scope, send)
        except BaseException:
            if asked is not None:
                asked.drop()
            raise
        finally:
            if asked is not None:
                asked.end()

    async def _send(self, scope: Scope, send: Send, answer: Answer) -> None:
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    async def _refuse(self, refused: Refused, scope: Scope, send: Send) -> None:
        """Say why a request is not answered."""
        text = to_json({"error": refused.reason}).encode() if refused.reason else b""
        pairs = encode_headers(refused.headers)
        if text:
            pairs += [(b"content-length", b"%d" % len(text)), (b"content-type", b"application/json")]
        await self._send(scope, send, Answer(refused.status, pairs, text))
        if self.told is not None:
            target = scope["path"] + (
                f"?{scope['query_string'].decode('latin-1')}" if scope.get("query_string") else ""
            )
            self.told(Told(scope["method"], target, refused.status, 0, "", refused.reason))

    async def _stream(self, asked: Asked, response: Response, scope: Scope, send: Send) -> None:
        """Send a body in the pieces in which it comes."""
        headers = response.fields()
        headers.setdefault("content-type", "text/plain; charset=utf-8")
        flow = Flow(self, response)
        asked.streams = True
        try:
            pairs = encode_headers(headers, response.status)
            await send({"type": "http.response.start", "status": response.status, "headers": pairs})
            if scope["method"] != "HEAD":
                while (piece := await flow.next()) is not None:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        except Exception:
            # The journal knows. The client sees that the body breaks off.
            if self.threads is None or response.error is None:
                raise
            return
        finally:
            await flow.close()
            if self.told is not None and not asked.left:
                self._tell(asked, response.status, response)
        await send({"type": "http.response.body", "body": b""})

    async def _unwanted(self, asked: Asked, unwanted: Unwanted, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what no route wants."""
        if self.files is not None:
            file = await self.files.find(scope)
            if file is not None:
                await file(scope, receive, send)
                if self.told is not None:
                    self._tell_of(asked, file.status_code, "a file")
                return
        if asked.exchange is not None:
            # There is a default handler for what there is no file for.
            asked.take = asked.filed = True
            await self._answer_by_default(asked, scope, send)
            return
        if unwanted.policy == "error":
            raise Refused(501, await self._on_thread(unwanted.explain))
        if self.proxy is not None:
            await self._fetch(self.proxy, asked, unwanted, scope, receive, send)
        elif unwanted.allow and scope["method"] == "OPTIONS":
            raise Refused(204, "", {"allow": ", ".join(unwanted.allow)})
        elif unwanted.allow:
            headers = {"allow": ", ".join(unwanted.allow)}
            raise Refused(405, await self._on_thread(unwanted.explain), headers)
        else:
            raise Refused(404, await self._on_thread(unwanted.explain))

    async def _answer_by_default(self, asked: Asked, scope: Scope, send: Send) -> None:
        asked.again()
        answer = await asked.outcome()
        if type(answer) is Answer:
            await self._send(scope, send, answer)
            if self.told is not None:
                self._tell(asked, answer.status)
        else:
            await self._stream(asked, answer, scope, send)

    async def _fetch(
        self, proxy: Proxy, asked: Asked, unwanted: Unwanted, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Have the real server answer."""
        from fauxserver.hosts.proxy import Unreachable

        began = perf_counter()
        headers = asked.request.headers
        client = scope.get("client") or ("", 0)
        forwarded = {"x-forwarded-for": client[0], "x-forwarded-proto": scope.get("scheme", "http")}
        if "host" in headers:
            forwarded["x-forwarded-host"] = headers["host"]
        target = _target(asked.request).encode("latin-1")
        body = None if asked.unread else _pieces(receive)
        own = (lambda pairs: pairs) if not self.cors else own_only
        if asked.unread:
            asked.streams = True
        else:
            self.asked.discard(asked)
        try:
            status = await proxy.fetch(scope["method"], target, scope["headers"], body, forwarded, send, own)
        except Unreachable as error:
            raise Refused(error.status, str(error)) from None
        if self.told is not None:
            warning = await self._on_thread(unwanted.explain) if unwanted.policy == "warn" else ""
            self._tell_of(asked, status, f"from {proxy.url}", (perf_counter() - began) * 1000, warning)

    async def _on_thread(self, function: Callable[[], Any]) -> Any:
        """Call something where the routes are."""
        return function() if self.threads is None else await self.threads.call(function)

    def _tell(self, asked: Asked, status: int, response: Response | None = None) -> None:
        exchange = asked.exchange
        if exchange is None:
            self._tell_of(asked, status, "")
            return
        where = " ".join(filter(None, (exchange.route.label, exchange.route.location)))
        error = exchange.error
        problem = error if isinstance(error, str) else (error.traceback or error.message) if error is not None else ""
        self._tell_of(asked, status, where, exchange.duration, problem)

    def _tell_of(self, asked: Asked, status: int, where: str, duration: float = 0.0, problem: str = "") -> None:
        if self.told is not None:
            request = asked.request
            self.told(Told(request.method, _target(request), status, duration, where, problem))

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

    def end(self, all: bool) -> None:
        """The server ends: let go of who is being told something that need not end, or of *all*."""
        self.ending = True
        for asked in list(self.asked):
            if all or asked.streams:
                asked.leave()


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


class Unwanted(NamedTuple):
    """A request that no route wants."""

    server: FauxServer
    request: Request
    policy: str
    """What is to become of it: `"bypass"`, `"warn"` or `"error"`."""
    allow: tuple[str, ...]
    """The methods that its url is answered for."""

    def explain(self) -> str:
        """Say why no route wants it, and which ones are near."""
        explained = self.server.explain(self.request)
        near = " ".join(f"{near}." for near in explained.nearest)
        return f"{self.request.method} {_target(self.request)} {explained.reason}{f' Nearest: {near}' if near else ''}"


def unwanted(server: FauxServer, request: Request, policy: str | None) -> Unwanted:
    """See what becomes of a request that no route wants; *policy* counts where the server has none for it."""
    for rule in server.rules_for(request):
        word = judge(rule.policy, request)
        if word is not None:
            policy = word
            break
    return Unwanted(server, request, policy or server.default_policy(request, "http"), allowed(server, request))


def allowed(server: FauxServer, request: Request) -> tuple[str, ...]:
    """The methods for which a url has a route."""
    if not server.enabled:
        return ()
    methods = {route.method for route in server.routes.rows()} - {"*"}
    if request.url.endswith("/*") and request.method == "OPTIONS":
        found = methods
    else:
        found = {method for method in methods if server.routes.match(request._replace(method=method))}
    if "GET" in found:
        found.add("HEAD")
    return tuple(sorted({*found, "OPTIONS"})) if found else ()


class Asked(Job):
    """A request on its way through the handlers' thread."""

    __slots__ = (
        "_watcher",
        "app",
        "exchange",
        "filed",
        "left",
        "looked",
        "receive",
        "request",
        "streams",
        "take",
        "task",
        "unread",
        "waited",
    )

    def __init__(self, app: Application, request: Request, receive: Receive, unread: bool) -> None:
        super().__init__(asyncio.get_running_loop())
        self.app = app
        self.request = request
        self.receive = receive
        self.task: asyncio.Task[Any] = asyncio.current_task()  # type: ignore[assignment]
        self.exchange: Exchange | None = None
        self.unread = unread
        """Whether it has no body, so that nobody has read it."""
        self.take = True
        """Whether it is to be answered, and not only to be seen by whom."""
        self.filed = app.files is None
        """Whether there is no file for it."""
        self.waited = False
        self.looked = False
        self.left = False
        """Whether the client does not wait any more."""
        self.streams = False
        """Whether its answer comes in pieces."""
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
            self.waited = True
            self.again()
            return await self.outcome()
        return outcome

    def again(self) -> None:
        """Be done once more."""
        self.future = self.loop.create_future()

    def give(self, body: bytes) -> None:
        """Its body has come."""
        assert self.exchange is not None
        self.request = self.exchange.request = self.exchange.request._replace(body=body)
        self.take = True
        self.again()

    def run(self) -> Any:
        """Find who answers, and let them. (On the handlers' thread.)"""
        app = self.app
        exchange = self.exchange
        if exchange is None:
            self.exchange = exchange = app.server.accept(self.request)
            if exchange is None:
                return unwanted(app.server, self.request, app.unmatched)
            if not self.take:
                return _TAKEN
        if not self.filed and not exchange.route.name and exchange.request.method == "GET":
            return Unwanted(app.server, self.request, "bypass", ())
        if not self.waited:
            request = exchange.request
            if request.body:
                try:
                    exchange.data = decode(request.body, request.headers.get("content-type", ""))
                except BodyError as error:
                    exchange.done(400, 0, str(error))
                    raise Refused(400, str(error)) from None
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

    @property
    def awaited(self) -> asyncio.Task[Any] | None:
        return self.exchange._task if self.exchange is not None else None

    def took(self, seconds: float) -> None:
        if self.exchange is not None:
            slow, route = self.app.slow, self.exchange.route
            if seconds >= GRACE:
                slow[route] = 0
            elif route in slow:
                slow[route] += 1
                if slow[route] > _FORGIVEN:
                    slow.pop(route, None)

    def refused(self, refused: Refused) -> None:
        """It was accepted, and cannot be answered after all."""
        if self.exchange is not None:
            self.exchange.done(refused.status, 0, refused.reason)

    # A client that leaves

    def watch(self) -> None:
        """See whether the client leaves before it has its answer."""
        if self._watcher is None:
            self._watcher = self.loop.create_task(self._watch())

    async def _watch(self) -> None:
        message = await self.receive()
        if self.unread and message["type"] == "http.request":
            message = await self.receive()
        if message["type"] == "http.disconnect":
            self.leave()

    def leave(self) -> None:
        """Nobody waits for it any more."""
        self.left = True
        self.task.cancel()

    def drop(self) -> None:
        """Tell the handler so."""
        if self.exchange is not None:
            self.exchange.drop()
            if self.left:
                stop_later(self.app.threads, self)

    def end(self) -> None:
        """All is said."""
        self.app.asked.discard(self)
        if self._watcher is not None:
            self._watcher.cancel()


def stop_later(threads: Threads | None, job: Job) -> None:
    """Stop what still runs on a thread after a while, though nobody waits for it; again, should it catch that."""
    tries = count()

    def stop() -> None:
        if threads is not None and threads.stop(job) and next(tries) < 10:
            job.loop.call_later(1, stop)

    job.loop.call_later(STOPPED, stop)


_WAIT: Any = object()
"""Says that there is a latency to wait for."""
_TAKEN: Any = object()
"""Says that a route wants it."""


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
        self._step: _Step | None = None
        self._pump: _Pump | None = None

    async def next(self) -> bytes | None:
        """The next piece; nothing at the end."""
        if self._threads is None:
            return await self._plain()
        if self._asynchronous:
            if self._pump is None:
                self._pump = _Pump(self._threads, self._pieces)
            return await self._pump.next()
        self._step = step = _Step(asyncio.get_running_loop(), self._pieces)
        if self._slow:
            # One that sleeps between its pieces, as those of events do.
            self._threads.submit_aside(step)
        else:
            self._threads.submit(step)
        try:
            piece: bytes | None = await step.future
        finally:
            self._slow = self._slow or step.seconds >= _SLEEPS or not step.future.done()
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
            step = self._step
            if step is not None and not step.ended.is_set():
                # It is in the middle of a piece.
                stop_later(self._threads, step)
                await step.ended.wait()
            await self._threads.call(lambda: getattr(self._pieces, "close", bool)())


class _Step(Job):
    """The next piece of a generator."""

    __slots__ = ("ended", "pieces", "seconds")

    def __init__(self, loop: asyncio.AbstractEventLoop, pieces: Any) -> None:
        super().__init__(loop)
        self.ended = asyncio.Event()
        self.pieces = pieces
        self.seconds = 0.0

    def run(self) -> bytes | None:
        for piece in self.pieces:
            return encode_piece(piece)
        return None

    def took(self, seconds: float) -> None:
        self.seconds = seconds

    def deliver(self) -> None:
        self.ended.set()
        super().deliver()


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


async def _pieces(receive: Receive) -> AsyncIterator[bytes]:
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


def _target(request: Request) -> str:
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


def _sharing(send: Send, origin: str | None) -> Send:
    """Let a page of *origin* read what is sent."""

    async def sharing(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": share(origin, list(message["headers"]))}
        await send(message)

    return sharing


def own_only(pairs: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer from elsewhere, without what it says of other origins: we have said that."""
    return [pair for pair in pairs if not pair[0].lower().startswith(b"access-control-")]
