"""Where handlers run over HTTP: one after another, and no one who blocks holds up the others."""

import asyncio
import gc
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fauxserver import FauxServer
from fauxserver.hosts import asked
from fauxserver.hosts.asgi import Application
from fauxserver.hosts.live import serving
from fauxserver.hosts.threads import Threads
from tests.hosts.wire import ask, dial, say


class Gate:
    """What a handler stands before until it is let through; whoever is left standing goes at the end of the test."""

    def __init__(self):
        self.reached = threading.Semaphore(0)
        self.open = threading.Event()

    def wait(self):
        self.reached.release()
        assert self.open.wait(60)


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.open.set()


@pytest.fixture
def server():
    return FauxServer()


@pytest.fixture
def url(server):
    with serving(server) as url:
        yield url


@pytest.fixture
def later():
    """Ask on a thread."""
    with ThreadPoolExecutor(40) as pool:
        yield lambda *words: pool.submit(ask, *words)


def stand(gate):
    gate.wait()
    return ["through"]


def test_handlers_run_on_one_thread_where_no_event_loop_runs(server, url):
    def where():
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return [threading.get_ident(), asyncio.run(asyncio.sleep(0, "ran"))]

    server.get("where", where)

    found = [ask(url, "GET", "/where").json for _ in range(5)]

    assert found == [found[0]] * 5
    assert found[0] != [threading.get_ident(), "ran"]


def test_what_belongs_to_a_thread_is_shared_by_all_handlers(server, url):
    made = []

    def create():
        made.append(sqlite3.connect(":memory:"))
        made[0].execute("create table books (title)")

    async def insert(data):
        await asyncio.sleep(0)
        made[0].execute("insert into books values (?)", data)

    def read():
        return made[0].execute("select title from books").fetchall()

    server.put("books", create).post("books", insert).get("books", read).delete("books", lambda: made[0].close())

    ask(url, "PUT", "/books")
    for title in ("Franny", "Zooey"):
        ask(url, "POST", "/books", f'["{title}"]', {"Content-Type": "application/json"})

    found = ask(url, "GET", "/books").json
    closed = ask(url, "DELETE", "/books").status

    assert (found, closed) == ([["Franny"], ["Zooey"]], 204)


def test_a_queue_connects_handlers_of_both_kinds(server, url, later):
    listening = threading.Event()
    queues = []

    async def listen():
        queues.append(asyncio.Queue())
        listening.set()
        return [await queues[0].get()]

    server.get("news", listen).post("news", lambda data: queues[0].put_nowait(data))

    heard = later(url, "GET", "/news")
    assert listening.wait(30)
    ask(url, "POST", "/news", "something new", {"Content-Type": "text/plain"})

    assert heard.result(30).json == ["something new"]


@pytest.mark.parametrize("times", [1, 20])
def test_a_handler_that_blocks_leaves_the_others_alone(server, url, later, gate, times):
    server.get("block", lambda: stand(gate)).get("books", [1])

    async def wait():
        await asyncio.sleep(0.01)
        return [2]

    server.get("wait", wait)

    blocked = [later(url, "GET", "/block") for _ in range(times)]
    for _ in blocked:
        assert gate.reached.acquire(timeout=30)
    answers = [ask(url, "GET", path).json for path in ("/books", "/wait", "/books")]
    gate.open.set()

    assert answers == [[1], [2], [1]]
    assert [each.result(30).json for each in blocked] == [["through"]] * times


def test_what_was_waiting_when_a_handler_blocked_goes_on(server, url, later, gate):
    waiting = threading.Event()

    async def wait():
        waiting.set()
        await asyncio.sleep(0.2)
        return ["waited"]

    async def stream():
        for number in range(3):
            yield f"{number}"
            await asyncio.sleep(0.1)

    server.get("wait", wait).get("stream", stream).get("block", lambda: stand(gate))

    answers = [later(url, "GET", "/wait"), later(url, "GET", "/stream")]
    assert waiting.wait(30)
    blocked = later(url, "GET", "/block")
    assert gate.reached.acquire(timeout=30)

    assert [answer.result(30).body for answer in answers] == [b'["waited"]', b"012"]
    gate.open.set()
    assert blocked.result(30).json == ["through"]


