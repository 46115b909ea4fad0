"""Where handlers run that Python's clients ask: on the thread of who asks, and with no surprises."""

import asyncio
import doctest
import json
import re
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import requests
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

import fauxserver.hosts.httpx
import fauxserver.hosts.requests
from fauxserver import FauxServer
from fauxserver.hosts.faux import Faux
from fauxserver.hosts.httpx import AsyncFauxTransport, FauxTransport
from fauxserver.hosts.live import serving
from fauxserver.hosts.requests import FauxAdapter
from fauxserver.routefile import RouteFile

ADDRESS = "http://faux.test"


def by_httpx(server, path="/x", method="GET", **options):
    with httpx.Client(transport=FauxTransport(server), base_url=ADDRESS) as client:
        return client.request(method, path, **options)


def by_requests(server, path="/x", method="GET", content=None, **options):
    with requests.Session() as session:
        session.mount(ADDRESS, FauxAdapter(server))
        return session.request(method, ADDRESS + path, data=content, **options)


def by_httpx_asynchronously(server, path="/x", method="GET", **options):
    async def main():
        async with httpx.AsyncClient(transport=AsyncFauxTransport(server), base_url=ADDRESS) as client:
            return await client.request(method, path, **options)

    return asyncio.run(main())


every_client = pytest.mark.parametrize("ask", [by_httpx, by_requests, by_httpx_asynchronously])
synchronous_client = pytest.mark.parametrize("ask", [by_httpx, by_requests])


def inside(function):
    """Call it where an event loop runs, as a notebook does."""

    async def main():
        return function()

    return asyncio.run(main())


@every_client
def test_a_def_handler_may_run_an_event_loop_whatever_asks(ask):
    async def later():
        await asyncio.sleep(0)
        return ["later"]

    server = FauxServer().get("x", lambda: asyncio.run(later()))

    assert ask(server).json() == ["later"]


@synchronous_client
def test_a_synchronous_client_may_be_called_where_an_event_loop_runs(ask):
    async def later():
        await asyncio.sleep(0)
        return ["later"]

    async def pieces():
        yield "a"
        await asyncio.sleep(0)
        yield "b"

    server = FauxServer().get("x", later).get("pieces", pieces).get("run", lambda: asyncio.run(later()))

    found = inside(lambda: [ask(server).json(), ask(server, "/pieces").text, ask(server, "/run").json()])

    assert found == [["later"], "ab", ["later"]]


def test_the_loop_that_runs_is_there_again_after_a_handler():
    async def main():
        async with httpx.AsyncClient(transport=AsyncFauxTransport(server), base_url=ADDRESS) as client:
            before = asyncio.current_task(), asyncio.get_running_loop()
            await client.get("/x")
            async with asyncio.timeout(1):
                await asyncio.sleep(0)
            return before == (asyncio.current_task(), asyncio.get_running_loop())

    async def loop_of():
        return None

    server = FauxServer().get("x", lambda: asyncio.run(loop_of()))

    assert asyncio.run(main())


@every_client
def test_what_belongs_to_a_thread_is_of_use_to_all_handlers(ask):
    connection = sqlite3.connect(":memory:")
    server = FauxServer()

    @server.get("x")
    def synchronous():
        return list(connection.execute("select 1"))

    @server.get("y")
    async def asynchronous():
        await asyncio.sleep(0)
        return list(connection.execute("select 2"))

    @server.get("z")
    async def streamed():
        async def pieces():
            for number in (3, 4):
                await asyncio.sleep(0)
                yield json.dumps(connection.execute(f"select {number}").fetchone())

        return pieces()

    found = [ask(server).json(), ask(server, "/y").json(), ask(server, "/z").text]
    connection.close()

    assert found == [[[1]], [[2]], "[3][4]"]


@synchronous_client
def test_a_task_that_a_handler_leaves_behind_goes_on(ask):
    done = threading.Event()
    tasks = set()

    async def begin():
        async def work():
            for _ in range(3):
                await asyncio.sleep(0.001)
            done.set()

        tasks.add(asyncio.create_task(work()))
        return [], 202

    server = FauxServer().post("x", begin)

    assert ask(server, method="POST").status_code == 202
    assert done.wait(30)
    # And the next one is answered.
    assert ask(server, method="POST").status_code == 202


