"""Barefoot's manner: callbacks, stacks of them, errors, and the local call."""

import asyncio
import gc
import logging
import re
import threading

import pytest

import fauxserver.callbacks as callbacks
from fauxserver import (
    APIAdapter,
    FauxServer,
    HandlerError,
    HTTPError,
    NotFound,
    Request,
    Response,
    RouteError,
    callback,
    create_error,
)


def call(url="/it", *, method="GET", data=None, at="/it", **options):
    """What a callback that is the argument of the decorator it gives is called for, and what is answered."""

    def decorate(*steps):
        api = APIAdapter(**options).add_route(at, list(steps), method=method)
        response = api.dispatch(method, url, data)
        return response.status, response.body

    return decorate


# --- What it is given ---------------------------------------------------------------------------------------------


def given(success, error, *arguments):
    success([callable(success), callable(error), *arguments])


@pytest.mark.parametrize(
    ("at", "url", "data", "arguments"),
    [
        ("/contacts", "/contacts", None, [None]),
        ("/contacts", "/contacts", {"name": "Franny"}, [{"name": "Franny"}]),
        ("/contacts/:id", "/contacts/7", None, ["7", None]),
        ("/contacts/:id/:page", "/contacts/7/8", {"a": 1}, ["7", "8", {"a": 1}]),
        ("/contacts/:id/:page?", "/contacts/7", None, ["7", None, None]),
        ("/files/*", "/files/a/b", None, ["a/b", None]),
    ],
)
def test_B2_success_and_error_come_first_then_what_is_named_then_the_data(at, url, data, arguments):
    assert call(url, method="POST", data=data, at=at)(given) == (200, [True, True, *arguments])


@pytest.mark.parametrize(
    ("url", "query"),
    [
        ("/contacts/7?message=test&limit=1", {"message": "test", "limit": "1"}),
        ("/contacts/7?tag=a&tag=b", {"tag": ["a", "b"]}),
        ("/contacts/7?q=a%20b", {"q": "a b"}),
    ],
)
def test_B3_the_query_comes_last_where_the_url_has_one(url, query):
    assert call(url, at="/contacts/:id")(given) == (200, [True, True, "7", None, query])


@pytest.mark.parametrize("url", ["/contacts/7", "/contacts/7?", "/contacts/7#top"])
def test_B3_without_a_query_there_is_no_argument_for_it(url):
    assert call(url, at="/contacts/:id")(given) == (200, [True, True, "7", None])


@pytest.mark.parametrize(
    ("step", "body"),
    [
        (lambda s, e, i, d, q: s([i, d, q]), ["7", {"a": 1}, {"page": "2"}]),
        (lambda s, e, i: s([i]), ["7"]),
        (lambda s: s(["nothing else"]), ["nothing else"]),
        (lambda s, e, i, d, q, more, still="more": s([q, more, still]), [{"page": "2"}, None, "more"]),
        (lambda success, id, query: success([id, query]), ["7", {"page": "2"}]),
        (lambda success, error, query, data: success([query, data]), [{"page": "2"}, {"a": 1}]),
        (lambda context, success: success([context.params]), [{"id": "7"}]),
        (lambda s, e, other, *, query: s([other, query]), ["7", {"page": "2"}]),
        (lambda s, e, *rest: s(list(rest)), ["7", {"a": 1}, {"page": "2"}]),
        (lambda s, e, i, **more: s([i, more]), ["7", {}]),
    ],
)
def test_B2_a_callback_takes_by_name_or_in_order_as_many_as_it_wants(step, body):
    assert call("/contacts/7?page=2", method="POST", data={"a": 1}, at="/contacts/:id")(step)[1] == body


def test_B2_annotations_convert_what_is_captured():
    def step(success, error, id: int):
        success([id])

    assert call("/contacts/7", at="/contacts/:id")(step) == (200, [7])
    assert call("/contacts/seven", at="/contacts/:id")(step) == (404, "Not Found")


def test_B11_equal_values_are_all_given():
    assert call("/a/1/1", at="/a/:x/:y")(given) == (200, [True, True, "1", "1", None])


def test_B11_they_are_given_once_if_one_wants_the_original():
    step = lambda s, e, x, y, z: s([x, y, z])  # noqa: E731

    assert call("/a/1/1", method="POST", data=["1", "2"], at="/a/:x/:y", collapse=True)(step) == (200, ["1", "2", None])


