"""Express patterns: what they match, what they capture, and which of them wins. (Rows B10 and B13.)"""

import random
import re
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fauxserver import FauxServer, FauxServerWarning, Request, RouteError, UrlExpError
from fauxserver.expressexp import Express
from fauxserver.routes import Route, RouteTable
from fauxserver.urlexp import UrlExp

# Asked of Express 3.21.2, but for what DECISIONS.md says is mended.
MATCHES = [
    ("/contacts", "/contacts", ()),
    ("/contacts", "/contacts/", ()),
    ("/contacts", "/Contacts", ()),
    ("/contacts", "/contacts//", None),
    ("/contacts", "/contacts/7", None),
    ("/contacts", "contacts", None),
    ("/contacts/", "/contacts", ()),
    ("/contacts", "/contacts?page=2#top", ()),
    ("/", "/", ()),
    ("/", "/a", None),
    ("/contacts/:id", "/contacts/7", ("7",)),
    ("/contacts/:id", "/contacts/7/", ("7",)),
    ("/contacts/:id", "/contacts/", None),
    ("/contacts/:id", "/contacts/7/8", None),
    ("/contacts/:id", "/contacts/J.%20D.%2FS", ("J. D./S",)),
    ("/contacts/:id", "/contacts/größe", ("größe",)),
    ("/contacts/:id", "/CONTACTS/MiXed", ("MiXed",)),
    ("/contacts/:id?", "/contacts", (None,)),
    ("/contacts/:id?", "/contacts/7", ("7",)),
    ("/:a/:b?/c", "/1/c", ("1", None)),
    ("/:a/:b?/c", "/1/2/c", ("1", "2")),
    ("/contacts/:id(\\d+)", "/contacts/7", ("7",)),
    ("/contacts/:id(\\d+)", "/contacts/seven", None),
    ("/contacts/:id(\\d+)?", "/contacts", (None,)),
    ("/contacts/:id([0-9a-f]{2})", "/contacts/F0", ("F0",)),
    ("/contacts/:who(me|you)", "/contacts/you", ("you",)),
    ("/contacts/:id(\\d*)", "/contacts/", ("",)),
    ("/contacts/:path(.*)", "/contacts/a/b", ("a/b",)),
    ("/contacts/:id((a|b)c)", "/contacts/bc", ("bc",)),
    ("/files/*", "/files/a/b.txt", ("a/b.txt",)),
    ("/files/*", "/files/", ("",)),
    ("/files/*", "/files", None),
    ("/files/*.*", "/files/a/b.tar.gz", ("a/b.tar", "gz")),
    ("*", "/any/thing", ("/any/thing",)),
    ("/a*z", "/abcz", ("bc",)),
    ("/files/:name*", "/files/a", ("a", None, None)),
    ("/files/:name*", "/files/a/b/c", ("a", "/b/c", "b/c")),
    ("/contacts/:id.:format", "/contacts/7.json", ("7", "json")),
    ("/contacts/:id.:format", "/contacts/a.b.json", ("a.b", "json")),
    ("/contacts/:id.:format", "/contacts/7", None),
    ("/contacts/:id.:format?", "/contacts/7", ("7", None)),
    ("/contacts.:format?", "/contacts.xml", ("xml",)),
    ("/contacts.:format?", "/contacts", (None,)),
    ("/:from-:to", "/a-b-c", ("a", "b-c")),
    ("/flights/:from..:to", "/flights/a..b", ("a", "b")),
    ("/v1.0", "/v1x0", None),
    ("/ab?c", "/ac", ()),
    ("/ab+c", "/abbc", ()),
    ("/a(bc)?d", "/ad", (None,)),
    ("/a(bc)?d", "/abcd", ("bc",)),
    ("/a/(edit)?", "/a/edit", ()),
    ("/a/(edit)?", "/a", ()),
    ("/a(x)?/:id", "/ax/7", ("x", "7")),
    ("/[ab]c", "/bc", ()),
    ("/(?:a|b)/:id", "/b/7", ("7",)),
    ("/a/(?<year>\\d+)", "/a/1951", ("1951",)),
    ("/one|/two", "/two/", ()),
    ("/\\(x\\)", "/(x)", ()),
    ("/x{2}", "/xx", ()),
    ("/:id([*+]+)", "/+*", ("+*",)),
    ("/:id(?:a|b)", "/b", ("b",)),
    ("/\\++x", "/++x", ()),
    ("/:ünicode", "/7", ("7",)),
    (["/people/:name", "/contacts/:name"], "/contacts/Franny", ("Franny",)),
    (["/people/:name", "/contacts/:id/:name"], "/contacts/7/Franny", ("Franny", "7")),
    (["/a/*", "/b/:x/*"], "/b/1/2/3", ("2/3", "1")),
    (re.compile(r"^/c(\d+)"), "/c7/more?q=1", ("7",)),
    (re.compile(r"c(\w)?$"), "/abc", (None,)),
    ("http://localhost:8080/a/:id", "http://localhost:8080/a/7", ("7",)),
]


