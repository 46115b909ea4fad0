"""No handler freezes the page, nor leaves it broken.

The page's clock (`js/timelimit.js`) interrupts Python, and here Python is made to listen. What a handler that failed
had replaced of Python is put back.
"""

from __future__ import annotations

import asyncio
import builtins
import functools
import gc
import inspect
import itertools
import json
import linecache
import os
import re
import signal
import sys
import time
import traceback
import types
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from fauxserver.exchange import Exchange
from fauxserver.guard import Stopped, interrupted, when_stopped
from fauxserver.handlers import respond

TIME_LIMIT = 5_000
"""How long a handler may run at a stretch before the page would freeze, in milliseconds."""
HOME = __file__.replace("\\", "/").rpartition("/hosts/")[0] + "/"
_LIBRARY = os.__file__.replace("\\", "/").rpartition("/")[0] + "/"
# One of the six that Python has; debuggers and profilers take the first.
_TOOL = 4
# So often a handler may catch what is to stop it. Cleaning up is fine, going on is not.
_PATIENCE = 3


class Guard:
    """Interrupts its block after so many milliseconds; and again and again, should the block catch that.

    For the limit that the bridge has armed already, nobody needs one.
    """

    active: Guard | None = None

    def __init__(self, limit: float, arm: Callable[[float], None], disarm: Callable[[], None]) -> None:
        self._limit = limit
        self._arm = arm
        self._disarm = disarm
        self._outer: Guard | None = None

    def __enter__(self) -> None:
        self._outer = Guard.active
        Guard.active = self
        self._arm(self._limit)

    def __exit__(self, *_: object) -> None:
        self._disarm()
        Guard.active = self._outer
        if self._outer:
            # The time of a block inside does not count.
            self._arm(self._outer._limit)


def _interrupt(block: FrameType) -> None:
    if interrupted and interrupted[0] is not block:
        interrupted.clear()
    interrupted.append(block)
    if interrupted[_PATIENCE - 1 :]:
        _let_nobody_catch()
    raise Stopped


def over() -> None:
    """The block that was interrupted is left."""
    if interrupted:
        interrupted.clear()
        _let_catch()


# The functions whose frames are blocks.
_STEPS: tuple[Any, ...] = (Exchange._step, Exchange._wait, Exchange._tell_theirs, respond)
blocks: set[CodeType] = {step.__code__ for step in _STEPS}
_OWN = (Guard.__enter__.__code__, Guard.__exit__.__code__, over.__code__)


def on_interrupt(_signal: int, frame: FrameType | None) -> None:
    """The handler of SIGINT, which in the page is the clock."""
    # A block that is told of it, and tells others, has heard enough: only what it has called is stopped.
    if frame is None or frame.f_code in _OWN or frame.f_code in blocks:
        return
    outermost = None
    while frame is not None:
        if frame.f_code in blocks:
            return _interrupt(frame)
        if not frame.f_code.co_filename.startswith((HOME, _LIBRARY, "<frozen")):
            outermost = frame
        frame = frame.f_back
    # A task, a callback of the event loop: nobody has guarded it, but the page's code it is.
    if outermost is not None:
        raise Stopped


def install() -> None:
    """Hear the page's clock, also in `time.sleep`; keep what would end the runtime from doing so."""
    if signal.getsignal(signal.SIGINT) is on_interrupt:
        # A page that was stopped and started again has the same Python.
        return
    signal.signal(signal.SIGINT, on_interrupt)
    time.sleep = _in_naps(time.sleep)
    sys.setrecursionlimit = _no_deeper(sys.setrecursionlimit)
    _use_tool()
    when_stopped[:] = [over]
    for where, names in (("os", _ENDINGS), ("posix", _ENDINGS), ("signal", _SIGNALS), ("_signal", _SIGNALS)):
        module = sys.modules[where]
        for name in names:
            if hasattr(module, name):
                setattr(module, name, _refused(name, getattr(module, name)))
    keep()


def _no_deeper(original: Callable[[int], None]) -> Any:
    most = 10_000

    def setrecursionlimit(limit: int, /) -> None:
        # To come back from a million levels takes longer than any time limit.
        original(limit if limit < most else most)

    return setrecursionlimit


_ENDINGS = ("_exit", "abort", "kill", "killpg")
_SIGNALS = ("signal", "raise_signal", "alarm", "setitimer", "pthread_kill", "set_wakeup_fd")


def _refused(name: str, original: Any) -> Any:
    def refused(*args: Any) -> Any:
        raise RuntimeError(
            f"{name} is refused in a page: signals are its clock, and their end would be that of the page's Python. "
            "Raise an HTTPError to end a request."
        )

    refused.__name__ = name
    refused.__doc__ = original.__doc__
    return refused


def _in_naps(sleep: Callable[[float], None]) -> Any:
    # In one piece, it would not look at the clock.
    clock, least = time.perf_counter, min

    def nap(seconds: float, /) -> None:
        end = clock() + seconds
        sleep(least(seconds, 0.001))
        while (left := end - clock()) > 0:
            sleep(least(left, 0.001))

    nap.__name__ = "sleep"
    nap.__doc__ = sleep.__doc__
    return nap


# --- `except BaseException: pass` in a loop -------------------------------------------------------------------------