def test_after_a_handler_has_blocked_all_is_as_before(server, url, later, gate):
    server.get("block", lambda: stand(gate)).get("where", lambda: [threading.get_ident()])
    home = ask(url, "GET", "/where").json

    blocked = later(url, "GET", "/block")
    assert gate.reached.acquire(timeout=30)
    elsewhere = ask(url, "GET", "/where").json
    gate.open.set()
    blocked.result(30)
    while ask(url, "GET", "/where").json != home:
        pass

    assert elsewhere != home


def test_an_asynchronous_handler_that_blocks_leaves_new_requests_alone(server, url, later, gate):
    async def block():
        gate.wait()
        return ["through"]

    async def wait():
        await asyncio.sleep(0)
        return [2]

    server.get("block", block).get("books", [1]).get("wait", wait)

    blocked = later(url, "GET", "/block")
    assert gate.reached.acquire(timeout=30)
    answers = [ask(url, "GET", path).json for path in ("/books", "/wait", "/books")]
    gate.open.set()

    assert answers == [[1], [2], [1]]
    assert blocked.result(30).json == ["through"]


def test_a_generator_that_sleeps_leaves_the_others_alone(server, url, later, gate):
    def stream():
        yield "a"
        gate.wait()
        yield "b"

    server.get("stream", stream).get("books", [1])

    streams = [later(url, "GET", "/stream") for _ in range(5)]
    for _ in streams:
        assert gate.reached.acquire(timeout=30)
    answer = ask(url, "GET", "/books").json
    gate.open.set()

    assert answer == [1]
    assert [stream.result(30).body for stream in streams] == [b"ab"] * 5


def test_a_handler_that_never_ends_leaves_the_others_alone(server, url):
    stop = []

    def loop():
        while not stop:
            pass

    server.get("loop", loop).get("books", [1])

    with dial(url) as connection:
        connection.sendall(b"GET /loop HTTP/1.1\r\nHost: x\r\n\r\n")
        answers = [ask(url, "GET", "/books").json for _ in range(5)]
        stop.append(True)

    assert answers == [[1]] * 5


def test_a_handler_that_takes_long_is_known_afterwards(server, later):
    app = Application(server)

    def slow():
        time.sleep(0.06)

    server.get("slow", slow).get("quick", [])
    with serving(app) as url:
        ask(url, "GET", "/slow")
        ask(url, "GET", "/quick")
        known = {route.label for route in app.slow}

    assert known == {"slow"}


def test_its_threads_end_when_it_is_closed():
    async def work():
        threads = Threads()
        done = [await threads.call(lambda: threading.get_ident()) for _ in range(3)]
        threads.close()
        return done, threads

    done, threads = asyncio.run(work())

    assert len(set(done)) == 1
    assert threads.workers == set()


def test_its_threads_end_when_nobody_has_it_any_more():
    app = Application(FauxServer().get("x", []))
    threads = app.threads
    asyncio.run(threads.call(bool))
    (worker,) = threads.workers

    del app
    gc.collect()

    worker.thread.join(30)
    assert not worker.thread.is_alive()


def test_what_it_is_asked_from_several_event_loops_is_answered():
    threads = Threads()

    def ask():
        async def asking():
            return [await threads.call(lambda n=n: n) for n in range(50)]

        return asyncio.run(asking())

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(ask) for _ in range(20)]
        assert [answer.result(30) for answer in answers] == [list(range(50))] * 20
    threads.close()


def test_what_a_call_raises_comes_back():
    async def fail():
        raise KeyError("lost")

    async def work():
        threads = Threads()
        try:
            await threads.call(fail)
        finally:
            threads.close()

    with pytest.raises(KeyError, match="lost"):
        asyncio.run(work())


