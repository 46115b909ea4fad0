"""The demo's route file, asked without a page: what app.js relies on."""

import asyncio
import json
import struct
import zlib
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from fauxserver import FauxServer, Request
from fauxserver.bodies import UploadedFile
from fauxserver.routefile import RouteFile

DEMO = Path(__file__).parents[2] / "demo"
HOBBIT = {"title": "The Hobbit", "author": "J. R. R. Tolkien", "year": 1937, "shelf": "Fantasy"}
NEW = {"title": "Piranesi", "author": "Susanna Clarke", "year": 2020, "shelf": "Fantasy"}


@pytest.fixture
def server() -> FauxServer:
    file = RouteFile(DEMO / "routes.py")
    file.run()
    server, _ = file.servers
    return server


def ask(server, method, url, data=None):
    """Status and body of the answer, without waiting for it."""
    response = server.accept(Request(method, url, data)).answer()
    return response.status, response.body


def titles(server, query):
    _, books = ask(server, "GET", f"library-app/books?q={query}")
    return [book["title"] for book in books]


def id_of(server, title):
    _, books = ask(server, "GET", "library-app/books")
    return next(book["id"] for book in books if book["title"] == title)


def test_the_catalogue_holds_200_different_books_of_plausible_years():
    catalogue = json.loads((DEMO / "books.json").read_text(encoding="utf-8"))

    assert len(catalogue) == 200
    assert [book for book in catalogue if set(book) != {"title", "author", "year", "shelf"}] == []
    assert [book for book in catalogue if not 1500 <= book["year"] <= date.today().year] == []
    times = Counter(book["title"].casefold() for book in catalogue)
    assert [title for title in times if times[title] > 1] == []


def test_the_route_file_declares_what_lies_beside_it():
    assert list(RouteFile(DEMO / "routes.py").metadata.files) == ["books.json", "covers.py"]


def test_books_are_listed_by_title_without_the_article():
    file = RouteFile(DEMO / "routes.py")
    file.run()
    status, books = ask(file.servers[0], "GET", "library-app/books")

    assert (status, len(books)) == (200, 200)
    assert [book["title"] for book in books[:3]] == [
        "Adventures of Huckleberry Finn",
        "The Adventures of Pinocchio",
        "Alice’s Adventures in Wonderland",
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("hobbit", ["The Hobbit"]),
        ("BRONTE", ["Jane Eyre", "Wuthering Heights"]),
        ("garc%C3%ADa+m%C3%A1rquez", ["Love in the Time of Cholera", "One Hundred Years of Solitude"]),
        ("alice's", ["Alice’s Adventures in Wonderland"]),
        ("orwell 1945", ["Animal Farm"]),
        ("no+such+book", []),
    ],
)
def test_search_finds_every_word_whatever_its_accents(server, query, found):
    assert titles(server, query.replace(" ", "%20")) == found


def test_a_book_is_read_by_its_number(server):
    id = id_of(server, "The Hobbit")

    assert ask(server, "GET", f"library-app/books/{id}") == (200, {"id": id, **HOBBIT})


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("id", ["999", "seven"])
def test_a_book_that_is_not_there_is_404(server, method, id):
    status, _ = ask(server, method, f"library-app/books/{id}", NEW if method == "PUT" else None)

    assert status == 404


def test_a_book_is_added_with_a_number_of_its_own(server):
    status, book = ask(server, "POST", "library-app/books", NEW)

    assert (status, book) == (201, {**NEW, "id": 201})
    assert titles(server, "piranesi") == ["Piranesi"]


def test_a_book_is_changed(server):
    id = id_of(server, "The Hobbit")
    changed = {"id": id, **HOBBIT, "title": " There and Back Again ", "year": "1938"}

    assert ask(server, "PUT", f"library-app/books/{id}", changed) == (
        200,
        {**HOBBIT, "id": id, "title": "There and Back Again", "year": 1938},
    )


def test_a_book_may_be_saved_as_it_is(server):
    id = id_of(server, "The Hobbit")

    assert ask(server, "PUT", f"library-app/books/{id}", {"id": id, **HOBBIT})[0] == 200


def test_a_book_is_deleted(server):
    id = id_of(server, "The Hobbit")

    assert ask(server, "DELETE", f"library-app/books/{id}")[1] is None
    assert ask(server, "GET", f"library-app/books/{id}")[0] == 404


@pytest.mark.parametrize(
    ("wrong", "errors"),
    [
        ({"title": " "}, {"title": "A book needs a title."}),
        ({"title": "x" * 121}, {"title": "At most 120 characters, please; these are 121."}),
        (HOBBIT, {"title": "This book is on the shelves already."}),
        ({"author": ""}, {"author": "Somebody must have written it."}),
        ({"shelf": "Cookery"}, {"shelf": "Choose a shelf."}),
        ({"year": "soon"}, {"year": "A year is a whole number."}),
        ({"year": None}, {"year": "A year is a whole number."}),
        ({"year": 9999}, {"year": "9999 has not come yet."}),
        ({"year": 0}, {"year": "Books from before the year 1 are not lent out."}),
        ({"title": "", "year": ""}, {"title": "A book needs a title.", "year": "A year is a whole number."}),
    ],
)
def test_what_may_not_be_saved_is_422_with_a_message_for_each_field(server, wrong, errors):
    answer = ask(server, "POST", "library-app/books", {**NEW, **wrong})

    assert answer == (422, {"errors": errors})
    assert titles(server, "piranesi") == []


