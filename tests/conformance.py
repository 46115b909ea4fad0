"""Requests and expected answers, as data: what every host must agree on.

`ROUTES` is a route file; each case is asked of a server that was just reset, its requests one after another. An answer
is a status and a body as a client sees it: what was JSON is decoded, a text is a text, `None` is no body. (A host that
hands over values, as `Backbone.sync` does, has 200 where the table, as HTTP, has 204.)

How to run it: `for case in CASES: for request, answer in case.steps: …`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

FILE = "conformance_routes.py"
"""The name under which it has to run: errors name it."""

ROUTES = '''\
"""The route file of the conformance table."""

import asyncio
import enum
import itertools
from dataclasses import dataclass

from fauxserver import FauxServer, HTTPError, Response

server = FauxServer()
books, next_id = {}, itertools.count(1)


@dataclass
class Author:
    id: int
    name: str


class Shelf(enum.Enum):
    FICTION = "fiction"
    POETRY = "poetry"


class Taken(Exception):
    http_status_code = 409


# A resource

@server.get("books")
def list_books():
    return list(books.values())

@server.post("books")
def create_book(context):
    book = {**context.data, "id": next(next_id)}
    books[book["id"]] = book
    return book

@server.get("books/:id")
def read_book(id: int):
    if id not in books:
        raise HTTPError(404)
    return books[id]

@server.put("books/:id")
async def update_book(id: int, data):
    await asyncio.sleep(0)
    books[id] = {**data, "id": id}
    return books[id]

@server.patch("books/:id")
def patch_book(id: int, data):
    books[id].update(data)
    return books[id]

@server.delete("books/:id")
def delete_book(id: int):
    books.pop(id, None)


# Expressions

server.get("splat/*path", lambda path: [path])
server.get("optional(/:a)(/:b)", lambda a, b: [a, b])
server.get("nested(/:a(/:b))", lambda a, b="none": [a, b])
server.get("v1.0/:x-:y", lambda x, y: [x, y])
server.get("x/:y", lambda y: [y])
server.get("stars/*", "201")
server.get("unicode/:größe", lambda größe: [größe])
server.get("search", lambda query: query)
server.get("search?q=:q", lambda q: [q])

# Precedence

def override():
    server.get("latest/:id", {"was": "first"})
    server.add_route("latest/:id", {"was": "any"})
    server.get("latest/*rest", {"was": "second"})
    server.add_route("any/:id", {"was": "any, first"})
    server.add_route("any/*rest", {"was": "any, second"})
    server.add_route("any/:id", {"was": "delete"}, method="DELETE")
    server.get("named", {"was": "old"}, name="named")
    server.get("named", {"was": "new"}, name="named")

# A file would be warned of routes that hide others; a function knows what it does.
override()

# What handlers take

server.get("int/:value", lambda value: [value]).get("context/:id", lambda context, number: [context.url, number])
server.post("data", lambda data: [data])
server.post("query", lambda data, query: [data, query])
server.put("method", lambda context: [context.http_method])

@server.get("shelf/:shelf")
def shelf(shelf: Shelf):
    return [shelf.name]

@server.get("typed/:number/:flag")
def typed(number: float, flag: bool = True):
    return [number, flag]

# What handlers return

server.get("value", {"text": "read more"})
server.get("value/list", [1, 2.5, None, True, "é"])
server.get("value/number", 404)
server.get("value/false", False)
server.get("nothing", lambda: None)
server.get("string/404", lambda: "404")
server.get("string/phrase", lambda: "409 Conflict")
server.get("string/other", lambda: "no such book")
server.get("tuple", lambda: ({"id": 1}, 201))
server.get("response", lambda: Response("a text", headers={"x-count": "3"}))
server.get("response/error", lambda: Response({"error": "gone"}, 410))
server.get("dataclass", lambda: Author(1, "Salinger"))
server.get("keys", lambda: {1: "a", None: "b"})

@server.get("raises/http")
def raises_http():
    raise HTTPError(422, {"title": "is missing"})

@server.get("raises/phrase")
def raises_phrase():
    raise HTTPError(403)

@server.get("raises/status")
def raises_status():
    raise Taken("already lent")

@server.get("raises")
def raises():
    return {}["missing"]

@server.get("raises/later")
async def raises_later():
    await asyncio.sleep(0)
    raise HTTPError(503, "try again")

@server.get("unsendable")
def unsendable():
    return {"books": [1, {"price": float("nan")}]}

@server.get("coroutine")
async def coroutine():
    await asyncio.sleep(0)
    return {"later": True}

@server.get("stream")
def stream():
    yield "a"
    yield "b"

# Stacks

seen = []
server.get("stack", [lambda: seen.append(1), lambda: list(seen)])

def refuse():
    raise HTTPError(401)

server.get("stack/refused", [refuse, lambda: {"secret": 1}])
'''


class Request(NamedTuple):
    """What is asked."""

    method: str
    url: str
    data: Any = None


class Answer(NamedTuple):
    """What is answered."""

    status: int
    body: Any = None


class Case(NamedTuple):
    """Requests that belong together, with their answers."""

    name: str
    steps: list[tuple[Request, Answer | None]]
    """An answer that is `None`: the request is not the server's."""


