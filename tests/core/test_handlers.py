"""What a handler is called with, and what becomes of what it returns."""

import asyncio
import enum
import functools
import re
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Optional

import pytest

from fauxserver import FauxServer, HandlerError, HTTPError, Request, Response, RouteError
from fauxserver.handlers import label

if TYPE_CHECKING:
    from somewhere import Unknown


def ask(handler, expression="books/:id", url="books/7", **request) -> Response:
    server = FauxServer().get(expression, handler)
    return asyncio.run(server.handle(Request("GET", url, **request)))


# --- What it takes ------------------------------------------------------------------------------------------------


def echo(*args, **named):
    return {"args": [str(type(arg).__name__) if not isinstance(arg, str) else arg for arg in args], **named}


@pytest.mark.parametrize(
    ("handler", "expression", "url", "body"),
    [
        (lambda: ["nothing"], "books/:id", "books/7", ["nothing"]),
        (lambda id: [id], "books/:id", "books/7", ["7"]),
        (lambda book: [book], "books/:id", "books/7", ["7"]),
        (lambda context, book: [context.url, book], "books/:id", "books/7", ["books/7", "7"]),
        (lambda book, context: [context.url, book], "books/:id", "books/7", ["books/7", "7"]),
        (lambda page, id: [id, page], "books/:id/:page", "books/7/8", ["7", "8"]),
        (lambda x, id: [x, id], "books/:id/:page", "books/7/8", ["8", "7"]),
        (lambda x, y: [x, y], "books/:id/:page", "books/7/8", ["7", "8"]),
        (lambda id: [id], "books/:id/:page", "books/7/8", ["7"]),
        (lambda id=3: [id], "books(/:id)", "books", [3]),
        (lambda id: [id], "books(/:id)", "books", [None]),
        (lambda query: query, "books", "books?a=1&b=2&b=3", {"a": "1", "b": ["2", "3"]}),
        (lambda query: [query], "search/:query", "search/x?a=1", ["x"]),
        (lambda data: data, "books", "books", {"title": "Nine Stories"}),
        (lambda *rest: list(rest), "books/:id/:page", "books/7/8", ["7", "8"]),
        (lambda first, *rest: [first, *rest], "books/:id/:page", "books/7/8", ["7", "8"]),
        (lambda **named: named, "books/:id/:page", "books/7/8", {"id": "7", "page": "8"}),
        (lambda id, **named: [id, named], "books/:id/:page", "books/7/8", ["7", {"page": "8"}]),
        (lambda *, page, data: [page, data], "books/:id/:page", "books/7/8", ["8", {"title": "Nine Stories"}]),
        (lambda a, extra=5: [a, extra], "books/:id", "books/7", ["7", 5]),
        (lambda größe: [größe], "books/:größe", "books/7", ["7"]),
        (lambda fi: [fi], "books/:x/:ﬁ", "books/7/8", ["8"]),
        (functools.partial(lambda a, id: [a, id], "fixed"), "books/:id", "books/7", ["fixed", "7"]),
        (lambda year, name: [year, name], re.compile(r"(?P<name>\w+)/(\d+)"), "books/7", ["7", "books"]),
        (lambda a, b: [a, b], re.compile(r"(\w+)/(\d+)"), "books/7", ["books", "7"]),
        (lambda a: [a], re.compile(r"books(x)?"), "books/7", [None]),
    ],
)
def test_a_handler_gets_what_its_parameters_ask_for(handler, expression, url, body):
    assert ask(handler, expression, url, data={"title": "Nine Stories"}).body == body


class Color(enum.Enum):
    RED = "red"
    FIRST = 1


def typed(annotation: Any, default: Any = ...):
    def handler(value):
        return [repr(value)]

    handler.__annotations__["value"] = annotation
    if default is not ...:
        handler.__defaults__ = (default,)
    return handler


