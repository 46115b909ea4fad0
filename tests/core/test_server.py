"""`FauxServer`: its words, one by one, and a request's journey through it."""

import asyncio
import re

import pytest

from fauxserver import Exchange, FauxServer, HTTPError, Request, Response, RouteError, UrlExpError


def ask(server, method="GET", url="books", data=None, **request):
    """Status and body of an answer; nothing if the request is not the server's."""
    response = asyncio.run(server.handle(Request(method, url, data, **request)))
    return response and (response.status, response.body)


def names(server):
    return [server.get_route_at(index).name for index in range(len(server))]


# --- Routes -------------------------------------------------------------------------------------------------------


def test_the_first_example_works():
    server = FauxServer()
    books = {}

    @server.post("library-app/books")
    def create_book(context):
        books[len(books) + 1] = book = {**context.data, "id": len(books) + 1}
        return book

    @server.get("library-app/books/:id")
    def read_book(id: int):
        if id not in books:
            raise HTTPError(404)
        return books[id]

    assert ask(server, "POST", "library-app/books", {"title": "Franny"}) == (200, {"title": "Franny", "id": 1})
    assert ask(server, "GET", "library-app/books/1") == (200, {"title": "Franny", "id": 1})
    assert ask(server, "GET", "library-app/books/2") == (404, "Not Found")
    assert ask(server, "GET", "library-app/authors") is None


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_each_verb_has_its_word(method):
    server = FauxServer()
    add = getattr(server, method.lower())

    returned = add("value", {"a": 1}, name="value")
    handler = add("function")(lambda: [])

    assert (returned is server, handler()) == (True, [])
    assert server.get_route("value").http_method == method
    assert (ask(server, method, "function"), ask(server, "HEAD", "function")) == ((200, []), None)


def test_add_route_takes_any_verb_in_any_case_and_none_for_all():
    server = FauxServer()
    server.add_route("a", [], method="get").add_route("b", [], method="Bogus").add_route("c", []).add_route(
        "d", [], method=None
    )

    assert [server.get_route_at(index).http_method for index in range(4)] == ["GET", "BOGUS", "*", "*"]
    assert ask(server, "bogus", "b") == (200, [])


def test_a_decorator_adds_the_route_when_it_gets_its_function():
    server = FauxServer()
    decorate = server.add_route("books", name="books")
    before = len(server)

    decorate(lambda: [])

    assert (before, len(server), ask(server)) == (0, 1, (200, []))


@pytest.mark.parametrize("routes", [None, [], {}])
def test_add_routes_adds_nothing_where_there_is_nothing(routes):
    assert len(FauxServer().add_routes(routes)) == 0


def test_add_routes_takes_a_list_or_a_dict():
    server = FauxServer()
    server.add_routes(
        [{"name": "a", "url_exp": "a"}, {"url_exp": "b", "http_method": "post", "handler": lambda: "404"}]
    )
    server.add_routes({"c": {"url_exp": "c", "name": "ignored", "handler": {"c": 1}}})

    assert names(server) == ["a", "POST_/^b$/_1", "c"]
    assert (ask(server, "PUT", "a"), ask(server, "POST", "b"), ask(server, "GET", "c")) == (
        (200, None),
        (404, "404"),
        (200, {"c": 1}),
    )


def test_a_copy_tells_all_of_a_route():
    server = FauxServer()

    def read_book(id):
        return id

    server.get("books/:id", read_book, name="read")
    line = test_a_copy_tells_all_of_a_route.__code__.co_firstlineno + 6

    assert server.get_route("read")._asdict() == {
        "name": "read",
        "url_exp": "books/:id",
        "http_method": "GET",
        "handler": read_book,
        "handler_params": (),
        "location": f"test_server.py:{line}",
        "label": "read_book",
    }
    assert server.get_route_at(0) == server.get_route("read")
    assert server.get_matching_route("books/7", "get") == server.get_route("read")._replace(handler_params=("7",))
    assert (server.get_route("write"), server.get_route_at(1), server.get_route_at(-1)) == (None, None, None)
    assert (server.get_matching_route("books/7"), server.get_matching_route("books", "GET")) == (None, None)


def test_routes_without_a_name_get_one():
    server = FauxServer().get("books/:id", []).add_route(re.compile("^x/y"), [])

    assert names(server) == [r"GET_/^books\/([^/]+)$/_1", r"*_/^x\/y/_2"]


