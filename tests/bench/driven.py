"""An answer through Playwright, beside a bare `page.route` that gives the same answer.

In two pages of the same browser, one request after another, in turn. Most of such a request is Playwright's own work
and the browser's, so that the difference tells more than the ratio.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, Route

from fauxserver import FauxServer
from fauxserver.hosts.playwright import attach
from tests.bench.cast import Bench
from tests.bench.measure import Goal, Row, alone, alternate, compared, duration

TITLE = "Franny and Zooey"
MOST = 1000
"""Microseconds that ours may take more."""


def rows(bench: Bench) -> list[Row]:
    with bare_page(bench) as bare, our_page(bench, 1) as few, our_page(bench, 1_000) as many:
        pages = (bare, few, many)
        for page in pages:
            bench.ask(page, "oneAfterAnother", "books", bench.count(200), "fetch")
        figures = alternate(
            bench.rounds * (1 if bench.quick else 10), *(lambda page=page: portion(bench, page) for page in pages)
        )
    theirs = figures[0]
    rows = []
    for what, ours in (("1 route", figures[1]), ("1,000 routes", figures[2])):
        more = [our - their for our, their in zip(ours, theirs, strict=True)]
        rows += [
            compared(f"one fetch through Playwright, {what}", "a bare page.route", theirs, ours, spoken=duration),
            alone(f"what that is more, {what}", more, spoken=duration, goal=Goal(MOST)),
        ]
    return rows


def portion(bench: Bench, page: Page) -> float:
    return bench.ask(page, "oneAfterAnother", "books", bench.count(40), "fetch")


@contextmanager
def bare_page(bench: Bench) -> Iterator[Page]:
    """As one does it by hand."""

    def answer(route: Route) -> None:
        found = re.search(r"books/(\d+)$", route.request.url)
        assert found is not None
        body = json.dumps({"id": int(found[1]), "title": TITLE}, separators=(",", ":"))
        route.fulfill(status=200, content_type="application/json", body=body)

    with bench.page(None, faux=None) as page:
        page.route(re.compile(r"/books/\d+$"), answer)
        yield page


@contextmanager
def our_page(bench: Bench, count: int) -> Iterator[Page]:
    """The same with a server of so many routes."""
    server = FauxServer()
    for number in range(bench.count(count) - 1):
        server.get(f"shelf{number}/:id", {})

    @server.get("books/:id")
    def read_book(id: int) -> dict[str, object]:
        return {"id": id, "title": TITLE}

    with bench.page(None, faux=None) as page:
        detach = attach(page, server)
        yield page
        detach()