@synchronous_client
def test_threads_ask_at_once_and_handlers_wait_for_each_other(ask):
    together = asyncio.Barrier(8)

    async def meet():
        return [await together.wait() >= 0]

    server = FauxServer().get("x", meet).get("y", lambda: [threading.get_ident()])

    with ThreadPoolExecutor(8) as pool:
        met = list(pool.map(lambda _: ask(server).json(), range(8)))
        threads = list(pool.map(lambda _: [threading.get_ident()] == ask(server, "/y").json(), range(50)))

    assert (met, threads) == ([[True]] * 8, [True] * 50)


@every_client
def test_a_handler_may_be_a_client_itself(ask):
    server = FauxServer()

    @server.get("x")
    async def outer():
        # As real code does that was not written for it.
        return by_httpx(server, "/inner").json()

    @server.get("inner")
    async def inner():
        await asyncio.sleep(0)
        return ["inner"]

    server.get("y", lambda: by_requests(server, "/inner").json())

    assert (ask(server).json(), ask(server, "/y").json()) == (["inner"], ["inner"])


@every_client
def test_an_error_in_a_handler_is_a_500_with_the_line_and_is_in_the_journal(ask):
    async def wrong():
        return {}["missing"]

    server = FauxServer().get("x", wrong)
    line = wrong.__code__.co_firstlineno + 1

    answer = ask(server)

    told = f"KeyError: 'missing' (in wrong, test_clients.py:{line})"
    assert (answer.status_code, answer.text) == (500, told)
    assert [(entry.status, entry.error.message) for entry in server.journal] == [(500, told)]


@every_client
def test_a_body_that_cannot_be_read_is_refused_with_the_reason(ask):
    server = FauxServer().post("x", lambda data: data)

    answer = ask(server, method="POST", content="{", headers={"content-type": "application/json"})

    assert answer.status_code == 400
    assert answer.json()["error"].startswith("The body is sent as application/json, and is no JSON: ")
    assert [entry.status for entry in server.journal] == [400]


@every_client
def test_a_client_that_does_not_wait_has_dropped_its_request(ask):
    ran = []
    server = FauxServer().get("x", lambda: ran.append(1)).set_latency(30_000)

    with pytest.raises((httpx.ReadTimeout, requests.ReadTimeout)):
        ask(server, timeout=0.05)

    assert (ran, [(entry.status, entry.delay) for entry in server.journal]) == ([], [(0, 30_000)])


@every_client
def test_a_handlers_own_timeout_is_no_timeout_of_the_client(ask):
    async def handler():
        raise TimeoutError("of the database")

    server = FauxServer().get("x", handler)

    assert ask(server, timeout=30).text.startswith("TimeoutError: of the database (in handler, ")


@every_client
def test_the_context_knows_of_a_request_what_a_server_would_know(ask):
    server = FauxServer()
    server.post("x", lambda context: [context.url, context.headers["host"], context.http_method_override])

    answer = ask(server, "/x?a=1", "POST", headers={"X-HTTP-Method-Override": "PATCH"})

    assert answer.json() == ["http://faux.test/x?a=1", "faux.test", "PATCH"]


@every_client
def test_a_tests_own_server_tells_what_its_clients_asked(ask):
    faux = Faux().get("x", [])
    location = faux.get_route_at(0).location

    ask(faux)
    with pytest.raises((httpx.ConnectError, requests.ConnectionError)):
        ask(faux, "/x/7")

    assert re.sub(r"\d+ ms", "0 ms", faux.report()).splitlines() == [
        f"GET http://faux.test/x → 200, 0 ms, a value {location}",
        f'GET http://faux.test/x/7 → no route. Nearest: GET x ({location}) has nothing for "7"',
    ]


