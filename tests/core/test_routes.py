"""Which route wins."""

import re
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fauxserver import FauxServer, FauxServerWarning, Request
from fauxserver.routefile import RouteFile
from fauxserver.routes import Route, RouteTable
from fauxserver.urlexp import UrlExp


def table_of(*routes) -> RouteTable:
    table = RouteTable()
    for name, expression, method in routes:
        table.add(Route(name, UrlExp(expression), method, None))
    return table


def winner(table, method, url, base=None):
    match = table.match(Request(method, url, base=base))
    return match and (match.route.name, match.params)


# --- Precedence ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("routes", "method", "url", "won"),
    [
        ([("a", "books", "GET"), ("b", "books", "GET")], "GET", "books", ("b", ())),
        ([("a", "books/:id", "GET"), ("b", "books/*rest", "GET")], "GET", "books/7", ("b", ("7",))),
        ([("a", "books", "GET"), ("b", "books", "*")], "GET", "books", ("a", ())),
        ([("a", "books", "*"), ("b", "books", "*")], "GET", "books", ("b", ())),
        ([("a", "books", "*"), ("b", "books", "*")], "*", "books", ("b", ())),
        ([("a", "books", "POST")], "GET", "books", None),
        ([("a", "books", "GET")], "*", "books", None),
        ([("a", "books/:id", "GET"), ("b", re.compile("books"), "GET")], "GET", "books/7", ("b", ())),
        ([("b", re.compile("books/(.)"), "GET"), ("a", "books/:id", "GET")], "GET", "books/7", ("a", ("7",))),
        ([("b", re.compile("books/(.)"), "GET"), ("a", "books/:id", "*")], "GET", "books/7", ("b", ("7",))),
        ([("a", re.compile("books"), "*"), ("b", re.compile("o"), "*")], "GET", "books", ("b", ())),
        ([], "GET", "books", None),
    ],
)
def test_the_exact_method_beats_any_method_and_later_beats_earlier(routes, method, url, won):
    assert winner(table_of(*routes), method, url) == won


def test_adding_a_name_again_keeps_its_place():
    table = table_of(("a", "books/:id", "GET"), ("b", "books/*rest", "GET"), ("a", "books/:number", "GET"))

    assert winner(table, "GET", "books/7") == ("b", ("7",))
    assert [route.name for route in table.rows()] == ["a", "b"]


def test_a_removed_route_uncovers_the_earlier_one():
    table = table_of(("a", "books/:id", "GET"), ("b", "books/*rest", "GET"))
    before = winner(table, "GET", "books/7")

    table.remove("b")

    assert (before, winner(table, "GET", "books/7")) == (("b", ("7",)), ("a", ("7",)))


def test_a_route_added_after_a_request_is_found_by_the_next():
    table = table_of(("a", "books/:id", "GET"))
    before = winner(table, "GET", "books/7/pages")

    table.add(Route("b", UrlExp("books/:id/pages"), "GET", None))

    assert (before, winner(table, "GET", "books/7/pages")) == (None, ("b", ("7",)))


def test_routes_are_got_by_name_and_by_place():
    table = table_of(("a", "books", "GET"), ("b", "authors", "GET"))

    assert (table.get("b").name, table.get("c"), table.at(0).name) == ("b", None, "a")
    assert (table.at(2), table.at(-1)) == (None, None)


def test_a_regexp_of_the_page_matches_what_the_page_says():
    table = table_of(("a", "books/:id", "GET"))
    foreign = table.add(Route("f", UrlExp.foreign("^books", "i"), "GET", None))

    def won(hits):
        return table.match(Request("GET", "books/7", hits=frozenset(hits))).route.name

    assert (won([]), won([foreign.id]), won([foreign.id + 1000])) == ("a", "f", "a")


def test_a_later_route_beats_a_regexp_of_the_page():
    table = table_of()
    foreign = table.add(Route("f", UrlExp.foreign("^books", "i"), "GET", None))
    table.add(Route("a", UrlExp("books/:id"), "GET", None))

    assert table.match(Request("GET", "books/7", hits=frozenset([foreign.id]))).route.name == "a"


# --- Included tables ----------------------------------------------------------------------------------------------


