"""fetch and XMLHttpRequest, one after another, beside those who answer them in JavaScript.

All of them in the same browser, in the same page but for the script that answers, and in turn. Each has a page of its
own, as they put themselves in the place of the same globals. Each has the same routes and answers the same JSON, as
fast as it can be told to; each url is another one.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Page

from tests.bench.cast import Bench
from tests.bench.measure import Goal, Row, alternate, compared, duration
from tests.browser import npm
from tests.browser.pages import script
from wasm import build

HERE = Path(__file__).parent / "peers"
COUNTS = (1, 100, 1_000)
DOORS = {"fetch": "fetch", "xhr": "XMLHttpRequest"}
# Milliseconds that one figure is taken from: of a fast one many requests, of a slow one few. Not less, as the first
# timers of a sequence are faster than those that follow.
PORTION = 200


class Peer(NamedTuple):
    """Who else answers: a package, and the script in `peers/` that sets it up."""

    name: str
    package: str
    file: str
    doors: Sequence[str] = ("fetch", "xhr")
    before: str = ""

    def __str__(self) -> str:
        versions: dict[str, str] = json.loads((npm.HERE / "package.json").read_text())["dependencies"]
        name, _, more = self.name.partition(", ")
        return f"{name} {versions[self.package]}{more and ', '}{more}"


PEERS = (
    Peer("MSW", "msw", "msw.js"),
    Peer("Mirage", "miragejs", "mirage.js"),
    Peer("Pretender", "pretender", "pretender.js"),
    # To a fetch it is all the same; an XMLHttpRequest whose events come before `send()` is over is none.
    Peer("Pretender, synchronous", "pretender", "pretender.js", ("fetch",), "window.timing = false"),
    Peer("fetch-mock", "fetch-mock", "fetch-mock.js", ("fetch",)),
)

ROUTES = """
from fauxserver import FauxServer

server = FauxServer()

def read_book(id: int):
    return {"id": id, "title": "Franny and Zooey"}

for expression in EXPRESSIONS:
    server.get(expression, read_book)
"""

# Each url is another one, and all routes have their turn.
PAGE = """
  window.expressions = EXPRESSIONS
  window.book = (id) => ({ id: Number(id), title: "Franny and Zooey" })
  window.urls.spread = (n) =>
    window.expressions[(n * 7919) % window.expressions.length].replace(":id", n).replace(":shop", n)
"""

INTERCEPT = f"<script>fauxServer.intercept(...{json.dumps(list(DOORS))})</script>"


def expressions(count: int) -> list[str]:
    """Routes as all of them understand them."""
    shapes = ("/api/things{}/:id", "/api/shared/{}/items/:id", "/api/shops/:shop/shelf{}/:id")
    return [shapes[number % len(shapes)].format(number) for number in range(count)]


def rows(bench: Bench) -> list[Row]:
    """The design has a goal for fetch, and for what many routes may cost."""
    counts = [COUNTS[0], bench.count(COUNTS[-1])] if bench.quick else list(COUNTS)
    rows: dict[str, list[Row]] = {door: [] for door in DOORS}
    serve_peers(bench)
    with ExitStack() as opened:
        ours = [opened.enter_context(our_page(bench, count)) for count in counts]
        for page, count in zip(ours, counts, strict=True):
            with ExitStack() as theirs:
                pages = {peer: theirs.enter_context(their_page(bench, peer, count)) for peer in PEERS}
                for door in DOORS:
                    rows[door] += beside(bench, door, pages, page, count)
        for door in DOORS:
            rows[door] += growth(bench, door, ours, counts)
    return [row for door in DOORS for row in rows[door]]


def beside(bench: Bench, door: str, pages: dict[Peer, Page], page: Page, count: int) -> list[Row]:
    """A row for each peer that knows this door."""
    peers = [peer for peer in pages if door in peer.doors]
    *theirs, ours = in_turn(bench, door, [*(pages[peer] for peer in peers), page], bench.rounds)
    what = f"one {DOORS[door]} after another, {routes(count)}"
    goal = Goal(250) if door == "fetch" else None
    return [
        compared(what, str(peer), figures, ours, spoken=duration, goal=goal)
        for peer, figures in zip(peers, theirs, strict=True)
    ]


def growth(bench: Bench, door: str, pages: list[Page], counts: list[int]) -> list[Row]:
    """Ours with many routes, beside ours with few."""
    # More rounds, as what is looked for is small.
    few, *others = in_turn(bench, door, pages, 4 * bench.rounds)
    return [
        compared(
            f"one {DOORS[door]} after another, {routes(count)}",
            f"with {routes(counts[0])}",
            few,
            many,
            spoken=duration,
            goal=Goal(ratio=1.2) if count == counts[-1] else None,
        )
        for count, many in zip(counts[1:], others, strict=True)
    ]


def routes(count: int) -> str:
    return f"{count:,} route{'' if count == 1 else 's'}"


def in_turn(bench: Bench, door: str, pages: Sequence[Page], rounds: int) -> list[list[float]]:
    """Figures of each page."""
    measures = [partial(ask, bench, page, door, fitting(bench, page, door)) for page in pages]
    return alternate(1 if bench.quick else rounds, *measures)


def fitting(bench: Bench, page: Page, door: str) -> int:
    """How many requests this page answers in a portion's time, once the engine has compiled what it runs."""
    if bench.quick:
        return 2
    count = 5
    for _ in range(4):
        taken = ask(bench, page, door, count)
        count = min(max(int(1000 * PORTION / taken), 5), 1000)
    return count


def ask(bench: Bench, page: Page, door: str, count: int) -> float:
    page.evaluate("window.forget?.()")
    return bench.ask(page, "oneAfterAnother", "spread", count, client=door)


@contextmanager
def our_page(bench: Bench, count: int) -> Iterator[Page]:
    """A page whose requests Python answers."""
    with bench.page(ROUTES.replace("EXPRESSIONS", repr(expressions(count))), head(count), INTERCEPT) as page:
        yield page


@contextmanager
def their_page(bench: Bench, peer: Peer, count: int) -> Iterator[Page]:
    """The same with a peer's script."""
    answers = f'<script type="module" src="/peers/{peer.file}"></script>'
    with bench.page(None, head(count), script(peer.before), answers, faux=None) as page:
        yield page


def head(count: int) -> str:
    return script(PAGE.replace("EXPRESSIONS", json.dumps(expressions(count))))


def serve_peers(bench: Bench) -> None:
    """Have the peers on the site, bundled as for a page in production; MSW's worker has to lie at its root."""
    modules = npm.install()
    worker = modules / "msw" / "lib" / "mockServiceWorker.js"
    bench.site.write("/mockServiceWorker.js", worker.read_bytes())
    with tempfile.TemporaryDirectory() as out:
        esbuild = build.JS / "node_modules" / "esbuild" / "bin" / "esbuild"
        options = ["--bundle", "--minify", "--format=esm", "--log-level=error", f"--outdir={out}"]
        subprocess.run(
            [*npm.node(), str(esbuild), *map(str, sorted(HERE.glob("*.js"))), *options],
            env={**os.environ, "NODE_PATH": str(modules)},
            check=True,
        )
        for file in Path(out).iterdir():
            bench.site.write(f"/peers/{file.name}", file.read_bytes())
