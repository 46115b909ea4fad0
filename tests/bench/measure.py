"""Take figures in turn, and make rows of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import NamedTuple

Spoken = Callable[[float], str]


def alternate(rounds: int, *measures: Callable[[], float]) -> list[list[float]]:
    """*rounds* figures of each, taken in turn, so that what slows the machine down slows them all.

    Every other round goes backwards: none is always the one that comes after another.
    """
    figures: list[list[float]] = [[] for _ in measures]
    for number in range(rounds):
        pairs = list(zip(figures, measures, strict=True))
        for taken, measure in reversed(pairs) if number % 2 else pairs:
            taken.append(measure())
    return figures


class Goal(NamedTuple):
    """What the design wants: *most* of the figure, *ratio* of the peer's; both, if both are given."""

    most: float | None = None
    ratio: float | None = None


class Row(NamedTuple):
    """One line of the table."""

    what: str
    ours: float
    peer: str = ""
    theirs: float | None = None
    ratio: float | None = None
    goal: Goal | None = None
    spoken: Spoken = str

    @property
    def reached(self) -> bool:
        """Whether the goal is; a row without one has nothing to miss."""
        most, ratio = self.goal or Goal()
        return (most is None or self.ours <= most) and (ratio is None or self.ratio is None or self.ratio <= ratio)


def compared(
    what: str, peer: str, theirs: list[float], ours: list[float], *, spoken: Spoken, goal: Goal | None = None
) -> Row:
    """A row from figures that were taken in turn. The ratio is the median of the rounds' own: noise moves it least."""
    ratio = statistics.median(our / their for our, their in zip(ours, theirs, strict=True))
    return Row(what, statistics.median(ours), peer, statistics.median(theirs), ratio, goal, spoken)


def alone(what: str, ours: list[float], *, spoken: Spoken, goal: Goal | None = None) -> Row:
    """A row that has no peer."""
    return Row(what, statistics.median(ours), goal=goal, spoken=spoken)


def duration(microseconds: float) -> str:
    """A time, as a table has it."""
    if microseconds < 10:
        return f"{microseconds:.1f} µs"
    if microseconds < 1_000:
        return f"{microseconds:,.0f} µs"
    if microseconds < 10_000:
        return f"{microseconds / 1_000:.1f} ms"
    return f"{microseconds / 1_000:,.0f} ms"


def size(count: float) -> str:
    """A number of bytes, likewise."""
    return f"{count / 1_000:,.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