@pytest.mark.parametrize(("expression", "url", "captures"), MATCHES)
def test_B10_a_pattern_matches_and_captures_as_in_express(expression, url, captures):
    exp = Express()(expression)
    table = RouteTable()
    table.add(Route("it", exp, "GET", None))

    match = table.match(Request("GET", url))

    assert (exp.match(url), match and match.params) == (captures, captures)


@pytest.mark.parametrize(
    ("grammar", "expression", "url", "captures"),
    [
        (Express(sensitive=True), "/contacts/:id", "/Contacts/7", None),
        (Express(sensitive=True), "/contacts/:id", "/contacts/7/", ("7",)),
        (Express(strict=True), "/contacts/:id", "/contacts/7/", None),
        (Express(strict=True), "/contacts/", "/contacts", None),
        (Express(strict=True), "/contacts/", "/Contacts/", ()),
        (Express(True, True), ["/a", "/b/"], "/b/", ()),
        (Express(True, True), ["/a", "/b/"], "/A", None),
    ],
)
def test_B10_case_and_a_slash_at_the_end_count_where_one_says_so(grammar, expression, url, captures):
    table = RouteTable()
    table.add(Route("it", grammar(expression), "GET", None))

    match = table.match(Request("GET", url))

    assert (grammar(expression).match(url), match and match.params) == (captures, captures)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("/a(b", "Unbalanced parentheses in '/a(b': it opens a parenthesis that is not closed. Put a backslash"),
        ("/a)b", "Unbalanced parentheses in '/a)b': it closes a parenthesis that was not opened at character 3."),
        ("/:id(\\d+", "Unbalanced parentheses in '/:id(\\\\d+': it opens"),
        ("/[ab", "'/[ab' opens a bracket that is not closed."),
        ("?", "The Express pattern '?' does not parse: nothing to repeat. In it ?, +, |"),
        ("/a++b", "The Express pattern '/a++b' does not parse: nothing to repeat."),
        ("/:id(\\d{2}+)", "The Express pattern '/:id(\\\\d{2}+)' does not parse: nothing to repeat."),
        ("/:id([z-a])", "The Express pattern '/:id([z-a])' does not parse: bad character range z-a."),
        ("/books/{id}", "{id} in '/books/{id}' is no parameter. Write it with a colon, '/books/:id'."),
        (["/a", "b"], "The patterns of one route begin alike: '/a' and 'b' do not."),
        ([], "An Express pattern is a str, a list of them, or a compiled re.Pattern of str, and [] is none of these."),
        (7, "An Express pattern is a str, a list of them, or a compiled re.Pattern of str, and 7 is none of these."),
    ],
)
def test_a_pattern_that_does_not_parse_says_why(expression, message):
    with pytest.raises(UrlExpError) as raised:
        Express()(expression)

    assert str(raised.value).startswith(message)


