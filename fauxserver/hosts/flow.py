"""A streamed body: its pieces, each made when the one before is on its way, where the handlers run."""

from __future__ import annotations

import asyncio
from typing import Any

from fauxserver.hosts.asked import stop_later
from fauxserver.hosts.noloop import no_loop_in_sight
from fauxserver.hosts.threads import Job, Threads
from fauxserver.messages import Response, encode_piece

_SLEEPS = 0.02
"""A generator that takes so long for a piece, in seconds, has a thread besides for the others."""


class Flow:
    """The pieces of a streamed body, each made when the one before is on its way."""

    def __init__(self, threads: Threads | None, response: Response) -> None:
        self._threads = threads
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
            with no_loop_in_sight():
                piece = next(self._pieces, None)
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