# --- What it answers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        (lambda success: success(), (200, None)),
        (lambda success: success({"id": 1}), (200, {"id": 1})),
        (lambda success: success({"id": 1}, 201), (201, {"id": 1})),
        (lambda success: success("a text"), (200, "a text")),
        (lambda success: success("404"), (200, "404")),
        (lambda success: success(({"a": 1}, 418)), (200, [{"a": 1}, 418])),
        (lambda success: success(Response([1], 202)), (202, [1])),
        (lambda success, error: error("no such contact"), (500, "no such contact")),
        (lambda success, error: error(), (500, "Internal Server Error")),
        (lambda success, error: error(NotFound("gone")), (404, "Not Found: gone")),
        (lambda success, error: error(NotFound), (404, "Not Found")),
        (lambda success, error: error(HTTPError(409, {"taken": True})), (409, {"taken": True})),
        (lambda success, error: error({"why": "so"}), (500, {"why": "so"})),
        (lambda success, error: error({"httpStatusCode": 422}), (422, {"httpStatusCode": 422})),
        (lambda success, error: (success(1), error("too late")), (200, 1)),
        (lambda success, error: (error("first"), success(1)), (500, "first")),
        (lambda success, error: success(1) or {"what it returns": "is ignored"}, (200, 1)),
    ],
)
def test_B7_success_has_a_status_and_B6_an_error_its_own(step, answer):
    assert call()(step) == answer


def test_B6_create_error_makes_kinds_of_errors():
    Taken = create_error(409, "Taken")

    def raises(success):
        raise Taken("by you")

    assert call()(raises) == (409, "Taken: by you")
    assert (Taken.__name__, issubclass(Taken, Exception), str(Taken())) == ("Taken", True, "Taken")


@pytest.mark.parametrize("status", [200, "404", None, 600, True])
def test_B6_create_error_wants_a_status_of_an_error(status):
    with pytest.raises(RouteError, match=r"is no status of an error\. Give a number from 400 to 599"):
        create_error(status, "No")


@pytest.mark.parametrize("how", ["raise", "error"])
def test_B5_to_raise_is_to_call_error(how):
    def step(success, error):
        problem = NotFound("gone")
        if how == "raise":
            raise problem
        error(problem)

    assert call()(step) == (404, "Not Found: gone")


def test_B5_what_is_raised_unexpectedly_is_a_500_that_names_its_line():
    def step(success, error):
        return {}["missing"]

    status, body = call()(step)

    assert status == 500
    assert re.fullmatch(r"KeyError: 'missing' \(in step, test_callbacks\.py:\d+\)", body)


def test_B5_what_is_raised_after_success_is_not_lost():
    def step(success):
        success(1)
        raise NotFound("after all")

    assert call()(step) == (404, "Not Found: after all")


# --- Stacks -------------------------------------------------------------------------------------------------------


def test_B4_a_stack_goes_on_with_success_and_the_last_ones_result_counts():
    seen = []

    def first(success, error, id, data):
        seen.append(["first", id, dict(data)])
        data["more"] = 1
        success("discarded", 418)

    def second(success, error, id, data):
        seen.append(["second", id, data])
        success(["kept"], 201)

    answer = call("/contacts/7", method="POST", data={"a": 1}, at="/contacts/:id")(first, second)

    assert answer == (201, ["kept"])
    assert seen == [["first", "7", {"a": 1}], ["second", "7", {"a": 1, "more": 1}]]


@pytest.mark.parametrize(
    "stop", [lambda s, e: e("no"), lambda s, e: (_ for _ in ()).throw(HTTPError(500, "no"))], ids=["error", "raise"]
)
def test_B5_error_stops_a_stack(stop):
    assert call()(lambda s: s(), stop, lambda s: s("never")) == (500, "no")


def test_B4_an_empty_stack_is_a_success_with_nothing():
    assert call()() == (200, None)


def test_B4_callbacks_that_take_their_time_go_on_when_they_are_done():
    async def first(success, error):
        await asyncio.sleep(0)
        success()

    def second(success, error):
        asyncio.get_running_loop().call_later(0, success, ["second"], 202)

    async def third(success, error):
        success(["third"])
        await asyncio.sleep(0)

    assert call()(first, second) == (202, ["second"])
    assert call()(first, second, third) == (200, ["third"])


