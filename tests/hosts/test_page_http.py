"""What crosses for a request as HTTP has it, with somebody else for the bridge."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from fauxserver import Context, HTTPError, Response
from fauxserver.hosts import browser
from tests.hosts.test_browser_host import FakeSide, page, side

__all__ = ["page", "side"]

BASE = "http://localhost/app/"
TEXT = {"content-type": "text/plain; charset=utf-8"}
JSON = {"content-type": "application/json"}
PNG = {"content-type": "image/png"}


def accept(page: browser.Page, method: str, path: str) -> str:
    accepted = page.accept(method, BASE + path, None, "", BASE)
    assert accepted is not None
    return accepted.split()[0]


def send(
    page: browser.Page, method: str, path: str, headers: str | None = "", body: Any = None, at_once: bool = False
) -> str:
    return page.send(accept(page, method, path), headers, body, at_once)


def told(text: str) -> tuple[Any, ...]:
    """Status, headers, kind of body, and the text."""
    head, _, body = text[1:].partition("\n")
    meta = json.loads(head)
    return meta["status"], dict(meta["headers"]), meta["body"], body


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (None, (204, {}, "none", "")),
        ("404", (404, TEXT, "text", "404")),
        (Response("ü", 201, {"X-Mine": 1}), (201, {"x-mine": "1", **TEXT}, "text", "ü")),
        (Response({"a": 1}, 201), (201, JSON, "text", '{"a":1}')),
        (Response(None, 201), (201, {}, "none", "")),
        (Response("gone", 304), (304, {}, "none", "")),
        (Response(b"\x89PNG", headers={"Content-Type": "image/png"}), (200, PNG, "bytes", "")),
    ],
)
def test_what_crosses_for_a_result(page: browser.Page, side: FakeSide, result: Any, expected: Any):
    page.server.get("it", lambda: result)
    assert told(send(page, "GET", "it")) == expected
    assert side.pieces == ([b"\x89PNG"] if expected[2] == "bytes" else [])


def test_a_plain_success_is_its_json(page: browser.Page):
    page.server.get("it", lambda: {"a": [1, None]})
    assert send(page, "GET", "it") == '+{"a":[1,null]}'


def test_a_handler_sees_headers_bytes_and_what_they_mean(page: browser.Page):
    @page.server.post("it")
    def echo(context: Context):
        return [context.data, dict(context.headers), context.request.body.decode()]

    headers = "content-type: application/json\nx-mine: a: b\nx-empty: "
    assert json.loads(send(page, "POST", "it", headers, '{"a": "ü"}')[1:]) == [
        {"a": "ü"},
        {"content-type": "application/json", "x-mine": "a: b", "x-empty": ""},
        '{"a": "ü"}',
    ]
    assert json.loads(send(page, "POST", "it", "content-type: text/plain", b"abc")[1:])[0] == "abc"


def test_headers_cross_only_if_they_are_not_those_of_the_last_request(page: browser.Page):
    @page.server.get("it")
    def echo(context: Context):
        told = dict(context.headers)
        context.headers["x-mine"] = "changed"  # type: ignore[index]
        return told

    seen = [
        json.loads(send(page, "GET", "it", headers)[1:]) for headers in ("x-mine: a", None, None, "x-mine: b", None)
    ]
    assert seen == [{"x-mine": "a"}] * 3 + [{"x-mine": "b"}] * 2


def test_a_body_that_is_not_what_it_says_is_400_and_reaches_no_handler(page: browser.Page):
    page.server.post("it", lambda: pytest.fail("called"))
    status, _, _, body = told(send(page, "POST", "it", "content-type: application/json", "{"))
    assert (status, list(json.loads(body))) == (400, ["error"])


def test_a_latency_function_sees_what_was_sent(page: browser.Page):
    page.server.post("it", lambda data: data)
    page.server.set_latency(lambda context: context.data["wait"])
    number = accept(page, "POST", "it")
    page.hand(number, "content-type: application/json", '{"wait": 70}')
    assert page.delay(number, None) == 70
    assert page.send(number, "content-type: application/json", '{"wait": 70}') == '+{"wait":70}'


def test_head_is_answered_by_the_route_for_get(page: browser.Page):
    page.server.get("it", lambda context: context.http_method)
    assert told(send(page, "HEAD", "it"))[3] == "GET"


def test_the_captures_are_those_of_what_the_expression_saw(page: browser.Page):
    page.server.get("books/:id(/:page)", lambda: None)
    assert page.captures(accept(page, "GET", "books/7")) == '["7", null]'


def test_a_default_handler_answers_what_is_of_the_page_s_own_origin(page: browser.Page):
    page.server.set_default_handler(lambda: "mine")
    assert page.accept("GET", "http://localhost/other", None, "", BASE) is not None
    assert page.accept("GET", "http://elsewhere/app/other", None, "", BASE) is None


# Streams


def stream_of(*pieces: Any, log: list[str] | None = None) -> Callable[[], Iterator[Any]]:
    def stream() -> Iterator[Any]:
        try:
            yield from pieces
        finally:
            if log is not None:
                log.append("closed")

    return stream


def test_a_stream_is_pulled_piece_by_piece(page: browser.Page, side: FakeSide):
    page.server.get("it", stream_of("a", b"\xff", "ü"))
    number = accept(page, "GET", "it")
    assert told(page.send(number, "")) == (200, {"content-type": "text/plain; charset=utf-8"}, "stream", "")
    assert [page.pull(number) for _ in range(5)] == ["+a", "b", "+ü", ".", "."]
    assert side.pieces == [b"\xff"]


def test_a_stream_that_is_let_go_cleans_up(page: browser.Page):
    log: list[str] = []

    async def run() -> None:
        page.server.get("it", stream_of("a", "b", log=log))
        number = accept(page, "GET", "it")
        page.send(number, "")
        page.pull(number)
        page.drop(number)
        await asyncio.sleep(0)
        assert page.pull(number) == "."

    asyncio.run(run())
    assert log == ["closed"]


def test_a_stream_that_raises_tells_its_line(page: browser.Page):
    def stream() -> Iterator[str]:
        yield "a"
        raise ValueError("broken")

    page.server.get("it", stream)
    number = accept(page, "GET", "it")
    page.send(number, "")
    assert page.pull(number) == "+a"
    broken = page.pull(number)
    assert (broken[0], json.loads(broken[1:])["source"]) == ("!", 'raise ValueError("broken")')
    assert page.pull(number) == "."


def test_a_stream_that_fails_before_its_first_piece_fails_the_request(page: browser.Page):
    def stream() -> Iterator[str]:
        raise HTTPError(409)
        yield ""

    page.server.get("it", stream)
    assert told(send(page, "GET", "it"))[0] == 409


def test_an_asynchronous_stream_settles_its_pieces(page: browser.Page, side: FakeSide):
    async def stream() -> AsyncIterator[str]:
        yield "a"
        await asyncio.sleep(0)
        yield "b"

    async def run() -> list[str]:
        page.server.get("it", stream)
        number = accept(page, "GET", "it")
        first = page.send(number, "")
        pulled: list[str] = []
        while not pulled or pulled[-1] != ".":
            text = page.pull(number)
            while text == "~":
                await asyncio.sleep(0)
                if side.settled:
                    text = side.settled.pop()[1]
            pulled.append(text)
        return [told(first)[2], *pulled]

    assert asyncio.run(run()) == ["stream", "+a", "+b", "."]


def test_a_request_that_cannot_wait_gets_a_stream_whole(page: browser.Page):
    page.server.get("it", stream_of("a", "b"))
    assert told(send(page, "GET", "it", at_once=True))[3] == "ab"


def test_reset_ends_the_streams(page: browser.Page):
    log: list[str] = []

    async def run() -> None:
        page.server.get("it", stream_of("a", "b", log=log))
        page.ready()
        page.send(accept(page, "GET", "it"), "")
        page.reset()
        await asyncio.sleep(0)

    asyncio.run(run())
    assert log == ["closed"]
