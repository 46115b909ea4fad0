"""The library's back end. It runs in the page, and keeps 200 books."""

# /// script
# requires-python = ">=3.11"
# dependencies = []
#
# [tool.fauxserver]
# files = ["books.json"]
# ///

import itertools
import json
import unicodedata
from datetime import date
from pathlib import Path

from fauxserver import FauxServer, HTTPError

server = FauxServer()
server.set_latency(60, 180)

catalogue = json.loads(Path(__file__).with_name("books.json").read_text(encoding="utf-8"))
books = {number: {"id": number, **book} for number, book in enumerate(catalogue, start=1)}
shelves = sorted({book["shelf"] for book in catalogue})
next_id = itertools.count(len(books) + 1)


@server.get("library-app/books")
def list_books(query):
    """All books by title, or with ?q= those in which every word is found."""
    words = plain(str(query.get("q", ""))).split()
    found = [book for book in books.values() if all(word in searchable(book) for word in words)]
    return sorted(found, key=by_title)


@server.post("library-app/books")
def create_book(data):
    book = {**checked(data), "id": next(next_id)}
    books[book["id"]] = book
    return book, 201


@server.get("library-app/books/:id")
def read_book(id: int):
    return find(id)


@server.put("library-app/books/:id")
def update_book(id: int, data):
    find(id).update(checked(data, id))
    return books[id]


@server.delete("library-app/books/:id")
def delete_book(id: int):
    del books[find(id)["id"]]


def find(id):
    if id not in books:
        raise HTTPError(404, {"message": "There is no such book. Perhaps somebody has removed it."})
    return books[id]


def checked(data, id=None):
    """The fields of a book as they may be kept; 422 with a message for each one that may not."""
    data = data if isinstance(data, dict) else {}
    book = {field: str(data.get(field) or "").strip() for field in ("title", "author", "shelf")}
    errors = {}

    if not book["title"]:
        errors["title"] = "A book needs a title."
    elif len(book["title"]) > 120:
        errors["title"] = f"At most 120 characters, please; these are {len(book['title'])}."
    elif any(same(book, other) for other in books.values() if other["id"] != id):
        errors["title"] = "This book is on the shelves already."

    if not book["author"]:
        errors["author"] = "Somebody must have written it."

    if book["shelf"] not in shelves:
        errors["shelf"] = "Choose a shelf."

    try:
        book["year"] = int(data.get("year"))
    except (TypeError, ValueError):
        errors["year"] = "A year is a whole number."
    else:
        if book["year"] > date.today().year:
            errors["year"] = f"{book['year']} has not come yet."
        elif book["year"] < 1:
            errors["year"] = "Books from before the year 1 are not lent out."

    if errors:
        raise HTTPError(422, {"errors": errors})
    return book


def same(book, other):
    return all(plain(book[field]) == plain(other[field]) for field in ("title", "author"))


def searchable(book):
    return plain(f"{book['title']} {book['author']} {book['year']} {book['shelf']}")


def by_title(book):
    """As librarians sort: without the article in front."""
    title = plain(book["title"])
    return next((title.removeprefix(article) for article in ("the ", "a ", "an ") if title.startswith(article)), title)


def plain(text):
    """Without capitals and accents, so that "bronte" finds Brontë."""
    letters = unicodedata.normalize("NFKD", text.replace("’", "'").casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