UUID = "12345678-1234-5678-1234-567812345678"


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (int, "7", 7),
        (int, "-7", -7),
        (int, "seven", None),
        (int, "7.0", None),
        (int, "1_000", None),
        (int, "٣", None),
        (int, "%207", None),
        (float, "7", 7.0),
        (float, "7.5e1", 75.0),
        (float, "nan", None),
        (bool, "true", True),
        (bool, "0", False),
        (bool, "maybe", None),
        (str, "7", "7"),
        (uuid.UUID, UUID, uuid.UUID(UUID)),
        (uuid.UUID, "7", None),
        (date, "2024-02-29", date(2024, 2, 29)),
        (date, "2023-02-29", None),
        (datetime, "2024-02-29T12:00:00", datetime(2024, 2, 29, 12)),
        (Color, "red", Color.RED),
        (Color, "1", Color.FIRST),
        (Color, "blue", None),
        (Optional[int], "7", 7),  # noqa: UP045
        (int | None, "7", 7),
        (int | str, "7", 7),
        (int | str, "seven", "seven"),
        (int | float, "x", None),
        (Annotated[int, "a number"], "7", 7),
        ("int", "7", 7),
        ("int | None", "7", 7),
        ("Unknown", "7", "7"),
        (list[int], "7", "7"),
        (Any, "7", "7"),
    ],
)
def test_an_annotation_converts_and_what_does_not_fit_is_404(annotation, text, value):
    response = ask(typed(annotation), "books/:value", f"books/{text}")

    if value is None:
        assert (response.status, response.body, response.error) == (404, "Not Found", None)
    else:
        assert (response.status, response.body) == (200, [repr(value)])


def test_what_is_not_there_is_not_converted():
    assert ask(typed(int), "books(/:value)", "books").body == ["None"]
    assert ask(typed(int, 1), "books(/:value)", "books").body == ["1"]


def test_an_annotation_that_only_a_type_checker_can_read_does_no_harm():
    def handler(id: "int", other: "Unknown" = None):
        return [id, other]

    assert ask(handler).body == [7, None]


@pytest.mark.parametrize(
    ("handler", "expression", "message"),
    [
        (
            lambda book, page: 0,
            "books/:id",
            "Nothing can fill the parameter 'page' of <lambda> for GET books/:id: the expression has id. Name it "
            "context, data, query or like a parameter of the expression (:page), or give it a default.",
        ),
        (
            lambda ctx: 0,
            "books",
            "Nothing can fill the parameter 'ctx' of <lambda> for GET books: the expression has no parameters. Name it "
            "context, data, query or like a parameter of the expression (:ctx), or give it a default.",
        ),
        (
            lambda *, page: 0,
            re.compile("books/(.)"),
            "Nothing can fill the parameter 'page' of <lambda> for GET re.compile('books/(.)'): the expression has "
            "a capture. Name it context, data, query or like a parameter of the expression (:page), "
            "or give it a default.",
        ),
        (
            [len, 5],
            "books/:id",
            "The handlers of GET books/:id are a list of functions, but 5 is none. "
            "Give functions only, or values only.",
        ),
    ],
)
def test_a_handler_that_cannot_be_called_is_an_error_when_it_is_added(handler, expression, message):
    with pytest.raises(RouteError) as raised:
        FauxServer().get(expression, handler)

    assert (str(raised.value), raised.value.route) == (message, raised.value.route)


def test_what_a_handler_changes_in_its_data_nobody_else_sees():
    data = {"tags": ["a"], "title": "Nine Stories"}
    server = FauxServer()

    @server.post("books")
    def create(context):
        context.data["id"] = 1
        context.data["tags"].append("b")
        return context.data

    response = asyncio.run(server.handle(Request("POST", "books", data)))

    assert response.body == {"tags": ["a", "b"], "title": "Nine Stories", "id": 1}
    assert data == server.journal[0].data == {"tags": ["a"], "title": "Nine Stories"}


# --- What it returns ----------------------------------------------------------------------------------------------


@dataclass
class Book:
    id: int
    price: float


class Model:
    def model_dump(self, mode):
        return {"mode": mode}


class Gone(Exception):
    http_status_code = 410


class Strange(Exception):
    http_status_code = "very"


async def later(value):
    await asyncio.sleep(0)
    return value


def raising(error):
    def handler():
        raise error

    return handler


