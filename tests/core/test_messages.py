"""Requests and responses, and JSON."""

import asyncio
from collections import OrderedDict, namedtuple
from datetime import datetime

import pytest

from fauxserver import HandlerError, JSONError, Request, Response
from fauxserver.messages import to_json
from fauxserver.transports import CallbackTransport, deliver


def test_a_request_needs_a_method_and_an_url():
    assert Request("GET", "books")._asdict() == {
        "method": "GET",
        "url": "books",
        "data": None,
        "headers": {},
        "body": b"",
        "method_override": None,
        "base": None,
        "hits": frozenset(),
    }


@pytest.mark.parametrize(
    ("response", "encoded"),
    [
        (Response({"ö": [1, None]}), (200, {"content-type": "application/json"}, '{"ö":[1,null]}'.encode())),
        (Response(None), (204, {}, b"")),
        (Response(None, 201), (201, {}, b"")),
        (Response(None, 404), (404, {}, b"")),
        (Response({}, 204), (204, {}, b"")),
        (Response("größe"), (200, {"content-type": "text/plain; charset=utf-8"}, "größe".encode())),
        (Response(""), (200, {}, b"")),
        (Response(b"\0"), (200, {"content-type": "application/octet-stream"}, b"\0")),
        (Response("<p>", 200, {"Content-Type": "text/html"}), (200, {"content-type": "text/html"}, b"<p>")),
        *(
            (Response("größe", 200, {"Content-Type": content_type}), (200, {"content-type": content_type}, body))
            for content_type, body in (
                ("text/plain; charset=ISO-8859-1", b"gr\xf6\xdfe"),
                ('text/plain; a=b; charset="ascii"; c=d', b"gr??e"),
                ("text/plain; charset=UTF-8", "größe".encode()),
                ("text/plain; charset=unknown", "größe".encode()),
            )
        ),
        (Response([], 201, {"X-Count": 3}), (201, {"x-count": "3", "content-type": "application/json"}, b"[]")),
        (Response(["\ud835"]), (200, {"content-type": "application/json"}, b'["\\ud835"]')),
    ],
)
def test_encode(response, encoded):
    assert response.encode() == encoded


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (
            lambda response: response.encode(),
            "A streamed body cannot be encoded at once. Use `stream()`, or `await response.read()` first.",
        ),
        (
            lambda response: response.json,
            "A streamed body has no JSON text. Read it with `await response.read()`, or `stream()` it.",
        ),
    ],
)
def test_a_stream_is_not_there_at_once(use, message):
    with pytest.raises(HandlerError) as raised:
        use(Response(iter(["a"])))

    assert str(raised.value) == message


def test_a_stream_is_read_in_pieces_or_whole():
    async def letters():
        yield "a"
        yield "b"

    async def pieces(response):
        return [piece async for piece in response.stream()]

    assert asyncio.run(pieces(Response(iter(["a", b"b"])))) == [b"a", b"b"]
    assert asyncio.run(pieces(Response({"a": 1}))) == [b'{"a":1}']
    assert asyncio.run(pieces(Response(None))) == []
    assert asyncio.run(Response(letters()).read()) == "ab"
    assert asyncio.run(Response(iter(["a", b"b"])).read()) == b"ab"
    assert asyncio.run(Response({"a": 1}).read()) == {"a": 1}


def test_a_sealed_response_has_the_body_that_a_client_sees():
    body = {1: (2, 3)}
    response = Response(body).seal()

    body[1] = "changed"

    assert (response.body, response.json, response.kind) == ({"1": [2, 3]}, '{"1":[2,3]}', "json")


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, 2.5, True, None, "x"]}, '{"a":[1,2.5,true,null,"x"]}'),
        (Point(1, 2), "[1,2]"),
        (OrderedDict(b=1, a=2), '{"b":1,"a":2}'),
        (datetime(2024, 2, 29, 12), '"2024-02-29T12:00:00"'),
        ({None: 1, True: 2, 1.5: 3}, '{"null":1,"true":2,"1.5":3}'),
    ],
)
def test_to_json(value, text):
    assert to_json(value) == text


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


class Broken:
    def model_dump(self, mode):
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "path", "message"),
    [
        (float("nan"), "$", "$ is nan, which JSON cannot hold. Use None, or a text."),
        (
            {"a": {"b": [0, b"x"]}},
            "$.a.b[1]",
            "$.a.b[1] is of type bytes, which JSON cannot hold. Make it a list: list(…).",
        ),
        ([Point(1, {2})], "$[0][1]", "$[0][1] is of type set, which JSON cannot hold. Make it a list: list(…)."),
    ],
)
def test_to_json_says_where_it_cannot(value, path, message):
    with pytest.raises(JSONError) as raised:
        to_json(value)

    assert (str(raised.value), raised.value.path) == (message, path)


def test_to_json_says_what_is_too_deep():
    with pytest.raises(JSONError) as raised:
        to_json(nested(4_000))

    assert str(raised.value) == "$" + 19 * "[0]" + "[0… is nested too deeply for JSON."
    assert raised.value.path == "$" + 501 * "[0]"


def test_a_model_that_cannot_be_dumped_says_why():
    with pytest.raises(RuntimeError, match="no"):
        to_json([Broken()])


@pytest.mark.parametrize(
    ("response", "heard"),
    [
        (Response({"id": 1}), ("success", {"id": 1})),
        (Response("no", 500), ("error", "no")),
        (Response(None), ("success", None)),
    ],
)
def test_deliver(response, heard):
    said = []
    transport = CallbackTransport(
        lambda value: said.append(("success", value)), lambda why: said.append(("error", why))
    )

    deliver(response, transport)
    deliver(response, CallbackTransport())

    assert (said, transport.promise()) == ([heard], None)


@pytest.mark.parametrize("status", [0, 99, 600, "200", 2.5, None])
def test_what_is_no_status_is_refused(status):
    with pytest.raises(HandlerError, match=f"Response: {status!r} is no HTTP status"):
        Response({}, status)


def test_a_header_may_have_several_values():
    response = Response([], headers={"Vary": ["Accept", "Cookie"], "Set-Cookie": ("a=1", "b=2"), "X-Count": 3})

    assert response.fields() == {"vary": "Accept, Cookie", "set-cookie": "a=1\nb=2", "x-count": "3"}
