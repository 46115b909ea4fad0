"""What differs for pytest inside the runtime: loops that end, a guard without threads, a pure Python Hypothesis."""

import asyncio
import json
import math
import signal
import struct
import sys
import time
import types
from importlib.metadata import version

import pytest

import js
from fauxserver import guard, server
from fauxserver.hosts.pageguard import Guard, on_interrupt, over


class Loop(asyncio.BaseEventLoop):
    """An event loop with timers and callbacks alone. The runtime's own never ends: it is the page's."""

    class _Selector:
        def select(self, timeout):
            time.sleep(timeout or 0)
            return []

        def close(self):
            pass

    def __init__(self):
        super().__init__()
        self._selector = self._Selector()

    def _process_events(self, events):
        pass

    def _write_to_self(self):
        pass


def run_to_its_end(main, *, debug=None, loop_factory=Loop):
    with asyncio.Runner(debug=debug, loop_factory=loop_factory) as runner:
        return runner.run(main)


def hypothesis_native():
    """Stands for the native module of Hypothesis, as far as drawing texts and numbers needs it."""
    codes = {16: ("e", "H"), 32: ("f", "I"), 64: ("d", "Q")}

    def float_of(x, width):
        return struct.unpack(codes[width][0], struct.pack(codes[width][0], float(x)))[0]

    def float_to_int(value, width=64):
        return struct.unpack(codes[width][1], struct.pack(codes[width][0], value))[0]

    def int_to_float(value, width=64):
        return struct.unpack(codes[width][0], struct.pack(codes[width][1], value))[0]

    def next_up(value, width=64):
        if math.isnan(value) or value == math.inf:
            return value
        if value == 0:
            return int_to_float(1, width) if not is_negative(value) else 0.0
        return int_to_float(float_to_int(value, width) + (1 if value > 0 else -1), width)

    def next_down(value, width=64):
        return -next_up(-value, width)

    def is_negative(x):
        return math.copysign(1.0, x) < 0

    smallest = {16: 2.0**-14, 32: 2.0**-126, 64: 2.0**-1022}

    native = types.ModuleType("hypothesis._native")
    internal = types.ModuleType("hypothesis._native.internal")
    floats = types.ModuleType("hypothesis._native.internal.floats")
    cathetus = types.ModuleType("hypothesis._native.internal.cathetus")
    native.__version__ = version("hypothesis")
    floats.float_of, floats.float_to_int, floats.int_to_float = float_of, float_to_int, int_to_float
    floats.next_up, floats.next_down, floats.is_negative = next_up, next_down, is_negative
    floats.next_up_normal = lambda value, width, allow_subnormal: next_up(value, width)
    floats.next_down_normal = lambda value, width, allow_subnormal: next_down(value, width)
    floats.width_smallest_normals = smallest.__getitem__
    floats.count_between_floats = lambda x, y, width=64: float_to_int(y, width) - float_to_int(x, width) + 1
    cathetus.cathetus = lambda h, a: math.sqrt((h - a) * (h + a))
    for module in (native, internal, floats, cathetus):
        sys.modules[module.__name__] = module


class Count:
    """Counts the outcomes."""

    def __init__(self):
        self.outcomes = {"passed": 0, "failed": 0, "skipped": 0}

    def pytest_configure(self):
        from hypothesis import settings

        # Everything is slower here, and nothing is written.
        settings.register_profile("runtime", database=None, deadline=None, max_examples=20)
        settings.load_profile("runtime")

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.outcome] += 1


def run(args):
    """Run pytest with *args* (JSON), and return its exit code and the number of each outcome, in JSON."""
    hypothesis_native()
    server.Watchdog = lambda limit: Guard(limit, js.timeLimit.arm, js.timeLimit.disarm)
    # Another than Python's own handler: an asyncio runner leaves it in its place.
    signal.signal(signal.SIGINT, on_interrupt)
    guard.when_stopped[:] = [over]
    asyncio.run = run_to_its_end
    asyncio.events._set_running_loop(None)
    count = Count()
    code = pytest.main(json.loads(args), plugins=[count])
    return json.dumps({"code": int(code), **count.outcomes})
