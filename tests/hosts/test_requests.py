"""requests, answered in process: what a session sees is what it sees of a real port."""

import io
import itertools

import pytest
import requests
import urllib3

from fauxserver import FauxServer, FauxServerWarning
from fauxserver.hosts.live import serving
from fauxserver.hosts.requests import FauxAdapter, intercept
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


class Session(requests.Session):
    """One with a base, so that tests are short."""

    def __init__(self, base, adapter=None):
        super().__init__()
        self.base = base
        if adapter:
            self.mount("http://", adapter)

    def request(self, method, url, *args, **options):
        return super().request(method, self.base + url, *args, **options)


def seen(response):
    """All that a client can see of an answer."""
    return {
        "status": [response.status_code, response.reason, response.ok, response.raw.version],
        "headers": sorted(
            (name.lower(), value) for name, value in response.headers.items() if name.lower() not in OF_THE_CONNECTION
        ),
        "content": response.content,
        "text": [response.encoding, response.text],
        "cookies": response.cookies.get_dict(),
        "url": response.url,
        "history": [each.status_code for each in response.history],
    }


def generated():
    yield b"one"
    yield b"two"


ASKED = {
    "a get": lambda client: client.get("/told"),
    "parameters": lambda client: client.get("/told", params={"a": ["1", "2"], "b": "é &=?"}),
    "a question mark": lambda client: client.get("/told?"),
    "a fragment": lambda client: client.get("/told?a=1#here"),
    "a path with other letters": lambda client: client.get("/told/größe%20b%2Fc"),
    "JSON": lambda client: client.post("/told", json={"a": [1, None, "é"]}),
    "a text": lambda client: client.put("/told", data="größe"),
    "bytes": lambda client: client.patch("/told", data=bytes(range(256))),
    "a file": lambda client: client.put("/told", data=io.BytesIO(b"content")),
    "nothing": lambda client: client.post("/told"),
    "a generator": lambda client: client.post("/told", data=generated()),
    "a form": lambda client: client.post("/form", data={"a": "1", "b": ["2", "é"]}),
    "a form with files": lambda client: client.post(
        "/form", data={"a": "1"}, files=[("f", ("f.bin", b"\0\r\n\xff", "image/x")), ("f", ("ä.txt", b"b"))]
    ),
    "multipart": lambda client: client.post("/told", files={"f": ("f.bin", b"\0\r\n\xff", "image/x")}),
    "headers": lambda client: client.get("/told", headers={"X-A": "1, 2", "x-b": b"gr\xf6\xdfe"}),
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
    "a cookie": lambda client: client.get("/cookie"),
    "cookies": lambda client: client.get("/cookies"),
    "a stream": lambda client: client.get("/lines"),
    "a stream of bytes": lambda client: client.get("/bytes", stream=True),
    **{
        f"status {code}": lambda client, code=code: client.get(f"/status/{code}")
        for code in (201, 204, 304, 404, 499, 503)
    },
    **{
        f"a redirect by {code}": lambda client, code=code: client.post(f"/moved/{code}", data=b"sent")
        for code in (301, 302, 303, 307, 308)
    },
    "a generator that cannot be sent again": lambda client: client.post("/moved/307", data=generated()),
    "a redirect that nobody follows": lambda client: client.get("/moved/302", allow_redirects=False),
}
FAILING = {
    "a read timeout while a handler works": (requests.ReadTimeout, lambda client: client.get("/slow", timeout=0.05)),
    "a read timeout while a handler waits": (
        requests.ReadTimeout,
        lambda client: client.get("/slow/later", timeout=(9, 0.05)),
    ),
    "a read timeout in the latency": (requests.ReadTimeout, lambda client: client.get("/late", timeout=0.05)),
    "a read timeout in a stream": (requests.ConnectionError, lambda client: client.get("/slow/stream", timeout=0.3)),
    "a stream that breaks off": (requests.exceptions.ChunkedEncodingError, lambda client: client.get("/breaks")),
    "a circle": (requests.TooManyRedirects, lambda client: client.get("/circle")),
    "a status that is raised": (requests.HTTPError, lambda client: client.get("/status/404").raise_for_status()),
}


@pytest.fixture
def clients(routes, address):
    """A real session, and one of ours."""
    with Session(address) as real, Session(address, FauxAdapter(routes)) as ours:
        yield {"real": real, "ours": ours}


@pytest.mark.parametrize("name", ASKED)
def test_a_session_sees_what_it_sees_of_a_real_port(clients, name):
    assert seen(ASKED[name](clients["ours"])) == seen(ASKED[name](clients["real"]))


@pytest.mark.parametrize("kind", ["real", "ours"])
@pytest.mark.parametrize("name", FAILING)
def test_what_fails_fails_as_with_a_real_port(clients, kind, name):
    error, ask = FAILING[name]

    with pytest.raises(error):
        ask(clients[kind])


@pytest.mark.parametrize("kind", ["real", "ours"])
def test_cookies_are_the_sessions(clients, kind):
    client = clients[kind]
    client.get("/cookie")

    told = client.get("/told").json()

    assert [value for name, value in told["headers"] if name == "cookie"] == ["taste=oat"]


