"""Stop a handler that runs too long. The page has a way of its own; this is the one for everywhere else."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType


class Stopped(BaseException):
    """Raised in the middle of a handler, in the page too. No `except Exception` of its own holds it up."""


class Watchdog:
    """Raises Stopped in the current thread, if its block runs longer than *limit* milliseconds.

    And again, should the block catch it. It cannot interrupt a call that is in C, such as `time.sleep`.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit / 1000
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._barked = False
        self._guarded: FrameType | None = None

    def __enter__(self) -> None:
        self._guarded = sys._getframe(1)
        threading.Thread(target=self._watch, daemon=True).start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._lock:
                self._over.set()
                # What it has barked once more, and nobody has heard yet, would be heard by whoever comes next.
                if self._barked:
                    raise_in(self._thread, None)
        except Stopped:
            self.__exit__(kind, error, trace)
            if kind is None:
                raise
        self._guarded = None

    def _watch(self) -> None:
        wait = self._limit
        while not self._over.wait(wait):
            with self._lock:
                if not self._over.is_set():
                    # Stopped may have come just when the block was left, and then nobody has called us off.
                    if not self._inside():
                        return
                    self._barked = True
                    raise_in(self._thread, Stopped)
            wait = 0.05

    def _inside(self) -> bool:
        frame = sys._current_frames().get(self._thread)
        while frame is not None and frame is not self._guarded:
            frame = frame.f_back
        return frame is not None


def raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Raise an exception in another thread, as soon as it comes to its next instruction; or, with None, no more."""
    # Here, because it takes a tenth of a second in the page, which has a guard of its own.
    import ctypes

    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error) if error else None)


interrupted: list[FrameType] = []
"""The page's: the block that is being stopped, once for each time that this was tried."""
when_stopped: list[Callable[[], None]] = []
"""The page's: called when a block has been stopped."""