def test_routes_are_removed_by_name_or_all():
    server = FauxServer().get("a", [], name="a").get("b", [], name="b").get("c", [])

    server.remove_route("a").remove_route("nothing")
    left = names(server)
    server.remove_routes()

    assert (left, len(server), bool(server)) == (["b", "GET_/^c$/_1"], 0, True)


@pytest.mark.parametrize(
    ("add", "error", "message"),
    [
        (
            lambda server: server.get("books(", []),
            UrlExpError,
            "Unbalanced parentheses in 'books(': it opens a parenthesis that is not closed. "
            "Parentheses mark a part that may be left out, as in books(/:id).",
        ),
        (
            lambda server: server.get("a)b", []),
            UrlExpError,
            "Unbalanced parentheses in 'a)b': it closes a parenthesis that was not opened at character 2. "
            "Parentheses mark a part that may be left out, as in books(/:id).",
        ),
        (
            lambda server: server.get("*", []),
            UrlExpError,
            "The * in '*' has nothing to repeat. For a part that takes anything give it a name, as in *rest.",
        ),
        (
            lambda server: server.get("books/{id}", []),
            UrlExpError,
            "{id} in 'books/{id}' is no parameter. Write it with a colon, 'books/:id'.",
        ),
        (
            lambda server: server.get("books/{id:int}/x", []),
            UrlExpError,
            "{id:int} in 'books/{id:int}/x' is no parameter. Write it with a colon, 'books/:id/x'.",
        ),
        (
            lambda server: server.get(5, []),
            UrlExpError,
            "An url expression is a str or a compiled re.Pattern of str, and 5 is neither.",
        ),
        (
            lambda server: server.get(re.compile(b"x"), []),
            UrlExpError,
            "An url expression is a str or a compiled re.Pattern of str, and re.compile(b'x') is neither.",
        ),
        (
            lambda server: server.add_route("a", [], method="GET it"),
            RouteError,
            "'GET it' is no HTTP method. Give a verb such as 'GET', or '*' for any.",
        ),
        (
            lambda server: server.add_route("a", [], method=7),
            RouteError,
            "7 is no HTTP method. Give a verb such as 'GET', or '*' for any.",
        ),
        (
            lambda server: server.add_routes([{"name": "a"}]),
            RouteError,
            "add_routes: {'name': 'a'} is no route. Give a dict with 'url_exp'.",
        ),
        (
            lambda server: server.add_routes({"a": {"url_exp": "x", "urlExp": "x"}}),
            RouteError,
            "add_routes: 'urlExp' in the route 'x' means nothing. A route has url_exp, http_method, handler and name.",
        ),
        (lambda server: server.include("x"), RouteError, "include: 'x' is no FauxServer."),
        (
            lambda server: server.include(FauxServer().include(server)),
            RouteError,
            "include: a server cannot include itself, or one that includes it.",
        ),
        (
            lambda server: server.replace(FauxServer(), FauxServer()),
            RouteError,
            "replace: the old server is not included here. Use include.",
        ),
    ],
)
def test_what_cannot_be_added_is_told(add, error, message):
    server = FauxServer()

    with pytest.raises(error) as raised:
        add(server)

    assert (str(raised.value), len(server)) == (message, 0)


# --- Enable, default handler, transport ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flag", "answer"), [(False, None), (0, None), (None, None), (True, (200, [])), (1, (200, []))]
)
def test_enable(flag, answer):
    server = FauxServer().get("books", []).enable(flag)

    assert (ask(server), server.enabled) == (answer, answer is not None)


def test_enable_without_an_argument_enables():
    assert ask(FauxServer().get("books", []).enable(False).enable()) == (200, [])


def test_a_default_handler_answers_what_no_route_matches():
    server = FauxServer().get("books", [])

    @server.set_default_handler
    def otherwise(context):
        return {"route": context.route.name, "expression": context.route.url_exp, "params": list(context.captures)}

    found = ask(server, "PUT", "books/7")
    server.set_default_handler()

    assert found == (200, {"route": "", "expression": "", "params": []})
    assert (ask(server), ask(server, "PUT", "books/7")) == ((200, []), None)


