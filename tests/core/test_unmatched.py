"""What becomes of requests that no route matches."""

import pytest

from fauxserver import FauxServer, PolicyError, Request
from fauxserver.unmatched import is_asset

BASE = "http://host/app/"


@pytest.fixture
def server():
    return FauxServer().get("books/:id", {}).get("/api/books", {})


def words(server, *urls, door="fetch", base=None):
    return [server.unmatched(Request("GET", url, base=base), door) for url in urls]


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://host/app/books", "warn"),
        ("http://host/api/authors", "warn"),
        ("http://host/app/authors", "bypass"),
        ("http://other/app/books", "bypass"),
        ("http://host/app/books/cover.png?v=2", "bypass"),
    ],
)
def test_by_default_what_begins_as_a_route_does_is_warned_of(server, url, word):
    assert words(server, url, base=BASE) == [word]


def test_by_default_backbone_is_silent(server):
    assert words(server, "books", "/books", door="sync") == ["bypass", "bypass"]


@pytest.mark.parametrize("word", ["bypass", "warn", "error"])
def test_one_word_for_all(server, word):
    server.set_unmatched(word)

    assert words(server, "books", "authors") == words(server, "books", "authors", door="sync") == [word, word]


@pytest.mark.parametrize(
    ("prefix", "url", "base", "meets"),
    [
        ("api/", "api/books", None, True),
        ("api/", "api", None, True),
        ("api", "api/books", None, True),
        ("api", "api?page=2", None, True),
        ("api", "apis/books", None, False),
        ("api/b", "api/books", None, False),
        ("api/", "/api/books", None, False),
        ("/api", "/api/books", None, True),
        ("", "anything", None, True),
        ("/", "/anything", None, True),
        ("/", "anything", None, False),
        ("api/", "http://host/app/api/books", BASE, True),
        ("api/", "http://host/api/books", BASE, False),
        ("/api/", "http://host/api/books", BASE, True),
        ("/api/", "http://other/api/books", BASE, False),
        ("https://cdn.example.com", "https://cdn.example.com/a", BASE, True),
        ("https://cdn.example.com/", "https://cdn.example.com", BASE, True),
        ("https://cdn.example.com/a/", "https://cdn.example.com/b", BASE, False),
    ],
)
def test_a_prefix_meets_a_url_as_an_expression_would(prefix, url, base, meets):
    server = FauxServer().set_unmatched(prefix, "error")

    assert words(server, url, base=base) == ["error" if meets else "bypass"]


def test_a_prefix_counts_from_the_address_that_the_server_stands_for():
    server = FauxServer("https://api.example.com/v1").set_unmatched("books", "error").set_unmatched("warn")
    urls = ["https://api.example.com/v1/books/7", "https://api.example.com/v1/authors", "http://host/books/7"]

    assert words(server, *urls, base="http://host/") == ["error", "warn", "bypass"]


def test_the_longest_prefix_counts(server):
    server.set_unmatched("api/", "error").set_unmatched("api/live/", "bypass").set_unmatched("warn")

    assert words(server, "api/books", "api/live/news", "books") == ["error", "bypass", "warn"]


def test_a_policy_replaces_the_one_for_the_same_urls_and_none_takes_it_back(server):
    server.set_unmatched("error").set_unmatched("api/", "error")
    server.set_unmatched("warn").set_unmatched("api/", "bypass")
    replaced = words(server, "books", "api/books")
    server.set_unmatched(None).set_unmatched("api/", None)

    assert (replaced, words(server, "authors", "api/books"), server.rules) == (["warn", "bypass"], ["bypass"] * 2, ())


def test_a_function_is_asked_and_may_leave_it_to_the_others(server):
    asked = []

    def policy(request):
        asked.append((request.method, request.url))
        return "warn" if "books" in request.url else None

    server.set_unmatched("api/", policy).set_unmatched("error")

    assert words(server, "api/books", "api/authors", "other") == ["warn", "error", "error"]
    assert asked == [("GET", "api/books"), ("GET", "api/authors")]


def test_parts_of_the_page_are_left_out_unless_a_prefix_or_a_function_says_otherwise(server):
    server.set_unmatched("error")
    general = words(server, "app.js", "api/books.json")
    server.set_unmatched("assets/", "warn")
    by_prefix = words(server, "app.js", "assets/app.js")
    server.set_unmatched(lambda request: "error")

    assert (general, by_prefix, words(server, "app.js")) == (["bypass", "error"], ["bypass", "warn"], ["error"])


@pytest.mark.parametrize(
    ("url", "asset"),
    [
        ("app.js", True),
        ("http://host/A.PNG#top", True),
        ("fonts/a.woff2?v=1.2", True),
        ("routes.py", True),
        ("data:text/plain,books", True),
        ("blob:http://host/1", True),
        ("books.json", False),
        ("books", False),
        ("search?file=app.js", False),
        ("js", False),
        ("http://host.js/books", False),
        ("app.jsx.books", False),
    ],
)
def test_what_is_a_part_of_the_page(url, asset):
    assert is_asset(url) is asset


def test_included_servers_have_their_own_and_the_longest_prefix_counts_among_all():
    inner = FauxServer().set_unmatched("api/", "error").set_unmatched("warn")
    server = FauxServer().include(inner)
    own = words(server, "api/books", "books")
    server.set_unmatched("bypass")
    both = words(server, "api/books", "books")
    inner.enable(False)

    assert (own, both, words(server, "api/books")) == (["error", "warn"], ["error", "bypass"], ["bypass"])


def test_reset_restores_it(server):
    server.set_unmatched("api/", "warn").ready()
    server.set_unmatched("api/", "error").set_unmatched("error")

    server.reset()

    assert words(server, "api/authors", "authors") == ["warn", "bypass"]


def test_a_route_file_that_is_run_again_may_change_its_mind(tmp_path):
    from fauxserver.routefile import RouteFile

    text = "from fauxserver import FauxServer\nserver = FauxServer().set_unmatched({!r})\n"
    file = RouteFile(str(tmp_path / "routes.py"), text.format("warn"))
    file.run()
    server = FauxServer().include(file.servers[0])
    before = words(server, "books")

    file.reload(text.format("error"))

    assert (before, words(server, "books")) == (["warn"], ["error"])


WORDS = 'Give "bypass", "warn" or "error", or a function of the request that returns one of these.'


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("eror",), f"set_unmatched: 'eror' is no policy. {WORDS}"),
        (("api/", True), f"set_unmatched: True is no policy. {WORDS}"),
        (("api/",), f"set_unmatched: 'api/' is no policy. {WORDS}"),
        ((1, "warn"), 'set_unmatched: 1 is no prefix of urls. Give a text, as in "api/".'),
        ((), "set_unmatched takes a policy, or a prefix and a policy, and was given 0 things."),
    ],
)
def test_what_is_no_policy_says_so_and_changes_nothing(server, given, message):
    with pytest.raises(PolicyError) as raised:
        server.set_unmatched(*given)

    assert (str(raised.value), server.rules) == (message, ())


def loud(request):
    return "loud"


async def later(request):
    return "warn"


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (loud, 'returned \'loud\'. Return "bypass", "warn" or "error", or None for the default.'),
        (later, "is asynchronous. Write it with `def`."),
    ],
)
def test_a_function_that_returns_something_else_is_named(server, policy, message):
    server.set_unmatched(policy)

    with pytest.raises(PolicyError) as raised:
        words(server, "books")

    place = f"test_unmatched.py:{policy.__code__.co_firstlineno}"
    assert str(raised.value) == f"The policy {policy.__name__} ({place}) {message}"
