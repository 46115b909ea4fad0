"""Answer the requests of a browser that Playwright drives: `detach = attach(page, server)`.

With the synchronous API and the asynchronous one. Handlers run in the test's own thread, so that they see its database
transaction and whatever else belongs to a thread; but no event loop runs as far as they can tell, so that `asyncio.run`
and Django's ORM work in them, although Playwright's loop is the one that calls us.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, overload

from fauxserver.errors import FauxServerError
from fauxserver.hosts.attachment import Attachment, Flow
from fauxserver.server import FauxServer

if TYPE_CHECKING:
    from playwright import async_api, sync_api

    from fauxserver.hosts.attachment import OnUnmatched


@overload
def attach(
    target: sync_api.Page | sync_api.BrowserContext,
    server: FauxServer,
    *,
    base: str | None = None,
    on_unmatched: OnUnmatched | None = None,
) -> Callable[[], None]: ...
@overload
def attach(
    target: async_api.Page | async_api.BrowserContext,
    server: FauxServer,
    *,
    base: str | None = None,
    on_unmatched: OnUnmatched | None = None,
) -> Awaitable[Callable[[], Awaitable[None]]]: ...
def attach(target: Any, server: FauxServer, *, base: str | None = None, on_unmatched: OnUnmatched | None = None) -> Any:
    """Answer the requests of a page, or of all pages of a context, with *server*; returns the function that ends it.

    With the asynchronous API both are awaited: `detach = await attach(page, server)`, `await detach()`.

    *base* is the address that expressions count from: `books/:id` is what comes after it, `/books/:id` a path on its
    origin. `"/"` stands for the root of any origin. Without it, expressions count from the page's own address, as in
    the page, and where that finds no route from the root of its origin, as over HTTP.

    *on_unmatched* is told of requests that no route wants: of those below an explicit base (`"error"`), of those whose
    path begins as a route's does (`"warn"`), and of those that `server.set_unmatched` speaks of. It is called with an
    Explanation and that word; it may return another: `"error"`, and the request fails; `"warn"` or `"bypass"`, and it
    goes to the network.
    """
    api = _api_of(target)
    if api is None:
        raise FauxServerError(
            f"attach: {target!r} is no page, and no context, of Playwright's. "
            "Give it a Page or a BrowserContext, of the sync or of the async API."
        )
    if not isinstance(server, FauxServer):
        raise FauxServerError(f"attach: {server!r} is no FauxServer. Give it the server after the page.")
    if base is not None:
        base = _address(base)
    # What there is to warn of is said here, and not to Playwright.
    server.routes.prepare()
    if api == "sync_api":
        return _SyncAttachment(target, server, base, on_unmatched).begin()
    return _AsyncAttachment(target, server, base, on_unmatched).begin()


def _api_of(target: Any) -> str | None:
    for api in ("sync_api", "async_api"):
        module = sys.modules.get(f"playwright.{api}")
        if module is not None and isinstance(target, (module.Page, module.BrowserContext)):
            return api
    return None


def _address(base: str) -> str:
    if not (base.startswith(("http://", "https://", "/"))):
        raise FauxServerError(
            f"attach: {base!r} is no base. Give an address, as in 'http://localhost:8000/api', or '/' for the root of "
            "any origin."
        )
    return base if base.endswith("/") else f"{base}/"


# --- The two APIs --------------------------------------------------------------------------------------------------


class _SyncAttachment(Attachment):
    """With the synchronous API, a call that waits switches to the greenlet in which the loop runs."""

    dispatcher: Any = None
    """That greenlet: a call that waits in it waits for ever."""
    steps: set[Any]
    """The greenlets in which handlers run at the moment."""

    def begin(self) -> Callable[[], None]:
        self.greenlets: Any = importlib.import_module("greenlet")
        self.steps = set()
        # It is left running in the thread that has started Playwright.
        self.loop = asyncio._get_running_loop()
        self.hook()
        try:
            self.renew()
        except BaseException:
            self.end()
            raise
        return self.detach

    def detach(self) -> None:
        """Let go of the page. What is on its way fails: nothing of the server runs any more when this returns."""
        if self.dispatcher is not None and self.dispatcher is self.greenlets.getcurrent():
            assert self.loop is not None
            self.loop.call_soon(self.switch, self.detach)
            return
        for route in self.end():
            with suppress(Exception):
                route.abort()
        with suppress(Exception):
            for url in self.registered:
                self.target.unroute(url, self.handle)
        self.registered.clear()

    async def answer(self, flow: Flow) -> None:
        self.dispatcher = self.greenlets.getcurrent()
        await super().answer(flow)

    async def call(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        assert self.loop is not None
        done: asyncio.Future[Any] = self.loop.create_future()

        def act() -> None:
            try:
                result = function(*args, **options)
            except Exception as error:
                if not done.done():
                    done.set_exception(error)
            else:
                if not done.done():
                    done.set_result(result)

        self.switch(act)
        return await done

    def step(self, function: Callable[[], None]) -> None:
        # A handler may call Playwright, too, which switches away from it for a while.
        def act() -> None:
            here = self.greenlets.getcurrent()
            self.steps.add(here)
            try:
                function()
            finally:
                self.steps.discard(here)

        self.switch(act)

    def switch(self, function: Callable[[], None]) -> None:
        self.greenlets.greenlet(function).switch()

    def renew(self) -> None:
        here = self.greenlets.getcurrent()
        if threading.get_ident() != self.thread or here is self.dispatcher or here in self.steps:
            # A handler's doing. It is sent before the handler's answer is, and no loop shows itself in the handler.
            if self.loop is not None:
                self.loop.call_soon_threadsafe(self.switch, self.renew)
            return
        try:
            for url in self.missing():
                self.target.route(url, self.handle)
                self.registered.append(url)
        except Exception:
            # The page may be closed by now.
            if not self.registered:
                raise


class _AsyncAttachment(Attachment):
    """With the asynchronous API all is awaited."""

    async def begin(self) -> Callable[[], Awaitable[None]]:
        self.loop = asyncio.get_running_loop()
        self.hook()
        try:
            for url in self.missing():
                self.registered.append(url)
                await self.target.route(url, self.handle)
        except BaseException:
            self.end()
            raise
        return self.detach

    async def detach(self) -> None:
        """Let go of the page. What is on its way fails: nothing of the server runs any more when this returns."""
        for route in self.end():
            with suppress(Exception):
                await route.abort()
        with suppress(Exception):
            for url in self.registered:
                await self.target.unroute(url, self.handle)
        self.registered.clear()

    async def call(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        return await function(*args, **options)

    def renew(self) -> None:
        assert self.loop is not None
        if threading.get_ident() != self.thread:
            self.loop.call_soon_threadsafe(self.renew)
            return
        for url in self.missing():
            self.registered.append(url)
            hidden = asyncio._get_running_loop()
            asyncio._set_running_loop(self.loop)
            # What is sent now is there before whatever is sent next. The page may be closed by now.
            with suppress(Exception):
                begun = _Begun(self.target.route(url, self.handle))
                self.loop.create_task(_in_silence(begun))
            asyncio._set_running_loop(hidden)


class _Begun:
    """A coroutine that has taken its first step already."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._coroutine = coroutine
        self._waits: Any = None
        self._over = False
        try:
            self._waits = coroutine.send(None)
        except StopIteration:
            self._over = True

    def __await__(self) -> Generator[Any, Any, None]:
        while not self._over:
            try:
                sent = yield self._waits
            except BaseException as error:
                self._go(self._coroutine.throw, error)
            else:
                self._go(self._coroutine.send, sent)

    def _go(self, action: Callable[[Any], Any], value: Any) -> None:
        try:
            self._waits = action(value)
        except StopIteration:
            self._over = True


async def _in_silence(awaitable: Awaitable[Any]) -> None:
    # The page may be closed by now.
    with suppress(Exception):
        await awaitable
