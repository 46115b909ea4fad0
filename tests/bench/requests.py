"""Backbone requests, one after another and all at once, with the original beside us in the same browser."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.bench.cast import ORIGINAL, Bench
from tests.bench.measure import Goal, Row, alternate, compared, duration
from tests.browser import pages

ROUTES = """
import asyncio
from fauxserver import FauxServer

server = FauxServer()

@server.get("books/:id")
def read_book(id: int):
    return {"id": id, "title": "Franny and Zooey"}

@server.get("later/:id")
async def read_later(id: int):
    return {"id": id, "title": "Franny and Zooey"}

@server.get("waits/:id")
async def read_after_a_wait(id: int):
    await asyncio.sleep(0)
    return {"id": id, "title": "Franny and Zooey"}
"""

# The original's only kind of handler, and one of ours.
IN_JAVASCRIPT = """<script>
  fauxServer.get("js/:id", (context, id) => ({ id: Number(id), title: "Franny and Zooey" }))
</script>"""

KINDS = {"books": "def", "later": "async def", "waits": "async def that waits once", "js": "JavaScript handler"}


def rows(bench: Bench) -> list[Row]:
    """The design has goals for `def`; the other kinds of handlers are beside it."""
    with (
        bench.page(None, IN_JAVASCRIPT, faux=pages.ORIGINAL) as original,
        bench.page(ROUTES, IN_JAVASCRIPT) as ours,
    ):
        bench.warm_up(original, "js")
        bench.warm_up(ours, *KINDS)
        rows = []
        for kind, spelled in KINDS.items():
            goal = Goal(100, 1 / 30) if kind == "books" else None
            # The original takes 4 ms and more for each.
            figures = in_turn(bench, "oneAfterAnother", kind, (original, bench.count(200)), (ours, bench.count(2000)))
            rows.append(
                compared(f"one request after another, {spelled}", ORIGINAL, *figures, spoken=duration, goal=goal)
            )
        for count in (1000, 3000):
            for kind, spelled in KINDS.items():
                goal = Goal(ratio=1) if kind == "books" else None
                many = bench.count(count)
                figures = in_turn(bench, "atOnce", kind, (original, many), (ours, many))
                rows.append(compared(f"{count:,} at once, {spelled}", ORIGINAL, *figures, spoken=duration, goal=goal))
        return rows


def in_turn(bench: Bench, how: str, kind: str, theirs: tuple[Page, int], ours: tuple[Page, int]) -> list[list[float]]:
    """The original's figures and ours."""
    return alternate(
        bench.rounds,
        lambda: bench.ask(theirs[0], how, "js", theirs[1]),
        lambda: bench.ask(ours[0], how, kind, ours[1]),
    )