@pytest.mark.parametrize("kind", ["handler", "generator", "one that catches all"])
def test_what_never_ends_is_stopped_once_its_client_has_left(server, url, monkeypatch, kind):
    monkeypatch.setattr(asked, "STOPPED", 0.05)
    begun, ended = threading.Event(), threading.Event()

    def loop():
        begun.set()
        try:
            while True:
                pass
        finally:
            ended.set()

    def generate():
        yield "a"
        loop()

    def catch():
        try:
            loop()
        except BaseException:
            return []

    server.get("loop", {"handler": loop, "generator": generate}.get(kind, catch)).get("books", [1])

    with dial(url) as connection:
        connection.sendall(b"GET /loop HTTP/1.1\r\nHost: x\r\n\r\n")
        assert begun.wait(30)

    assert ended.wait(30)
    assert ask(url, "GET", "/books").json == [1]


def test_a_client_that_leaves_a_generator_that_sleeps_has_it_closed(server, url, gate):
    closed = threading.Event()

    def stream():
        try:
            yield "a"
            gate.wait()
            yield "b"
        finally:
            closed.set()

    server.get("stream", stream)

    with dial(url) as connection:
        connection.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        assert gate.reached.acquire(timeout=30)
    while server.awaiting or len(server.journal) < 1:
        ask(url, "GET", "/nowhere")
    gate.open.set()

    assert closed.wait(30)


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration, asyncio.CancelledError])
def test_whatever_is_raised_ends_no_more_than_its_request(server, url, error):
    def fail():
        raise error

    async def fail_later():
        await asyncio.sleep(0)
        raise error

    def stream():
        yield "a"
        raise error

    async def stream_later():
        yield "a"
        raise error

    async def leave_behind():
        tasks.append(asyncio.get_running_loop().create_task(fail_later()))
        await asyncio.sleep(0)
        return [1]

    tasks = []
    server.get("def", fail).get("async", fail_later).get("stream", stream).get("stream-async", stream_later)
    server.get("task", leave_behind).get("well", [1])

    failed = [ask(url, "GET", path).status for path in ("/def", "/async")]
    broken = [say(url, b"GET /%s HTTP/1.1\r\n\r\n" % path) for path in (b"stream", b"stream-async")]

    assert failed == [500, 500]
    assert [answer.endswith(b"1\r\na\r\n") for answer in broken] == [True, True]
    if error not in (SystemExit, KeyboardInterrupt):
        ask(url, "GET", "/task")
    assert [ask(url, "GET", "/well").json for _ in range(3)] == [[1]] * 3
    heard = [task.cancelled() or task.exception() for task in tasks]
    assert len(heard) == (error not in (SystemExit, KeyboardInterrupt))


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_a_task_that_means_to_end_all_is_told_and_ends_itself(server, url, error, capfd):
    async def fail():
        raise error

    async def leave_behind():
        tasks.append(asyncio.get_running_loop().create_task(fail()))
        await asyncio.sleep(0)
        return [1]

    tasks = []
    server.get("task", leave_behind)

    answers = [ask(url, "GET", "/task").json for _ in range(3)]

    assert answers == [[1]] * 3
    assert [type(task.exception()) for task in tasks] == [error] * 3
    assert capfd.readouterr().err.count("raise error") == 3


def test_an_asynchronous_handler_that_never_ends_is_stopped_too_and_who_waits_there_goes_on(
    server, url, later, monkeypatch
):
    monkeypatch.setattr(asked, "STOPPED", 0.05)
    waiting, begun, ended = threading.Event(), threading.Event(), threading.Event()

    async def wait():
        waiting.set()
        await asyncio.sleep(0.1)
        return ["waited"]

    async def loop():
        begun.set()
        try:
            while True:
                pass
        finally:
            ended.set()

    server.get("wait", wait).get("loop", loop)

    answer = later(url, "GET", "/wait")
    assert waiting.wait(30)
    with dial(url) as connection:
        connection.sendall(b"GET /loop HTTP/1.1\r\nHost: x\r\n\r\n")
        assert begun.wait(30)

    assert ended.wait(30)
    assert answer.result(30).json == ["waited"]
    assert ask(url, "GET", "/wait").json == ["waited"]