def test_success_may_be_called_from_another_thread():
    def step(success, error):
        thread = threading.Thread(target=success, args=(["from a thread"],))
        asyncio.get_running_loop().call_soon(thread.start)

    async def wait(success, error):
        success()

    assert call()(wait, step) == (200, ["from a thread"])


@pytest.mark.parametrize("kind", ["def", "async def", "later"])
def test_a_callback_that_calls_neither_fails_at_once(kind):
    def forgets(success, error):
        pass

    async def forgets_later(success, error):
        await asyncio.sleep(0)

    steps = {"def": [forgets], "async def": [forgets_later], "later": [forgets_later, forgets]}[kind]

    status, body = call()(*steps)

    gc.collect()
    assert (status, body) == (
        500,
        f"{steps[0].__name__}, which answers * /it, has called neither success nor error, and nobody is left who "
        "could. Call one of the two, always.".replace("* /it", "GET /it"),
    )


def test_the_collector_may_find_it_abandoned_at_any_moment():
    outcome = callbacks._Outcome(print, "GET /it")

    async def wait() -> None:
        await outcome

    # As if it ran just when this very thread is about to wait.
    with outcome._lock:
        outcome.abandon()
    asyncio.run(wait())

    with pytest.raises(HandlerError, match="print, which answers GET /it, has called neither success nor error"):
        outcome.read()


