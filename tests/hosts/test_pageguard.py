"""What interrupts a handler in the page, with somebody else for the page's clock."""

import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from fauxserver import FauxServer, Request
from fauxserver.exchange import Exchange
from fauxserver.guard import Stopped
from fauxserver.hosts.pageguard import Guard, on_interrupt


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    """A request to a server whose bridge has armed the clock."""
    server = FauxServer(time_limit=50).get("x", {})
    server.guarded = 50
    accepted = server.accept(Request("GET", "x"))
    assert accepted is not None
    yield accepted
    Guard.leave()


def interrupt(frame: FrameType | None = None) -> str:
    """The clock interrupts, here or in *frame*; says what the code there hears."""
    try:
        on_interrupt(2, frame or sys._getframe(1))
    except Stopped:
        return "stopped"
    return "nothing"


def test_a_handler_under_the_bridges_clock_is_stopped_and_again_if_it_goes_on(exchange: Exchange):
    def handler(_: Any) -> list[str]:
        def deeper() -> str:
            return interrupt()

        return [interrupt(), deeper()]

    assert exchange._step(handler, None) == ["stopped", "stopped"]


def test_who_has_called_the_handler_is_not_stopped_while_it_tells_of_it(exchange: Exchange):
    seen: list[Any] = []

    def handler(_: Any) -> FrameType | None:
        step = sys._getframe(1)
        seen.append(interrupt())
        # The clock once more, while the one who has called us is at it.
        seen.append(interrupt(step))
        return step

    step = exchange._step(handler, None)

    assert (seen, interrupt(step)) == (["stopped", "nothing"], "nothing")


def test_outside_of_handlers_the_clock_interrupts_nobody(exchange: Exchange):
    assert (interrupt(), Guard.active, Guard.late) == ("nothing", None, None)


def test_when_the_answer_is_over_nobody_guards_it(exchange: Exchange):
    exchange._step(lambda _: interrupt(), None)
    during = Guard.active is Guard.late is not None
    Guard.leave()

    assert (during, Guard.active, Guard.late) == (True, None, None)
