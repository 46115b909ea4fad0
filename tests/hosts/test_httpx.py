"""httpx, answered in process: what a client sees is what it sees of a real port."""

import asyncio
import itertools

import httpx
import pytest

from fauxserver import FauxServer, FauxServerWarning
from fauxserver.hosts.httpx import AsyncFauxTransport, FauxTransport, intercept
from fauxserver.hosts.live import serving
from fauxserver.routefile import RouteFile


@pytest.fixture(scope="module")
def routes():
    file = RouteFile("tests/hosts/client_routes.py")
    file.run()
    return file.servers[0]


@pytest.fixture(scope="module")
def address(routes):
    with serving(routes) as url:
        yield url


# Compared with a real port

OF_THE_CONNECTION = {"date", "server", "transfer-encoding", "connection"}


def seen(response):
    """All that a client can see of an answer."""
    return {
        "status": [response.status_code, response.reason_phrase, response.http_version, response.is_success],
        "headers": sorted((name, value) for name, value in response.headers.items() if name not in OF_THE_CONNECTION),
        "content": response.content,
        "text": [response.encoding, response.text],
        "cookies": dict(response.cookies),
        "url": str(response.url),
        "history": [each.status_code for each in response.history],
    }


def generated(client):
    """A body that is generated, for either client."""

    def pieces():
        yield from (b"one", b"two")

    async def later():
        for piece in pieces():
            yield piece

    return later() if isinstance(client, httpx.AsyncClient) else pieces()


ASKED = {
    "a get": lambda client: client.get("/told"),
    "parameters": lambda client: client.get("/told", params={"a": ["1", "2"], "b": "é &=?"}),
    "a question mark": lambda client: client.get("/told?"),
    "a fragment": lambda client: client.get("/told?a=1#here"),
    "a path with other letters": lambda client: client.get("/told/größe%20b%2Fc"),
    "JSON": lambda client: client.post("/told", json={"a": [1, None, "é"]}),
    "a text": lambda client: client.put("/told", content="größe"),
    "bytes": lambda client: client.patch("/told", content=bytes(range(256))),
    "nothing": lambda client: client.post("/told"),
    "a generator": lambda client: client.post("/told", content=generated(client)),
    "a form": lambda client: client.post("/form", data={"a": "1", "b": ["2", "é"]}),
    "a form with files": lambda client: client.post(
        "/form", data={"a": "1"}, files=[("f", ("f.bin", b"\0\r\n\xff", "image/x")), ("f", ("ä.txt", b"b"))]
    ),
    "multipart": lambda client: client.post("/told", files={"f": ("f.bin", b"\0\r\n\xff", "image/x")}),
    "headers": lambda client: client.get("/told", headers=[(b"X-A", b"1"), (b"X-A", b"2"), (b"x-b", b"gr\xf6\xdfe")]),
    "a password": lambda client: client.get("/told", auth=("me", "secret")),
    "a delete": lambda client: client.delete("/told"),
    "a method of one's own": lambda client: client.request("PURGE", "/told"),
    "options": lambda client: client.options("/told"),
    "a head": lambda client: client.head("/text"),
    "a head of a stream": lambda client: client.head("/lines"),
    "a text in UTF-8": lambda client: client.get("/text"),
    "a text in Latin-1": lambda client: client.get("/latin"),
    "what is compressed": lambda client: client.get("/zipped"),
    "headers that come back": lambda client: client.get("/headers"),
    "an error in a handler": lambda client: client.get("/wrong"),
    "no content": lambda client: client.get("/nothing"),
    "cookies": lambda client: client.get("/cookies"),
    "a stream": lambda client: client.get("/lines"),
    "a stream of bytes": lambda client: client.get("/bytes"),
    **{
        f"status {code}": lambda client, code=code: client.get(f"/status/{code}")
        for code in (201, 204, 304, 404, 499, 503)
    },
    **{
        f"a redirect by {code}": lambda client, code=code: client.post(f"/moved/{code}", content=b"sent")
        for code in (301, 302, 303, 307, 308)
    },
    "a redirect that nobody follows": lambda client: client.get("/moved/302", follow_redirects=False),
}
FAILING = {
    "a read timeout while a handler works": (httpx.ReadTimeout, lambda client: client.get("/slow", timeout=0.05)),
    "a read timeout while a handler waits": (httpx.ReadTimeout, lambda client: client.get("/slow/later", timeout=0.05)),
    "a read timeout in the latency": (httpx.ReadTimeout, lambda client: client.get("/late", timeout=0.05)),
    "a read timeout in a stream": (httpx.ReadTimeout, lambda client: client.get("/slow/stream", timeout=0.3)),
    "a stream that breaks off": (httpx.RemoteProtocolError, lambda client: client.get("/breaks")),
    "a circle": (httpx.TooManyRedirects, lambda client: client.get("/circle")),
    "a generator that cannot be sent again": (
        httpx.StreamConsumed,
        lambda client: client.post("/moved/307", content=generated(client)),
    ),
}


