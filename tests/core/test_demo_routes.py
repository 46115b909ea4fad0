"""The demo's route file, asked without a page: what app.js relies on."""

import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from fauxserver import FauxServer, Request
from fauxserver.routefile import RouteFile

DEMO = Path(__file__).parents[2] / "demo"
HOBBIT = {"title": "The Hobbit", "author": "J. R. R. Tolkien", "year": 1937, "shelf": "Fantasy"}
NEW = {"title": "Piranesi", "author": "Susanna Clarke", "year": 2020, "shelf": "Fantasy"}


@pytest.fixture
def server() -> FauxServer:
    file = RouteFile(DEMO / "routes.py")
    file.run()
    (server,) = file.servers
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


def test_the_route_file_declares_the_books_it_opens():
    assert list(RouteFile(DEMO / "routes.py").metadata.files) == ["books.json"]


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