def test_a_host_hears_of_changes():
    heard = []
    inner, outer = FauxServer(), FauxServer()
    outer.include(inner)
    outer.on_change = lambda: heard.append(len(outer))

    outer.get("a", [])
    inner.get("b", [])
    outer.enable(False)
    outer.set_transport_factory(dict)
    outer.remove_routes()

    assert heard == [1, 2, 2, 2, 0]


# --- Includes -----------------------------------------------------------------------------------------------------


def test_an_included_server_answers_with_its_own_settings():
    inner, outer = FauxServer(time_limit=70), FauxServer()
    inner.get("inner", []).set_latency(30).set_default_handler(lambda: {"from": "inner"})
    outer.get("outer", []).include(inner)

    def settings(url):
        exchange = outer.accept(Request("GET", url))
        return exchange.delay, exchange.time_limit, exchange.answer().body

    assert settings("inner") == (30, 70, [])
    assert settings("outer") == (0, None, [])
    assert settings("neither") == (30, 70, {"from": "inner"})


def test_what_the_including_server_has_set_goes_before():
    inner, outer = FauxServer(time_limit=70), FauxServer(time_limit=90)
    inner.get("inner", []).set_latency(30).set_default_handler(lambda: {"from": "inner"}).enable(False)
    outer.include(inner).set_latency(0).set_default_handler(lambda: {"from": "outer"})

    disabled = ask(outer, "GET", "inner")
    outer.enable()
    exchange = outer.accept(Request("GET", "inner"))

    assert disabled == (200, {"from": "outer"})
    assert (exchange.delay, exchange.time_limit, exchange.answer().body) == (0, 90, [])
    assert ask(outer, "GET", "neither") == (200, {"from": "outer"})


def test_a_host_default_time_limit_counts_last():
    inner, outer = FauxServer(time_limit=70).get("inner", []), FauxServer().get("outer", [])
    outer.include(inner)
    outer.default_time_limit = 5000

    limits = [outer.accept(Request("GET", url)).time_limit for url in ("inner", "outer")]

    assert limits == [70, 5000]


def test_an_included_server_writes_its_journal_too():
    inner, outer = FauxServer().get("inner", []), FauxServer().get("outer", [])
    outer.include(inner)

    ask(outer, "GET", "inner"), ask(outer, "GET", "outer")

    assert [entry.url for entry in outer.journal] == ["inner", "outer"]
    assert [entry.url for entry in inner.journal] == ["inner"]


def test_exclude_and_remove_routes_let_go_of_included_servers():
    inner, outer = FauxServer().get("inner", []), FauxServer()

    outer.include(inner).exclude(inner)
    excluded = ask(outer, "GET", "inner")
    outer.include(inner).remove_routes()

    assert (excluded, ask(outer, "GET", "inner"), ask(inner, "GET", "inner")) == (None, None, (200, []))


def test_a_replaced_server_leaves_its_place():
    old, new = FauxServer().get("a", {"from": "old"}), FauxServer().get("a", {"from": "new"})
    outer = FauxServer().include(old).get("b", [])

    outer.replace(old, new)

    assert ask(outer, "GET", "a") == (200, {"from": "new"})
    assert [outer.get_route_at(index).url_exp for index in range(2)] == ["a", "b"]


def test_default_handlers_of_included_servers_answer_below_their_address():
    inner = FauxServer("https://api.example.com/v1").set_default_handler(lambda: {"from": "inner"})
    outer = FauxServer().include(inner)

    assert ask(outer, "GET", "https://api.example.com/v1/x", base="http://host/") == (200, {"from": "inner"})
    assert ask(outer, "GET", "http://host/x", base="http://host/") is None


# --- The journey --------------------------------------------------------------------------------------------------


def test_what_a_request_matched_it_keeps():
    server = FauxServer().get("books", {"from": "first"}, name="books").set_latency(30)
    exchange = server.accept(Request("GET", "books"))

    server.get("books", {"from": "second"}, name="books").enable(False)

    assert (exchange.answer().body, exchange.route.location[:15]) == ({"from": "first"}, "test_server.py:")