@pytest.fixture
def clients(routes, address):
    """A real client, and two of ours."""
    options = {"base_url": address, "follow_redirects": True}
    with httpx.Client(**options) as real, httpx.Client(**options, transport=FauxTransport(routes)) as ours:

        async def ask(ask):
            async with httpx.AsyncClient(**options, transport=AsyncFauxTransport(routes)) as client:
                return await ask(client)

        yield {
            "real": lambda ask: ask(real),
            "synchronous": lambda ask: ask(ours),
            "asynchronous": lambda given: asyncio.run(ask(given)),
        }


@pytest.mark.parametrize("kind", ["synchronous", "asynchronous"])
@pytest.mark.parametrize("name", ASKED)
def test_a_client_sees_what_it_sees_of_a_real_port(clients, kind, name):
    assert seen(clients[kind](ASKED[name])) == seen(clients["real"](ASKED[name]))


@pytest.mark.parametrize("kind", ["real", "synchronous", "asynchronous"])
@pytest.mark.parametrize("name", FAILING)
def test_what_fails_fails_as_with_a_real_port(clients, kind, name):
    error, ask = FAILING[name]

    with pytest.raises(error):
        clients[kind](ask)


def test_a_status_is_raised_by_the_client(clients):
    with pytest.raises(httpx.HTTPStatusError, match="404 Not Found"):
        clients["synchronous"](lambda client: client.get("/status/404")).raise_for_status()


def test_cookies_are_the_clients(routes):
    with httpx.Client(transport=FauxTransport(routes), base_url="http://faux.test") as client:
        client.get("/cookie")
        told = client.get("/told").json()

    assert [value for name, value in told["headers"] if name == "cookie"] == ["taste=oat"]


# Streams


def test_pieces_come_as_they_are_read_and_who_leaves_closes_the_generator():
    made, closed = [], []

    def numbers():
        try:
            for number in itertools.count():
                made.append(number)
                yield f"{number}\n"
        finally:
            closed.append(len(made))

    server = FauxServer().get("numbers", numbers)
    with (
        httpx.Client(transport=FauxTransport(server), base_url="http://faux.test") as client,
        client.stream("GET", "/numbers") as response,
    ):
        lines = response.iter_lines()
        read = [next(lines), next(lines)]
        before = list(closed)

    assert (read, before, closed) == (["0", "1"], [], [len(made)])
    # The first one is made to see whether there is one, and lines end where the next piece begins.
    assert len(made) <= 4


def test_asynchronous_pieces_come_as_they_are_read_and_who_leaves_closes_the_generator():
    async def main():
        gate, closed = asyncio.Event(), []

        async def events():
            try:
                yield "first"
                await gate.wait()
                yield "second"
                await asyncio.sleep(3600)
            finally:
                closed.append(True)

        server = FauxServer().get("events", events).post("gate", lambda: gate.set())
        async with httpx.AsyncClient(transport=AsyncFauxTransport(server), base_url="http://faux.test") as client:
            async with client.stream("GET", "/events") as response:
                pieces = response.aiter_text()
                read = [await anext(pieces)]
                await client.post("/gate")
                read.append(await anext(pieces))
            return read, closed

    assert asyncio.run(main()) == (["first", "second"], [True])


def test_a_stream_that_breaks_off_says_why(clients, routes):
    with pytest.raises(httpx.RemoteProtocolError) as caught:
        clients["synchronous"](lambda client: client.get("/breaks"))

    assert str(caught.value).endswith("/breaks breaks off: 500 too late")


# What no route wants


def test_what_no_route_wants_is_an_error_that_names_the_nearest_routes():
    server = FauxServer().get("books/:id", {})
    location = server.get_route_at(0).location
    with (
        httpx.Client(transport=FauxTransport(server), base_url="https://api.example.com") as client,
        pytest.raises(httpx.ConnectError) as caught,
    ):
        client.post("/books/7", json={})

    assert str(caught.value) == (
        "POST https://api.example.com/books/7 is not answered here. No route matches it, and there is no default "
        f"handler. Nearest:\n  GET books/:id ({location}) answers GET, not POST\n"
        "Add a route, or say where such requests are to go: fallback=httpx.HTTPTransport()."
    )
    assert caught.value.request.url == "https://api.example.com/books/7"


def test_what_no_route_wants_goes_to_the_fallback_untouched():
    real = httpx.MockTransport(lambda request: httpx.Response(200, content=request.read() + b" was here"))
    server = FauxServer().get("books", [])
    with httpx.Client(transport=FauxTransport(server, fallback=real), base_url="http://faux.test") as client:
        found = [client.get("/books").text, client.post("/books/1", content=iter([b"a ", b"generator"])).text]
        server.enable(False)
        found.append(client.get("/books").text)

    assert found == ["[]", "a generator was here", " was here"]