@pytest.mark.parametrize(
    ("result", "status", "body"),
    [
        ({"id": 1}, 200, {"id": 1}),
        ([], 200, []),
        (None, 200, None),
        (404, 200, 404),
        (False, 200, False),
        (1.5, 200, 1.5),
        (Book(1, 2.5), 200, {"id": 1, "price": 2.5}),
        (Model(), 200, {"mode": "json"}),
        (Color.RED, 200, "red"),
        ({"when": date(2024, 2, 29), "id": uuid.UUID(UUID)}, 200, {"when": "2024-02-29", "id": UUID}),
        ({1: "a"}, 200, {"1": "a"}),
        ("404", 404, "404"),
        ("404 Not Found", 404, "404 Not Found"),
        ("404 not found", 404, "404 not found"),
        ("404 Gone", 500, "404 Gone"),
        ("200", 500, "200"),
        ("no such book", 500, "no such book"),
        ("", 500, ""),
        (({"id": 1}, 201), 201, {"id": 1}),
        (("a text", 400), 400, "a text"),
        ((1, 2, 3), 200, [1, 2, 3]),
        ((1, 2), 200, [1, 2]),
        ((1, True), 200, [1, True]),
        (Response("a text"), 200, "a text"),
        (Response({"id": 1}, 202, {"x-a": "b"}), 202, {"id": 1}),
        (Response(b"\0\1"), 200, b"\0\1"),
        (HTTPError(409), 409, "Conflict"),
    ],
)
def test_what_a_result_becomes(result, status, body):
    responses = [ask(lambda: result), ask(lambda: later(result))]

    assert [(response.status, response.body, response.error) for response in responses] == [(status, body, None)] * 2


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (HTTPError(404), 404, "Not Found"),
        (HTTPError(422, {"title": "missing"}), 422, {"title": "missing"}),
        (HTTPError(499), 499, ""),
        (Gone(), 410, "Gone"),
        (Gone("sold"), 410, "sold"),
    ],
)
def test_an_error_with_a_status_has_that_status(error, status, body):
    response = ask(raising(error))

    assert (response.status, response.body, response.error) == (status, body, None)


@pytest.mark.parametrize("status", [99, 600, "404", True, None])
def test_an_http_error_wants_a_status(status):
    with pytest.raises(HandlerError) as raised:
        HTTPError(status)

    said = f"HTTPError: {status!r} is no HTTP status. Give a number from 100 to 599, as in HTTPError(404)."
    assert str(raised.value) == said


LINE = raising.__code__.co_firstlineno + 2


@pytest.mark.parametrize(
    ("error", "body"),
    [
        (
            ZeroDivisionError("division by zero"),
            f"ZeroDivisionError: division by zero (in handler, test_handlers.py:{LINE})",
        ),
        (KeyError("id"), f"KeyError: 'id' (in handler, test_handlers.py:{LINE})"),
        (Strange(), f"Strange (in handler, test_handlers.py:{LINE})"),
        (SystemExit(1), f"SystemExit: 1 (in handler, test_handlers.py:{LINE})"),
    ],
)
def test_any_other_error_is_500_and_says_where(error, body):
    response = ask(raising(error))

    assert (response.status, response.body) == (500, body)
    failure = response.error
    assert (failure.message, failure.file, failure.line, failure.source) == (body, __file__, LINE, "raise error")
    assert failure.traceback.startswith(f'Traceback (most recent call last):\n  File "{__file__}", line {LINE}')


@pytest.mark.parametrize(
    ("result", "fault"),
    [
        (
            {"books": [1, {"price": float("nan")}]},
            "$.books[1].price is nan, which JSON cannot hold. Use None, or a text.",
        ),
        ({1, 2}, "$ is of type set, which JSON cannot hold. Make it a list: list(…)."),
        ({"a b": {}.values()}, '$["a b"] is of type dict_values, which JSON cannot hold. Make it a list: list(…).'),
        ({(1, 2): 3}, "$ has a key of type tuple, which JSON cannot hold. Make it a text: str(…)."),
        ([object()], "$[0] is of type object, which JSON cannot hold. Return dicts, lists, texts and numbers."),
        (Book(1, float("inf")), "$.price is inf, which JSON cannot hold. Use None, or a text."),
    ],
)
def test_what_json_cannot_hold_is_500_and_says_what(result, fault):
    def handler():
        return result

    line = handler.__code__.co_firstlineno
    response = ask(handler)

    assert response.status == 500
    assert response.body == f"What handler returned for GET books/:id cannot be sent: {fault} (test_handlers.py:{line})"
    assert response.error.line == line