def test_the_context_tells_all_of_a_request():
    seen = []
    server = FauxServer()
    server.put("books/:id(/:page)", lambda context: seen.append(context))

    exchange = server.accept(Request("put", "books/7?a=1", {"t": 1}, {"x-a": "b"}, b'{"t":1}', method_override="PATCH"))
    exchange.answer()

    (context,) = seen
    assert isinstance(exchange, Exchange)
    assert (context.data, context.url, context.http_method, context.http_method_override) == (
        {"t": 1},
        "books/7?a=1",
        "PUT",
        "PATCH",
    )
    assert (context.params, context.captures, context.query) == ({"id": "7", "page": None}, ("7", None), {"a": "1"})
    assert (context.headers, context.request.body, context.route.handler_params) == (
        {"x-a": "b"},
        b'{"t":1}',
        ("7", None),
    )
    assert repr(context) == "<Context PUT books/7?a=1>"


def test_data_that_is_learnt_after_the_url_is_set_on_the_exchange():
    server = FauxServer().post("books", lambda data: data)
    exchange = server.accept(Request("POST", "books"))

    exchange.data = {"title": "Franny"}

    assert (exchange.answer().body, server.journal[0].data) == ({"title": "Franny"}, {"title": "Franny"})


def test_a_dropped_request_does_not_run_its_handler():
    ran = []
    server = FauxServer().get("books", lambda: ran.append(1))
    exchange = server.accept(Request("GET", "books"))

    exchange.drop()
    response = exchange.answer()

    assert (ran, exchange.dropped, response.status) == ([], True, 503)
    assert [str(entry) for entry in server.journal] == [
        f"GET books → dropped, 0 ms, <lambda> {server.get_route_at(0).location}"
    ]


def test_a_dropped_request_that_waits_is_cancelled():
    seen = []

    async def handler():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def run():
        server = FauxServer().get("books", handler)
        exchange = server.accept(Request("GET", "books"))
        answer = asyncio.ensure_future(exchange.answer())
        await asyncio.sleep(0)
        exchange.drop()
        return (await answer).status, [entry.status for entry in server.journal]

    assert (asyncio.run(run()), seen) == ((503, [0]), ["cancelled"])


def test_a_caller_that_gives_up_cancels_the_handler():
    async def handler():
        await asyncio.Event().wait()

    async def run(latency):
        server = FauxServer().get("books", handler).set_latency(latency)
        asked = asyncio.ensure_future(server.handle(Request("GET", "books")))
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        return [entry.status for entry in server.journal]

    assert (asyncio.run(run(0)), asyncio.run(run(10_000))) == ([0], [0])


# --- Latency ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "low", "high"),
    [
        ((), 0, 0),
        ((50,), 50, 50),
        ((50, 0), 50, 50),
        ((50, None), 50, 50),
        ((20, 60), 20, 60),
        ((60, 20), 20, 60),
        ((-5,), 0, 0),
        ((float("nan"),), 0, 0),
        ((None, 5), 0, 5),
        ((lambda: 30,), 30, 30),
        ((lambda context: len(context.url),), 7, 7),
        ((lambda id: int(id) * 10,), 70, 70),
        ((lambda context, id, missing: 5 if missing is None else 6,), 5, 5),
        ((lambda: "soon",), 0, 0),
        ((lambda: None,), 0, 0),
        ((lambda: float("inf"),), 0, 0),
    ],
)
def test_set_latency(arguments, low, high):
    server = FauxServer().get("books/:id", []).set_latency(*arguments)

    assert low <= server.accept(Request("GET", "books/7")).delay <= high


def test_a_latency_is_drawn_once_a_request():
    server = FauxServer().get("books", []).set_latency(0, 1000)

    exchanges = [server.accept(Request("GET", "books")) for _ in range(20)]

    assert [exchange.delay for exchange in exchanges] == [exchange.delay for exchange in exchanges]
    assert len({exchange.delay for exchange in exchanges}) > 1


def test_without_a_latency_of_its_own_a_server_has_that_of_the_included_one_again():
    inner = FauxServer().get("books", []).set_latency(30)
    outer = FauxServer().include(inner).set_latency(5)

    own = outer.accept(Request("GET", "books")).delay
    outer.set_latency(None)

    assert (own, outer.accept(Request("GET", "books")).delay) == (5, 30)


async def slow():
    return 5