def test_a_success_after_the_loop_has_ended_is_nobodys_error():
    kept = []

    async def wait(success, error):
        kept.append(success)

    async def give_up() -> None:
        exchange = APIAdapter().get("/it", wait).accept(Request("GET", "/it"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(exchange.settle(), 0.01)

    asyncio.run(give_up())

    assert kept[0]("too late") is None


# --- context ------------------------------------------------------------------------------------------------------


def test_B14_the_context_has_app_req_and_res():
    app = object()

    def first(success, context):
        context.req.user = "Franny"
        success()

    def second(success, context):
        assert context.app is app
        req = context.req
        context.res.set("x-count", "3").status = 203
        success([req.user, req.method, req.url, req.path, req.params, req.query, req.body, dict(req.headers)])

    api = APIAdapter(app).post("/contacts/:id", [first, second])

    response = api.dispatch("POST", "/contacts/7?a=1", {"name": "Zooey"})

    assert (response.status, response.headers) == (203, {"x-count": "3"})
    url = "/contacts/7?a=1"
    assert response.body == ["Franny", "POST", url, "/contacts/7", {"id": "7"}, {"a": "1"}, {"name": "Zooey"}, {}]


def test_B14_without_an_app_it_is_the_adapter():
    api = APIAdapter()
    api.get("/it", lambda success, context: success(context.app is api))

    assert api.dispatch("GET", "/it").body is True


# --- In any server ------------------------------------------------------------------------------------------------


def test_a_callback_serves_in_any_server_and_beside_handlers():
    server = FauxServer()

    @server.get("books/:id")
    @callback
    def read_book(success, error, id):
        success({"id": id}, 203)

    server.get("list", [lambda: None, callback(lambda success: success("last"))])

    assert [(r.status, r.body) for r in (server.dispatch("GET", "books/7"), server.dispatch("GET", "list"))] == [
        (203, {"id": "7"}),
        (200, "last"),
    ]
    assert server.journal[0].label == "read_book"
    told = []
    read_book(lambda *args: told.append(args), None, 7)
    assert told == [({"id": 7}, 203)]


def test_an_adapter_takes_values_and_refuses_what_is_neither():
    api = APIAdapter().get("/motto", {"text": "read more"})

    assert api.dispatch("GET", "/motto").body == {"text": "read more"}
    with pytest.raises(RouteError, match=r"The callbacks of a route are functions, and 7 is none\."):
        callback(7)


def test_an_adapter_takes_several_routes_at_once():
    api = APIAdapter().add_routes([{"url_exp": "/a"}, {"url_exp": "/b", "http_method": "get", "handler": given}])
    api.put({"/c": given, "/d": []})

    asked = [("GET", "/a"), ("GET", "/b"), ("PUT", "/c"), ("PUT", "/d")]
    assert [api.dispatch(*each).body for each in asked] == [None, [True, True, None], [True, True, None], None]


def test_the_same_pattern_again_replaces_the_route_in_its_place():
    api = APIAdapter()
    api.get("/a/:x", lambda s: s("old")).get("/a/1", lambda s: s("other")).get("/a/:x", lambda s: s("new"))

    assert (api.dispatch("GET", "/a/1").body, len(api)) == ("new", 2)


@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete", "head", "options", "propfind", "m_search"])
def test_there_is_a_word_for_every_method(verb):
    api = APIAdapter()

    @getattr(api, verb)("/it")
    def it(success, context):
        success([context.req.method])

    assert api.dispatch(verb.replace("_", "-"), "/it").body == [verb.upper().replace("_", "-")]


# --- The local call -----------------------------------------------------------------------------------------------


@pytest.fixture
def api():
    api = APIAdapter()
    api.get("/ok", lambda success: success({"yes": 1}, 201))
    api.get("/no", lambda success, error: error(NotFound("gone")))
    return api


def test_B7_the_local_success_is_told_the_status(api):
    told = []

    response = api.dispatch("get", "/ok", success=lambda *args: told.append(args), error=None)

    assert (told, response.status, response.body) == ([({"yes": 1}, 201)], 201, {"yes": 1})


def test_a_callback_that_wants_the_body_alone_is_given_that(api):
    told = []

    api.dispatch("GET", "/ok", success=lambda body: told.append(body))
    api.dispatch("GET", "/no", error=told.append)

    assert told == [{"yes": 1}, "Not Found: gone"]


def test_B12_what_no_route_matches_is_told_to_error_once_and_raises_nothing(api):
    told = []

    response = api.dispatch("PUT", "/ok", success=told.append, error=lambda *args: told.append(args))

    message = (
        "Could not resolve API route: PUT /ok is not answered here. No route matches it, and there is no default "
        f"handler. Nearest: {api.explain(Request('PUT', '/ok')).nearest[0]}."
    )
    assert told == [({"error": message}, 404)]
    assert (response.status, response.body) == (404, {"error": message})


@pytest.mark.parametrize(
    ("url", "given", "line"),
    [
        ("/ok", {}, "dispatch: GET /ok → 201 {'yes': 1}, and no success callback was given to be told so."),
        ("/no", {}, "dispatch: GET /no → 404 'Not Found: gone', and no error callback was given to be told so."),
        ("/no", {"success": print}, "dispatch: GET /no → 404 'Not Found: gone', and no error callback was given to "),
    ],
)
def test_B15_a_missing_callback_is_logged(api, caplog, url, given, line):
    with caplog.at_level(logging.WARNING, "fauxserver"):
        api.dispatch_local_api_call("get", url, None, given)

    (record,) = caplog.records
    assert record.getMessage().startswith(line)


def test_B15_who_gives_no_callback_at_all_has_the_response(api, caplog):
    assert api.dispatch("GET", "/no").status == 404
    assert caplog.records == []


def test_dispatch_matches_the_url_as_it_is_given_and_waits_for_no_latency():
    server = FauxServer("http://there/api/").get("books/:id", lambda id: [id]).set_latency(60_000)

    answers = [server.dispatch("GET", url) for url in ("books/7", "http://there/api/books/8", "/books/7")]

    assert [(answer.status, answer.body if answer.status == 200 else None) for answer in answers] == [
        (200, ["7"]),
        (200, ["8"]),
        (404, None),
    ]


def test_dispatch_reads_streams_and_runs_coroutines_to_their_end():
    server = FauxServer().get("pieces", lambda: iter(["a", "b"]))

    @server.get("later")
    async def later():
        await asyncio.sleep(0)
        return {"later": True}

    @server.get("flow")
    async def flow():
        async def pieces():
            yield "c"
            await asyncio.sleep(0)
            yield "d"

        return Response(pieces())

    assert [server.dispatch("GET", url).body for url in ("pieces", "later", "flow")] == ["ab", {"later": True}, "cd"]


def test_dispatch_where_a_loop_runs_says_what_to_write():
    server = FauxServer().get("now", lambda: [1]).get("pieces", lambda: iter(["a"]))

    @server.get("later")
    async def later():
        await asyncio.sleep(0)

    async def program():
        assert (server.dispatch("GET", "now").body, server.dispatch("GET", "pieces").body) == ([1], "a")
        server.dispatch("GET", "later")

    with pytest.raises(HandlerError) as raised:
        asyncio.run(program())

    assert str(raised.value) == (
        "dispatch: later, which answers GET later, is asynchronous, and an event loop is running here. "
        "Use `await server.handle(Request('GET', 'later'))`."
    )
    assert [entry.status for entry in server.journal] == [200, 200, 0]