def test_what_contains_itself_is_500_and_says_so():
    circle: dict[str, Any] = {}
    circle["self"] = [circle]

    response = ask(lambda: circle)

    assert (response.status, "$.self[0] contains itself, which JSON cannot hold." in response.body) == (500, True)


def test_an_answer_does_not_change_with_what_the_handler_keeps():
    book = {"title": "Nine Stories"}
    response = ask(lambda: book)

    book["title"] = "changed"

    assert response.body == {"title": "Nine Stories"}


# --- Values and stacks --------------------------------------------------------------------------------------------


def test_a_value_will_do_where_no_code_is_needed():
    books: list[int] = []
    server = FauxServer().get("books", books).get("motto", {"text": "read more"}).get("gone", "410")

    def got(url):
        response = asyncio.run(server.handle(Request("GET", url)))
        return response.status, response.body

    before = got("books")
    books.append(1)

    assert (before, got("books")) == ((200, []), (200, [1]))
    assert (got("motto"), got("gone")) == ((200, {"text": "read more"}), (410, "410"))


def test_a_stack_runs_in_turn_and_the_last_result_counts():
    seen = []

    def log(context):
        seen.append(context.url)
        return "ignored"

    async def check(id: int):
        await asyncio.sleep(0)
        seen.append(id)

    assert ask([log, check, log, lambda id: {"id": id}]).body == {"id": "7"}
    assert seen == ["books/7", 7, "books/7"]


def test_an_error_stops_a_stack():
    seen = []

    response = ask([raising(HTTPError(403)), seen.append])

    assert (response.status, seen) == (403, [])


# --- Asynchronous handlers and streams ----------------------------------------------------------------------------


def test_a_coroutine_that_raises_is_500_and_says_where():
    async def handler():
        await asyncio.sleep(0)
        raise KeyError("id")

    response = ask(handler)

    line = handler.__code__.co_firstlineno + 2
    assert (response.status, response.error.line) == (500, line)
    assert response.body == f"KeyError: 'id' (in handler, test_handlers.py:{line})"


def test_a_generator_streams():
    def numbers():
        yield "1"
        yield b"2"

    async def letters():
        yield "a"
        await asyncio.sleep(0)
        yield "b"

    async def collect(handler):
        response = await FauxServer().get("x", handler).handle(Request("GET", "x"))
        return response.status, response.kind, [piece async for piece in response.stream()]

    async def read(handler):
        response = await FauxServer().get("x", handler).handle(Request("GET", "x"))
        return await response.read()

    assert asyncio.run(collect(numbers)) == (200, "stream", [b"1", b"2"])
    assert asyncio.run(collect(letters)) == (200, "stream", [b"a", b"b"])
    assert asyncio.run(collect(lambda: Response(iter(["a"]), 201))) == (201, "stream", [b"a"])
    assert (asyncio.run(read(numbers)), asyncio.run(read(letters))) == (b"12", "ab")


def test_a_generator_that_fails_before_its_first_piece_fails_the_request():
    def handler():
        raise HTTPError(404)
        yield

    assert ask(handler).status == 404


def test_a_generator_that_fails_later_is_in_the_journal():
    def handler():
        yield "a"
        raise KeyError("b")

    async def collect():
        server = FauxServer().get("x", handler)
        response = await server.handle(Request("GET", "x"))
        with pytest.raises(KeyError):
            await response.read()
        return server.journal[0].error.message

    line = handler.__code__.co_firstlineno + 2
    assert asyncio.run(collect()) == f"KeyError: 'b' (in handler, test_handlers.py:{line})"


