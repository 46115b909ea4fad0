"""The page's event loop, with somebody else for the page's clock."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from fauxserver.hosts.pageloop import Turns


class FakeClock:
    """What the bridge gives, in the test's hands."""

    def __init__(self) -> None:
        self.asked = 0
        self.timers: dict[int, float] = {}

    def soon(self) -> None:
        self.asked += 1

    def set_timer(self, number: int, delay: float) -> None:
        self.timers[number] = delay

    def clear_timer(self, number: int) -> None:
        del self.timers[number]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def turns(clock: FakeClock) -> Iterator[Turns]:
    loop = asyncio.new_event_loop()
    turns = Turns(loop, clock)
    turns.install()
    asyncio._set_running_loop(loop)
    yield turns
    asyncio._set_running_loop(None)
    loop.close()


def test_one_message_serves_all_that_is_due(turns: Turns, clock: FakeClock):
    seen: list[object] = []

    async def count(name: str) -> None:
        for number in range(3):
            seen.append(f"{name}{number}")
            await asyncio.sleep(0)

    tasks = [asyncio.ensure_future(count(name)) for name in "ab"]
    for _ in range(4):
        seen.append(clock.asked)
        turns.turn()

    assert seen == [1, "a0", "b0", 2, "a1", "b1", 3, "a2", "b2", 4]
    assert all(task.done() for task in tasks)


def test_a_timer_rings_once_and_what_is_due_in_no_time_needs_none(turns: Turns, clock: FakeClock):
    seen: list[float] = []
    loop = asyncio.get_running_loop()
    for delay in (0, 0.002, 0.25, 10**9):
        loop.call_later(delay, seen.append, delay)

    turns.turn()
    before, timers = list(seen), dict(clock.timers)
    for number in (1, 1):
        turns.ring(number)

    assert (before, timers, seen) == ([0, 0.002], {1: 250.0, 2: 2**31 - 1}, [0, 0.002, 0.25])


def test_a_timer_for_never_is_not_set(turns: Turns, clock: FakeClock):
    asyncio.get_running_loop().call_later(float("inf"), print)

    assert clock.timers == {}


def test_the_past_is_refused(turns: Turns):
    with pytest.raises(ValueError, match="past"):
        asyncio.get_running_loop().call_later(-1, print)


def test_a_timer_that_is_cancelled_is_cleared_with_all_that_it_holds(turns: Turns, clock: FakeClock):
    task = asyncio.ensure_future(asyncio.sleep(60))
    turns.turn()
    before = dict(clock.timers)
    task.cancel()
    turns.turn()

    assert (before, clock.timers, turns._timers, task.cancelled()) == ({1: 60_000.0}, {}, {}, True)


def test_what_is_cancelled_before_its_turn_does_not_run(turns: Turns):
    asyncio.get_running_loop().call_soon(pytest.fail, "It ran").cancel()

    turns.turn()


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_one_that_ends_the_program_ends_nothing_for_the_others(
    turns: Turns, clock: FakeClock, end: type[BaseException]
):
    seen: list[str] = []

    def ending() -> None:
        raise end

    steps: list[Callable[[], None]] = [ending, lambda: seen.append("after it")]
    for step in steps:
        asyncio.get_running_loop().call_soon(step)
    with pytest.raises(end):
        turns.turn()
    turns.turn()

    assert (seen, clock.asked) == (["after it"], 2)


def test_an_error_is_told_and_goes_no_further(turns: Turns):
    told: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(repr(context["exception"])))
    loop.call_soon(lambda: 1 / 0)
    loop.call_later(1, lambda: [][1])

    turns.turn()
    turns.ring(1)

    assert told == ["ZeroDivisionError('division by zero')", "IndexError('list index out of range')"]
