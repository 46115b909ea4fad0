"""Requests and expected answers, as data: what every host must agree on.

`ROUTES` is a route file; each case is asked of a server that was just reset, its requests one after another. An answer
is a status, headers and a body as a client sees it: what was JSON is decoded, a text is a text, `None` is no body.

How a host runs it, given a function *ask* that sends a `Request` and returns an `Answer`, or `None` if it was not the
server's:

    for case in cases("httpx"):
        server.reset()
        assert answers(case, ask) == expected("httpx", case)

`Request.content` is what goes over a wire, `Answer.read` makes an answer of what comes over one. What a host cannot do
is in `LACKS`, with the reason; nothing else may differ.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

FILE = "conformance_routes.py"
"""The name under which it has to run: errors name it."""

ROUTES = r'''"""The route file of the conformance table."""

import asyncio
import enum
import itertools
import time
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
server.get("bücher/:titel", lambda titel: [titel])
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

def below_origin(url):
    # Over HTTP addresses are whole.
    return url.split("/", 3)[3] if "://" in url else url

server.get("int/:value", lambda value: [value])
server.get("context/:id", lambda context, number: [below_origin(context.url), number])
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

# What is sent, and read by its content type

@server.post("sent")
def sent(context):
    data = context.data
    if isinstance(data, dict):
        data = {name: told(value) for name, value in data.items()}
    return [context.headers.get("content-type"), len(context.request.body), data]

def told(value):
    if isinstance(value, list):
        return [told(item) for item in value]
    if hasattr(value, "filename"):
        return [value.filename, value.content_type, list(value.body)]
    return value

@server.add_route("echo")
def echo(context):
    return Response(context.request.body, headers={"content-type": context.headers["content-type"]})

@server.get("headers")
def headers(context):
    names = [name for name in context.headers if name.startswith("x-")]
    return {name: context.headers[name] for name in sorted(names)}

# What comes back

server.get("bytes", lambda: Response(bytes(range(256))))
server.get("typed", lambda: Response(b"\x89PNG", headers={"Content-Type": "image/png"}))
server.get("large", lambda: Response(bytes(range(256)) * 2048))
server.get("latin", lambda: Response(b"gr\xf6\xdfe", headers={"content-type": "text/plain; charset=latin-1"}))
server.get("greek", lambda: Response("αβ", headers={"Content-Type": 'text/plain; charset="ISO-8859-7"'}))
server.get("page", lambda: Response("<p>größe", headers={"content-type": "text/html; charset=utf-8"}))
server.get("empty/text", lambda: Response(""))
server.get("empty/bytes", lambda: Response(b""))
server.get("empty/stream", lambda: iter(()))
server.get("with/headers", lambda: Response([], headers={"X-Count": "3", "Content-Language": "de", "ETag": '"7"'}))
server.get("with/lists", lambda: Response([], headers={"Vary": ["Accept", "Cookie"], "X-Empty": []}))
server.get("raises/headers", lambda: fail(HTTPError(429, "slowly", {"Retry-After": "7"})))
server.get("status/:code", lambda code: Response(["as", "told"], int(code)))
server.add_route("meant", ["here"], method="OPTIONS")
server.add_route("meant", lambda context: [context.http_method], method="PURGE")

def fail(error):
    raise error

# Streams

opened, left = [], []

@server.get("stream/bytes")
def stream_bytes():
    def pieces():
        yield b"\xff\0"
        yield "é"
    return Response(pieces(), headers={"content-type": "image/x-own"})

@server.get("stream/gate")
async def gate():
    yield "first, "
    while not opened:
        await asyncio.sleep(0.005)
    yield "then the rest"

server.post("stream/gate", lambda: opened.append(True))

@server.get("stream/endless")
async def endless():
    try:
        while True:
            yield "more "
            await asyncio.sleep(0.005)
    finally:
        left.append(True)

@server.get("stream/left")
async def has_left():
    # A server may learn it a moment later.
    for _ in range(1000):
        if left:
            break
        await asyncio.sleep(0.005)
    return left

@server.get("stream/fails")
def stream_fails():
    raise HTTPError(404, "before it began")
    yield

# Redirects

server.get("moved", lambda: Response(None, 302, {"Location": "value"}))
server.post("moved", lambda: Response(None, 303, {"Location": "value"}))
server.post("kept", lambda: Response(None, 307, {"Location": "data"}))

# Latency

asked = []

def latency(context):
    asked.append(time.monotonic())
    return 30 if "slow" in context.url else 0

server.set_latency(latency)

@server.get("slow")
def slow():
    return ["waited" if time.monotonic() - asked[-1] > 0.025 else "did not wait"]
'''


class Request(NamedTuple):
    """What is asked. *data* goes as JSON, or in its place *body* as it is."""

    method: str
    url: str
    data: Any = None
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    meanwhile: Request | None = None
    """Asked once the first piece of the answer is there; the rest comes only then."""
    leaves: bool = False
    """Whether the client leaves when the first piece is there."""

    def content(self) -> tuple[dict[str, str], bytes | None]:
        """Headers and body, as they are sent."""
        if self.data is None:
            return dict(self.headers), self.body
        return {"content-type": "application/json", **self.headers}, json.dumps(self.data).encode()


class Answer(NamedTuple):
    """What is answered."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = {}
    """Those that matter: all others may be what they like."""

    @classmethod
    def read(cls, status: int, headers: Mapping[str, str], content: bytes) -> Answer:
        """An answer out of what came over a wire; the names of its headers are in lower case."""
        kind, _, parameters = headers.get("content-type", "").partition(";")
        body: Any = content or None
        if content and kind == "application/json":
            body = json.loads(content)
        elif content and kind.startswith("text/"):
            body = content.decode(parameters.partition("charset=")[2].strip('"') or "utf-8")
        return cls(status, body, headers)


