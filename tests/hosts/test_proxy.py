"""What no route wants: the real server's answers, a folder's files; and pages of other origins."""

import asyncio
import gzip
import socket
import threading
from contextlib import ExitStack

import pytest

from fauxserver import FauxServer, Response
from fauxserver.hosts.asgi import Application
from fauxserver.hosts.live import serving
from tests.hosts.wire import Reply, ask, dial, read_all


class Real:
    """The real server, and what it was asked."""

    def __init__(self):
        self.asked = []
        self.answer = (200, [(b"content-length", b"4")], [b"real"])
        self.left = threading.Event()

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.asked.append((scope["method"], scope["raw_path"].decode(), scope["query_string"].decode(), headers, body))
        status, pairs, pieces = self.answer
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if pieces == [b"endless"]:
            while (await receive())["type"] != "http.disconnect":
                pass
            self.left.set()
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def real():
    return Real()


@pytest.fixture
def server():
    return FauxServer()


@pytest.fixture
def url(real, server):
    with serving(real) as address, serving(Application(server, proxy=f"{address}/v1/")) as url:
        real.url = address
        yield url


def test_what_no_route_wants_is_fetched_as_it_was_asked(real, server, url):
    server.get("books/:id", lambda id: [id])

    mine = ask(url, "GET", "/books/1").json
    reply = ask(
        url,
        "PUT",
        "/books/a%20b%2Fc?x=%C3%A9&y",
        b"\x00body",
        {
            "X-Own": "1",
            "Content-Type": "application/x",
            "Connection": "keep-alive, X-Hop",
            "X-Hop": "no",
            "Proxy-Authorization": "no",
        },
    )

    host = url.removeprefix("http://")
    assert (mine, reply) == (["1"], Reply(200, {"content-length": "4"}, b"real"))
    assert real.asked == [
        (
            "PUT",
            "/v1/books/a%20b%2Fc",
            "x=%C3%A9&y",
            {
                "host": real.url.removeprefix("http://"),
                "accept-encoding": "identity",
                "content-length": "5",
                "x-own": "1",
                "content-type": "application/x",
                "x-forwarded-for": "127.0.0.1",
                "x-forwarded-proto": "http",
                "x-forwarded-host": host,
            },
            b"\x00body",
        )
    ]


def test_a_body_of_any_length_goes_on_in_pieces(real, url):
    pieces = [bytes([n]) * 100_000 for n in range(200)]

    reply = ask(url, "POST", "/uploads", iter(pieces))

    assert (reply.status, real.asked[0][4] == b"".join(pieces)) == (200, True)
    assert real.asked[0][3]["transfer-encoding"] == "chunked"


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        (
            (302, [(b"location", b"/there")], []),
            Reply(302, {"location": "/there", "transfer-encoding": "chunked"}, b""),
        ),
        ((304, [(b"etag", b'"1"')], []), Reply(304, {"etag": '"1"'}, b"")),
        ((404, [(b"content-length", b"2")], [b"no"]), Reply(404, {"content-length": "2"}, b"no")),
        ((200, [(b"content-length", b"0")], []), Reply(200, {"content-length": "0"}, b"")),
        ((200, [], [b"a", b"b"]), Reply(200, {"transfer-encoding": "chunked"}, b"ab")),
        (
            (200, [(b"content-encoding", b"gzip")], [gzip.compress(b"text", mtime=0)]),
            Reply(200, {"content-encoding": "gzip", "transfer-encoding": "chunked"}, gzip.compress(b"text", mtime=0)),
        ),
    ],
)
def test_its_answers_come_as_they_are(real, url, answer, reply):
    real.answer = answer

    found = ask(url, "GET", "/x")

    assert found == reply


def test_several_cookies_stay_several(real, url):
    real.answer = (200, [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"content-length", b"0")], [])

    with dial(url) as connection:
        connection.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = read_all(connection)

    assert (b"set-cookie: a=1\r\nset-cookie: b=2\r\n" in answer, answer.count(b"date:")) == (True, 1)


def test_its_stream_comes_as_it_is_made_and_ends_for_both(real, url):
    real.answer = (200, [], [b"endless"])

    with dial(url) as connection:
        connection.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while b"endless" not in answer:
            answer += connection.recv(1000)

    assert real.left.wait(30)


def test_one_that_is_not_there_is_502():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with serving(Application(FauxServer(), proxy=f"http://127.0.0.1:{port}")) as url:
        reply = ask(url, "GET", "/x")

    assert (reply.status, reply.json) == (
        502,
        {"error": f"http://127.0.0.1:{port} cannot be reached: All connection attempts failed. Is it running?"},
    )


def test_a_policy_may_keep_requests_from_it(real, server, url):
    server.set_unmatched("api/", "error")

    statuses = [ask(url, "GET", path).status for path in ("/api/x", "/x")]

    assert (statuses, [asked[1] for asked in real.asked]) == ([501, 200], ["/v1/x"])


def test_a_route_has_the_body_of_its_request_all_the_same(server, url):
    server.post("books", lambda data: [data])

    assert ask(url, "POST", "/books", '{"a": 1}', {"Content-Type": "application/json"}).json == [{"a": 1}]


# Files


