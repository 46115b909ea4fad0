"""The conformance table, asked of the server directly, step by step and in one, over ASGI, and by Python's clients.

A host is a function that yields one which asks a server.
"""

import asyncio
import functools
import time
from contextlib import ExitStack, contextmanager

import httpx
import pytest
import requests

import fauxserver
from fauxserver import Response
from fauxserver.bodies import decode
from fauxserver.hosts.faux import Faux
from fauxserver.hosts.httpx import AsyncFauxTransport, FauxTransport
from fauxserver.hosts.live import serving
from fauxserver.hosts.requests import FauxAdapter
from fauxserver.routefile import RouteFile
from tests.conformance import CASES, FILE, ROUTES, Answer, answers, cases, expected


@pytest.fixture(scope="module")
def server():
    file = RouteFile(FILE, ROUTES)
    file.run()
    return file.servers[0]


# A server asked directly


def request_of(request):
    """A request as a host hands it to the server."""
    headers, content = request.content()
    headers = {name.lower(): value for name, value in headers.items()}
    data = decode(content or b"", headers.get("content-type", ""))
    return fauxserver.Request(request.method, request.url, data, headers, content or b"")


def read(response):
    """An answer, out of a response."""
    if response.kind == "stream":
        headers = {"content-type": "text/plain; charset=utf-8"}
        headers |= {name.lower(): value for name, value in response.headers.items()}

        async def pieces():
            return b"".join([piece async for piece in response.stream()])

        return Answer.read(response.status, headers, asyncio.run(pieces()))
    return Answer.read(*response.encode())


@contextmanager
def in_steps(server):
    def ask(request):
        exchange = server.accept(request_of(request))
        if exchange is None:
            return None
        time.sleep(exchange.delay / 1000)
        response = exchange.answer()
        return read(response if isinstance(response, Response) else asyncio.run(settle(response)))

    yield ask


async def settle(awaitable):
    return await awaitable


@contextmanager
def in_one(server):
    def ask(request):
        response = asyncio.run(server.handle(request_of(request)))
        return response and read(response)

    yield ask


# As an ASGI application


@contextmanager
def over_asgi(server):
    def ask(request):
        path, _, query = request.url.partition("?")
        headers, body = request.content()
        scope = {
            "type": "http",
            "method": request.method,
            "scheme": "http",
            "path": f"/{path}",
            "raw_path": f"/{path}".encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [
                (b"host", b"test"),
                *((name.lower().encode(), value.encode()) for name, value in headers.items()),
            ],
        }
        sent = []

        async def receive():
            return {"type": "http.request", "body": body or b"", "more_body": False}

        async def send(message):
            sent.append(message)

        asyncio.run(server(scope, receive, send))
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer.read(sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))

    yield ask


# Python's clients


@contextmanager
def by_httpx(server):
    with httpx.Client(transport=FauxTransport(server), base_url="http://test", follow_redirects=True) as client:
        yield httpx_asks(client)


def httpx_asks(client):
    def ask(request):
        headers, content = request.content()
        try:
            with client.stream(request.method, request.url, headers=headers, content=content) as response:
                content = b""
                for piece in response.iter_bytes():
                    content += piece
                    if request.leaves:
                        break
                    if request.meanwhile and content == piece:
                        ask(request.meanwhile)
        except httpx.ConnectError:
            return None
        return Answer.read(response.status_code, response.headers, content)

    return ask


@contextmanager
def by_httpx_asynchronously(server):
    def ask(request):
        return asyncio.run(asks(request))

    async def asks(request):
        transport = AsyncFauxTransport(server)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", follow_redirects=True) as client:
            headers, content = request.content()
            try:
                async with client.stream(request.method, request.url, headers=headers, content=content) as response:
                    content = b""
                    async for piece in response.aiter_bytes():
                        content += piece
                        if request.leaves:
                            break
                        if request.meanwhile and content == piece:
                            await asks(request.meanwhile)
            except httpx.ConnectError:
                return None
            return Answer.read(response.status_code, response.headers, content)

    yield ask


@contextmanager
def by_requests(server):
    with requests.Session() as session:
        session.mount("http://test/", FauxAdapter(server))
        yield requests_asks(session, "http://test/")


def requests_asks(session, base):
    def ask(request):
        headers, content = request.content()
        try:
            with session.request(
                request.method, base + request.url, headers=headers, data=content, stream=True
            ) as response:
                content = b""
                for piece in response.iter_content(None):
                    content += piece
                    if request.leaves:
                        break
                    if request.meanwhile and content == piece:
                        ask(request.meanwhile)
        except requests.ConnectionError:
            return None
        return Answer.read(response.status_code, response.headers, content)

    return ask


# A real port


@contextmanager
def over_http(server):
    with serving(server) as url, httpx.Client(base_url=url, follow_redirects=True, timeout=30) as client:
        yield httpx_asks(client)


# A test's own


@contextmanager
def in_a_test(server):
    (file,) = server.files
    with in_one(Faux(file)) as ask:
        yield ask


@contextmanager
def over_a_tests_port(server):
    (file,) = server.files
    with over_http(Faux(file)) as ask:
        yield ask


HOSTS = {
    "handle": [in_steps, in_one, in_a_test],
    "ASGI": [over_asgi],
    "httpx": [by_httpx, by_httpx_asynchronously],
    "requests": [by_requests],
    "HTTP": [over_http, over_a_tests_port],
}


@pytest.fixture(scope="module")
def ask_through(server):
    """A function that asks through a host, which is there until the last test."""
    with ExitStack() as stack:
        yield functools.cache(lambda host: stack.enter_context(host(server)))


@pytest.mark.parametrize(
    ("name", "host", "case"),
    [
        pytest.param(name, host, case, id=f"{host.__name__}-{case.name}")
        for name, hosts in HOSTS.items()
        for host in hosts
        for case in cases(name)
    ],
)
def test_a_case_of_the_table(server, ask_through, name, host, case):
    ask = ask_through(host)
    server.reset()

    assert answers(case, ask) == expected(name, case)


def test_the_table_is_all_there():
    assert len(CASES) == 44
    assert sum(len(case.steps) for case in CASES) == 147
