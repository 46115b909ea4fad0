"""What interrupts a handler in the page, with somebody else for the page's clock."""

import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from fauxserver import FauxServer, Request
from fauxserver.errors import TimeLimitError
from fauxserver.exchange import Exchange
from fauxserver.guard import Stopped
from fauxserver.hosts import pageguard


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    """A request to a server whose bridge has armed the clock."""
    server = FauxServer(time_limit=50).get("x", {})
    server.guarded = 50
    accepted = server.accept(Request("GET", "x"))
    assert accepted is not None
    yield accepted
    pageguard.over()


def interrupt(frame: FrameType | None = None) -> str:
    """The clock interrupts, here or in *frame*; says what the code there hears."""
    try:
        pageguard.on_interrupt(2, frame or sys._getframe(1))
    except Stopped:
        return "stopped"
    return "nothing"


def test_what_a_handler_returns_that_went_on_when_stopped_does_not_count(exchange: Exchange):
    seen: list[str] = []

    def handler(_: Any) -> str:
        def deeper() -> str:
            return interrupt()

        seen.extend([interrupt(), deeper()])
        return "a result"

    with pytest.raises(TimeLimitError):
        exchange._step(handler, None)
    assert seen == ["stopped", "stopped"]


def test_who_has_called_the_handler_is_not_stopped_while_it_tells_of_it(exchange: Exchange):
    seen: list[Any] = []

    def handler(_: Any) -> None:
        step = sys._getframe(1)
        seen.append(interrupt())
        # The clock once more, while the one who has called us is at it.
        seen.append(interrupt(step))

    with pytest.raises(TimeLimitError):
        exchange._step(handler, None)
    assert seen == ["stopped", "nothing"]


def test_the_pages_code_that_nobody_guards_is_stopped_too(exchange: Exchange):
    assert interrupt() == "stopped"