def test_what_is_no_book_at_all_is_422(server):
    status, body = ask(server, "POST", "library-app/books", ["not", "a", "book"])

    assert (status, set(body["errors"])) == (422, {"title", "author", "shelf", "year"})


def test_the_server_pretends_to_think_for_a_moment(server):
    assert 60 <= server.accept(Request("GET", "library-app/books")).delay <= 180


def test_a_book_is_added_when_its_data_is_known_only_after_the_delay_as_in_the_page(server):
    exchange = server.accept(Request("POST", "library-app/books"))
    assert exchange.delay
    exchange.data = NEW

    assert exchange.answer().body == {**NEW, "id": 201}


def test_reset_brings_the_books_back(server):
    ask(server, "DELETE", f"library-app/books/{id_of(server, 'The Hobbit')}")

    server.reset()

    assert titles(server, "hobbit") == ["The Hobbit"]


# Covers


def cover_of(server, title):
    response = server.accept(Request("GET", f"library-app/books/{id_of(server, title)}/cover")).answer()
    return response.headers, response.body


def read_png(content):
    """The chunks of a PNG by name; raises for one that is damaged."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, rest = {}, content[8:]
    while rest:
        length, name = struct.unpack(">I4s", rest[:8])
        data, (check,) = rest[8 : 8 + length], struct.unpack(">I", rest[8 + length : 12 + length])
        assert check == zlib.crc32(name + data)
        chunks[name.decode()], rest = data, rest[12 + length :]
    return chunks


def test_a_cover_is_a_png_in_the_colour_of_the_shelf(server):
    headers, content = cover_of(server, "The Hobbit")
    png = read_png(content)

    assert headers == {"content-type": "image/png", "x-cover": "drawn"}
    assert (list(png), struct.unpack(">IIBBBBB", png["IHDR"])) == (
        ["IHDR", "PLTE", "IDAT", "IEND"],
        (200, 300, 8, 3, 0, 0, 0),
    )
    # Purple: less green than red, less red than blue.
    shades = [tuple(png["PLTE"][at : at + 3]) for at in range(0, 24, 3)]
    assert [shade for shade in shades if not shade[1] < shade[0] < shade[2]] == []
    rows = zlib.decompress(png["IDAT"])
    assert (len(rows), {rows[row * 201] for row in range(300)}) == (300 * 201, {0})
    assert set(rows) == set(range(8))


def test_every_book_has_a_cover_of_its_own_and_always_the_same(server):
    _, books = ask(server, "GET", "library-app/books")

    def covers():
        return [ask(server, "GET", f"library-app/books/{book['id']}/cover")[1] for book in books[::20]]

    first = covers()
    assert (len(set(first)), covers()) == (10, first)


def test_a_picture_that_was_sent_is_the_cover_until_reset(server):
    drawn = cover_of(server, "The Hobbit")
    picture = UploadedFile("me.gif", "image/gif", b"GIF89a")

    sent = ask(server, "PUT", f"library-app/books/{id_of(server, 'The Hobbit')}/cover", {"picture": picture})

    assert (sent, cover_of(server, "The Hobbit")) == ((200, None), ({"content-type": "image/gif"}, b"GIF89a"))
    server.reset()
    assert cover_of(server, "The Hobbit") == drawn


@pytest.mark.parametrize(
    "data", [None, "text", {}, {"picture": "a text"}, {"picture": UploadedFile("a.txt", "text/plain", b"hello")}]
)
def test_what_is_no_picture_is_refused(server, data):
    assert ask(server, "PUT", "library-app/books/1/cover", data) == (
        415,
        {"message": "A cover has to be a picture."},
    )


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_book_that_is_not_there_has_no_cover(server, method):
    assert ask(server, method, "library-app/books/999/cover")[0] == 404


# News


def news(server):
    return server.accept(Request("GET", "library-app/news", None, {"accept": "text/event-stream"})).answer()


def test_everyone_who_listens_is_told_what_becomes_of_the_books(server):
    async def listen():
        listeners = [news(server) for _ in range(2)]
        streams = [listener.stream() for listener in listeners]
        told = [[await anext(stream)] for stream in streams]
        ask(server, "POST", "library-app/books", NEW)
        ask(server, "PUT", "library-app/books/201", {**NEW, "year": 2021})
        ask(server, "PUT", "library-app/books/201/cover", {"picture": UploadedFile("a.png", "image/png", b"png")})
        ask(server, "DELETE", "library-app/books/201")
        ask(server, "POST", "library-app/books", {})
        for stream, heard in zip(streams, told, strict=True):
            heard += [await anext(stream) for _ in range(4)]
            await stream.aclose()
        return [listener.headers for listener in listeners], told

    headers, told = asyncio.run(listen())

    new = {"title": "Piranesi", "author": "Susanna Clarke", "shelf": "Fantasy", "year": 2020, "id": 201}
    changed = {**new, "year": 2021}
    events = [("added", new), ("changed", changed), ("covered", changed), ("removed", changed)]
    lines = [b"retry: 500\n\n", *(f"event: {name}\ndata: {json.dumps(book)}\n\n".encode() for name, book in events)]
    assert (headers, told) == ([{"content-type": "text/event-stream"}] * 2, [lines, lines])


def test_who_has_left_is_told_nothing_more(server):
    async def leave():
        stream = news(server).stream()
        await anext(stream)
        listening = len(listeners)
        await stream.aclose()
        return listening, len(listeners)

    listeners = server.get_route_at(0).handler.__globals__["listeners"]
    assert asyncio.run(leave()) == (1, 0)
