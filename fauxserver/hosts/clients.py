"""What the hosts for Python's HTTP clients share: a request that is answered where its client runs.

A handler runs on the thread that asks, so that what belongs to a thread (a connection of `sqlite3`, a transaction of
Django's) is where the test has made it. A `def` handler has no event loop in its sight, even if one runs there; an
`async def` one has that of the asynchronous client, or, for a synchronous one, a loop that all of them share.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
import warnings
from collections.abc import Awaitable, Callable, Iterable
from time import monotonic, sleep
from typing import Any, TypeVar
from urllib.parse import urlsplit

from fauxserver.bodies import decode
from fauxserver.errors import BodyError, FauxServerWarning, HandlerError, HTTPError
from fauxserver.exchange import Exchange
from fauxserver.hosts.http import Answer, encode, encode_headers
from fauxserver.hosts.noloop import no_loop_in_sight
from fauxserver.hosts.threads import Loop
from fauxserver.messages import Request, Response, encode_piece
from fauxserver.server import FauxServer

T = TypeVar("T")

# Several threads may ask at once, and the table's index is made when it is first needed.
_accepting = threading.RLock()


# --- A request comes in --------------------------------------------------------------------------------------------


def request_of(method: str, url: str, headers: Iterable[tuple[str, str]], base: str | None) -> Request:
    """A client's request. Where no *base* is given, expressions count from the root of the host that it asks."""
    read = gather_headers(headers)
    parts = urlsplit(url)
    read.setdefault("host", parts.netloc)
    return Request(
        method,
        # A question mark without a question is lost on its way over HTTP.
        url.removesuffix("?"),
        None,
        read,
        b"",
        read.get("x-http-method-override"),
        f"{base.rstrip('/')}/" if base else f"{parts.scheme}://{parts.netloc}/",
    )


def gather_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by name, in lower case; of several with one name, one."""
    read: dict[str, str] = {}
    for name, value in headers:
        name = name.lower()
        read[name] = f"{read[name]}{'; ' if name == 'cookie' else ', '}{value}" if name in read else value
    if "last-event-id" in read:
        # The one header that is UTF-8: an id may have any letters.
        read["last-event-id"] = read["last-event-id"].encode("latin-1").decode("utf-8", "replace")
    return read


def accept(server: FauxServer, request: Request) -> Exchange | None:
    """`server.accept`, from any thread."""
    with _accepting:
        return server.accept(request)


def hand(exchange: Exchange, body: bytes) -> None:
    """Give an accepted request its body, read by its content type."""
    exchange.request = exchange.request._replace(body=body)
    try:
        exchange.data = decode(body, exchange.request.headers.get("content-type", ""))
    except BodyError as error:
        exchange.refuse(HTTPError(400, {"error": str(error)}))


def passes(server: FauxServer, request: Request, otherwise: str) -> bool:
    """Whether a request that no route wants may go to the network; warns of it where the server's policy says so.

    *otherwise* is the policy if the server has none.
    """
    word = server.unmatched(request, "sync") if server.rules_for(request) else otherwise
    if word == "warn":
        warnings.warn(str(server.explain(request)), FauxServerWarning, stacklevel=2)
    return word != "error"


# --- Its answer is made --------------------------------------------------------------------------------------------


class Late(Exception):
    """It took longer than the client waits."""


class Clock:
    """How long a client waits for the next thing: *limit* seconds, or for ever."""

    def __init__(self, limit: float | None) -> None:
        self.limit = limit
        self.start()

    def start(self) -> None:
        self._end = None if self.limit is None else monotonic() + self.limit

    @property
    def left(self) -> float | None:
        """The seconds that are left."""
        return None if self._end is None else max(0.0, self._end - monotonic())

    def cut(self, seconds: float) -> tuple[float, bool]:
        """How long to wait of so many seconds, and whether that is too short."""
        left = self.left
        return (seconds, False) if left is None or seconds <= left else (left, True)

    def check(self) -> None:
        if self._end is not None and monotonic() > self._end:
            raise Late


def answer(exchange: Exchange, clock: Clock) -> Response:
    """Wait as long as the latency says, and answer."""
    try:
        with no_loop_in_sight():
            delay = exchange.delay / 1000
        if delay:
            seconds, late = clock.cut(delay)
            sleep(seconds)
            if late:
                raise Late
        with no_loop_in_sight():
            response = exchange.answer()
        if not isinstance(response, Response):
            response = run(response, clock.left)
        clock.check()
        return response
    except BaseException:
        exchange.drop()
        raise


async def answer_async(exchange: Exchange, clock: Clock) -> Response:
    """The same, on the event loop that runs here."""
    if asyncio._get_running_loop() is None:
        return await aside(answer, exchange, clock)
    try:
        with no_loop_in_sight():
            delay = exchange.delay / 1000
        if delay:
            seconds, late = clock.cut(delay)
            await asyncio.sleep(seconds)
            if late:
                raise Late
        with no_loop_in_sight():
            response = exchange.answer()
        if not isinstance(response, Response):
            response = await within(response, clock.left)
        clock.check()
        return response
    except BaseException:
        exchange.drop()
        raise


async def within(awaitable: Awaitable[T], seconds: float | None) -> T:
    """Await it, but no longer than so many seconds."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await awaitable
    except TimeoutError:
        # There may be one of the handler's own, too.
        if limit.expired():
            raise Late from None
        raise


async def aside(function: Callable[..., T], *args: Any) -> T:
    """Call it on a thread, where the event loop is trio's: what is asynchronous in handlers is asyncio's."""
    from anyio.to_thread import run_sync

    return await run_sync(function, *args)


