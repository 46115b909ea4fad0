"""The port of `faux_url`: one for all the tests of a process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from fauxserver.hosts.asgi import Application
from fauxserver.hosts.http import Receive, Scope, Send
from fauxserver.hosts.live import serving
from fauxserver.hosts.threads import Threads
from fauxserver.server import FauxServer


class Port:
    """A port that answers for the test that is running, and for nobody between two tests."""

    def __init__(self) -> None:
        self.url = ""
        self._threads = Threads()
        self._nobody = self._current = Application(FauxServer(), threads=False)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Port:
        self.url = self._stack.enter_context(serving(self))
        self._stack.callback(self._threads.close)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def call(self, function: Callable[[], None]) -> None:
        """Call *function* on the thread of the handlers, and wait for its end."""
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(self._threads.call(function), self._loop).result()

    @contextmanager
    def answering(self, server: FauxServer) -> Iterator[str]:
        """Answer with *server*, meanwhile; the address is always the same."""
        self._current = Application(server, threads=self._threads)
        try:
            yield self.url
        finally:
            self._current = self._nobody

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Be an ASGI application."""
        if scope["type"] == "lifespan":
            self._loop = asyncio.get_running_loop()
        app = self._nobody if scope["type"] == "lifespan" else self._current
        await app(scope, receive, send)
