"""Why a request is not answered: the nearest routes, in words."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fauxserver import FauxServer, Request
from fauxserver.urlexp import UrlExp

NO_ROUTE = "is not answered here. No route matches it, and there is no default handler."
BASE = "http://host/app/index.html"


def serve(*routes):
    """A server with routes of no known place, each `METHOD expression`, or a regular expression."""
    server = FauxServer()
    for route in routes:
        if isinstance(route, str):
            method, _, expression = route.partition(" ")
            server.add_page_route(expression, method=method)
        else:
            server.add_page_route(route, method="GET")
    return server


def near(server, method, url, base=None):
    return [str(near) for near in server.explain(Request(method, url, base=base)).nearest]


@pytest.mark.parametrize(
    ("routes", "asked", "told"),
    [
        # Another method
        (["DELETE books/:id"], "POST books/7", ["DELETE books/:id answers DELETE, not POST"]),
        (["GET a", "PUT a"], "POST a", ["GET a answers GET, not POST", "PUT a answers PUT, not POST"]),
        (["GET a", "GET a", "* b"], "PUT a", ["GET a answers GET, not PUT"]),
        # One segment differs
        (["GET books/:id"], "GET boks/7", ['GET books/:id has "books" where the url has "boks"']),
        (["GET books/:id"], "GET book/7", ['GET books/:id has "books" where the url has "book"']),
        (["GET api/v1/books"], "GET api/v2/books", ['GET api/v1/books has "v1" where the url has "v2"']),
        (["GET api/books"], "GET api/authors", ['GET api/books has "books" where the url has "authors"']),
        (["GET img/:name.png"], "GET img/a.jpg", ['GET img/:name.png has ":name.png" where the url has "a.jpg"']),
        (["GET a?page=1"], "GET a?page=2", ['GET a?page=1 has "a?page=1" where the url has "a?page=2"']),
        (["GET authors"], "GET books", []),
        (["GET :kind/:id"], "GET books", []),
        (["GET :kind/:id"], "PUT books/1", ["GET :kind/:id answers GET, not PUT"]),
        # Several
        (["GET books/:id"], "PUT boks/7", ['GET books/:id has "books" where the url has "boks"; answers GET, not PUT']),
        # Close spellings first, and nothing far beside what is near
        (
            ["GET api/boots", "GET api/books", "GET api/authors"],
            "GET api/bookz",
            [
                'GET api/books has "books" where the url has "bookz"',
                'GET api/boots has "boots" where the url has "bookz"',
            ],
        ),
        (
            ["GET api/a", "GET api/b", "GET api/c", "GET api/d"],
            "GET api/z",
            [f'GET api/{name} has "{name}" where the url has "z"' for name in "abc"],
        ),
        (
            ["POST books", "GET books/:id/pages"],
            "GET boks",
            ['POST books has "books" where the url has "boks"; answers POST, not GET'],
        ),
        # Missing and extra segments
        (["GET books/:id"], "GET books", ['GET books/:id has ":id" besides']),
        (["GET api/books/:id"], "GET books/7", ['GET api/books/:id has "api" besides']),
        (["GET books"], "GET books/7", ['GET books has nothing for "7"']),
        (["GET books"], "GET api/books", ['GET books has nothing for "api"']),
        (["GET books"], "GET books/7/pages", []),
        (["GET files/*path"], "GET files", ['GET files/*path has "*path" besides']),
        (["GET books(/page/:page)"], "GET books/page", ['GET books(/page/:page) has ":page" besides']),
        # Slashes
        (["GET books/:id"], "GET /books/7", ["GET books/:id begins without a slash, and the url with one"]),
        (["GET /books/:id"], "GET books/7", ["GET /books/:id begins with a slash, and the url without one"]),
        (["GET books"], "GET books/", ["GET books ends without a slash, and the url with one"]),
        (["GET books/"], "GET books", ["GET books/ ends with a slash, and the url without one"]),
        (["GET books/:id"], "GET books/", ['GET books/:id has ":id" where the url has nothing']),
        # Upper and lower case
        (["GET books"], "GET Books", ['GET books has "books" and the url "Books": upper and lower case differ']),
        # What only the regular expression knows
        (["GET books/*a/x*b"], "GET books/7\n/xy", ["GET books/*a/x*b does not match as a whole"]),
        (
            [re.compile("^v(\\d)/status$")],
            "GET v1/status/",
            [r"GET re.compile('^v(\\d)/status$') does not match, because the url ends with a slash"],
        ),
        (
            [re.compile("^v1/status$")],
            "GET /v1/status",
            ["GET re.compile('^v1/status$') does not match, because the url begins with a slash"],
        ),
        ([re.compile("^v1/status$")], "GET v2/status", ["GET re.compile('^v1/status$') does not match the url"]),
        ([re.compile("^v1/status$")], "PUT v1/status", ["GET re.compile('^v1/status$') answers GET, not PUT"]),
        ([re.compile("^v1/status$")], "GET books", []),
        # Nothing at all
        ([], "GET books", []),
        (["GET books"], "GET ", []),
        (["GET "], "POST ", ["GET  answers GET, not POST"]),
    ],
)  # fmt: skip
def test_the_nearest_routes_and_why_they_do_not_match(routes, asked, told):
    method, _, url = asked.partition(" ")

    assert near(serve(*routes), method, url) == told


@pytest.mark.parametrize(
    ("route", "url", "told"),
    [
        ("GET books/:id", "http://host/app/boks/7", ['GET books/:id has "books" where the url has "boks"']),
        ("GET books/:id", "http://host/books/7", ["GET books/:id stands below http://host/app/, and the url does not"]),
        ("GET books", "https://other/app/books", ["GET books stands below http://host/app/, and the url does not"]),
        ("GET /api/books", "http://host/api/boks", ['GET /api/books has "books" where the url has "boks"']),
        ("GET /api/books", "http://host/app/api/books", ['GET /api/books has nothing for "app"']),
        (
            "GET http://host/v1/books",
            "http://host/v1/book",
            ['GET http://host/v1/books has "books" where the url has "book"'],
        ),
        (
            "GET http://host/v1/books",
            "http://hast/v1/books",
            ['GET http://host/v1/books has "host" where the url has "hast"'],
        ),
        ("GET http://host/v1/books", "http://host/a/b", []),
        ("HEAD books", "http://host/app/books", ["HEAD books answers HEAD, not GET"]),
    ],
)  # fmt: skip
def test_what_only_absolute_urls_have(route, url, told):
    assert near(serve(route), "GET", url, BASE) == told


def test_the_address_that_a_server_stands_for():
    server = serve("GET books")
    server.base = "https://api.example.com/v1"

    assert near(server, "GET", "https://api.example.com/v2/books", "http://host/") == [
        "GET books stands below https://api.example.com/v1/, and the url does not"
    ]


def test_what_answers_get_answers_head_over_http():
    server = serve("GET books", "PUT authors")

    assert near(server, "HEAD", "http://host/app/boks", BASE) == ['GET books has "books" where the url has "boks"']


def test_a_regexp_of_the_page_that_matches_for_another_method():
    server = FauxServer()
    row = server.add_page_route(UrlExp.foreign("^books", "i"), method="PUT").id

    explained = server.explain(Request("GET", "Books", hits=frozenset({row})))

    assert [str(near) for near in explained.nearest] == ["PUT /^books/i answers PUT, not GET"]


def test_an_included_server_that_is_disabled():
    server = FauxServer().include(serve("GET books").enable(False))

    assert near(server, "GET", "books") == ["GET books would answer, and its server is disabled"]


def test_an_explanation_is_facts_and_readable_lines():
    server = FauxServer().get("books/:id", [])
    line = server.get_route_at(0).location

    explained = server.explain(Request("post", "books/7"))

    assert (explained.method, explained.url, explained.reason) == ("POST", "books/7", NO_ROUTE)
    assert [(near.route.name, near.why) for near in explained.nearest] == [
        (server.get_route_at(0).name, "answers GET, not POST")
    ]
    assert str(explained) == f"POST books/7 {NO_ROUTE} Nearest:\n  GET books/:id ({line}) answers GET, not POST"


@pytest.mark.parametrize(
    ("setup", "told"),
    [
        (lambda server: None, f"GET authors {NO_ROUTE}"),
        (lambda server: server.enable(False), "GET authors is not answered here. The server is disabled."),
        (lambda server: server.set_default_handler({}), "GET authors is answered by the default handler ({place})."),
        (lambda server: server.add_page_route("authors"), "GET authors is answered by * authors."),
    ],
)
def test_there_is_always_something_to_say(setup, told):
    server = serve("GET books")
    setup(server)
    default = server._default

    assert str(server.explain(Request("GET", "authors"))) == told.format(place=default and default.location)


def test_its_text_is_bounded():
    server = serve("GET " + "b" * 1_000 + "/:id", "GET x/:id/" + "/".join("c" * 1_000))

    told = str(server.explain(Request("PUT", "b" * 1_000 + "/1")))
    other = str(server.explain(Request("GET", "x/" + "y" * 10_000 + "/z" * 1_000)))

    assert [len(line) < 300 for line in [*told.splitlines(), *other.splitlines()]] == [True] * 3


def test_to_explain_changes_nothing():
    server = FauxServer()
    server.explain(Request("GET", "books"))
    server.get("books", [])
    server.explain(Request("GET", "books"))

    server.reset()

    assert (len(server), len(server.journal)) == (1, 0)


def test_the_nearest_of_thousands():
    server = serve(
        *[f"GET api/resource-{number}/:id" for number in range(3_000)],
        *[f"GET r{number % 30}/s{number // 30 % 30}/t{number // 900}/u" for number in range(3_000)],
    )

    told = [near(server, "GET", url)[:1] for url in ["api/resourse-77/7", "r7/s8/t1/x", "q/r7/s8/t1/x/" * 20]]

    assert told == [
        ['GET api/resource-77/:id has "resource-77" where the url has "resourse-77"'],
        ['GET r7/s8/t1/u has "u" where the url has "x"'],
        [],
    ]


@pytest.mark.parametrize(
    ("expression", "url", "base", "shared"),
    [
        ("books/:id", "books/7/pages", None, True),
        ("books/:id", "/books/7/pages", None, True),
        ("books", "books?page=2", None, True),
        ("books/:id", "bookshelf", None, False),
        ("books/:id", "api/books", None, False),
        (":kind/books", "authors/books", None, False),
        ("books/:id", "http://host/app/books", BASE, True),
        ("books/:id", "http://host/books", BASE, True),
        ("books/:id", "http://host/app/api", BASE, False),
        ("books/:id", "http://other/app/books", BASE, False),
        ("/api/books", "http://host/api/authors?a=1", BASE, True),
        ("/api/books", "http://host/app/api", BASE, False),
        ("http://other/v1/books", "http://other/v1", BASE, True),
        ("http://other/v1/books", "http://host/v1", BASE, False),
        ("http://other/v1/books", "http://other/", BASE, False),
        ("*rest", "http://host/app/books", BASE, False),
        ("books(/:id)", "data:text/plain,books", BASE, False),
        ("books", "", None, False),
    ],
)
def test_whether_a_route_begins_with_the_same_name(expression, url, base, shared):
    server = serve(f"PUT {expression}")

    assert server.routes.shares_segment(Request("GET", url, base=base)) is shared


names = st.sampled_from(["books", "boks", "Books", "api", "7", "", "a.json", "v1"])
pieces = st.one_of(names, st.sampled_from([":id", "*rest", ":name.json", "(:page)", "v:number"]))
expressions = st.lists(pieces, min_size=1, max_size=4).map("/".join)
urls = st.lists(names, min_size=1, max_size=5).map("/".join)
methods = st.sampled_from(["GET", "POST", "*"])


@settings(deadline=None)
@given(
    st.lists(st.tuples(methods, expressions), max_size=6),
    urls,
    st.sampled_from([None, "http://host/", "http://host/api/"]),
)
def test_whatever_the_routes_there_is_an_answer_or_an_explanation(routes, url, base):
    server = serve(*[f"{method} {expression}" for method, expression in routes])
    request = Request("GET", f"http://host/{url}" if base else url, base=base)
    answered = server.routes.match(request)

    told = server.explain(request)

    lines = str(told).splitlines()
    assert ("is answered by" in lines[0]) == (answered is not None)
    assert len(lines) == 1 + len(told.nearest) <= 4
    assert all(near.why and len(line) < 400 for near, line in zip(told.nearest, lines[1:], strict=True))


@given(expressions, urls)
def test_who_is_answered_by_a_route_shares_its_first_name(expression, url):
    server = serve(f"GET {expression}")
    request = Request("GET", url)
    first = expression.partition("/")[0]

    if first and first.isalnum() and server.routes.match(request):
        assert server.routes.shares_segment(request)
