"""One table of all rows, in the README's format."""

from __future__ import annotations

from collections.abc import Iterable

from tests.bench.measure import Row

HEAD = ("what", "peer", "peer's", "ours", "ratio", "goal")


def table(rows: Iterable[Row]) -> str:
    """The rows, as Markdown."""
    lines = [HEAD, ("---",) * len(HEAD), *(cells(row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cells(row: Row) -> tuple[str, ...]:
    """What a row has in each column."""
    theirs = "" if row.theirs is None else row.spoken(row.theirs)
    return row.what, row.peer, theirs, row.spoken(row.ours), _ratio(row.ratio), _goal(row)


def _ratio(ratio: float | None) -> str:
    if ratio is None:
        return ""
    return f"{ratio:.3f}" if ratio < 0.1 or 0.9 < ratio < 1.1 else f"{ratio:.2f}"


def _goal(row: Row) -> str:
    if row.goal is None:
        return ""
    most = [] if row.goal.most is None else [row.spoken(row.goal.most)]
    ratio = [] if row.goal.ratio is None else [_ratio(row.goal.ratio)]
    return f"≤ {', '.join(most + ratio)}: {'reached' if row.reached else '**missed**'}"
