"""The library's back end. It runs in the page, or over HTTP, and keeps 200 books."""

# /// script
# requires-python = ">=3.11"
# dependencies = []
#
# [tool.fauxserver]
# files = ["books.json", "covers.py"]
# ///

import asyncio
import itertools
import json
import unicodedata
from datetime import date
from pathlib import Path

from covers import draw
from fauxserver import FauxServer, HTTPError, Response

server = FauxServer()
server.set_latency(60, 180)

# What hangs on the wall is read without waiting for anybody.
wall = FauxServer()

catalogue = json.loads(Path(__file__).with_name("books.json").read_text(encoding="utf-8"))
books = {number: {"id": number, **book} for number, book in enumerate(catalogue, start=1)}
shelves = ["Novels", "Crime", "Science fiction", "Fantasy", "Children", "Stage and verse", "Ideas", "Lives"]
next_id = itertools.count(len(books) + 1)
wall.get("library-app/shelves", [{"name": name} for name in shelves])
pictures = {}
listeners = set()


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
    announce("added", book)
    return book, 201


@server.get("library-app/books/:id")
def read_book(id: int):
    return find(id)


@server.put("library-app/books/:id")
def update_book(id: int, data):
    book = find(id)
    book.update(checked(data, id))
    announce("changed", book)
    return book


@server.delete("library-app/books/:id")
def delete_book(id: int):
    announce("removed", books.pop(find(id)["id"]))


@server.get("library-app/books/:id/cover")
def read_cover(id: int):
    """The picture that somebody has put there; else one is drawn."""
    book = find(id)
    if id in pictures:
        picture, kind = pictures[id]
        return Response(picture, headers={"content-type": kind})
    headers = {"content-type": "image/png", "x-cover": "drawn"}
    return Response(draw(book), headers=headers)


@server.put("library-app/books/:id/cover")
def change_cover(id: int, data):
    """A form with a file, as a browser sends it."""
    book = find(id)
    picture = data.get("picture") if isinstance(data, dict) else None
    kind = getattr(picture, "content_type", "")
    if not kind.startswith("image/"):
        raise HTTPError(415, {"message": "A cover has to be a picture."})
    pictures[id] = picture.body, kind
    announce("covered", book)


@server.get("library-app/news")
async def news():
    """Tell everyone who listens what becomes of the books."""
    listener = asyncio.Queue()
    listeners.add(listener)
    try:
        # Who is cut off comes back after half a second.
        yield "retry: 500\n\n"
        while True:
            yield await listener.get()
    finally:
        listeners.discard(listener)


def announce(event, book):
    for listener in listeners:
        listener.put_nowait(f"event: {event}\ndata: {json.dumps(book)}\n\n")


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
