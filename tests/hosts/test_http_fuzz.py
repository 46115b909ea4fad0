"""Whatever comes over the wire: no hang, no crash, and nothing that is left behind."""

from __future__ import annotations

import asyncio
import http.client
import logging
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from time import monotonic
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fauxserver import FauxServer, HTTPError, Response
from fauxserver.hosts import http1
from fauxserver.hosts.asgi import Application
from fauxserver.hosts.live import Server, address_of, configure, listen
from tests.hosts.wire import ask_on, connect, dial

PATIENCE = 30
EXAMPLES = 350


def routes() -> FauxServer:
    server = FauxServer()
    server.get("health", ["well"])
    server.add_route("echo/*rest", lambda context: [context.http_method, len(context.request.body)])
    server.post("data", lambda data: [str(data)])
    server.get("big", lambda: Response(b"x" * 1_000_000))

    @server.get("raise")
    def fail() -> None:
        raise KeyError("lost")

    @server.get("refuse")
    async def refuse() -> None:
        await asyncio.sleep(0)
        raise HTTPError(403)

    @server.get("wait")
    async def wait() -> list[int]:
        await asyncio.sleep(0.01)
        return [1]

    @server.get("stream")
    def stream() -> Iterator[str]:
        for _ in range(50):
            yield "x" * 1000

    @server.get("events")
    async def events() -> Any:
        # One that only the client ends.
        yield "x"
        await asyncio.Event().wait()

    @server.get("broken")
    async def broken() -> Any:
        yield "x"
        raise KeyError("lost")

    return server