def test_who_is_cancelled_has_dropped_its_request():
    async def main():
        begun, ended = asyncio.Event(), []

        async def handler():
            begun.set()
            try:
                await asyncio.sleep(3600)
            finally:
                ended.append(True)

        server = FauxServer().get("x", handler)
        async with httpx.AsyncClient(transport=AsyncFauxTransport(server), base_url=ADDRESS) as client:
            task = asyncio.create_task(client.get("/x"))
            await begun.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return task.cancelled(), ended, [entry.status for entry in server.journal]

    assert asyncio.run(main()) == (True, [True], [0])


def test_trios_loop_will_do():
    opened = []

    async def gate():
        yield "a"
        while not opened:
            await asyncio.sleep(0.001)
        yield "b"

    async def main():
        async with httpx.AsyncClient(transport=AsyncFauxTransport(server), base_url=ADDRESS) as client:
            found = [(await client.get("/x")).json(), (await client.get("/gate")).text]
            with pytest.raises(httpx.ReadTimeout):
                await client.get("/late", timeout=0.05)
            return found

    server = FauxServer().get("x", lambda: opened.append(1) or asyncio.run(later())).get("gate", gate).get("late", [])
    server.set_latency(lambda context: 30_000 if "late" in context.url else 0)

    async def later():
        return ["later"]

    assert trio.run(main) == [["later"], "ab"]


@synchronous_client
def test_reset_drops_what_waits_in_another_thread(ask):
    begun = threading.Event()

    async def handler():
        begun.set()
        await asyncio.sleep(3600)

    server = FauxServer().get("x", handler)
    server.ready()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, server)
        begun.wait()
        server.reset()

        assert waiting.result(30).status_code == 503


@pytest.fixture(scope="module")
def pairs():
    """A real client and one of ours, of each library."""
    file = RouteFile("tests/hosts/client_routes.py")
    file.run()
    (server,) = file.servers
    with (
        serving(server) as url,
        httpx.Client(base_url=url) as client,
        httpx.Client(base_url=url, transport=FauxTransport(server)) as our_client,
        requests.Session() as session,
        requests.Session() as our_session,
    ):
        our_session.mount("http://", FauxAdapter(server))

        def by_client(client):
            return lambda method, path, body, **options: client.request(method, path, content=body, **options)

        def by_session(session):
            return lambda method, path, body, **options: session.request(method, url + path, data=body, **options)

        yield [(by_client(client), by_client(our_client)), (by_session(session), by_session(our_session))]


texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "PURGE", "OPTIONS"]),
    texts,
    st.dictionaries(texts, texts | st.lists(texts, max_size=3), max_size=3),
    st.dictionaries(
        st.text("abcxyz-_.!", min_size=1, max_size=8).map(lambda name: f"x-{name}"),
        st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=10),
        max_size=3,
    ),
    st.none() | st.binary(max_size=30),
)
def test_whatever_is_asked_the_server_is_told_what_it_is_told_over_a_real_port(
    pairs, method, path, query, headers, body
):
    for real, ours in pairs:
        native, answered = (ask(method, f"/told/{path}", body, params=query, headers=headers) for ask in (real, ours))

        assert (answered.status_code, answered.content) == (native.status_code, native.content)


SCRIPT = """
import asyncio
import httpx
from fauxserver import FauxServer
from fauxserver.hosts.httpx import FauxTransport

async def events():
    while True:
        yield "x"
        await asyncio.sleep(0)

async def begin():
    asyncio.get_running_loop().begun = asyncio.create_task(asyncio.sleep(3600))
    return []

server = FauxServer().get("events", events).get("begin", begin)
client = httpx.Client(transport=FauxTransport(server), base_url="http://faux.test")
print(client.get("/begin").text)
response = client.send(client.build_request("GET", "/events"), stream=True)
print(next(response.iter_text()))
"""


def test_a_program_ends_whatever_it_leaves_open():
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", SCRIPT]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "[]\nx\n", "")


@pytest.mark.parametrize("module", [fauxserver.hosts.httpx, fauxserver.hosts.requests])
def test_the_examples_run(module):
    failed, examples = doctest.testmod(module)

    assert (failed, examples >= 3) == (0, True)
