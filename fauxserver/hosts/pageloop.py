"""The page's event loop, made light: one message for all that is due, and timers that end when they are cancelled.

Pyodide's own makes two functions and a message for each callback, which takes 40 µs, and lets a cancelled timer run on,
with all that it holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from itertools import count
from typing import Any, Protocol

# What is due so soon is due now: browsers clamp nested timers to 4 ms.
_SOON = 0.002
# JavaScript's timers count in 32 bits.
_LONGEST = 2**31 - 1


class Clock(Protocol):
    """What it takes of the bridge."""

    def soon(self) -> None:
        """Call `turn`, in a moment."""

    def set_timer(self, number: int, delay: float) -> None:
        """Call `ring` with *number* in so many milliseconds."""

    def clear_timer(self, number: int) -> None:
        """Do not."""


class Turns:
    """The scheduling of an event loop, for one that has none of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self._loop = loop
        # Taken once, as every access to a JavaScript object's method makes another proxy.
        self._soon, self._set_timer, self._clear_timer = clock.soon, clock.set_timer, clock.clear_timer
        self._due: list[asyncio.Handle] = []
        self._timers: dict[int, _Timer] = {}
        self._numbers = count(1)

    def install(self) -> None:
        """Let the loop schedule in this way."""
        loop: Any = self._loop
        loop.call_soon = self.call_soon
        loop.call_later = self.call_later
        loop._timer_handle_cancelled = self._cancelled

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:
        """As a loop has it."""
        handle = asyncio.Handle(callback, args, self._loop, context)
        self._due.append(handle)
        if len(self._due) == 1:
            self._soon()
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """As a loop has it, in seconds."""
        if delay < 0:
            raise ValueError("Can't schedule in the past")
        if delay <= _SOON:
            return self.call_soon(callback, *args, context=context)
        number = next(self._numbers)
        timer = self._timers[number] = _Timer(self._loop.time() + delay, callback, args, self._loop, context)
        timer.number = number
        if delay != float("inf"):
            self._set_timer(number, min(delay * 1000, _LONGEST))
        return timer

    def _cancelled(self, timer: _Timer) -> None:
        if self._timers.pop(timer.number, None):
            self._clear_timer(timer.number)

    def turn(self) -> None:
        """Run what is due."""
        due, self._due = self._due, []
        done = 0
        try:
            for handle in due:
                done += 1
                if not handle.cancelled():
                    handle._run()
        finally:
            # One that ends the program, as it believes, ends nothing for the others.
            if done < len(due):
                self._due[:0] = due[done:]
                self._soon()

    def ring(self, number: int) -> None:
        """Run what waited for the timer of this number."""
        timer = self._timers.pop(number, None)
        if timer:
            timer._run()


class _Timer(asyncio.TimerHandle):
    __slots__ = ("number",)

    number: int


def install(clock: Clock) -> Turns:
    """Take over the scheduling of Pyodide's loop."""
    loop: Any = asyncio.get_event_loop()
    # What it does before each callback. Here there is one thread of execution, so that once is enough.
    loop._install_running_loop()
    loop._install_asyncgen_hooks()
    turns = Turns(loop, clock)
    turns.install()
    return turns
