"""The same Backbone requests with few routes and with many."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from playwright.sync_api import Page

from tests.bench.cast import Bench
from tests.bench.measure import Goal, Row, alone, alternate, compared, duration

FEW, MANY = 10, (1_000, 10_000)

# Expressions that share their first segments, with optional parts and splats, for one method and for any; and under all
# of them two that match as much, but were added first.
ROUTES = """
from fauxserver import FauxServer

server = FauxServer()

def answer(context):
    return {"url": context.url}

server.add_route("api/*rest", answer)
server.get("api/:kind/*rest", answer)
for number in range(0, COUNT, 5):
    server.get(f"api/things{number}/:id", answer)
    server.get(f"api/shared/{number + 1}/items(/:item)", answer)
    server.get(f"api/files{number + 2}/*path", answer)
    server.get(f"api/shops/:shop/shelf{number + 3}/:id", answer)
    server.add_route(f"api/any/{number + 4}/:id", answer)
"""

# Each url is another one, and all routes have their turn.
URLS = """<script>
{
  const few = COUNT
  window.urls.spread = (n) => {
    const number = (n * 7919) % few
    return [
      `api/things${number}/${n}`,
      n % 2 ? `api/shared/${number}/items/${n}` : `api/shared/${number}/items?page=${n}`,
      `api/files${number}/a/b/${n}.txt`,
      `api/shops/${n}/shelf${number}/${n}`,
      `api/any/${number}/${n}`,
    ][number % 5]
  }
}
</script>"""


def rows(bench: Bench) -> list[Row]:
    """Requests against tables of several sizes, and what it takes to make such tables."""
    peer = f"with {FEW} routes"
    counts = [FEW, *(bench.count(count) for count in MANY)]
    with ExitStack() as opened:
        pages = [
            opened.enter_context(bench.page(ROUTES.replace("COUNT", str(count)), URLS.replace("COUNT", str(count))))
            for count in counts
        ]
        for page in pages:
            bench.warm_up(page, "spread")
        figures = {how: in_turn(bench, how, pages) for how in ("oneAfterAnother", "atOnce")}
        rows = []
        for at, count in enumerate(counts[1:], start=1):
            goal = Goal(ratio=1.2) if count == counts[-1] else None
            for how, said in (("oneAfterAnother", "one request after another"), ("atOnce", "3,000 at once")):
                few, many = figures[how][0], figures[how][at]
                rows.append(compared(f"{said}, with {count:,} routes", peer, few, many, spoken=duration, goal=goal))
    return rows + [made(bench, count) for count in counts[1:]]


def in_turn(bench: Bench, how: str, pages: list[Page]) -> list[list[float]]:
    """Figures of each page."""
    # What is one after another may be taken in small portions, between which less changes.
    count, rounds = (300, 10 * bench.rounds) if how == "oneAfterAnother" else (3000, 2 * bench.rounds)
    measures = [partial(bench.ask, page, how, "spread", bench.count(count)) for page in pages]
    return alternate(2 if bench.quick else rounds, *measures)


def made(bench: Bench, count: int) -> Row:
    """How long it takes to load a file of so many routes, and to answer the first request."""
    address = bench.site.write("/many.py", ROUTES.replace("COUNT", str(count)))

    def once() -> float:
        with bench.page("", URLS.replace("COUNT", str(count))) as page:
            load = "async url => { const start = performance.now(); await fauxServer.load(url);"
            first = "await oneAfterAnother('spread', 1); return performance.now() - start }"
            return 1000 * float(page.evaluate(load + first, address))

    return alone(
        f"a route file of {count:,} routes loaded and asked once",
        [once() for _ in range(bench.rounds)],
        spoken=duration,
    )