@pytest.fixture
def folder(tmp_path):
    for name in ("site/index.html", "site/app.js", "site/a b.txt", "site/docs/index.html", "secret.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "site" / "link.txt").symlink_to(tmp_path / "secret.txt")
    return tmp_path / "site"


@pytest.mark.parametrize(
    ("method", "path", "status", "content"),
    [
        ("GET", "/", 200, b"site/index.html"),
        ("GET", "/app.js?v=1", 200, b"site/app.js"),
        ("GET", "/a%20b.txt", 200, b"site/a b.txt"),
        ("HEAD", "/app.js", 200, b""),
        ("GET", "/docs/", 200, b"site/docs/index.html"),
        ("GET", "/books", 200, b'["a route"]'),
        ("GET", "/nowhere.js", 404, None),
        ("POST", "/app.js", 404, None),
        ("GET", "/../secret.txt", 404, None),
        ("GET", "/%2e%2e/secret.txt", 404, None),
        ("GET", "/..%2fsecret.txt", 404, None),
        ("GET", "/link.txt", 404, None),
        ("GET", "/a%00b", 404, None),
        ("GET", "/" + "x" * 5000, 404, None),
    ],
)
def test_files_of_the_folder_and_no_others(server, folder, method, path, status, content):
    server.get("books", ["a route"])

    with serving(Application(server, static=folder)) as url:
        reply = ask(url, method, path)

    assert (reply.status, reply.body if status == 200 else None) == (status, content)


def test_a_file_has_its_type_and_may_be_kept(server, folder):
    with serving(Application(server, static=folder)) as url:
        first = ask(url, "GET", "/app.js")
        again = ask(url, "GET", "/app.js", headers={"If-None-Match": first.headers["etag"]})
        part = ask(url, "GET", "/app.js", headers={"Range": "bytes=0-3"})

    assert (first.headers["content-type"], first.headers["cache-control"]) == (
        "text/javascript; charset=utf-8",
        "no-cache",
    )
    assert (again.status, again.body, part.status, part.body) == (304, b"", 206, b"site")


def test_a_default_handler_answers_what_there_is_no_file_for(server, folder):
    server.set_default_handler(lambda context: [context.http_method])

    with serving(Application(server, static=folder)) as url:
        replies = [ask(url, method, path).body for method, path in (("GET", "/app.js"), ("GET", "/x"), ("PUT", "/x"))]

    assert replies == [b"site/app.js", b'["GET"]', b'["PUT"]']


# Pages of other origins

PAGE = {"Origin": "http://page.test"}


def test_pages_of_all_origins_may_ask(server):
    server.get("books", lambda: Response([], headers={"X-Count": "0"})).add_route("any", [])
    asking = {
        **PAGE,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "x-own",
        "Access-Control-Request-Private-Network": "true",
    }

    with serving(Application(server, cors=True)) as url:
        asked = ask(url, "OPTIONS", "/any", headers=asking)
        answered = ask(url, "GET", "/books", headers=PAGE)
        missing = ask(url, "GET", "/nowhere", headers=PAGE)
        plain = ask(url, "GET", "/books")

    assert asked == Reply(
        204,
        {
            "access-control-allow-origin": "http://page.test",
            "access-control-allow-credentials": "true",
            "access-control-allow-methods": "PUT",
            "access-control-allow-headers": "x-own",
            "access-control-allow-private-network": "true",
            "access-control-max-age": "600",
            "vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
        },
        b"",
    )
    assert answered.headers == {
        "content-length": "2",
        "x-count": "0",
        "content-type": "application/json",
        "access-control-allow-origin": "http://page.test",
        "access-control-allow-credentials": "true",
        "vary": "Origin",
        "access-control-expose-headers": "x-count",
    }
    assert (missing.status, missing.headers["access-control-allow-origin"]) == (404, "http://page.test")
    assert plain.headers["access-control-allow-origin"] == "*"


def test_what_a_handler_says_of_origins_counts(server):
    own = {"Access-Control-Allow-Origin": "http://only.test"}
    server.get("books", lambda: Response([], headers=own))

    with serving(Application(server, cors=True)) as url:
        reply = ask(url, "GET", "/books", headers=PAGE)

    assert reply.headers == {
        "content-length": "2",
        "access-control-allow-origin": "http://only.test",
        "content-type": "application/json",
    }


def test_without_the_option_nothing_is_said_of_origins(server):
    server.get("books", [])

    with serving(server) as url:
        reply = ask(url, "GET", "/books", headers=PAGE)

    assert reply.headers == {"content-length": "2", "content-type": "application/json"}


# In other applications


@pytest.fixture
def mounted(server):
    """A server in an application of each kind, below /api."""

    def starlette(app):
        from starlette.applications import Starlette
        from starlette.routing import Mount

        return Starlette(routes=[Mount("/api", app)])

    def fastapi(app):
        from fastapi import FastAPI

        application = FastAPI()
        application.mount("/api", app)
        return application

    return {"starlette": starlette, "fastapi": fastapi}


@pytest.mark.parametrize("kind", ["starlette", "fastapi"])
@pytest.mark.parametrize("wrap", [lambda server: server, Application], ids=["plain", "application"])
def test_it_can_be_mounted(server, mounted, kind, wrap):
    async def wait():
        await asyncio.sleep(0)
        return ["waited"]

    def stream():
        yield "a"
        yield "b"

    server.get("books/:id", lambda context, id: [context.url, id]).get("wait", wait).get("stream", stream)
    server.get("run", lambda: [asyncio.run(asyncio.sleep(0, "ran"))])
    app = wrap(server)

    with ExitStack() as stack:
        url = stack.enter_context(serving(mounted[kind](app)))
        replies = [
            ask(url, "GET", path) for path in ("/api/books/7", "/api/wait", "/api/stream", "/api/run", "/books/7")
        ]
        refused = ask(url, "PUT", "/api/wait")
    if isinstance(app, Application) and app.threads is not None:
        app.threads.close()

    assert [reply.body for reply in replies[:4]] == [
        f'["{url}/api/books/7","7"]'.encode(),
        b'["waited"]',
        b"ab",
        b'["ran"]',
    ]
    assert (replies[4].status, refused.status, refused.headers["allow"]) == (404, 405, "GET, HEAD, OPTIONS")
