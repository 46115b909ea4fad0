"""Back to the beginning: the route file runs again, and what it keeps in variables is new."""

from __future__ import annotations

import json

from tests.bench.cast import Bench
from tests.bench.measure import Goal, Row, alone, duration

BOOKS = [{"id": number, "title": f"Book {number}", "author": "J. D. Salinger"} for number in range(1, 201)]

ROUTES = f"""
import itertools
from fauxserver import FauxServer, HTTPError

server = FauxServer()
books = {{book["id"]: book for book in {json.dumps(BOOKS, indent=1)}}}
next_id = itertools.count(len(books) + 1)

@server.get("books")
def list_books():
    return list(books.values())

@server.post("books")
def create_book(data):
    book = {{**data, "id": next(next_id)}}
    books[book["id"]] = book
    return book

@server.get("books/:id")
def read_book(id: int):
    if id not in books:
        raise HTTPError(404)
    return books[id]

@server.put("books/:id")
def update_book(id: int, data):
    books[id] |= data
    return books[id]

@server.delete("books/:id")
def delete_book(id: int):
    del books[id]
"""

# Something to put back, and what that takes.
RESET = """async () => {
  await new Promise((success, error) =>
    new (Backbone.Model.extend({ url: "books" }))({ title: "One more" }).save({}, { success, error }))
  const start = performance.now()
  fauxServer.reset()
  return performance.now() - start
}"""


def rows(bench: Bench) -> list[Row]:
    """The median of many, as one is too short for the browser's clock."""
    with bench.page(ROUTES) as page:
        taken = [1000 * float(page.evaluate(RESET)) for _ in range(bench.count(1000) // 10 + 10 * bench.rounds)]
    return [alone("reset() with a route file of 200 books", taken[10:], spoken=duration, goal=Goal(1000))]