if sys.version_info >= (3, 12):
    _monitoring = sys.monitoring
    # A loop of one line may never begin that line again.
    _EVENTS = (sys.monitoring.events.LINE, sys.monitoring.events.JUMP, sys.monitoring.events.CALL)


def _use_tool() -> None:
    if sys.version_info >= (3, 12) and _monitoring.get_tool(_TOOL) != "fauxserver":
        # A handler may have taken it, or given it away.
        if _monitoring.get_tool(_TOOL) is not None:
            _monitoring.free_tool_id(_TOOL)
        _monitoring.use_tool_id(_TOOL, "fauxserver")


def _let_nobody_catch() -> None:
    if sys.version_info >= (3, 12):
        # At the next line, that of the `except` included: nobody gets any further.
        _use_tool()
        events = 0
        for event in _EVENTS:
            _monitoring.register_callback(_TOOL, event, _raise_again)
            events |= event
        _monitoring.set_events(_TOOL, events)


def _let_catch() -> None:
    if sys.version_info >= (3, 12) and _monitoring.get_tool(_TOOL) == "fauxserver":
        _monitoring.set_events(_TOOL, 0)


def _raise_again(code: CodeType, *_where: object) -> None:
    if not code.co_filename.startswith(HOME):
        raise Stopped


# --- What a handler has done to Python ------------------------------------------------------------------------------

# What this server, the event loop and tracebacks cannot do without.
_NEEDED: tuple[Any, ...] = (
    *(builtins, json, json.encoder, json.decoder, time, re, os, sys, signal, asyncio, inspect, types, functools),
    *(linecache, traceback, itertools, gc),
)
# These belong to whoever runs.
_FREE = frozenset(
    {"builtins._", "sys.argv", "sys.path", "sys.last_exc", "sys.last_type", "sys.last_value", "sys.last_traceback"}
)
_kept: list[tuple[str, Any, dict[str, Any]]] = []
_modules: dict[str, Any] = {}
_all_modules, _lines = sys.modules, linecache.cache
_settings: list[Any] = []
_lists: list[tuple[str, list[Any], list[Any]]] = []
_set_limit, _get_limit = sys.setrecursionlimit, sys.getrecursionlimit
_set_trace, _set_profile = sys.settrace, sys.setprofile
_collects, _collect_again = gc.isenabled, gc.enable


def keep() -> None:
    """Remember how things are: what was replaced up to now was meant to be."""
    _kept[:] = [(module.__name__, vars(module), dict(vars(module))) for module in _NEEDED]
    _kept.append(("", _lines, dict(_lines)))
    _modules.clear()
    _modules.update(_all_modules)
    _settings[:] = [_get_limit()]
    # Those of which something must not be missing.
    _lists[:] = [(name, getattr(sys, name), list(getattr(sys, name))) for name in ("path", "meta_path", "path_hooks")]


def mend() -> list[str]:
    """Put back what is no longer as it was kept, and say what. It needs no name that could have been replaced."""
    over()
    mended: list[str] = []
    _set_trace(None)
    _set_profile(None)
    if _get_limit() != _settings[0]:
        _set_limit(_settings[0])
    if not _collects():
        _collect_again()
    for module, live, kept in _kept:
        for name, value in kept.items():
            if live.get(name, _kept) is not value and f"{module}.{name}" not in _FREE:
                live[name] = value
                if live is not _lines:
                    mended += [f"{module}.{name}"]
    for name, things, were in _lists:
        for thing in were:
            if thing not in things:
                things[:] = were
                mended += [f"sys.{name}"]
                break
    for name, module in _modules.items():
        if _all_modules.get(name, _kept) is not module:
            _all_modules[name] = module
            mended += [f"sys.modules[{name!r}]"]
    return mended


# --- For `js/rails.js` ----------------------------------------------------------------------------------------------


def rails() -> str:
    """Where the types lie whose C code needs rails."""

    def generator() -> Any:
        yield

    async def coroutine() -> None: ...

    started = coroutine()
    started.close()
    frame = sys._getframe()
    endless: tuple[Any, ...] = (
        *(type(iter(range(1))), type(iter(range(1 << 70))), type(iter(int, 1))),
        *(itertools.count, itertools.repeat, itertools.cycle, itertools.product, itertools.permutations),
        *(itertools.combinations, itertools.combinations_with_replacement),
    )
    # All classes that are written in Python share one function.
    nesting: tuple[Any, ...] = (
        *(list, tuple, dict, set, frozenset, Guard, BaseException, KeyError, slice, map, filter, zip, enumerate),
        *(types.FunctionType, types.CellType, types.MethodType, types.BuiltinMethodType, types.MethodWrapperType),
        *(types.MappingProxyType, types.GeneratorType, types.CoroutineType, types.TracebackType, type(frame)),
        *(reversed, type(iter([])), type(iter(())), type(iter({})), type({}.keys()), property, classmethod),
        *(staticmethod, super, functools.partial, itertools.chain, itertools.islice, itertools.cycle),
        *(itertools.starmap, itertools.accumulate),
    )
    places = {"endless": endless, "nesting": nesting, "compared": (int, float)}
    return json.dumps({name: [id(kind) for kind in kinds] for name, kinds in places.items()})
