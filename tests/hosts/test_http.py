"""A server on a real port: what HTTP has besides requests and answers."""

import asyncio
import json
import socket
import struct
import threading

import pytest

from fauxserver import FauxServer, HTTPError, Response
from fauxserver.errors import HostError
from fauxserver.hosts import http1
from fauxserver.hosts.asgi import Application
from fauxserver.hosts.http import MOST_BYTES, MOST_HEADER_BYTES
from fauxserver.hosts.live import listen, serving
from tests.hosts.wire import Reply, ask, ask_on, connect, dial, head_of, read_all, say


@pytest.fixture
def server():
    return FauxServer()


@pytest.fixture
def url(server):
    with serving(server) as url:
        yield url


def test_a_connection_is_kept_for_the_next_request(server, url):
    server.post("books", lambda data: {"got": data})
    connection = connect(url)

    answers = [
        ask_on(connection, "POST", "/books", json.dumps([n]), {"Content-Type": "application/json"}) for n in range(3)
    ]
    sockets = {connection.sock}
    connection.close()

    assert len(sockets) == 1
    assert answers[2] == Reply(200, {"content-length": "11", "content-type": "application/json"}, b'{"got":[2]}')


def test_requests_that_come_at_once_are_answered_in_their_order(server, url):
    server.get("echo/:n", lambda n: [n])
    request = b"GET /echo/%d HTTP/1.1\r\nHost: x\r\n%s\r\n"

    answer = say(url, b"".join(request % (n, b"Connection: close\r\n" if n == 4 else b"") for n in range(5)))

    assert [part[:5] for part in answer.split(b"\r\n\r\n")[1:]] == [b'["0"]', b'["1"]', b'["2"]', b'["3"]', b'["4"]']


def test_a_chunked_body_is_read(server, url):
    server.post("data", lambda data: [data])

    reply = ask(url, "POST", "/data", iter([b'{"a":', b"1}"]), {"Content-Type": "application/json"})

    assert reply.json == [{"a": 1}]


def test_who_asks_whether_to_send_a_body_is_told_to(server, url):
    server.post("data", lambda data: [data])
    head = (
        b"POST /data HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
    )

    with dial(url) as connection:
        connection.sendall(head + b"Connection: close\r\n\r\n")
        first = connection.recv(1000)
        connection.sendall(b"hi")
        rest = read_all(connection)

    assert (head_of(first), head_of(rest), rest.endswith(b'["hi"]')) == (
        b"HTTP/1.1 100 Continue",
        b"HTTP/1.1 200 OK",
        True,
    )


def test_head_has_the_headers_of_get(server, url):
    server.get("books", [1, 2])

    assert ask(url, "HEAD", "/books") == ask(url, "GET", "/books")._replace(body=b"")


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("PUT", "/books/1", 405, "DELETE, GET, HEAD, OPTIONS"),
        ("OPTIONS", "/books/1", 204, "DELETE, GET, HEAD, OPTIONS"),
        ("HEAD", "/books", 405, "OPTIONS, POST"),
        ("OPTIONS", "*", 204, "DELETE, GET, HEAD, OPTIONS, POST"),
        ("OPTIONS", "/nowhere", 404, None),
        ("GET", "/nowhere", 404, None),
    ],
)
def test_a_method_that_no_route_has_is_told_those_that_there_are(server, url, method, path, status, allow):
    server.get("books/:id", []).delete("books/:id", []).post("books", [])

    reply = ask(url, method, path)

    assert (reply.status, reply.headers.get("allow")) == (status, allow)


def test_a_route_for_options_answers_itself(server, url):
    server.get("books", []).add_route("books", ["mine"], method="OPTIONS")

    assert ask(url, "OPTIONS", "/books").json == ["mine"]


def test_what_no_route_wants_may_be_an_error(server):
    server.get("books/:id", []).set_unmatched("live/", "bypass")

    with serving(Application(server, unmatched="error")) as url:
        replies = [ask(url, "GET", path) for path in ("/book/1", "/live/1")]

    assert [reply.status for reply in replies] == [501, 404]
    assert replies[0].json["error"].startswith("GET /book/1 is not answered here. No route matches it")


