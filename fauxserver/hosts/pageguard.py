"""No handler freezes the page: its clock (`js/timelimit.js`) interrupts Python, and here Python is made to listen."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from fauxserver.exchange import Exchange
from fauxserver.guard import Stopped

_HOME = __file__.replace("\\", "/").rpartition("/hosts/")[0] + "/"
# One of the six that Python has; debuggers and profilers take the first.
_TOOL = 4
# So often a handler may catch what is to stop it. Cleaning up is fine, going on is not.
_PATIENCE = 3


class Guard:
    """Interrupts its block after so many milliseconds; and again and again, should the block catch that."""

    active: Guard | None = None
    late: Guard | None = None
    """Made when the clock that the bridge has armed for a whole answer interrupts it: by far most are never."""

    def __init__(self, limit: float, arm: Callable[[float], None], disarm: Callable[[], None]) -> None:
        self._limit = limit
        self._arm = arm
        self._disarm = disarm
        self._outer: Guard | None = None
        self._block: FrameType | None = None
        self._inner: FrameType | None = None
        self._interrupts = 0

    def __enter__(self) -> None:
        self._block = sys._getframe(1)
        self._outer = Guard.active
        Guard.active = self
        self._arm(self._limit)

    def __exit__(self, *_: object) -> None:
        self._disarm()
        self._block = self._inner = None
        Guard.active = self._outer
        if self._interrupts >= _PATIENCE:
            _let_catch()
        if self._outer:
            # The time of a block inside does not count.
            self._arm(self._outer._limit)

    def interrupt(self, frame: FrameType | None) -> None:
        """Raise Stopped, if *frame* is in the block."""
        if frame is None or frame.f_code in _OWN:
            return
        inner = None
        while frame is not None and frame is not self._block:
            inner, frame = frame, frame.f_back
        if frame is None:
            return
        # The block has heard of it, and is about to say so: only what it had called, and goes on, hears it again.
        if self._interrupts and (inner is None or inner is not self._inner):
            return
        self._inner = inner
        self._interrupts += 1
        if self._interrupts == _PATIENCE:
            _let_nobody_catch()
        raise Stopped

    @classmethod
    def come_late(cls, frame: FrameType | None) -> None:
        """Guard the stretch of a handler that *frame* is in, if it is in one, until `leave`."""
        while frame is not None and frame.f_code is not _STEP:
            frame = frame.f_back
        if frame is not None:
            cls.active = cls.late = guard = cls(0, _nothing, _nothing)
            guard._block = frame

    @classmethod
    def leave(cls) -> None:
        """The answer that was interrupted is over."""
        if cls.late:
            cls.late.__exit__()
            cls.late = None


def _nothing(_limit: float = 0) -> None:
    """The bridge has armed the clock, and disarms it."""


_OWN = (Guard.__enter__.__code__, Guard.__exit__.__code__)
_STEP = Exchange._step.__code__


def on_interrupt(_signal: int, frame: FrameType | None) -> None:
    """The handler of SIGINT, which in the page is the clock."""
    if Guard.active is None:
        Guard.come_late(frame)
    if Guard.active:
        Guard.active.interrupt(frame)


def install() -> None:
    """Hear the page's clock, also in `time.sleep`."""
    signal.signal(signal.SIGINT, on_interrupt)
    time.sleep = _in_naps(time.sleep)


def _in_naps(sleep: Callable[[float], None]) -> Any:
    # In one piece, it would not look at the clock.
    def nap(seconds: float, /) -> None:
        end = time.perf_counter() + seconds
        sleep(min(seconds, 0.001))
        while (left := end - time.perf_counter()) > 0:
            sleep(min(left, 0.001))

    nap.__name__ = "sleep"
    nap.__doc__ = sleep.__doc__
    return nap


# --- `except BaseException: pass` in a loop -------------------------------------------------------------------------


def _let_nobody_catch() -> None:
    if sys.version_info >= (3, 12):
        # At the next line, that of the `except` included: nobody gets any further.
        lines = sys.monitoring.events.LINE
        sys.monitoring.use_tool_id(_TOOL, "fauxserver")
        sys.monitoring.register_callback(_TOOL, lines, _raise_again)
        sys.monitoring.set_events(_TOOL, lines)


def _let_catch() -> None:
    if sys.version_info >= (3, 12):
        sys.monitoring.set_events(_TOOL, 0)
        sys.monitoring.free_tool_id(_TOOL)


def _raise_again(code: CodeType, _line: int) -> None:
    if not code.co_filename.startswith(_HOME):
        raise Stopped