PIECES = [
    "/a",
    "/B",
    "b",
    ".",
    "-",
    "/:id",
    "/:x?",
    ":y",
    "*",
    "/*",
    ".:format",
    ".:format?",
    "/:n(\\d+)",
    "(b)?",
    "b?",
]
PIECES += ["/:n([a-c]+)?", "/(b)?", "/:r(a|b)", "[ab]", ":id*", "/:p(.+)"]
SEGMENTS = ["a", "b", "bc", "7", "a.json", "x-y", "", "abb", "é", "%20", "."]


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join), min_size=1, max_size=4),
    st.lists(st.sampled_from(SEGMENTS), max_size=4).map("/".join),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_the_index_finds_what_trying_all_patterns_would(patterns, path, sensitive, strict, first):
    grammar = Express(sensitive, strict)
    table = RouteTable()
    table.first = first
    routes = [table.add(Route(f"{at}", grammar(f"/{text}"), "GET", None)) for at, text in enumerate(patterns)]

    match = table.match(Request("GET", f"/{path}"))

    wanted = [(route, route.exp.match(f"/{path}")) for route in (routes if first else reversed(routes))]
    wanted = next((each for each in wanted if each[1] is not None), None)
    assert (match and (match.route, match.params)) == wanted


@pytest.mark.parametrize(
    ("base", "url"), [(None, "/a/b"), ("/", "http://here/a/b"), ("http://here/", "http://here/a/b")]
)
def test_B10_a_pattern_that_is_all_star_sees_the_same_on_every_host(base, url):
    server = FauxServer(expressions="express").get("*", lambda context: list(context.captures))

    assert server.accept(Request("GET", url, base=base)).answer().body == ["/a/b"]


def test_case_does_not_count_for_what_looks_like_ours_either():
    server = FauxServer(expressions="express").get("http://There/Api/x", {}).get("/Contacts/:id", {})

    urls = ["http://there/API/y", "http://there/other", "http://here/contacts", "http://here/other"]
    assert [server.unmatched(Request("GET", url, base="http://here/")) for url in urls] == [
        "warn",
        "bypass",
        "warn",
        "bypass",
    ]


def test_B13_where_the_first_counts_so_does_the_first_default_handler():
    one, two = FauxServer().set_default_handler(lambda: "one"), FauxServer().set_default_handler(lambda: "two")

    answers = [
        FauxServer(precedence=word).include(one).include(two).dispatch("GET", "x").body for word in ("first", "latest")
    ]

    assert answers == ["one", "two"]


def test_what_cannot_be_decoded_is_a_bad_request():
    server = FauxServer(expressions="express").get("/contacts/:id", lambda id: {"id": id})

    answers = [server.accept(Request("GET", url)).answer() for url in ("/contacts/%E0%A4", "/contacts/%zz")]

    assert [(answer.status, answer.body) for answer in answers] == [
        (400, "Failed to decode param '%E0%A4'"),
        (400, "Failed to decode param '%zz'"),
    ]


@pytest.mark.parametrize("base", [None, "/", "http://here/app/"])
def test_a_regular_expression_sees_the_path_on_every_host(base):
    server = FauxServer(expressions="express").get(re.compile(r"^/c/(\d+)$"), lambda context: list(context.captures))

    response = server.accept(Request("GET", "/c/7?x=1" if base is None else "http://here/c/7?x=1", base=base)).answer()

    assert response.body == ["7"]


# --- Which one wins -----------------------------------------------------------------------------------------------


def winner(server, method, url):
    found = server.get_matching_route(url, method)
    return found and found.name


@pytest.mark.parametrize(("precedence", "won"), [("first", "one"), ("latest", "three")])
@pytest.mark.parametrize("expressions", ["express", "backbone"])
def test_B13_the_first_or_the_latest_wins_as_one_says(expressions, precedence, won):
    server = FauxServer(expressions=expressions, precedence=precedence)
    for name, exp in [("one", "/books/:id"), ("two", re.compile("^/books")), ("three", "/:a/:b")]:
        server.get(exp, {}, name=name)

    assert winner(server, "GET", "/books/7") == won


