"""What it costs a request that its handler may be stopped: the same page with its time limit, and without."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.bench.cast import Bench
from tests.bench.measure import Goal, Row, alternate, compared, duration
from tests.bench.requests import ROUTES

# The page's server as it comes, or one that lets a handler run for ever, in a runtime that never looks at the clock.
SWITCH = """
import pyodide_js

if "buffer" not in globals():
    buffer, limit = pyodide_js._module.Py_EmscriptenSignalBuffer, server.default_time_limit
server.default_time_limit = limit if guarded else None
pyodide_js.setInterruptBuffer(buffer if guarded else None)
"""


def rows(bench: Bench) -> list[Row]:
    """For a `def` and for an `async def`, which is guarded at each of its steps."""
    with bench.page(ROUTES) as page:
        return [row(bench, page, "books", "def"), row(bench, page, "later", "async def")]


def row(bench: Bench, page: Page, kind: str, spelled: str) -> Row:
    """Small portions and many rounds, as what is looked for is smaller than the noise."""
    bench.warm_up(page, kind)
    figures = alternate(
        bench.rounds * (1 if bench.quick else 10),
        lambda: portion(bench, page, kind, guarded=False),
        lambda: portion(bench, page, kind, guarded=True),
    )
    what = f"one request after another, {spelled}, with its time limit"
    return compared(what, "without", *figures, spoken=duration, goal=Goal(ratio=1.02))


def portion(bench: Bench, page: Page, kind: str, *, guarded: bool) -> float:
    """A figure of either."""
    page.evaluate("code => fauxServer.runPython(code)", f"guarded = {guarded}\n{SWITCH}")
    return bench.ask(page, "oneAfterAnother", kind, bench.count(500))