def line_of(text: str) -> int:
    """The line of the route file that begins so."""
    return ROUTES[: ROUTES.index(text)].count("\n") + 1


def get(url: str, status: int, body: Any = None) -> tuple[Request, Answer | None]:
    return Request("GET", url), Answer(status, body)


def unsent(url: str) -> tuple[Request, Answer | None]:
    return Request("GET", url), None


UNSENDABLE = line_of('@server.get("unsendable")')
FRANNY = {"title": "Franny", "year": 1961}

CASES = [
    Case(
        "a resource is created, read, changed and deleted",
        [
            get("books", 200, []),
            (Request("POST", "books", FRANNY), Answer(200, {**FRANNY, "id": 1})),
            (Request("POST", "books", {"title": "Zooey"}), Answer(200, {"title": "Zooey", "id": 2})),
            get("books/1", 200, {**FRANNY, "id": 1}),
            (Request("PUT", "books/1", {"title": "Both"}), Answer(200, {"title": "Both", "id": 1})),
            (Request("PATCH", "books/2", {"year": 1957}), Answer(200, {"title": "Zooey", "id": 2, "year": 1957})),
            get("books", 200, [{"title": "Both", "id": 1}, {"title": "Zooey", "id": 2, "year": 1957}]),
            (Request("DELETE", "books/1"), Answer(204)),
            get("books/1", 404, "Not Found"),
            get("books", 200, [{"title": "Zooey", "id": 2, "year": 1957}]),
        ],
    ),
    Case("each case begins anew", [get("books", 200, []), get("stack", 200, [1]), get("stack", 200, [1, 1])]),
    Case("what does not convert is 404", [get("books/seven", 404, "Not Found"), get("books/1.0", 404, "Not Found")]),
    Case(
        "what no route wants is not the server's",
        [unsent("nowhere"), unsent("books/1/2"), unsent("books/"), unsent("Books"), (Request("PUT", "books"), None)],
    ),
    Case(
        "a splat takes slashes, and nothing",
        [get("splat/a/b/c", 200, ["a/b/c"]), get("splat/", 200, [""]), unsent("splat")],
    ),
    Case(
        "optional parts may be left out",
        [
            get("optional", 200, [None, None]),
            get("optional/1", 200, ["1", None]),
            get("optional/1/2", 200, ["1", "2"]),
            unsent("optional/1/2/3"),
            get("nested", 200, [None, "none"]),
            get("nested/1", 200, ["1", "none"]),
            get("nested/1/2", 200, ["1", "2"]),
        ],
    ),
    Case(
        "a dot is a dot", [get("v1.0/a-b", 200, ["a", "b"]), get("v1.0/a-b-c", 200, ["a-b", "c"]), unsent("v1x0/a-b")]
    ),
    Case("a name may have one letter, or any letters", [get("x/1", 200, ["1"]), get("unicode/7", 200, ["7"])]),
    Case(
        "captures are not decoded", [get("x/a%20b", 200, ["a%20b"]), get("x/gr%C3%B6%C3%9Fe", 200, ["gr%C3%B6%C3%9Fe"])]
    ),
    Case(
        "a star without a name repeats",
        [get("stars", 500, "201"), get("stars/", 500, "201"), get("stars//", 500, "201")],
    ),
    Case(
        "the query takes part only where the expression has one",
        [
            get("search?q=a", 200, ["a"]),
            get("search?x=a", 200, {"x": "a"}),
            get("search?x=a&x=b&y=%C3%A9+", 200, {"x": ["a", "b"], "y": "é "}),
            get("search", 200, {}),
            get("books?page=2", 200, []),
            get("x/1?y=2", 200, ["1"]),
        ],
    ),
    Case(
        "the exact method beats any, and later beats earlier",
        [
            get("latest/1", 200, {"was": "second"}),
            (Request("PUT", "latest/1"), Answer(200, {"was": "any"})),
            get("any/1", 200, {"was": "any, second"}),
            (Request("DELETE", "any/1"), Answer(200, {"was": "delete"})),
            get("named", 200, {"was": "new"}),
        ],
    ),
    Case(
        "handlers take what their parameters ask for",
        [
            get("int/7", 200, ["7"]),
            get("context/7?x=1", 200, ["context/7?x=1", "7"]),
            get("shelf/poetry", 200, ["POETRY"]),
            get("shelf/drama", 404, "Not Found"),
            get("typed/1.5/no", 200, [1.5, False]),
            get("typed/1.5/maybe", 404, "Not Found"),
            (Request("PUT", "method"), Answer(200, ["PUT"])),
        ],
    ),
    Case(
        "data arrive as they were sent",
        [
            (
                Request("POST", "data", {"a": [1, 2.5, None, True, "é😀", {}]}),
                Answer(200, [{"a": [1, 2.5, None, True, "é😀", {}]}]),
            ),
            (Request("POST", "data", []), Answer(200, [[]])),
            (Request("POST", "query?a=1", {"b": 2}), Answer(200, [{"b": 2}, {"a": "1"}])),
        ],
    ),
    Case(
        "a value will do where no code is needed",
        [
            get("value", 200, {"text": "read more"}),
            get("value/list", 200, [1, 2.5, None, True, "é"]),
            get("value/number", 200, 404),
            get("value/false", 200, False),
        ],
    ),
    Case("nothing is 204", [get("nothing", 204)]),
    Case(
        "a text is a failure",
        [
            get("string/404", 404, "404"),
            get("string/phrase", 409, "409 Conflict"),
            get("string/other", 500, "no such book"),
        ],
    ),
    Case(
        "a tuple, a response or a dataclass is what it says",
        [
            get("tuple", 201, {"id": 1}),
            get("response", 200, "a text"),
            get("response/error", 410, {"error": "gone"}),
            get("dataclass", 200, {"id": 1, "name": "Salinger"}),
            get("keys", 200, {"1": "a", "null": "b"}),
        ],
    ),
    Case(
        "what is raised has its status",
        [
            get("raises/http", 422, {"title": "is missing"}),
            get("raises/phrase", 403, "Forbidden"),
            get("raises/status", 409, "already lent"),
            get("raises/later", 503, "try again"),
            get("raises", 500, f"KeyError: 'missing' (in raises, {FILE}:{line_of('return {}[')})"),
        ],
    ),
    Case(
        "what JSON cannot hold is an error that says where",
        [
            get(
                "unsendable",
                500,
                "What unsendable returned for GET unsendable cannot be sent: $.books[1].price is nan, which JSON "
                f"cannot hold. Use None, or a text. ({FILE}:{UNSENDABLE})",
            )
        ],
    ),
    Case("what is awaited is waited for", [get("coroutine", 200, {"later": True})]),
    Case("a generator streams", [get("stream", 200, "ab")]),
    Case("a stack stops at an error", [get("stack/refused", 401, "Unauthorized")]),
]