class Pieces:
    """A streamed body, piece by piece as the client reads it."""

    def __init__(self, response: Response, clock: Clock) -> None:
        self._body = response._body
        self._response = response
        self._clock = clock
        self._awaited = hasattr(self._body, "__anext__")

    def next(self) -> bytes | None:
        """The next piece; nothing at the end."""
        self._clock.start()
        try:
            if self._awaited:
                piece = run(self._body.__anext__(), self._clock.left)
            else:
                with no_loop_in_sight():
                    piece = next(self._body)
        except (StopIteration, StopAsyncIteration):
            return None
        self._clock.check()
        return encode_piece(piece)

    async def next_async(self) -> bytes | None:
        """The same, on the event loop that runs here."""
        if asyncio._get_running_loop() is None:
            return await aside(self.next)
        if not self._awaited:
            return self.next()
        self._clock.start()
        try:
            piece = await within(self._body.__anext__(), self._clock.left)
        except StopAsyncIteration:
            return None
        return encode_piece(piece)

    def close(self) -> None:
        """Nobody reads on: let it clean up."""
        if self._awaited:
            run(self._response.close(), None)
        else:
            with no_loop_in_sight():
                getattr(self._body, "close", bool)()

    async def close_async(self) -> None:
        if asyncio._get_running_loop() is None:
            await aside(self.close)
        elif self._awaited:
            await self._response.close()
        else:
            self.close()


def told(exchange: Exchange, error: Exception) -> str:
    """Why a streamed body has broken off."""
    failure = exchange.error
    return failure if isinstance(failure, str) else failure.message if failure else str(error)


def begin(response: Response, clock: Clock) -> tuple[Answer, Pieces | None]:
    """A response as HTTP has it; of one that is streamed status and headers, and the body's pieces."""
    if response.kind != "stream":
        encoded = encode(response)
        assert isinstance(encoded, Answer)
        return encoded, None
    pieces = Pieces(response, clock)
    headers = {"content-type": "text/plain; charset=utf-8", **response.fields()}
    try:
        return Answer(response.status, encode_headers(headers, response.status), b""), pieces
    except HandlerError as error:
        pieces.close()
        return begin(Response(str(error), 500), clock)


# --- Where it runs -------------------------------------------------------------------------------------------------


def run(awaitable: Awaitable[T], seconds: float | None) -> T:
    """Await it from a thread that does not, but no longer than so many seconds."""
    return _loop.run(awaitable, seconds)


class _Loop:
    """An event loop for all that have none. Whoever waits for something runs it, on the thread that is theirs.

    Of several who wait one runs it for all. While nobody waits, a thread of its own sees to what handlers have left
    behind: tasks that go on after their answer.
    """

    def __init__(self) -> None:
        self._loop: Loop | None = None
        self._turn = threading.Condition()
        self._waiting = 0
        self._runner: threading.Thread | None = None
        self._caretaker: threading.Thread | None = None

    def run(self, awaitable: Awaitable[T], seconds: float | None) -> T:
        if threading.current_thread() is self._runner:
            # An asynchronous handler that is itself a client, and holds the loop up.
            with no_loop_in_sight():
                return asyncio.run(within(awaitable, seconds))
        with self._turn:
            if self._loop is None:
                self._loop = Loop()
                atexit.register(self._close)
            loop = self._loop
            self._waiting += 1
        future = asyncio.run_coroutine_threadsafe(within(awaitable, seconds), loop)
        future.add_done_callback(lambda _: loop.stop())
        try:
            with self._turn:
                while not future.done():
                    self._take(loop)
        except BaseException:
            # Somebody has pressed Ctrl-C, say.
            future.cancel()
            raise
        finally:
            with self._turn:
                self._waiting -= 1
                if not self._waiting and loop.tasks:
                    self._leave_to_caretaker(loop)
        return future.result()

    def _take(self, loop: Loop) -> None:
        """Run the loop until somebody's answer is there, or wait while another thread does. (Under the lock.)"""
        if self._runner is not None:
            if self._runner is self._caretaker:
                loop.call_soon_threadsafe(loop.stop)
            self._turn.wait()
            return
        self._runner = threading.current_thread()
        self._turn.release()
        try:
            with no_loop_in_sight():
                loop.run_forever()
        finally:
            self._turn.acquire()
            self._runner = None
            self._turn.notify_all()

    def _leave_to_caretaker(self, loop: Loop) -> None:
        if self._caretaker is None:
            self._caretaker = threading.Thread(target=self._care, args=(loop,), name="fauxserver", daemon=True)
            self._caretaker.start()
        self._turn.notify_all()

    def _care(self, loop: Loop) -> None:
        with self._turn:
            while not loop.is_closed():
                self._turn.wait_for(lambda: loop.is_closed() or (not self._waiting and self._runner is None))
                if not loop.is_closed():
                    self._take(loop)

    def _close(self) -> None:
        """The program ends."""
        with self._turn:
            loop = self._loop
            assert loop is not None
            self._waiting += 1
            while self._runner is not None:
                loop.call_soon_threadsafe(loop.stop)
                self._turn.wait()
            loop.run_until_complete(_end(loop))
            loop.close()
            self._turn.notify_all()


async def _end(loop: Loop) -> None:
    """End what still runs on a loop."""
    left = loop.tasks - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await loop.shutdown_asyncgens()


_loop = _Loop()


# --- Clients that make their own transports ------------------------------------------------------------------------


class Interception:
    """What answers the requests of clients that nobody can give a transport; call it, or leave its block, to end it."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end

    def __call__(self) -> None:
        self._end()

    def __enter__(self) -> Interception:
        return self

    def __exit__(self, *error: object) -> None:
        self._end()


def is_below(url: str, base: str | None) -> bool:
    """Whether a url is below an address."""
    if base is None:
        return True
    base = base.rstrip("/")
    return url.startswith(base) and (len(url) == len(base) or url[len(base)] in "/?#")