def wrong():
    return 1 / 0


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (slow, "The latency function slow is asynchronous. Write it with `def`; it returns milliseconds."),
        (
            wrong,
            f"ZeroDivisionError: division by zero (in <lambda>, test_server.py:{wrong.__code__.co_firstlineno + 1})",
        ),
    ],
)
def test_a_latency_function_that_fails_fails_the_request(function, message):
    server = FauxServer().get("books", lambda: []).set_latency(function)
    exchange = server.accept(Request("GET", "books"))

    assert exchange.delay == 0
    response = exchange.answer()
    assert (response.status, response.body) == (500, message)


# --- Journal ------------------------------------------------------------------------------------------------------


def test_the_journal_tells_what_was_asked_and_how_it_was_answered():
    server = FauxServer().post("books", lambda: ({}, 201), name="create")

    ask(server, "POST", "books", {"title": "Franny"})

    (entry,) = server.journal
    assert entry._replace(duration=2.4)._asdict() == {
        "method": "POST",
        "url": "books",
        "status": 201,
        "duration": 2.4,
        "route": "create",
        "label": "<lambda>",
        "location": server.get_route("create").location,
        "data": {"title": "Franny"},
        "error": None,
        "delay": 0.0,
        "note": "",
    }
    assert str(entry._replace(duration=2.4)) == f"POST books → 201, 2 ms, <lambda> {entry.location}"


def test_the_journal_is_bounded():
    server = FauxServer(journal_size=3).get("books/:id", [])

    for number in range(5):
        ask(server, "GET", f"books/{number}")

    assert (len(server.journal), [entry.url for entry in server.journal]) == (3, ["books/2", "books/3", "books/4"])
    assert (server.journal[-1].url, [entry.url for entry in server.journal[:2]]) == ("books/4", ["books/2", "books/3"])
    server.journal.clear()
    assert list(server.journal) == []


def test_a_handler_that_the_page_called_is_reported():
    server = FauxServer()
    server.add_page_route("books", object(), method="get", label="readBooks", file="http://host/app.js", line=12)
    exchange = server.accept(Request("GET", "books"))

    exchange.done(404, 3.0)
    exchange.done(200, 3.0)

    assert [str(entry) for entry in server.journal] == ["GET books → 404, 3 ms, readBooks app.js:12"]


def test_a_handler_that_lives_in_the_page_cannot_be_called_here():
    server = FauxServer()
    server.add_page_route("books", object(), method="get")

    assert ask(server) == (500, "The handler of GET books lives in the page, and only the page can call it.")


# --- Back to the beginning ----------------------------------------------------------------------------------------


def test_reset_brings_back_what_was_there_when_it_became_ready():
    server = FauxServer(time_limit=70).get("a", [], name="a").set_latency(5)
    server.set_default_handler(lambda: {"default": 1})
    server.ready()

    server.get("b", []).remove_route("a").set_latency(9).set_default_handler().enable(False)
    server.time_limit, server.base = None, "https://x"
    returned = server.reset()

    exchange = server.accept(Request("GET", "a"))
    assert returned is server
    assert (names(server), exchange.delay, server.time_limit, server.base) == (["a"], 5, 70, None)
    assert ask(server, "GET", "b") == (200, {"default": 1})


def test_without_ready_reset_brings_back_what_the_first_request_found():
    server = FauxServer().get("a", [])
    ask(server, "GET", "a")

    server.get("b", []).reset()

    assert (len(server), list(server.journal)) == (1, [])


def test_reset_drops_requests_that_are_on_their_way():
    ran = []

    async def handler():
        await asyncio.Event().wait()

    async def run():
        server = FauxServer().get("waits", handler).get("books", lambda: ran.append(1))
        delayed, running = server.accept(Request("GET", "books")), server.accept(Request("GET", "waits"))
        answer = asyncio.ensure_future(running.answer())
        await asyncio.sleep(0)
        server.reset()
        return delayed.dropped, delayed.answer().status, (await answer).status

    assert (asyncio.run(run()), ran) == ((True, 503, 503), [])


def test_reset_resets_included_servers():
    inner = FauxServer().get("inner", [], name="inner")
    outer = FauxServer().include(inner).ready()

    inner.get("more", []).set_latency(5)
    outer.remove_routes().reset()

    assert (names(outer), inner.latency) == (["inner"], None)


def test_a_response_shows_its_status():
    assert repr(Response({}, 404)) == "<Response 404 Not Found>"
    assert repr(FauxServer().get("a", [])) == "<FauxServer with 1 routes>"