def test_an_included_table_is_a_block_where_it_was_included():
    inner = table_of(("inner", "books/:id", "GET"))
    outer = table_of(("before", "books/*rest", "GET"))
    outer.include(inner)
    outer.add(Route("after", UrlExp("books/:a/:b"), "GET", None))
    first = winner(outer, "GET", "books/7")

    inner.add(Route("later", UrlExp("books/*all"), "GET", None))

    assert first == ("inner", ("7",))
    assert winner(outer, "GET", "books/7") == ("later", ("7",))
    assert winner(outer, "GET", "books/7/8") == ("after", ("7", "8"))
    assert [route.name for route in outer.rows()] == ["before", "inner", "later", "after"]
    assert (outer.at(2).name, outer.get("later").name) == ("later", "later")


def test_a_replaced_table_leaves_its_place_to_the_new_one():
    old, new, later = table_of(("old", "a", "GET")), table_of(("new", "a", "GET")), table_of(("later", "b", "GET"))
    outer = RouteTable()
    outer.include(old)
    outer.include(later)

    replaced = outer.replace(old, new)
    old.add(Route("ghost", UrlExp("a"), "GET", None))

    assert replaced
    assert [route.name for route in outer.rows()] == ["new", "later"]
    assert winner(outer, "GET", "a") == ("new", ())
    assert not outer.replace(old, new)


def test_a_table_that_is_included_twice_down_keeps_up():
    inner, middle, outer = table_of(), table_of(("m", "a", "*")), table_of()
    middle.include(inner)
    outer.include(middle)
    before = winner(outer, "GET", "a")

    inner.add(Route("i", UrlExp("a"), "GET", None))
    added = winner(outer, "GET", "a")
    inner.remove("i")

    assert (before, added, winner(outer, "GET", "a")) == (("m", ()), ("i", ()), ("m", ()))


def test_routes_of_a_disabled_table_do_not_match_unless_the_including_one_has_spoken():
    inner, outer = table_of(("inner", "books", "GET")), table_of()
    outer.include(inner)
    found = []

    for inner_enabled, outer_enabled in [(None, None), (False, None), (True, None), (False, True)]:
        inner.enabled, outer.enabled = inner_enabled, outer_enabled
        inner.changed()
        found.append(winner(outer, "GET", "books"))

    assert found == [("inner", ()), None, ("inner", ()), ("inner", ())]


# --- Which part of an absolute url is matched ---------------------------------------------------------------------

PAGE = "http://host/app/"


@pytest.mark.parametrize(
    ("expression", "url", "base", "params"),
    [
        # As given, and nothing else.
        ("books/:id", "books/7", None, ("7",)),
        ("books/:id", "/books/7", None, None),
        ("/books/:id", "/books/7", None, ("7",)),
        ("http://host/:x", "http://host/7", None, ("7",)),
        ("books", "books?a=1#b", None, ()),
        ("books?a=:a", "books?a=1", None, ("1",)),
        # Absolute urls, in a page.
        ("books/:id", "http://host/app/books/7", PAGE, ("7",)),
        ("books/:id", "http://host/app/books/7?x=1", PAGE, ("7",)),
        ("books/:id", "http://host/books/7", PAGE, None),
        ("books/:id", "http://other/app/books/7", PAGE, None),
        ("books/:id", "http://host/app/books/7", "http://host/app/index.html", ("7",)),
        ("/app/books/:id", "http://host/app/books/7", PAGE, ("7",)),
        ("/books/:id", "http://host/books/7", PAGE, ("7",)),
        ("/books/:id", "http://other/books/7", PAGE, None),
        ("http://host/app/books/:id", "http://host/app/books/7", PAGE, ("7",)),
        ("https://api.example.com/:x", "https://api.example.com/7", PAGE, ("7",)),
        ("", "http://host/app/", PAGE, ()),
        ("", "http://host/app", PAGE, ()),
        ("?a=:a", "http://host/app?a=1", PAGE, ("1",)),
        (re.compile(r"app/(\w+)\?x"), "http://host/app/books?x=1", PAGE, ("books",)),
        # Over HTTP there is one origin.
        ("books/:id", "http://127.0.0.1:8000/books/7", "/", ("7",)),
        ("/books/:id", "http://127.0.0.1:8000/books/7", "/", ("7",)),
        ("/books/:id", "http://127.0.0.1:8000/mount/books/7", "/mount/", ("7",)),
        ("books/:id", "http://127.0.0.1:8000/mount/books/7", "/mount/", ("7",)),
        ("books/:id", "http://127.0.0.1:8000/books/7", "/mount/", None),
    ],
)
def test_which_part_of_the_url_is_matched(expression, url, base, params):
    table = table_of(("route", expression, "GET"))

    assert winner(table, "GET", url, base) == (None if params is None else ("route", params))


