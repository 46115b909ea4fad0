"""Stop a handler that runs too long. The page has a way of its own; this is the one for everywhere else."""

from __future__ import annotations

import ctypes
import threading
from types import TracebackType


class Stopped(BaseException):
    """Raised in the middle of a handler. No `except Exception` of its own holds it up."""


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

    def __enter__(self) -> None:
        threading.Thread(target=self._watch, daemon=True).start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._over.set()
            if self._barked and kind is not Stopped:
                _raise_in(self._thread, None)

    def _watch(self) -> None:
        wait = self._limit
        while not self._over.wait(wait):
            with self._lock:
                if not self._over.is_set():
                    self._barked = True
                    _raise_in(self._thread, Stopped)
            wait = 0.05


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error) if error else None)
