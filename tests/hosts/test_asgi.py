"""A server as an ASGI application."""

import asyncio
import json

import pytest

from fauxserver import FauxServer, HTTPError, Response
from fauxserver.hosts import asgi


class Client:
    """As much of an ASGI server as one request needs."""

    def __init__(self, app):
        self.app = app

    def ask(self, method, target, body=b"", headers=None, **scope):
        """Status, headers and the pieces of the body."""
        return asyncio.run(self.send(method, target, body, headers or {}, **scope))

    async def send(self, method, target, body, headers, **scope):
        path, _, query = target.partition("?")
        given = {"host": "faux.test", **headers}
        scope = {
            "type": "http",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "server": ("127.0.0.1", 8000),
            **scope,
        }
        pieces = [body] if isinstance(body, bytes) else list(body)
        messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces[:-1]]
        messages.append({"type": "http.request", "body": pieces[-1] if pieces else b""})
        sent = []

        async def receive():
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        await self.app(scope, receive, send)
        assert sent[0]["type"] == "http.response.start"
        assert [message.get("more_body", False) for message in sent[1:]] == [True] * (len(sent) - 2) + [False]
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], headers, [message["body"] for message in sent[1:]]


@pytest.fixture
def server():
    return FauxServer()


@pytest.fixture
def client(server):
    return Client(server)


JSON = {"content-type": "application/json"}


def test_json_goes_in_and_comes_out(server, client):
    server.post("books", lambda data: {"got": data})

    assert client.ask("POST", "/books", b'{"title": "\xc3\xa9"}', JSON) == (
        200,
        {"content-length": "22", "content-type": "application/json"},
        ['{"got":{"title":"é"}}'.encode()],
    )


@pytest.mark.parametrize(
    ("body", "content_type", "data"),
    [
        (b"", "application/json", None),
        (b"[1]", "application/json; charset=utf-8", [1]),
        (b"[1]", "application/vnd.api+json", [1]),
        (b"a=1&b=2&b=%C3%A9+x", "application/x-www-form-urlencoded", {"a": "1", "b": ["2", "é x"]}),
        (b"gr\xc3\xb6\xc3\x9fe", "text/plain;charset=UTF-8", "größe"),
        (b"\0\1", "application/octet-stream", None),
        (b"\0\1", "", None),
        ([b"[1,", b"2]"], "application/json", [1, 2]),
    ],
)
def test_what_was_sent_becomes_data(server, client, body, content_type, data):
    server.post("data", lambda context: [context.data, len(context.request.body)])

    status, _, pieces = client.ask("POST", "/data", body, {"content-type": content_type} if content_type else {})

    assert (status, json.loads(pieces[0])) == (200, [data, len(b"".join(body) if isinstance(body, list) else body)])