@pytest.mark.parametrize(
    ("expression", "url", "base", "params"),
    [
        ("books/:id", "https://api.example.com/v1/books/7", None, ("7",)),
        ("books/:id", "books/7", None, ("7",)),
        ("books/:id", "https://api.example.com/v1/books/7", PAGE, ("7",)),
        ("/books/:id", "https://api.example.com/v1/books/7", PAGE, ("7",)),
        ("books/:id", "https://api.example.com/v2/books/7", PAGE, None),
        ("books/:id", "http://host/app/books/7", PAGE, None),
        ("", "https://api.example.com/v1", PAGE, ()),
        ("books/:id", "http://127.0.0.1:8000/v1/books/7", "/", ("7",)),
        ("books/:id", "http://127.0.0.1:8000/books/7", "/", None),
    ],
)
def test_which_part_of_the_url_is_matched_below_the_address_of_a_server(expression, url, base, params):
    table = table_of(("route", expression, "GET"))
    table.base = "https://api.example.com/v1"

    assert winner(table, "GET", url, base) == (None if params is None else ("route", params))


def test_an_included_table_stands_below_its_own_address():
    inner, outer = table_of(("inner", "books", "GET")), table_of(("outer", "books", "GET"))
    inner.base = "https://api.example.com"
    outer.include(inner)

    assert winner(outer, "GET", "https://api.example.com/books", PAGE) == ("inner", ())
    assert winner(outer, "GET", "http://host/app/books", PAGE) == ("outer", ())


# --- The index, against trying all --------------------------------------------------------------------------------

SEGMENTS = [
    "a",
    "b",
    "ab",
    "a.json",
    "",
    ":x",
    ":x.json",
    "a-:x",
    ":x-:y",
    "*s",
    "a*s",
    "*s.b",
    "b*",
    ":x*",
    "é",
    "𝒳:x",
]
OPTIONALS = ["(/:o)", "(/a)", "(/*s)", "(*s)", "(/a(/:o))", "(a)", "(/:o/b)", "(:o)", "(.json)", "(b*)"]

expressions = st.tuples(
    st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=4).map("/".join),
    st.lists(st.sampled_from(OPTIONALS), max_size=5).map("".join),
    st.sampled_from(["", "", "", "/a", "?q=:q", "/:z"]),
).map("".join)
patterns = st.sampled_from([re.compile("a/(.)"), re.compile("^b"), re.compile("json$")])
methods = st.sampled_from(["GET", "GET", "POST", "*"])
some_routes = st.lists(st.tuples(st.one_of(expressions, expressions, expressions, patterns), methods), max_size=12)
some_urls = st.lists(
    st.tuples(
        st.lists(
            st.sampled_from(["a", "b", "ab", "a.json", "", "x.json", "a-1", "1-2", "é", "𝒳1", "\n", "abb", "s.b"]),
            max_size=5,
        ).map("/".join),
        st.sampled_from(["", "", "?q=1", "#top"]),
    ).map("".join),
    min_size=20,
    max_size=20,
)


def naive(routes: list[Route], method: str, url: str):
    """The winner as the rules have it: try all, latest first."""
    for wanted in (method, "*"):
        for route in reversed(routes):
            if route.method == wanted:
                params = route.exp.match(url)
                if params is not None:
                    return route.name, params
    return None


