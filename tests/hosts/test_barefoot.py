"""Rows B1 and B16 to B19: one registration, called locally and over HTTP, and the answers are the same."""

import asyncio
import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import requests

from fauxserver import APIAdapter, FauxServer, Request
from fauxserver.hosts.httpx import FauxTransport
from fauxserver.hosts.live import serving
from fauxserver.hosts.requests import FauxAdapter
from fauxserver.routefile import RouteFile
from tests.hosts.barefoot import CASES, FILE, ROUTES, Case


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> FauxServer:
    path = tmp_path_factory.mktemp("barefoot") / FILE
    path.write_text(ROUTES, encoding="utf-8")
    file = RouteFile(str(path))
    file.run()
    (server,) = file.servers
    return server.ready()


@pytest.fixture(scope="module")
def client(api: FauxServer) -> Iterator[http.client.HTTPConnection]:
    with serving(api) as url:
        connection = http.client.HTTPConnection(urlsplit(url).netloc)
        yield connection
        connection.close()


def over_http(client: http.client.HTTPConnection, method: str, url: str, data: Any) -> tuple[int, str | None, bytes]:
    body = None if data is None else json.dumps(data)
    client.request(method, url, body, {"content-type": "application/json"} if body else {})
    response = client.getresponse()
    return response.status, response.headers.get("content-type"), response.read()


def locally(api: FauxServer, method: str, url: str, data: Any) -> tuple[int, str | None, bytes]:
    status, headers, body = api.dispatch(method, url, data).encode()
    return status, headers.get("content-type"), body


def seen(answer: tuple[int, str | None, bytes]) -> tuple[int, Any]:
    status, kind, body = answer
    return status, json.loads(body) if kind == "application/json" else body.decode() or None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.sentence)
def test_B19_every_sentence_holds_locally_and_over_http(
    api: FauxServer, client: http.client.HTTPConnection, case: Case
):
    wanted = [(call.status, call.body) for call in case.calls]

    api.reset()
    local = [locally(api, *call[:3]) for call in case.calls]
    api.reset()
    remote = [over_http(client, *call[:3]) for call in case.calls]

    assert [seen(answer) for answer in local] == wanted
    # B16: the very same bytes, under the same name.
    assert remote == local


def test_B16_the_same_request_is_answered_alike_by_handle_and_dispatch(api: FauxServer):
    calls = [call for case in CASES for call in case.calls]
    api.reset()
    local = [locally(api, *call[:3]) for call in calls]
    api.reset()

    async def handled(call: Any, base: str | None) -> tuple[int, str | None, bytes]:
        url = call.url if base is None else f"http://localhost{call.url}"
        response = await api.handle(Request(call.method, url, call.data, base=base))
        assert response is not None
        status, headers, body = response.encode()
        return status, headers.get("content-type"), body

    for base in (None, "/", "http://localhost/app/"):
        api.reset()
        assert [asyncio.run(handled(call, base)) for call in calls] == local


def test_B16_python_clients_are_answered_with_the_same_bytes(api: FauxServer):
    calls = [call for case in CASES for call in case.calls]
    api.reset()
    local = [locally(api, *call[:3]) for call in calls]
    api.reset()

    with httpx.Client(transport=FauxTransport(api), base_url="http://test") as client:
        answers = [
            client.request(call.method, call.url, **({} if call.data is None else {"json": call.data}))
            for call in calls
        ]
    by_httpx = [(answer.status_code, answer.headers.get("content-type"), answer.content) for answer in answers]
    api.reset()
    with requests.Session() as session:
        session.mount("http://test/", FauxAdapter(api))
        replies = [session.request(call.method, f"http://test{call.url}", json=call.data) for call in calls]
    by_requests = [(reply.status_code, reply.headers.get("content-type"), reply.content) for reply in replies]

    assert by_httpx == local
    assert by_requests == local


def test_B12_what_no_route_matches_is_a_404_on_either_side(api: FauxServer, client: http.client.HTTPConnection):
    status, kind, body = over_http(client, "GET", "/nowhere", None)
    local = seen(locally(api, "GET", "/nowhere", None))

    assert (status, kind, sorted(json.loads(body))) == (404, "application/json", ["error"])
    assert (local[0], sorted(local[1])) == (404, ["error"])
    assert local[1]["error"].startswith("Could not resolve API route: GET /nowhere is not answered here.")


def test_B1_one_module_is_an_asgi_application_and_a_local_api(tmp_path: Path):
    (tmp_path / FILE).write_text(ROUTES, encoding="utf-8")
    program = f"""
import asyncio
from {FILE.removesuffix(".py")} import api

async def ask():
    sent = []
    scope = {{"type": "http", "method": "GET", "path": "/contacts/1", "raw_path": b"/contacts/1", "query_string": b"",
              "headers": [(b"host", b"here")], "scheme": "http", "root_path": ""}}
    async def receive():
        return {{"type": "http.request", "body": b"", "more_body": False}}
    async def send(message):
        sent.append(message)
    await api(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])

print(api.dispatch("GET", "/contacts/1").encode()[2], *asyncio.run(ask()))
"""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"PYTHONPATH": f"{Path(__file__).parents[2]}:{tmp_path}"},
    )

    assert ended.stdout == """b'{"name":"Franny"}' 200 b'{"name":"Franny"}'\n"""


def test_B13_the_precedence_is_each_adapters_own():
    def answers(api: APIAdapter) -> Any:
        api.get("/first/:any", lambda success: success("one")).get("/first/second", lambda success: success("two"))
        return api.dispatch("GET", "/first/second").body

    assert [answers(APIAdapter()), answers(APIAdapter(precedence="latest"))] == ["one", "two"]


def test_toString_says_what_it_is():
    assert str(APIAdapter().get("/a", [])) == "<APIAdapter with 1 routes>"