def test_a_stream_of_something_else_is_an_error():
    async def collect():
        response = await FauxServer().get("x", lambda: iter([{"a": 1}])).handle(Request("GET", "x"))
        return [piece async for piece in response.stream()]

    with pytest.raises(HandlerError) as raised:
        asyncio.run(collect())

    assert str(raised.value) == "A streamed body yielded dict. Yield str or bytes; to send JSON, yield `json.dumps(…)`."


# --- Time limit ---------------------------------------------------------------------------------------------------


def looping():
    while True:
        pass


async def looping_later():
    await asyncio.sleep(0)
    while True:
        pass


def stubborn():
    while True:
        try:
            while True:
                pass
        except Exception:
            pass


def streaming():
    yield "a"
    while True:
        pass


@pytest.mark.parametrize("handler", [looping, looping_later, stubborn])
def test_a_handler_that_runs_too_long_is_stopped_and_the_server_lives(handler):
    server = FauxServer(time_limit=250).get("loop", handler).get("books", [])

    response = asyncio.run(server.handle(Request("GET", "loop")))

    assert response.status == 500
    said = rf"{handler.__name__}, which answers GET loop, ran longer than the time limit of 250 ms and was stopped at "
    assert re.fullmatch(said + r"test_handlers\.py:\d+: (pass|while True:|try:)", response.body)
    assert response.error.file == __file__
    assert asyncio.run(server.handle(Request("GET", "books"))).body == []


def test_a_stream_that_runs_too_long_is_stopped():
    async def collect():
        server = FauxServer(time_limit=50).get("x", streaming)
        response = await server.handle(Request("GET", "x"))
        try:
            return [piece async for piece in response.stream()]
        except Exception as error:
            return type(error).__name__, str(error), server.journal[0].error.file

    assert asyncio.run(collect()) == (
        "TimeLimitError",
        "The handler ran longer than the time limit of 50 ms.",
        __file__,
    )


def test_waiting_does_not_count_as_running():
    guarded = [False]

    @contextmanager
    def guard(limit):
        guarded[0] = True
        yield
        guarded[0] = False

    async def handler():
        asyncio.get_running_loop().call_soon(lambda: seen.append(guarded[0]))
        seen.append(guarded[0])
        await asyncio.sleep(0)
        seen.append(guarded[0])

    seen = []
    server = FauxServer(time_limit=50).get("x", handler)
    server.guard = guard

    response = asyncio.run(server.handle(Request("GET", "x")))

    assert (response.status, seen) == (200, [True, False, True])


class Unheard(BaseException):
    """What no `except Exception` catches."""


@pytest.mark.parametrize("error", [Unheard, asyncio.CancelledError, SystemExit])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_whatever_a_handler_raises_there_is_an_answer(error: type[BaseException], asynchronous: bool):
    def raising():
        raise error

    async def raising_later():
        raise error

    response = ask(raising_later if asynchronous else raising)

    assert (response.status, response.body.split(" ")[0]) == (500, error.__name__)


def test_an_error_that_cannot_be_told_is_an_answer_too():
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError

    def handler():
        raise Mute

    response = ask(handler)

    assert (response.status, response.body.split(" ")[0]) == (500, "Mute")


def test_a_latency_function_that_loops_is_stopped():
    def latency():
        while True:
            pass

    server = FauxServer(time_limit=20).get("x", {}).set_latency(latency)

    response = asyncio.run(server.handle(Request("GET", "x")))

    assert (response.status, "time limit of 20 ms" in response.body) == (500, True)


def test_the_keyboard_still_interrupts():
    with pytest.raises(KeyboardInterrupt):
        FauxServer(time_limit=1000).get("x", raising(KeyboardInterrupt())).accept(Request("GET", "x")).answer()


# --- Names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("handler", "name"),
    [
        (echo, "echo"),
        (functools.partial(echo, 1), "echo"),
        ([echo, raising], "echo, raising"),
        ([], "a value"),
        ({"a": 1}, "a value"),
        (Book, "Book"),
        ("x".join, "join"),
    ],
)
def test_label(handler, name):
    assert label(handler) == name