# Limits


def test_a_body_may_be_as_long_as_the_limit(server):
    server.post("data", lambda context: [len(context.request.body)])

    with serving(Application(server, most_bytes=1000)) as url:
        replies = [ask(url, "POST", "/data", b"x" * size) for size in (1000, 1001, 2_000_000)]
        chunked = ask(url, "POST", "/data", iter([b"x" * 600, b"x" * 600]))

    refused = {"error": "The body is longer than 1000 bytes."}
    assert [(reply.status, reply.json) for reply in (*replies, chunked)] == [
        (200, [1000]),
        (413, refused),
        (413, refused),
        (413, refused),
    ]


def test_who_asks_first_need_not_send_a_body_that_is_too_long(url):
    head = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n" % (MOST_BYTES + 1)

    answer = say(url, head)

    assert (head_of(answer)[:12], answer.count(b"HTTP/1.1")) == (b"HTTP/1.1 413", 1)


@pytest.mark.parametrize(
    ("request_", "status", "error"),
    [
        (
            b"GET / HTTP/1.1\r\nX: " + b"x" * MOST_HEADER_BYTES + b"\r\n\r\n",
            431,
            "The headers are longer than 65536 bytes.",
        ),
        (
            b"GET / HTTP/1.1\r\nA: 1\r\nX: " + b"x" * 400_000,
            431,
            "The headers are longer than 65536 bytes.",
        ),
        (
            b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(9_000)) + b"\r\n",
            431,
            "The headers are longer than 65536 bytes.",
        ),
        (b"GET /" + b"x" * 400_000, 414, "The url is longer than 65536 bytes."),
        (
            b"BREW /pot HTTP/1.1\r\n\r\n",
            400,
            "Invalid HTTP request received. It does not follow HTTP/1.1.",
        ),
        (
            b"\x16\x03\x01\x02\x00\x01",
            400,
            "Invalid HTTP request received. It does not follow HTTP/1.1.",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(url, request_, status, error):
    answer = say(url, request_)

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head_of(head).startswith(b"HTTP/1.1 %d " % status)
    assert json.loads(body) == {"error": error}


def test_who_is_too_slow_is_told(server, monkeypatch):
    monkeypatch.setattr(http1, "HEAD_TIME", 0.05)
    monkeypatch.setattr(http1, "BODY_TIME", 0.05)
    monkeypatch.setattr(http1, "LINGER", 0.05)

    with serving(server) as url:
        answers = [say(url, text) for text in (b"", b"GET / HT", b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab")]

    assert [head_of(answer) for answer in answers] == [
        b"",
        b"HTTP/1.1 408 Request Timeout",
        b"HTTP/1.1 408 Request Timeout",
    ]


def test_a_path_that_was_not_encoded_is(server, url):
    server.get("authors/:name", lambda name: [name])

    answer = say(url, "GET /authors/Böll HTTP/1.1\r\nConnection: close\r\n\r\n".encode())

    assert answer.endswith(b'["B%C3%B6ll"]')


def test_a_header_that_comes_twice_has_both_values(server, url):
    server.get("x", lambda context: [context.headers["x-a"], context.headers["cookie"]])

    answer = say(url, b"GET /x HTTP/1.1\r\nX-A: 1\r\nCookie: a=1\r\nX-A: 2\r\nCookie: b=2\r\nConnection: close\r\n\r\n")

    assert answer.endswith(b'["1, 2","a=1; b=2"]')


@pytest.mark.parametrize(
    ("response", "body"),
    [
        (
            Response([], headers={"x y": "1"}),
            "'x y' is no name of a header. It has letters, digits and hyphens.",
        ),
        (
            Response([], headers={"x-a": "1\r\nSet-Cookie: a"}),
            "The header x-a has a value that cannot be sent: '1\\r\\nSet-Cookie: a'. Leave out line ends.",
        ),
        (Response([], 101), "Status 101 announces an answer and is none. Give one from 200 to 599."),
    ],
)
def test_what_http_cannot_send_is_an_error_that_says_so(server, url, response, body):
    server.get("x", lambda: response)

    reply = ask(url, "GET", "/x")

    assert (reply.status, reply.body.decode()) == (500, body)


def test_how_long_a_body_is_we_know_better(server, url):
    server.get("x", lambda: Response(["é"], headers={"Content-Length": "1", "Transfer-Encoding": "chunked"}))

    assert ask(url, "GET", "/x") == Reply(
        200, {"content-length": "6", "content-type": "application/json"}, '["é"]'.encode()
    )


# Clients that leave


def test_a_client_that_closes_its_side_is_answered(server, url):
    server.get("x", [1])

    answer = say(url, b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n", close_side=True)

    assert (head_of(answer), answer.endswith(b"[1]")) == (b"HTTP/1.1 200 OK", True)


@pytest.fixture
def leave():
    """Hang up, so that the other side notices."""

    def leave(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    return leave


@pytest.mark.parametrize("kind", ["def", "async"])
def test_a_client_that_leaves_a_stream_ends_its_generator(server, url, leave, kind):
    ended = threading.Event()

    def plain():
        try:
            while True:
                yield "x"
        finally:
            ended.set()

    async def asynchronous():
        try:
            yield "x"
            await asyncio.Event().wait()
        finally:
            ended.set()

    server.get("stream", plain if kind == "def" else asynchronous)
    connection = dial(url)
    connection.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
    assert connection.recv(1000)

    leave(connection)

    assert ended.wait(30)


def test_a_client_that_leaves_an_asynchronous_handler_cancels_it(server, url, leave):
    begun, cancelled = threading.Event(), threading.Event()

    async def wait():
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    server.get("wait", wait)
    connection = dial(url)
    connection.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
    assert begun.wait(30)

    leave(connection)

    assert cancelled.wait(30)
    assert [entry.status for entry in server.journal] == [0]


def test_a_client_that_leaves_during_the_latency_has_its_handler_not_run(server, url, leave):
    ran, accepted = [], threading.Event()

    def latency():
        accepted.set()
        return 600_000

    server.get("x", lambda: ran.append(1)).set_latency(latency)
    connection = dial(url)
    connection.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
    assert accepted.wait(30)

    leave(connection)
    server.set_latency(0)
    while not server.journal:
        ask(url, "GET", "/nowhere")

    assert ([entry.status for entry in server.journal], ran) == ([0], [])


def test_a_stream_that_fails_breaks_off_and_the_journal_knows_why(server, url):
    def stream():
        yield "a"
        raise HTTPError(500, "no more")

    server.get("stream", stream)

    answer = say(url, b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")

    assert answer.endswith(b"1\r\na\r\n")


def test_all_that_was_begun_is_ended_with_the_server(server):
    async def forever():
        while True:
            yield "x"
            await asyncio.sleep(0.001)

    def kinds():
        return {thread.name for thread in threading.enumerate() if thread.name.startswith("fauxserver")}

    server.get("stream", forever).get("wait", lambda: asyncio.Event().wait())
    before = kinds()
    with serving(server) as url:
        streaming, waiting = dial(url), dial(url)
        streaming.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        assert streaming.recv(1000)
        waiting.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        assert kinds() > before

    read_all(streaming)
    answer = read_all(waiting)
    for connection in (streaming, waiting):
        connection.close()
    assert kinds() == before
    assert head_of(answer) == b"HTTP/1.1 503 Service Unavailable"


def test_a_socket_does_not_hold_back_small_packets():
    with listen("127.0.0.1", 0) as listener:
        # asyncio asks for this before it turns that off.
        assert listener.proto == socket.IPPROTO_TCP


def test_a_port_may_be_on_any_address():
    with serving(FauxServer().get("x", [1]), host="::1") as url:
        assert (url.startswith("http://[::1]:"), ask(url, "GET", "/x").json) == (True, [1])


def test_an_application_that_does_not_start_is_told():
    async def broken(scope, receive, send):
        assert scope["type"] == "lifespan"
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no"})

    with pytest.raises(HostError, match=r"^Cannot serve: the application has not started\."), serving(broken):
        raise AssertionError("It has started.")
