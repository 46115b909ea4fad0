"""The regular expressions for the urls that a server may answer: enough of them, and not many more."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fauxserver import FauxServer, Request
from fauxserver.hosts.reach import beginning, reach, regexps, translate

SITE = "http://localhost:8000"


def reached(server, url, base=None, watched=False):
    return any(regexp.search(url) for regexp in regexps(reach(server, base, watched)))


@pytest.mark.parametrize(
    ("expression", "met", "passed"),
    [
        ("books", ["/books", "/books?page=2", "/books#top", "/app/books"], ["/", "/books/", "/books.js", "/ebooks"]),
        ("books/:id", ["/books/7", "/a/b/books/7?x=1"], ["/books", "/books/7/pages"]),
        ("books(/:id)", ["/books", "/books/7"], ["/books/7/8"]),
        ("files/*path", ["/files/", "/files/a/b.js"], ["/files", "/main.js"]),
        ("v1.0/:x-:y", ["/v1.0/a-b"], ["/v1x0/a-b", "/v1.0/a/b"]),
        ("search?q=:q", ["/search?q=a"], ["/search?x=a", "/search"]),
        ("/books", ["/books"], ["/app/books"]),
        ("http://localhost:8000/books", ["/books"], ["/app/books"]),
        ("https://api.test/books", [], ["/books"]),
        ("grün/:id", ["/gr%C3%BCn/1", "/gr%c3%bcn/1"], ["/grun/1"]),
    ],
)
def test_urls_that_a_route_can_match_are_reached_and_others_are_not(expression, met, passed):
    server = FauxServer().get(expression, {})

    found = {url: reached(server, SITE + url) for url in [*met, *passed]}

    assert found == dict.fromkeys(met, True) | dict.fromkeys(passed, False)


@pytest.mark.parametrize(
    ("base", "met", "passed"),
    [
        (f"{SITE}/api/", [f"{SITE}/api/books"], [f"{SITE}/books", "http://localhost/api/books", f"{SITE}/api"]),
        ("/", [f"{SITE}/books", "https://api.test/books"], [f"{SITE}/api/books"]),
        ("/v1/", ["https://api.test/v1/books"], ["https://api.test/books"]),
    ],
)
def test_a_base_says_where_expressions_begin(base, met, passed):
    server = FauxServer().get("books", {})

    found = {url: reached(server, url, base) for url in [*met, *passed]}

    assert found == dict.fromkeys(met, True) | dict.fromkeys(passed, False)


def test_a_servers_own_address_counts_and_so_does_an_included_ones():
    server = FauxServer().get("books", {})
    server.include(FauxServer("https://api.test/v2").get("(:id)", {}))

    found = [reached(server, url) for url in (f"{SITE}/books", "https://api.test/v2", "https://api.test/v2/7")]

    assert found == [True, True, True]
    assert not reached(server, f"{SITE}/v2/7")


def test_a_server_that_is_switched_off_reaches_nothing():
    assert not reach(FauxServer().get("books", {}).enable(False), None, True)


def test_a_default_handler_reaches_all_but_what_pages_are_made_of():
    server = FauxServer().set_default_handler({})

    found = [reached(server, f"{SITE}/{path}") for path in ("anything", "main.js", "a/style.css?v=2", "data.json")]

    assert found == [True, False, False, True]


@pytest.mark.parametrize(
    ("policy", "met"),
    [
        (("error",), ["/anything", "/live/news", "/other"]),
        (("live/", "error"), ["/live/news"]),
        (("/live", "warn"), ["/live/news"]),
        (("http://localhost:8000/live", lambda request: None), ["/live/news"]),
        (("live/", "bypass"), []),
    ],
)
def test_policies_reach_what_they_speak_of(policy, met):
    server = FauxServer().set_unmatched(*policy)

    assert [url for url in ("/anything", "/live/news", "/other") if reached(server, SITE + url)] == met


@pytest.mark.parametrize(
    ("base", "met"),
    [
        (None, ["/api/authors", "/app/api/authors"]),
        (f"{SITE}/app/", ["/app/other", "/app/api/authors"]),
    ],
)
def test_who_wants_to_be_told_of_others_reaches_what_is_beside_a_route_or_below_a_base(base, met):
    server = FauxServer().get("api/books", [])

    urls = ("/api/authors", "/other", "/app/other", "/app/api/authors", "/app/api/main.js", "/apis")

    assert [url for url in urls if reached(server, SITE + url, base, True)] == met


@pytest.mark.parametrize("count", [150, 1_000])
def test_many_routes_make_a_short_expression(count):
    server = FauxServer()
    for number in range(count):
        server.get(f"api/things{number}/:id", {})

    (regexp,) = regexps(reach(server, None))

    assert len(regexp.pattern) < 25 * 150
    assert regexp.search(f"{SITE}/api/things149/7")
    assert not regexp.search(f"{SITE}/static/things149/7")


@pytest.mark.parametrize(
    ("expression", "met"),
    [
        ("api/books/:id", ["/api", "/api/books", "/api/authors/1"]),
        (":shop/books", ["/api/books"]),
        ("*rest", ["/api", "/api/books", "/api/authors/1", "/other"]),
        ("other", ["/other"]),
    ],
)
def test_what_begins_alike_is_reached_by_its_first_name(expression, met):
    (regexp,) = regexps(map(beginning, reach(FauxServer().get(expression, {}), None)))

    assert [url for url in ("/api", "/api/books", "/api/authors/1", "/other") if regexp.search(SITE + url)] == met


def test_express_patterns_do_not_care_for_upper_and_lower_case():
    server = FauxServer(expressions="express").get("/books/:id", {})

    assert [reached(server, f"{SITE}/{path}") for path in ("books/7", "BOOKS/7", "book/7")] == [True, True, False]


# Python's own

SAME = [
    r"/v\d+/status$",
    r"^https?://[^/]+/api/",
    r"/(?:a|b){2,3}(?=/x)",
    r"/books/[\w-]+\.json",
    r"(?<!x)/y",
]


@pytest.mark.parametrize("source", SAME)
def test_a_regexp_that_both_languages_read_alike_is_taken_as_it_is(source):
    assert translate(re.compile(source)) == source


@pytest.mark.parametrize(
    ("source", "translated"),
    [(r"/v(?P<version>\d+)$", r"/v(\d+)$"), (r"\Ahttp", "^http"), (r"x\Z", "x$")],
)
def test_what_only_python_has_a_word_for_is_translated(source, translated):
    assert translate(re.compile(source)) == translated


@pytest.mark.parametrize(
    "source", [r"(a)\1", r"a*+b", r"(?P<n>a)(?P=n)", r"(?i:a)", r"[]a]", r"a{,3}", r"(?>a)", r"größe", r"(a)?(?(1)b|c)"]
)
def test_what_javascript_might_read_otherwise_reaches_everything(source):
    server = FauxServer().get(re.compile(source), {})

    assert (translate(re.compile(source)), reached(server, f"{SITE}/anything")) == (None, True)


def test_flags_are_kept():
    server = FauxServer().get(re.compile("/BOOKS$", re.IGNORECASE), {}).get(re.compile("/Authors$"), {})

    assert [reached(server, f"{SITE}/{path}") for path in ("books", "Authors", "authors")] == [True, True, False]


# All of it

_names = st.sampled_from(["a", "b", "api", "v1.0", ":x", ":x.json", "*y", "(c)", "(/:z)", "(*w)", "a-:p-:q", "s/*", ""])
_expressions = st.builds(
    lambda lead, names, query: lead + "/".join(names) + query,
    st.sampled_from(["", "/", "http://localhost:8000/", "https://api.test/"]),
    st.lists(_names, max_size=4),
    st.sampled_from(["", "?q=:q", "#x"]),
)
_urls = st.builds(
    lambda origin, names, query: origin + "/".join(names) + query,
    st.sampled_from(["http://localhost:8000/", "https://api.test/"]),
    st.lists(st.sampled_from(["a", "b", "api", "v1.0", "c", "x.json", "a-1-2", "s", "", "%20", "main.js"]), max_size=5),
    st.sampled_from(["", "?q=1", "?", "?a/b"]),
)
_bases = st.sampled_from(
    [None, "/", "/a/", "http://localhost:8000/", "http://localhost:8000/a/", "https://api.test/api/"]
)
_own = st.sampled_from([None, None, "http://localhost:8000/a", "https://api.test", "/a"])


@given(st.lists(_expressions, min_size=1, max_size=4), _urls, _bases, _own)
@example(["(:x)"], "http://localhost:8000/a", "http://localhost:8000/a/", None)
@example([""], "http://localhost:8000/a", None, "http://localhost:8000/a")
def test_whatever_a_server_answers_is_reached(expressions, url, base, own):
    server = FauxServer(own)
    for expression in expressions:
        try:
            server.get(expression, {})
        except Exception:  # Not each of these is one.
            continue
    # Without a base, the page's own: any folder above the url, or the root of its origin.
    bases = [base] if base else [url[: at + 1] for at, letter in enumerate(url) if letter == "/" and at > 7]

    answered = any(server.accept(Request("GET", url, base=each)) for each in bases)

    assert not answered or reached(server, url, base)