@settings(max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(some_routes, some_urls, st.data())
def test_the_index_finds_what_trying_all_finds(routes, urls, data):
    table, inner = RouteTable(), RouteTable()
    table.include(inner)
    for number, (expression, method) in enumerate(routes):
        into = inner if data.draw(st.booleans()) else table
        into.add(Route(str(number), UrlExp(expression), method, None))
        if data.draw(st.booleans()):
            # The index is made, and has to be extended from now on.
            table.match(Request("GET", "a"))

    found = [winner(table, method, url) for url in urls for method in ("GET", "POST", "*")]

    assert found == [naive(table.rows(), method, url) for url in urls for method in ("GET", "POST", "*")]


def looks(table: RouteTable, url: str) -> int:
    """How many candidates a match has to look at."""
    table.match(Request("GET", url))
    return sum(len(candidates) for leaf, _, _ in table._index.leaves(url, None) for candidates in leaf.values())


@pytest.mark.parametrize(
    ("expression", "url"),
    [
        ("books{}/:id", "books{}/7"),
        ("api/v1/:id/books{}", "api/v1/7/books{}"),
        ("api(/:lang)/books{}", "api/en/books{}"),
        ("api/books{}(/:id)(/pages/:page)", "api/books{}/7/pages/1"),
        ("files{}/*path", "files{}/a/b/c"),
        ("f{}*path", "f{}abc/d"),
        ("*path/file{}", "a/b/c/file{}"),
        ("book{}-:id/x", "book{}-7/x"),
        (":id.v{}", "7.v{}"),
        ("a/*b/c{}/d", "a/b/b/c{}/d"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "*"])
def test_the_number_of_candidates_does_not_grow_with_the_number_of_routes(expression, url, method):
    table = table_of(*((str(number), expression.format(number), method) for number in range(2000, 4000)))

    assert winner(table, "GET", url.format(3123))[0] == "3123"
    assert looks(table, url.format(3123)) <= 4


def test_no_regular_expression_is_compiled_for_common_expressions():
    common = ["books", "books/:id", "books/:id.json", "books(/:id)", "files/*path", "a(/:b)(/:c)", "v:x/y"]
    table = table_of(*((expression, expression, "GET") for expression in common))

    for url in ["books", "books/7", "books/7.json", "files/a/b", "a/b/c", "a", "v1/y"]:
        assert winner(table, "GET", url) is not None

    assert [route.exp._pattern for route in table.rows()] == [None] * len(common)


# --- Hidden routes ------------------------------------------------------------------------------------------------


def test_over_http_an_expression_with_letters_matches_their_codes():
    server = FauxServer().get("bücher/:id", "first").get("bücher/*rest", "second")
    server.get("😀/:id", "smile").get(re.compile("/b%C3%BCcher/8$"), "pattern").add_route(":größe/*rest", "any")

    def match(url, base="http://faux.test/"):
        exchange = server.accept(Request("GET", url, base=base))
        return exchange and (exchange.route.handler, exchange.params)

    assert match("http://faux.test/b%C3%BCcher/7") == ("second", ("7",))
    assert match("http://faux.test/b%c3%bccher/%F0%9F%98%80%20%FF%2F") == ("second", ("%F0%9F%98%80%20%FF%2F",))
    assert match("http://faux.test/b%C3%BCcher/8") == ("pattern", ())
    assert match("http://faux.test/%F0%9F%98%80/a") == ("smile", ("a",))
    assert match("http://faux.test/%E4/7") == ("any", ("%E4", "7"))
    # As given, there is nothing to decode.
    assert match("bücher/ü", base=None) == ("second", ("ü",))
    assert match("b%C3%BCcher/7", base=None) == ("any", ("b%C3%BCcher", "7"))


HIDING = """from fauxserver import FauxServer
server = FauxServer()
server.get("books/search", [])
server.get("books/:id", [])
server.get("authors/:id/books", [])
server.get("authors/:id", [])
server.post("books/search", [])
server.add_route("books/*rest", [])
"""


def test_a_route_that_a_later_one_of_the_file_hides_is_warned_of_once():
    file = RouteFile("hiding_routes.py", HIDING)

    def use():
        file.run()
        file.servers[0].accept(Request("GET", "books/7"))
        file.servers[0].ready()

    with pytest.warns(FauxServerWarning) as warned:
        use()

    assert [(str(warning.message), warning.filename, warning.lineno) for warning in warned] == [
        (
            "GET books/:id (hiding_routes.py:4) hides GET books/search (hiding_routes.py:3), because between two "
            "routes that match the one added last wins. Move line 4 above line 3.",
            "hiding_routes.py",
            4,
        )
    ]


def test_a_route_that_a_function_adds_to_override_another_is_no_mistake():
    server = FauxServer()
    server.get("books/search", [])
    server.get("books/:id", [])

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        server.accept(Request("GET", "books/7"))

    assert server.get_matching_route("books/search", "GET").url_exp == "books/:id"