class Case(NamedTuple):
    """Requests that belong together, with their answers."""

    name: str
    steps: list[tuple[Request, Answer | None]]
    """An answer that is `None`: the request is not the server's."""
    needs: str = ""
    """What a host has to be able to do for it, as in `LACKS`."""


NETWORK = "What is not the server's goes to the network."
OWN_ERROR = "What is not the server's is an error of the client's own."
GIVEN = "It matches a url as it is given, and not as HTTP writes it."
VALUES = "It hands values to the server and back, without a wire."
LACKS: dict[str, dict[str, str]] = {
    # A server asked directly.
    "handle": {
        "codes": GIVEN,
        "405": VALUES,
        "HEAD": VALUES,
        "reading": VALUES,
        "pieces": VALUES,
        "redirects": VALUES,
    },
    # As an ASGI application, called without a server and a connection.
    "ASGI": {
        "pieces": "Its client, in the tests, asks one thing at a time.",
        "redirects": "Its client, in the tests, follows none.",
    },
    # A real port, asked by a real client.
    "HTTP": {},
    "httpx": {"405": OWN_ERROR},
    "requests": {"405": OWN_ERROR},
    "Backbone.sync": {
        "codes": GIVEN,
        "405": NETWORK,
        "types": "A value has none.",
        "204": "It is given the value that HTTP would not carry.",
        "bodies": "Models have JSON.",
        "reading": "Models have JSON.",
        "headers": "Models have none.",
        "bytes": "Models have JSON.",
        "methods": "Models have five.",
        "HEAD": "Models have five methods.",
        "pieces": "Models come whole.",
        "redirects": VALUES,
    },
    "fetch": {"405": NETWORK},
    "Playwright": {
        "405": NETWORK,
        "pieces": "It takes a body whole (playwright#33564).",
    },
    "XMLHttpRequest": {
        "405": NETWORK,
        "pieces": "It tells of texts that grow, and of no pieces.",
    },
}
"""What a host cannot do, and why; what `Case.needs` says."""


def cases(host: str) -> list[Case]:
    """The cases that a host answers."""
    return [case for case in CASES if case.needs not in LACKS[host]]


def answers(case: Case, ask: Callable[[Request], Answer | None]) -> list[Answer | None]:
    """What a host answers in a case, with those headers that the table has."""
    return [seen(ask(request), answer) for request, answer in case.steps]


def seen(found: Answer | None, answer: Answer | None) -> Answer | None:
    """An answer with those of its headers that the expected one has."""
    if found is None or (answer is None and _is_refused(found)):
        return None
    wanted = answer.headers if answer else {}
    return found._replace(headers={name: found.headers.get(name) for name in wanted})


def _is_refused(found: Answer) -> bool:
    """Whether it is how an HTTP server says that a request is not its own."""
    error = found.body.get("error", "") if isinstance(found.body, dict) else ""
    return found.status in (404, 405) and "is not answered here" in error


def expected(host: str, case: Case) -> list[Answer | None]:
    """What it has to answer."""
    told = [answer for _, answer in case.steps]
    if host == "Backbone.sync":
        # A value that is none is a value all the same.
        told = [answer and answer._replace(status=200 if answer.status == 204 else answer.status) for answer in told]
    return told


# Where there is JavaScript, which asks through several doors

ASK = Path(__file__).with_name("conformance.js").read_text(encoding="utf-8")
"""A script with the function that asks."""


def to_ask(doors: Iterable[str]) -> dict[str, list[list[Any]]]:
    """By door, the requests of each case, as they cross to it."""
    return {door: [[crossing(request) for request, _ in case.steps] for case in cases(door)] for door in doors}