def test_the_servers_policy_decides_over_the_fallback():
    server = FauxServer().get("books", []).set_unmatched("live/", "warn").set_unmatched("api/", "error")
    real = httpx.MockTransport(lambda request: httpx.Response(200))
    transport = FauxTransport(server, fallback=real)
    with httpx.Client(transport=transport, base_url="http://faux.test") as client:
        found = [client.get("/elsewhere").status_code]
        with pytest.warns(FauxServerWarning, match="^GET http://faux.test/live/news is not answered here"):
            found.append(client.get("/live/news").status_code)
        with pytest.raises(httpx.ConnectError):
            client.get("/api/books")

    assert found == [200, 200]


def test_an_asynchronous_fallback_is_awaited():
    async def main():
        real = httpx.MockTransport(lambda request: httpx.Response(202))
        async with httpx.AsyncClient(transport=AsyncFauxTransport(FauxServer(), fallback=real)) as client:
            found = (await client.get("http://faux.test/")).status_code
        async with httpx.AsyncClient(transport=AsyncFauxTransport(FauxServer())) as client:
            with pytest.raises(httpx.ConnectError, match=r"fallback=httpx.AsyncHTTPTransport\(\)."):
                await client.get("http://faux.test/")
        return found

    assert asyncio.run(main()) == 202


# Which urls


def test_expressions_count_from_the_hosts_root_or_from_the_base():
    server = FauxServer().get("books", lambda context: [context.url]).get("/root", [])

    def ask(url, **options):
        with httpx.Client(transport=FauxTransport(server, **options)) as client:
            try:
                return client.get(url).json()
            except httpx.ConnectError:
                return None

    assert ask("https://one.example/books?a#b") == ["https://one.example/books?a"]
    assert ask("https://user:secret@two.example:8443/books") == ["https://two.example:8443/books"]
    assert ask("https://one.example/v1/books") is None
    assert ask("https://one.example/v1/books", base="https://one.example/v1/") == ["https://one.example/v1/books"]
    assert ask("https://one.example/root", base="https://one.example/v1/") == []
    assert ask("https://two.example/v1/books", base="https://one.example/v1/") is None
    server.base = "https://one.example/v2"
    assert ask("https://one.example/v2/books") == ["https://one.example/v2/books"]
    assert ask("https://two.example/v2/books") is None


def test_it_may_be_mounted_beside_others():
    server = FauxServer().get("books", ["ours"])
    other = httpx.MockTransport(lambda request: httpx.Response(200, json=["another's"]))
    mounts = {"https://api.example.com": FauxTransport(server), "all://": other}
    with httpx.Client(mounts=mounts) as client:
        found = [client.get(f"https://{host}.example.com/books").json() for host in ("api", "www")]

    assert found == [["ours"], ["another's"]]


# Clients that somebody else makes


def test_intercepted_every_client_is_answered_below_the_base_until_it_ends():
    server = FauxServer().get("books", [1])
    with serving(FauxServer().add_route("*rest", lambda rest: ["real", rest])) as url:
        end = intercept(server, f"{url}/v1/")
        found = [httpx.get(f"{url}/v1/books").json(), httpx.get(f"{url}/v10/books").json()]

        async def ask():
            async with httpx.AsyncClient() as client:
                return [(await client.get(f"{url}{path}")).json() for path in ("/v1/books", "/other")]

        found += asyncio.run(ask())
        end()
        end()
        found.append(httpx.get(f"{url}/v1/books").json())

    assert found == [[1], ["real", "v10/books"], [1], ["real", "other"], ["real", "v1/books"]]


def test_intercepted_what_no_route_wants_is_an_error_unless_the_policy_lets_it_go():
    server = FauxServer(base="http://faux.test/v1").get("books", [])
    with intercept(server), pytest.raises(httpx.ConnectError) as caught:
        httpx.get("http://faux.test/v1/authors")

    with serving(FauxServer().get("live", ["real"])) as url, intercept(server, url):
        server.base = url
        server.set_unmatched("bypass")
        found = httpx.get(f"{url}/live").json()

    assert str(caught.value).endswith(
        'Add a route, or let such requests go to the network: server.set_unmatched("bypass").'
    )
    assert found == ["real"]


def test_interceptions_end_in_any_order():
    first = intercept(FauxServer().get("x", ["first"]), "http://faux.test")
    second = intercept(FauxServer().get("x", ["second"]), "http://faux.test")
    found = [httpx.get("http://faux.test/x").json()]
    first()
    found.append(httpx.get("http://faux.test/x").json())
    second()

    assert found == [["second"], ["second"]]
    assert httpx.HTTPTransport.handle_request.__module__ == "httpx._transports.default"