def test_B13_where_the_first_counts_so_does_one_for_any_method():
    server = FauxServer(expressions="express", precedence="first")
    server.add_route("/a/:x", {}, name="any").get("/a/1", {}, name="one").get("/b", {}, name="b").add_route("/b", {})

    assert (winner(server, "GET", "/a/1"), winner(server, "PUT", "/a/1"), winner(server, "GET", "/b")) == (
        "any",
        "any",
        "b",
    )


def test_B13_each_included_server_keeps_its_own_precedence():
    first = FauxServer(expressions="express", precedence="first")
    first.add_route("/a/:x", {}, name="f1").get("/a/:y", {}, name="f2")
    latest = FauxServer().add_route("/b/:x", {}, name="l1").get("/b/:y", {}, name="l2").get("/b/*z", {}, name="l3")
    both = FauxServer().include(first).include(latest)

    assert (winner(both, "GET", "/a/1"), winner(both, "GET", "/b/1")) == ("f1", "l3")
    both.get("/a/*rest", {}, name="over")
    assert (winner(both, "GET", "/a/1"), winner(both, "PUT", "/a/1")) == ("over", "f1")


def test_B13_a_server_where_the_first_counts_asks_its_included_ones_in_order():
    one, two = FauxServer().get("a", {}, name="one"), FauxServer().get("a", {}, name="two")
    server = FauxServer(precedence="first").include(one).include(two).get("a", {}, name="three")

    assert (winner(server, "GET", "a"), winner(server.exclude(one), "GET", "a")) == ("one", "two")


def test_a_regexp_of_the_page_keeps_its_place_where_the_first_counts():
    table = RouteTable()
    table.first = True
    table.add(Route("a", UrlExp("books/7"), "GET", None))
    foreign = table.add(Route("f", UrlExp.foreign("^books", ""), "GET", None))
    table.add(Route("b", UrlExp("books/:id"), "GET", None))

    won = [table.match(Request("GET", url, hits=frozenset([foreign.id]))).route.name for url in ("books/7", "books/8")]

    assert won == ["a", "f"]


def test_a_route_that_an_earlier_one_hides_is_warned_of_once():
    source = (
        "from fauxserver import FauxServer\nserver = FauxServer(expressions='express', precedence='first')\n"
        "server.get('/books/:id', 1)\nserver.get('/books/search', 2)\nserver.get('/books/:id(\\\\d+)/:page?', 3)\n"
    )
    names = {"__name__": "routes"}
    exec(compile(source, "routes.py", "exec"), names)

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", FauxServerWarning)
        names["server"].ready()

    assert [str(each.message) for each in warned] == [
        "GET /books/:id (routes.py:3) hides GET /books/search (routes.py:4), because between two routes that match the "
        "one added first wins. Move line 3 below line 4."
    ]


def test_a_route_that_is_near_is_explained():
    server = FauxServer(expressions="express").get("/Contacts/:id(\\d+)", {}).get(re.compile("^/people/(.)"), {})

    told = server.explain(Request("POST", "/CONTACTS/7"))

    assert [f"{near.route.url_exp} {near.why}" for near in told.nearest] == [
        "/Contacts/:id(\\d+) answers GET, not POST"
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"expressions": "rails"},
            'FauxServer: expressions=\'rails\' is no grammar. Give "backbone", "express", or Express(sensitive=True).',
        ),
        ({"precedence": "last"}, 'FauxServer: precedence=\'last\' is none. Give "latest" or "first".'),
    ],
)
def test_what_is_no_option_says_what_is(options, message):
    with pytest.raises(RouteError) as raised:
        FauxServer(**options)

    assert str(raised.value) == message


def test_many_patterns_are_found_by_their_segments():
    table = RouteTable()
    for number in random.Random(7).sample(range(2000), 2000):
        table.add(Route(f"{number}", Express()(f"/r{number}/:id(\\d+)"), "GET", None))

    found = table.index.leaves("/R1234/7", None)

    assert [[candidate.route.name for candidate in leaf["GET"]] for leaf, _, _ in found] == [["1234"]]