def crossing(request: Request | None) -> dict[str, Any] | None:
    """A request in JSON's types, a body as a text whose characters are its bytes."""
    if request is None:
        return None
    headers, body = request.content()
    return {
        **request._asdict(),
        "headers": headers,
        "body": None if body is None else body.decode("latin-1"),
        "meanwhile": crossing(request.meanwhile),
    }


def read_doors(told: dict[str, list[Any]]) -> dict[str, dict[str, list[Answer | None]]]:
    """By door and case, the answers that have crossed back."""
    read: dict[str, dict[str, list[Answer | None]]] = {}
    for door, crossed in told.items():
        left = iter(crossed)
        read[door] = {
            case.name: [seen(_crossed(door, next(left)), answer) for _, answer in case.steps] for case in cases(door)
        }
    return read


def _crossed(door: str, told: list[Any] | None) -> Answer | None:
    if told is None:
        return None
    status, headers, body = told
    if door == "Backbone.sync":
        return Answer(status, body, headers)
    return Answer.read(status, headers, body.encode("latin-1"))


def expected_of(doors: Iterable[str]) -> dict[str, dict[str, list[Answer | None]]]:
    """What `read_doors` has to find."""
    return {door: {case.name: expected(door, case) for case in cases(door)} for door in doors}


# The table


def line_of(text: str) -> int:
    """The line of the route file that begins so."""
    return ROUTES[: ROUTES.index(text)].count("\n") + 1


def get(url: str, status: int, body: Any = None) -> tuple[Request, Answer | None]:
    return Request("GET", url), Answer(status, body)


def unsent(url: str) -> tuple[Request, Answer | None]:
    return Request("GET", url), None


def sends(body: bytes, content_type: str | None, data: Any) -> tuple[Request, Answer | None]:
    """A body that is sent as it is, and what the server says that it got."""
    headers = {} if content_type is None else {"content-type": content_type}
    return Request("POST", "sent", None, headers, body), Answer(200, [content_type, len(body), data])


