"""The conformance table, asked of the server directly, step by step and in one, and over ASGI."""

import asyncio
import json

import pytest

from fauxserver import Request, Response
from fauxserver.routefile import RouteFile
from tests.conformance import CASES, FILE, ROUTES, Answer


@pytest.fixture(scope="module")
def server():
    file = RouteFile(FILE, ROUTES)
    file.run()
    return file.servers[0]


def seen(status, headers, body):
    """An answer as a client sees it."""
    if not body:
        return Answer(status)
    return Answer(status, json.loads(body) if headers["content-type"] == "application/json" else body.decode())


def read(response):
    """An answer, out of a response."""
    if response.kind == "stream":
        asyncio.run(response.read())
        return Answer(response.status, response.body)
    return seen(*response.encode())


def in_steps(server, request):
    exchange = server.accept(Request(*request))
    if exchange is None:
        return None
    response = exchange.answer()
    return read(response if isinstance(response, Response) else asyncio.run(settle(response)))


async def settle(awaitable):
    return await awaitable


def in_one(server, request):
    response = asyncio.run(server.handle(Request(*request)))
    return response and read(response)


def over_asgi(server, request):
    method, url, data = request
    path, _, query = url.partition("?")
    body = b"" if data is None else json.dumps(data).encode()
    scope = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": f"/{path}",
        "raw_path": f"/{path}".encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"test"), (b"content-type", b"application/json")],
    }
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    asyncio.run(server(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    answer = seen(sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))
    unanswered = answer.status == 404 and isinstance(answer.body, dict)
    # Over HTTP the url is absolute.
    said = answer.body
    if isinstance(said, list) and said and isinstance(said[0], str):
        answer = answer._replace(body=[said[0].replace("http://test/", ""), *said[1:]])
    return None if unanswered else answer


@pytest.mark.parametrize("host", [in_steps, in_one, over_asgi])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_of_the_table(server, host, case):
    server.reset()

    answers = [host(server, request) for request, _ in case.steps]

    assert answers == [answer for _, answer in case.steps]


def test_the_table_is_all_there():
    assert len(CASES) == 23
    assert sum(len(case.steps) for case in CASES) == 83