@pytest.mark.parametrize(
    ("body", "content_type", "status", "error"),
    [
        (
            b"{'a': 1}",
            "application/json",
            400,
            "The body is sent as application/json, and is no JSON: Expecting property name enclosed in double quotes: "
            "line 1 column 2 (char 1).",
        ),
        (b"\xff\xff", "application/x-www-form-urlencoded", 400, None),
        (b"\xff\xff", "application/json", 400, None),
        (b"[" * 100_000, "application/json", 400, None),
        (b"x" * (asgi.MOST_BYTES + 1), "text/plain", 413, "The body is longer than 16777216 bytes."),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_the_reason(server, client, body, content_type, status, error):
    ran = []
    server.post("data", lambda data: ran.append(data))

    found, headers, pieces = client.ask("POST", "/data", body, {"content-type": content_type})

    told = json.loads(pieces[0])["error"]
    assert (found, headers["content-type"], ran) == (status, "application/json", [])
    assert told == error or (
        error is None and told.startswith(f"The body is sent as {content_type.rpartition('=')[2]}"[:19])
    )


def test_a_body_that_cannot_be_read_is_in_the_journal(server, client):
    server.post("data", lambda data: data)

    _, _, pieces = client.ask("POST", "/data", b"{", JSON)

    assert [(entry.status, entry.error) for entry in server.journal] == [(400, json.loads(pieces[0])["error"])]


def test_a_form_with_a_file_is_read(server, client):
    server.post("data", lambda data: [data["title"], data["cover"].filename, list(data["cover"].body)])
    body = (
        b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nNine Stories\r\n'
        b'--x\r\nContent-Disposition: form-data; name="cover"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
        b"\x89P\r\n\r\n--x--\r\n"
    )

    status, _, pieces = client.ask("POST", "/data", body, {"content-type": "multipart/form-data; boundary=x"})

    assert (status, json.loads(pieces[0])) == (200, ["Nine Stories", "a.png", [0x89, 0x50, 13, 10]])


@pytest.mark.parametrize(
    ("target", "enabled", "status", "error"),
    [
        (
            "/nowhere?a=1",
            True,
            404,
            "PUT /nowhere?a=1 is not answered here. No route matches it, and there is no default handler.",
        ),
        (
            "/books",
            True,
            405,
            "PUT /books is not answered here. No route matches it, and there is no default handler. Nearest: "
            "GET books ({location}) answers GET, not PUT.",
        ),
        ("/books", False, 404, "PUT /books is not answered here. The server is disabled."),
    ],
)
def test_what_is_not_ours_is_refused_and_says_so(server, client, target, enabled, status, error):
    server.get("books", []).enable(enabled)

    found, _, pieces = client.ask("PUT", target)

    told = error.format(location=server.get_route_at(0).location)
    assert (found, json.loads(pieces[0])) == (status, {"error": told})


def test_expressions_with_and_without_a_slash_answer(server, client):
    server.get("books/:id", lambda id: [id]).get("/authors/:id", lambda id: [id])

    assert client.ask("GET", "/books/7?a=1")[2] == [b'["7"]']
    assert client.ask("GET", "/authors/a%20b")[2] == [b'["a%20b"]']


def test_a_path_that_comes_decoded_alone_is_encoded_again(server, client):
    server.get("authors/:id", lambda context, id: [context.url, id])

    found = client.ask("GET", "/authors/é b", raw_path=None)[2]

    assert json.loads(found[0]) == ["http://faux.test/authors/%C3%A9%20b", "%C3%A9%20b"]


def test_where_it_is_mounted_expressions_count_from_there(server, client):
    server.get("books", lambda context: [context.url])

    assert client.ask("GET", "/api/books", root_path="/api")[2] == [b'["http://faux.test/api/books"]']
    assert client.ask("GET", "/books", root_path="/api")[0] == 404


def test_a_server_with_an_address_keeps_its_path(client, server):
    server.base = "https://api.example.com/v1"
    server.get("books", [])

    assert (client.ask("GET", "/v1/books")[0], client.ask("GET", "/books")[0]) == (200, 404)


def test_the_context_knows_headers_query_and_the_method_that_is_meant(server, client):
    server.post("x", lambda context, query: [context.headers["x-a"], query, context.http_method_override])

    found = client.ask("POST", "/x?q=1", b"", {"X-A": "b", "X-HTTP-Method-Override": "PATCH"})[2]

    assert json.loads(found[0]) == ["b", {"q": "1"}, "PATCH"]


def test_no_host_header_is_no_harm(server):
    server.get("x", lambda context: [context.url])
    found = Client(server).ask("GET", "/x")[2]

    assert found == [b'["http://faux.test/x"]']
    assert asgi.address({"path": "/x", "server": ("127.0.0.1", 8000)}, {}) == "http://127.0.0.1:8000/x"
    assert asgi.address({"path": "/x"}, {}) == "http://localhost/x"


@pytest.mark.parametrize(
    ("handler", "status", "headers", "body"),
    [
        (lambda: None, 204, {}, b""),
        (lambda: "404", 404, {"content-length": "3", "content-type": "text/plain; charset=utf-8"}, b"404"),
        (
            lambda: Response({}, 201, {"Location": "/x/1"}),
            201,
            {"content-length": "2", "location": "/x/1", "content-type": "application/json"},
            b"{}",
        ),
        (lambda: Response(None, 404), 404, {"content-length": "0"}, b""),
        (lambda: Response("", 304), 304, {}, b""),
        (
            lambda: Response(b"\0", 200, {"content-type": "image/png"}),
            200,
            {"content-length": "1", "content-type": "image/png"},
            b"\0",
        ),
    ],
)
def test_status_headers_and_body(server, client, handler, status, headers, body):
    server.get("x", handler)

    assert client.ask("GET", "/x") == (status, headers, [body])


def test_head_is_get_without_a_body(server, client):
    server.get("books", ["a"]).add_route("any", lambda context: [context.http_method])

    assert client.ask("HEAD", "/books") == (200, {"content-length": "5", "content-type": "application/json"}, [b""])
    assert client.ask("HEAD", "/any")[1]["content-length"] == "7"
    assert client.ask("HEAD", "/nowhere")[0] == 404
    server.add_route("books", lambda: Response(None, 200, {"x-own": "1"}), method="HEAD")
    assert client.ask("HEAD", "/books")[0] == 204


def test_a_stream_comes_in_pieces(server, client):
    closed = []

    def letters():
        try:
            yield "a"
            yield "b"
        finally:
            closed.append(1)

    async def events():
        yield "c"
        await asyncio.sleep(0)
        yield b"d"

    server.get("letters", letters).get("events", lambda: Response(events(), 200, {"Content-Type": "text/event-stream"}))

    assert client.ask("GET", "/letters") == (200, {"content-type": "text/plain; charset=utf-8"}, [b"a", b"b", b""])
    assert client.ask("GET", "/events") == (200, {"content-type": "text/event-stream"}, [b"c", b"d", b""])
    assert client.ask("HEAD", "/letters")[2] == [b""]
    assert closed == [1, 1]


def test_an_event_source_gets_an_event_stream_and_says_what_it_had_last(server, client):
    def events(context):
        yield f"data: after {context.headers.get('last-event-id')}\n\n"

    server.get("events", events).get("own", lambda: Response(iter(["x"]), headers={"Content-Type": "text/csv"}))

    wanted = {"accept": "text/event-stream", "last-event-id": "…ä"}
    stream = {"content-type": "text/event-stream"}
    assert client.ask("GET", "/events", headers=wanted) == (200, stream, ["data: after …ä\n\n".encode(), b""])
    assert client.ask("GET", "/own", headers=wanted)[1] == {"content-type": "text/csv"}


def test_errors_are_answers(server, client):
    def wrong():
        return 1 / 0

    async def refuse():
        raise HTTPError(403, {"why": "because"})

    server.get("wrong", wrong).get("refuse", refuse)
    line = wrong.__code__.co_firstlineno + 1

    assert client.ask("GET", "/wrong")[2] == [
        f"ZeroDivisionError: division by zero (in wrong, test_asgi.py:{line})".encode()
    ]
    assert client.ask("GET", "/refuse")[0::2] == (403, [b'{"why":"because"}'])


def test_latency_is_waited_for(server, client, monkeypatch):
    waited = []

    async def sleep(seconds):
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    server.get("x", []).set_latency(40)

    client.ask("GET", "/x")

    assert (waited, server.journal[0].delay) == ([0.04], 40)


def test_a_client_that_leaves_while_it_sends_is_not_answered(server):
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    asyncio.run(server({"type": "http", "method": "GET", "path": "/x", "headers": []}, receive, send))

    assert (sent, len(server.journal)) == ([], 0)


def test_it_is_ready_when_it_starts(server):
    server.get("books", [])
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message["type"])

    asyncio.run(server({"type": "lifespan"}, receive, send))
    server.get("more", []).reset()

    assert (sent, len(server)) == (["lifespan.startup.complete", "lifespan.shutdown.complete"], 1)


def test_web_sockets_are_closed_with_the_reason(server):
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    asyncio.run(server({"type": "websocket"}, receive, send))

    assert sent == [{"type": "websocket.close", "code": 1000, "reason": "fauxserver answers HTTP only."}]
