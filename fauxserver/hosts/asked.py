"""A request over HTTP on its way: who answers it, on the handlers' thread; and what if nobody does, or waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from itertools import count
from types import CoroutineType
from typing import TYPE_CHECKING, Any, NamedTuple

from fauxserver.bodies import decode
from fauxserver.errors import BodyError
from fauxserver.exchange import Exchange
from fauxserver.hosts.http import Receive, Refused, encode, target
from fauxserver.hosts.noloop import no_loop_in_sight
from fauxserver.hosts.threads import GRACE, Job, Threads
from fauxserver.messages import Request, Response
from fauxserver.server import FauxServer
from fauxserver.unmatched import judge

if TYPE_CHECKING:
    from fauxserver.hosts.asgi import Application

STOPPED = 5.0
"""A handler that still runs so many seconds after its client has left is stopped."""
_FORGIVEN = 50
"""Whoever was quick so often in a row is not slow any more."""


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
        return f"{self.request.method} {target(self.request)} {explained.reason}{f' Nearest: {near}' if near else ''}"


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
            with no_loop_in_sight():
                outcome = self.run()
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
                return TAKEN
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
TAKEN: Any = object()
"""Says that a route wants it."""