@pytest.mark.parametrize("kind", ["real", "ours"])
def test_retries_are_the_librarys(address, kind):
    tries = itertools.count(1)
    server = FauxServer().get("flaky", lambda: {"try": number} if (number := next(tries)) > 2 else "503")
    retries = urllib3.Retry(3, status_forcelist=[503], backoff_factor=0)
    if kind == "ours":
        with Session("http://faux.test", FauxAdapter(server, max_retries=retries)) as client:
            answer = client.get("/flaky")
    else:
        with serving(server) as url, Session(url, requests.adapters.HTTPAdapter(max_retries=retries)) as client:
            answer = client.get("/flaky")

    assert (answer.json(), len(answer.raw.retries.history)) == ({"try": 3}, 2)


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
    with Session("http://faux.test", FauxAdapter(server)) as client, client.get("/numbers", stream=True) as response:
        pieces = response.iter_content(None)
        read = [next(pieces), next(pieces)]
        before = list(closed)

    assert (read, before, closed) == ([b"0\n", b"1\n"], [], [len(made)])
    # The first one is made to see whether there is one.
    assert len(made) <= 3


def test_lines_come_as_they_are_made(clients):
    lines = clients["ours"].get("/lines", stream=True).iter_lines()

    assert list(lines) == [b"line 0", b"and line 1", b"and line 2", b"and no more"]


def test_a_stream_that_breaks_off_says_why(clients):
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="500 too late"):
        clients["ours"].get("/breaks")


# What no route wants


def test_what_no_route_wants_is_an_error_that_names_the_nearest_routes():
    server = FauxServer().get("books/:id", {})
    location = server.get_route_at(0).location
    with Session("https://api.example.com") as client:
        client.mount("https://api.example.com/", FauxAdapter(server))
        with pytest.raises(requests.ConnectionError) as caught:
            client.post("/books/7", json={})

    assert str(caught.value) == (
        "POST https://api.example.com/books/7 is not answered here. No route matches it, and there is no default "
        f"handler. Nearest:\n  GET books/:id ({location}) answers GET, not POST\n"
        "Add a route, or say where such requests are to go: fallback=requests.adapters.HTTPAdapter()."
    )
    assert caught.value.request.url == "https://api.example.com/books/7"


def test_what_no_route_wants_goes_to_the_fallback_untouched():
    server = FauxServer().get("books", [])
    real = FauxAdapter(FauxServer().add_route("*rest", lambda context: [context.request.body.decode()]))
    with Session("http://faux.test", FauxAdapter(server, fallback=real)) as client:
        found = [client.get("/books").text, client.post("/books/1", data=iter([b"a ", b"generator"])).text]
        server.enable(False)
        found.append(client.get("/books").text)

    assert found == ["[]", '["a generator"]', '[""]']


def test_the_servers_policy_decides_over_the_fallback():
    server = FauxServer().get("books", []).set_unmatched("live/", "warn").set_unmatched("api/", "error")
    real = FauxAdapter(FauxServer().add_route("*rest", ["real"]))
    with Session("http://faux.test", FauxAdapter(server, fallback=real)) as client:
        found = [client.get("/elsewhere").json()]
        with pytest.warns(FauxServerWarning, match="^GET http://faux.test/live/news is not answered here"):
            found.append(client.get("/live/news").json())
        with pytest.raises(requests.ConnectionError):
            client.get("/api/books")

    assert found == [["real"], ["real"]]


# Which urls


def test_expressions_count_from_the_hosts_root_or_from_the_base():
    server = FauxServer().get("books", lambda context: [context.url]).get("/root", [])

    def ask(url, **options):
        with Session("", FauxAdapter(server, **options)) as client:
            client.mount("https://", FauxAdapter(server, **options))
            try:
                return client.get(url).json()
            except requests.ConnectionError:
                return None

    assert ask("https://one.example/books?a#b") == ["https://one.example/books?a"]
    assert ask("https://one.example:443/books") == ["https://one.example/books"]
    assert ask("https://user:secret@TWO.example:8443/books") == ["https://two.example:8443/books"]
    assert ask("https://one.example/v1/books") is None
    assert ask("https://one.example/v1/books", base="https://one.example/v1") == ["https://one.example/v1/books"]
    assert ask("https://two.example/v1/books", base="https://one.example/v1/") is None
    server.base = "https://one.example/v2"
    assert ask("https://one.example/v2/books") == ["https://one.example/v2/books"]
    assert ask("https://two.example/v2/books") is None


# Sessions that somebody else makes


def test_intercepted_every_session_is_answered_below_the_base_until_it_ends():
    server = FauxServer().get("books", [1])
    with serving(FauxServer().add_route("*rest", lambda rest: ["real", rest])) as url:
        end = intercept(server, f"{url}/v1/")
        found = [requests.get(f"{url}/v1/books").json(), requests.get(f"{url}/v10/books").json()]
        end()
        end()
        found.append(requests.get(f"{url}/v1/books").json())

    assert found == [[1], ["real", "v10/books"], ["real", "v1/books"]]
    assert requests.adapters.HTTPAdapter.get_connection_with_tls_context.__module__ == "requests.adapters"


def test_intercepted_a_session_keeps_its_retries():
    answers = iter(["503", "503", {"third": True}])
    server = FauxServer().get("flaky", lambda: next(answers))
    retries = urllib3.Retry(3, status_forcelist=[503], backoff_factor=0)
    with intercept(server, "https://api.example.com"), requests.Session() as session:
        session.mount("https://", requests.adapters.HTTPAdapter(max_retries=retries))
        found = session.get("https://api.example.com/flaky").json()

    assert found == {"third": True}


def test_intercepted_what_no_route_wants_is_an_error_unless_the_policy_lets_it_go():
    server = FauxServer(base="http://faux.test/v1").get("books", [])
    with intercept(server), pytest.raises(requests.ConnectionError) as caught:
        requests.get("http://faux.test/v1/authors")

    with serving(FauxServer().get("live", ["real"])) as url, intercept(server, url):
        server.base = url
        server.set_unmatched("bypass")
        found = requests.get(f"{url}/live").json()

    assert str(caught.value).endswith(
        'Add a route, or let such requests go to the network: server.set_unmatched("bypass").'
    )
    assert found == ["real"]