BYTES = bytes(range(256))
LIST = line_of('server.get("value/list"')
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
        "letters in an expression match their codes",
        [
            get("b%C3%BCcher/7", 200, ["7"]),
            get("b%C3%BCcher/gr%C3%B6%C3%9Fe%20a%2Fb", 200, ["gr%C3%B6%C3%9Fe%20a%2Fb"]),
            unsent("b%C3%BCch/7"),
        ],
        "codes",
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
    Case(
        "what is sent is read by its content type",
        [
            sends(b"", None, None),
            sends(b'{"a": [1, "\xc3\xa9"]}', "application/vnd.api+json", {"a": [1, "é"]}),
            sends("größe".encode(), "text/plain", "größe"),
            sends("größe".encode("latin-1"), "text/plain; charset=latin-1", "größe"),
            sends('["größe"]'.encode("utf-16"), "application/json", ["größe"]),
            sends(BYTES, "application/octet-stream", None),
            sends(BYTES * 2048, "image/png", None),
        ],
        "bodies",
    ),
    Case(
        "a form is read, with its files",
        [
            sends(
                b"a=1&b=2&b=%C3%A9+x&c=", "application/x-www-form-urlencoded", {"a": "1", "b": ["2", "é x"], "c": ""}
            ),
            sends(
                b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nNine Stories\r\n'
                b'--x\r\nContent-Disposition: form-data; name="cover"; filename="a.png"\r\n'
                b"Content-Type: image/png\r\n\r\n\x89P\r\n\n\0\r\n"
                b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\ngr\xc3\xb6\xc3\x9fer\r\n--x--\r\n',
                "multipart/form-data; boundary=x",
                {"title": ["Nine Stories", "größer"], "cover": ["a.png", "image/png", [0x89, 0x50, 13, 10, 10, 0]]},
            ),
        ],
        "bodies",
    ),
    Case(
        "what cannot be read is refused with the reason",
        [
            (
                Request("POST", "sent", None, {"content-type": "application/json"}, b'{"a": nope}'),
                Answer(
                    400,
                    {
                        "error": "The body is sent as application/json, and is no JSON: Expecting value: "
                        "line 1 column 7 (char 6)."
                    },
                ),
            ),
        ],
        "reading",
    ),
    Case(
        "bytes come back as they were sent",
        [
            (Request(method, "echo", None, {"content-type": kind}, body), Answer(200, body, {"content-type": kind}))
            for method in ("POST", "PUT", "PATCH", "DELETE")
            for kind, body in (("application/octet-stream", BYTES), ("image/png", b"\0"))
        ],
        "bodies",
    ),
    Case(
        "headers go in",
        [
            (
                Request("GET", "headers", None, {"X-One": "1", "x-two": "a, b; c"}),
                Answer(200, {"x-one": "1", "x-two": "a, b; c"}),
            )
        ],
        "headers",
    ),
    Case(
        "headers come out",
        [
            (
                Request("GET", "with/headers"),
                Answer(200, [], {"x-count": "3", "content-language": "de", "etag": '"7"', "x-other": None}),
            ),
            (Request("GET", "with/lists"), Answer(200, [], {"vary": "Accept, Cookie", "x-empty": ""})),
            (Request("GET", "raises/headers"), Answer(429, "slowly", {"retry-after": "7"})),
            (Request("GET", "page"), Answer(200, "<p>größe", {"content-type": "text/html; charset=utf-8"})),
        ],
    ),
    Case(
        "a body has the type of what it is",
        [
            (Request("GET", "value"), Answer(200, {"text": "read more"}, {"content-type": "application/json"})),
            (Request("GET", "string/404"), Answer(404, "404", {"content-type": "text/plain; charset=utf-8"})),
            (Request("GET", "stream"), Answer(200, "ab", {"content-type": "text/plain; charset=utf-8"})),
        ],
        "types",
    ),
    Case(
        "bytes come out",
        [
            (Request("GET", "bytes"), Answer(200, BYTES, {"content-type": "application/octet-stream"})),
            (Request("GET", "typed"), Answer(200, b"\x89PNG", {"content-type": "image/png"})),
            (Request("GET", "large"), Answer(200, BYTES * 2048)),
            get("latin", 200, "größe"),
            get("greek", 200, "αβ"),
        ],
        "bytes",
    ),
    Case(
        "what is empty is nothing", [get("empty/text", 200), get("empty/bytes", 200), get("empty/stream", 200)], "bytes"
    ),
    Case(
        "a status is what the handler says",
        [
            *(
                get(f"status/{status}", status, ["as", "told"])
                for status in (200, 201, 202, 400, 404, 418, 499, 500, 599)
            ),
        ],
    ),
    Case("204 has no body, whatever the handler gives", [get("status/204", 204)], "204"),
    Case(
        "HEAD is GET without a body",
        [
            (Request("HEAD", "value"), Answer(200, None, {"content-type": "application/json", "content-length": "20"})),
            (Request("HEAD", "stream"), Answer(200)),
            (Request("HEAD", "books/1"), Answer(404)),
        ],
        "HEAD",
    ),
    Case(
        "any method may have a route",
        [(Request("OPTIONS", "meant"), Answer(200, ["here"])), (Request("PURGE", "meant"), Answer(200, ["PURGE"]))],
        "methods",
    ),
    Case(
        "a stream may be of bytes",
        [(Request("GET", "stream/bytes"), Answer(200, b"\xff\0\xc3\xa9", {"content-type": "image/x-own"}))],
        "bytes",
    ),
    Case(
        "what is nobody's is 404, or 405 where other methods have a route",
        [
            (
                Request("GET", "nowhere"),
                Answer(
                    404,
                    {
                        "error": "GET /nowhere is not answered here. No route matches it, and there is no default "
                        "handler."
                    },
                ),
            ),
            (
                Request("PURGE", "value/list"),
                Answer(
                    405,
                    {
                        "error": "PURGE /value/list is not answered here. No route matches it, and there is no default "
                        f"handler. Nearest: GET value/list ({FILE}:{LIST}) answers GET, "
                        "not PURGE."
                    },
                    {"allow": "GET, HEAD, OPTIONS"},
                ),
            ),
            (Request("OPTIONS", "value/list"), Answer(204, None, {"allow": "GET, HEAD, OPTIONS"})),
        ],
        "405",
    ),
    Case("a stream that fails before it began has a status", [get("stream/fails", 404, "before it began")]),
    Case(
        "the pieces of a stream come as they are made",
        [
            (
                Request("GET", "stream/gate", meanwhile=Request("POST", "stream/gate")),
                Answer(200, "first, then the rest"),
            )
        ],
        "pieces",
    ),
    Case(
        "who leaves ends the generator",
        [(Request("GET", "stream/endless", leaves=True), Answer(200, "more ")), get("stream/left", 200, [True])],
        "pieces",
    ),
    Case(
        "clients follow redirects",
        [
            get("moved", 200, {"text": "read more"}),
            (Request("POST", "moved", {"a": 1}), Answer(200, {"text": "read more"})),
            (Request("POST", "kept", {"a": 1}), Answer(200, [{"a": 1}])),
        ],
        "redirects",
    ),
    Case("latency is waited for", [get("slow", 200, ["waited"])]),
]