class Complaints(logging.Handler):
    """What the server says that went wrong in it."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))


class Running:
    """A server on a port, whose inside can be seen."""

    def __init__(self) -> None:
        self.app = Application(routes(), most_bytes=100_000)
        self.complaints = Complaints()
        for name in ("fauxserver.http", "uvicorn.error", "asyncio"):
            logging.getLogger(name).addHandler(self.complaints)
        self.listener = listen("127.0.0.1", 0)
        self.url = address_of(self.listener)
        self.server = Server(configure(self.app))
        self.thread = threading.Thread(target=self.server.run, args=([self.listener],))
        self.thread.start()
        self.health: http.client.HTTPConnection | None = None
        while self.health is None:
            with suppress(ConnectionError):
                health = connect(self.url)
                assert ask_on(health, "GET", "/health").json == ["well"]
                self.health = health

    def is_well(self) -> bool:
        assert self.health is not None
        return bool(ask_on(self.health, "GET", "/health").json == ["well"])

    def left(self) -> dict[str, int]:
        """What is there still, besides the connection that asks for its health."""
        state, threads = self.server.server_state, self.app.threads
        assert threads is not None
        return {
            "connections": len(state.connections) - 1,
            "requests": len(self.app.asked),
            "jobs": len(threads._queue),
            "tasks": len(threads._loop.tasks) if threads._loop else 0,
            "awaited": len(self.app.server.awaiting),
        }

    def stop(self) -> None:
        assert self.health is not None
        self.health.close()
        self.server.should_exit = True
        self.thread.join()
        self.listener.close()
        for name in ("fauxserver.http", "uvicorn.error", "asyncio"):
            logging.getLogger(name).removeHandler(self.complaints)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    before = threading.active_count()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HEAD_TIME", "BODY_TIME", "HALF_TIME", "LINGER"):
            patch.setattr(http1, name, 0.2)
        running = Running()
        yield running
        running.stop()
    assert threading.active_count() == before


# --- What is said ----------------------------------------------------------------------------------------------------


class Talk(NamedTuple):
    """What is sent on a connection, in these pieces, and how it ends."""

    pieces: list[bytes]
    end: str
    """`half`: the side is closed; `close`, `reset`: all of it; `stay`: nothing more is said."""

    def __repr__(self) -> str:
        said = ", ".join(re.sub(r"(.)\1{99,}", r"\1…", repr(piece)) for piece in self.pieces)
        return f"Talk([{said}], {self.end!r})"


known = st.sampled_from(
    [
        *(
            b"/health",
            b"/echo/a",
            b"/data",
            b"/big",
            b"/raise",
            b"/refuse",
            b"/wait",
            b"/stream",
            b"/events",
            b"/broken",
        ),
        *(b"/nowhere", b"*", b"/", b"http://faux.test/health", b"/health?a=%zz&b", b"/%", b"//health", b"/health#a"),
    ]
)
garbage = st.binary(max_size=60)
methods = st.one_of(
    st.sampled_from([b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"HEAD", b"OPTIONS", b"TRACE", b"CONNECT", b"PRI"]),
    st.sampled_from([b"get", b"G\xc3\x89T", b"BREW", b"", b" GET", b"GET\t", b"M" * 200]),
)
targets = st.one_of(
    known, known, st.binary(max_size=40).map(lambda rest: b"/" + rest), garbage, st.just(b"/" + b"a" * 70_000)
)
versions = st.sampled_from(
    [b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2", b"HTTP/1.11", b""]
)
lengths = st.sampled_from(
    [b"0", b"5", b"5", b"200000", b"-1", b"+5", b"5, 5", b"5, 6", b"0x5", b"99999999999999999999", b"", b"\xff"]
)
headers = st.lists(
    st.one_of(
        st.tuples(st.just(b"Content-Length"), lengths),
        st.tuples(
            st.just(b"Transfer-Encoding"),
            st.sampled_from([b"chunked", b"chunked", b"identity", b"gzip, chunked", b"x"]),
        ),
        st.tuples(
            st.just(b"Content-Type"),
            st.sampled_from(
                [b"application/json", b"multipart/form-data; boundary=x", b"text/plain; charset=nope", b";"]
            ),
        ),
        st.tuples(st.just(b"Connection"), st.sampled_from([b"close", b"keep-alive", b"upgrade", b"\x01"])),
        st.tuples(st.just(b"Upgrade"), st.sampled_from([b"websocket", b"h2c"])),
        st.tuples(st.just(b"Expect"), st.sampled_from([b"100-continue", b"more"])),
        st.tuples(st.just(b"Host"), garbage),
        st.tuples(st.just(b"Origin"), garbage),
        st.tuples(st.just(b"Accept"), st.just(b"text/event-stream")),
        st.tuples(garbage, garbage),
        st.tuples(st.just(b"X-Long"), st.just(b"x" * 70_000)),
    ),
    max_size=5,
)
chunk = st.one_of(
    st.binary(max_size=20).map(lambda data: b"%x\r\n%s\r\n" % (len(data), data)),
    st.sampled_from([b"0\r\n\r\n", b"5;a=b\r\nhello\r\n", b"fffffffffffffffff\r\n", b"-1\r\n", b"zz\r\n", b"5\r\nhe"]),
)
bodies = st.one_of(
    st.just(b""),
    st.just(b"hello"),
    st.just(b'{"a":1}'),
    st.binary(max_size=100),
    st.just(b"x" * 150_000),
    st.lists(chunk, max_size=5).map(lambda chunks: b"".join(chunks) + b"0\r\n\r\n"),
)


@st.composite
def requests(draw: Any) -> bytes:
    """A request, right or wrong."""
    line_end = draw(st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\r\n"]))
    line = b" ".join(part for part in (draw(methods), draw(targets), draw(versions)))
    lines = [line, *(name + b": " + value for name, value in draw(headers)), b"", b""]
    return bytes(line_end.join(lines) + draw(bodies))


def good(target: bytes) -> bytes:
    return b"GET %s HTTP/1.1\r\nHost: faux.test\r\n\r\n" % target


@st.composite
def talks(draw: Any) -> Talk:
    """A few requests on one connection, cut anywhere."""
    said = draw(st.lists(st.one_of(requests(), known.map(good), garbage), min_size=0, max_size=3))
    text = b"".join(said)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=4)))
    pieces = [text[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    return Talk(pieces, draw(st.sampled_from(["half", "half", "close", "reset", "stay"])))


# --- And what comes of it --------------------------------------------------------------------------------------------


def speak(connection: socket.socket, piece: bytes) -> None:
    # It may have been closed: after what is no request, nothing more is heard.
    with suppress(ConnectionError):
        connection.sendall(piece)


def finish(connection: socket.socket, end: str) -> bytes:
    """End a talk as it is to end, and give what was answered."""
    heard = b""
    with suppress(ConnectionError), suppress(TimeoutError) if end == "stay" else nullcontext():
        if end == "half":
            with suppress(OSError):  # It may have been closed already.
                connection.shutdown(socket.SHUT_WR)
        if end in ("half", "stay"):
            # Who says nothing more is told that it takes too long; but what they asked for may be endless.
            connection.settimeout(PATIENCE if end == "half" else 0.3)
            while piece := connection.recv(65536):
                heard += piece
        if end == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return heard


@given(st.lists(talks(), min_size=1, max_size=3))
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_whatever_comes_is_answered_or_refused_and_leaves_nothing_behind(running: Running, talk: list[Talk]) -> None:
    connections = [dial(running.url) for _ in talk]
    for turn in range(max(len(each.pieces) for each in talk)):
        for connection, each in zip(connections, talk, strict=True):
            if turn < len(each.pieces):
                speak(connection, each.pieces[turn])
    assert running.is_well()
    heard = [finish(connection, each.end) for connection, each in zip(connections, talk, strict=True)]

    for answer in heard:
        assert answer == b"" or re.match(rb"HTTP/1\.1 [1-5]\d\d [A-Z]", answer)
        assert not answer.endswith(b"Internal Server Error")
    until = monotonic() + PATIENCE
    while any(running.left().values()) and monotonic() < until:
        assert running.is_well()
    assert set(running.left().values()) == {0}
    assert running.complaints.said == []
