"""The page's side in Python, with somebody else for its bridge."""

import asyncio
import gc
import json
import sys
from typing import Any

import pytest

from fauxserver import HTTPError, Request, Response
from fauxserver.hosts import browser, pagecode, pageguard


class FakeSide:
    """What the bridge gives, taking notes."""

    def __init__(self) -> None:
        self.settled: list[tuple[str, Any]] = []
        self.pieces: list[bytes] = []
        self.flags: list[bool] = []
        self.forgotten: list[int] = []
        self.armed: list[float | None] = []
        self.functions: dict[int, Any] = {}

    def settle(self, exchange: str, text: str) -> None:
        self.settled.append((exchange, text))

    def piece(self, given: bytes) -> None:
        self.pieces.append(given)

    def report(self, fault: str) -> None:
        raise AssertionError(fault)

    def enabled(self, flag: bool) -> None:
        self.flags.append(flag)

    def forget(self, ref: int) -> None:
        self.forgotten.append(ref)

    def call(self, ref: int, request: str) -> str:
        return json.dumps(self.functions[ref](json.loads(request)))

    def arm(self, limit: float) -> None:
        self.armed.append(limit)

    def disarm(self) -> None:
        self.armed.append(None)


@pytest.fixture
def side() -> FakeSide:
    return FakeSide()


@pytest.fixture
def page(side: FakeSide) -> browser.Page:
    return browser.start(side)


def add(page: browser.Page, ref: int, **spec: Any) -> int:
    row: int = json.loads(page.add_route(json.dumps({"httpMethod": "GET", "ref": ref, **spec})))["row"]
    return row


def ask(page: browser.Page, method: str, url: str, data: Any = None, at_once: bool = False) -> str:
    accepted = page.accept(method, url)
    assert accepted is not None
    return page.answer(accepted.split()[0], None if data is None else json.dumps(data), at_once)


def envelope(text: str) -> Any:
    assert text[0] == "="
    return json.loads(text[1:])


def test_a_request_that_no_route_matches_is_not_ours(page: browser.Page):
    assert page.accept("GET", "books") is None


def test_a_plain_success_is_its_json(page: browser.Page):
    page.server.put("books/:id", lambda context, id: {"id": id, "data": context.data})
    assert ask(page, "PUT", "books/7", {"a": [1, None]}) == '+{"id":"7","data":{"a":[1,null]}}'


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (None, "+null"),
        ([], "+[]"),
        ("404", {"status": 404, "reason": "Not Found", "headers": {}, "failed": True, "error": None, "body": "404"}),
        (
            Response("made", 201, {"X-Mine": 1}),
            {
                "status": 201,
                "reason": "Created",
                "headers": {"X-Mine": "1"},
                "failed": False,
                "error": None,
                "body": "made",
            },
        ),
        (
            Response(b"\xc3\xbc"),
            {"status": 200, "reason": "OK", "headers": {}, "failed": False, "error": None, "body": "ü"},
        ),
    ],
)
def test_what_crosses_for_a_result(page: browser.Page, result: Any, expected: Any):
    page.server.get("it", lambda: result)
    text = ask(page, "GET", "it")
    assert (text if text[0] == "+" else envelope(text)) == expected


def test_an_http_error_has_its_body_and_no_error(page: browser.Page):
    @page.server.get("it")
    def refuse():
        raise HTTPError(403, {"why": "secret"})

    told = envelope(ask(page, "GET", "it"))
    assert (told["status"], told["body"], told["error"]) == (403, {"why": "secret"}, None)


def test_a_handler_that_raises_tells_file_line_and_source(page: browser.Page):
    @page.server.get("it")
    def divide():
        return 1 / 0

    told = envelope(ask(page, "GET", "it"))
    error = told["error"]
    assert (told["status"], error["source"], error["file"]) == (500, "return 1 / 0", __file__)
    assert "ZeroDivisionError" in error["message"]


def test_a_coroutine_settles_later(page: browser.Page, side: FakeSide):
    @page.server.get("it/:n")
    async def wait(n: int):
        await asyncio.sleep(0)
        return {"n": n}

    async def both() -> list[str]:
        answers = [ask(page, "GET", "it/1"), ask(page, "GET", "it/2")]
        await asyncio.sleep(0.01)
        return answers

    assert asyncio.run(both()) == ["~", "~"]
    assert side.settled == [("1", '+{"n":1}'), ("2", '+{"n":2}')]


def test_a_stream_settles_whole(page: browser.Page, side: FakeSide):
    async def pieces():
        yield "a"
        await asyncio.sleep(0)
        yield "b"

    page.server.get("it", pieces)

    async def one() -> str:
        answer = ask(page, "GET", "it")
        await asyncio.sleep(0.01)
        return answer

    assert asyncio.run(one()) == "~"
    assert [envelope(text)["body"] for _, text in side.settled] == ["ab"]


def test_a_coroutine_that_does_not_wait_is_answered_like_any_function(page: browser.Page, side: FakeSide):
    async def handler():
        return {"running": asyncio.current_task() is not None}

    page.server.get("it", handler)

    async def one() -> list[str]:
        answer = ask(page, "GET", "it")
        await asyncio.sleep(0.01)
        return [answer, *(text for _, text in side.settled)]

    # An event loop that starts no task at once settles it after the answer.
    later = ["~"] if sys.version_info < (3, 12) else []
    assert asyncio.run(one()) == [*later, '+{"running":true}']
    assert (page._exchanges, page._awaited, page._tasks) == ({}, {}, set())


def test_a_dropped_coroutine_is_cancelled_and_settles_nothing(page: browser.Page, side: FakeSide):
    ended = []

    @page.server.get("it")
    async def wait():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def one() -> None:
        ask(page, "GET", "it")
        await asyncio.sleep(0.01)
        page.drop("1")
        await asyncio.sleep(0.01)

    asyncio.run(one())
    assert (ended, side.settled) == (["cancelled"], [])


def test_a_request_that_cannot_wait_is_answered_at_once_or_refused(page: browser.Page):
    def pieces():
        yield "whole"

    async def takes_its_time():
        return {}

    page.server.get("stream", pieces).get("coroutine", takes_its_time).set_latency(1000)
    stream = envelope(ask(page, "GET", "stream", at_once=True))
    refused = envelope(ask(page, "GET", "coroutine", at_once=True))
    assert (stream["body"], refused["status"]) == ("whole", 500)
    assert "takes_its_time" in refused["body"]
    assert "async: false" in refused["body"]
    assert refused["error"]["asynchronous"] is True
    assert [(entry.status, entry.note) for entry in page.server.journal] == [
        (200, "answered at once (async: false), latency skipped"),
        (500, "answered at once (async: false), latency skipped"),
    ]


def test_a_javascript_route_is_a_row_like_any_other(page: browser.Page):
    row = add(page, 7, name="n", expression="books/:id", label="read")
    page.server.get("books/search", [])
    accepted = page.accept("GET", "books/7")
    assert accepted == f"1 j{row} 0"
    assert json.loads(page.describe(row)) == {
        "row": row,
        "name": "n",
        "urlExp": ["^books/([^/]+)$", ""],
        "query": False,
        "httpMethod": "GET",
        "ref": 7,
        "label": "read",
        "location": "",
    }
    page.done("1", 200, 1.5)
    assert [(entry.url, entry.status, entry.duration) for entry in page.server.journal] == [("books/7", 200, 1.5)]


def test_a_javascript_regexp_matches_by_its_number_alone(page: browser.Page):
    row = add(page, 7, regexp=[r"^books\/(\d+)$", "g"])
    assert page.accept("GET", "books/7") is None
    assert page.accept("GET", "books/7", None, f"{row}") == f"1 j{row} 0"
    assert json.loads(page.get_matching_route("books/7", "GET", f"99,{row}"))["row"] == row


def test_the_rows_are_found_by_name_place_and_url(page: browser.Page):
    row = add(page, 7, name="n", expression="books/:id")
    page.server.get("motto", {"text": "read more"}, name="motto")
    found = [page.get_route("n"), page.get_route_at(0), page.get_matching_route("books/7", "GET")]
    assert [json.loads(text)["row"] for text in found] == [row] * 3
    assert [page.get_route("m"), page.get_route_at(2), page.get_matching_route("x")] == ["null"] * 3
    assert json.loads(page.get_route("motto"))["ref"] is None


def test_an_expression_that_does_not_parse_is_a_syntax_error_there(page: browser.Page, side: FakeSide):
    told = json.loads(page.add_route(json.dumps({"httpMethod": "GET", "ref": 7, "expression": "a(b"})))
    gc.collect()
    assert told["error"]["type"] == "SyntaxError"
    assert "a(b" in told["error"]["message"]
    assert side.forgotten == [7]


def test_what_is_no_longer_held_is_forgotten_there(page: browser.Page, side: FakeSide):
    add(page, 1, name="n", expression="a")
    page.set_latency(2)
    page.set_default_handler(3)
    page.set_transport_factory(4)
    page.remove_route("n")
    page.set_latency(None, 0, 0)
    page.set_default_handler()
    page.set_transport_factory()
    gc.collect()
    assert sorted(side.forgotten) == [1, 2, 3, 4]


def test_latency_crosses_as_a_number_or_as_who_knows_it(page: browser.Page):
    page.server.get("it", {})
    delays = []
    for arguments in [(None, 50, 50), (None, 7.5, 7.5), (None, -5, -5), (9, None, None)]:
        page.set_latency(*arguments)
        delays.append(str(page.accept("GET", "it")).split()[2])
    page.set_latency(None, 20, 60)
    drawn = float(str(page.accept("GET", "it")).split()[2])
    page.server.set_latency(lambda context: len(context.data) * 10)
    asked = str(page.accept("GET", "it")).split()
    assert [*delays, 20 <= drawn <= 60, asked[2], page.delay(asked[0], '"four"')] == [
        "50.0",
        "7.5",
        "0.0",
        "j9",
        True,
        "p",
        40,
    ]


def test_a_transport_factory_crosses_as_who_knows_it(page: browser.Page):
    page.server.get("it", {})
    page.set_transport_factory(5)
    of_the_page = page.accept("GET", "it")
    page.server.set_transport_factory(lambda options, context: None)
    of_python = page.accept("GET", "it")
    page.set_transport_factory()
    usual = page.accept("GET", "it")
    assert [str(accepted).split()[3:] for accepted in (of_the_page, of_python, usual)] == [["5"], ["p"], []]


def test_a_python_transport_gets_callbacks_and_the_context(page: browser.Page):
    log: list[Any] = []

    class Transport:
        def __init__(self, options: Any, context: Any) -> None:
            self.options = options
            log.append([context.url, context.data])

        def promise(self) -> str:
            return "promised"

        def resolve(self, value: Any) -> None:
            self.options.success({"wrapped": value})

        def reject(self, reason: Any) -> None:
            self.options.error(reason)

    page.server.post("it", {}).set_transport_factory(Transport)
    for _ in range(2):
        page.accept("POST", "it")
    promise = page.transport("1", '{"a":1}', log.append, log.append)
    page.transport("2", None, log.append, log.append)
    page.resolve("1", '{"b":2}')
    page.reject("2", '"no"')
    assert (promise, log) == ("promised", [["it", {"a": 1}], ["it", None], '{"wrapped":{"b":2}}', '"no"'])


def test_the_page_hears_when_python_switches_the_server(page: browser.Page, side: FakeSide):
    page.server.enable(False)
    page.server.enable(False)
    page.server.enable()
    assert side.flags == [False, True]


def test_every_stretch_of_a_handler_is_guarded(page: browser.Page, side: FakeSide):
    async def wait():
        await asyncio.sleep(0)
        return {}

    page.server.time_limit = 70
    page.server.get("async", wait).get("sync", lambda: {})

    async def one() -> None:
        ask(page, "GET", "async")
        await asyncio.sleep(0.01)

    ask(page, "GET", "sync")
    before = list(side.armed)
    asyncio.run(one())
    assert before == [70, None]
    assert side.armed == [70, None] * 5


def test_what_has_the_usual_limit_is_guarded_by_the_bridge_up_to_its_first_wait(page: browser.Page, side: FakeSide):
    guarded: list[Any] = []

    async def wait():
        guarded.append((page.server.guarded, list(side.armed)))
        await asyncio.sleep(0)
        guarded.append((page.server.guarded, list(side.armed)))
        return {}

    page.server.get("async", wait)

    async def one() -> None:
        ask(page, "GET", "async")
        await asyncio.sleep(0.01)

    asyncio.run(one())
    # An event loop that starts no task at once runs it after the answer.
    first = (page.time_limit, []) if sys.version_info >= (3, 12) else (None, [page.time_limit])
    assert (guarded[0], guarded[1][0], guarded[1][1][-1]) == (first, None, page.time_limit)


def test_reset_brings_back_what_there_was_when_ready(page: browser.Page, side: FakeSide):
    row = add(page, 7, name="n", expression="it")
    page.ready()
    page.remove_routes()
    page.server.enable(False)
    page.reset()
    gc.collect()
    assert page.accept("GET", "it") == f"1 j{row} 0"
    assert (side.flags, side.forgotten, len(page.server.journal)) == ([False, True], [], 0)


def test_a_route_file_is_run_reloaded_and_reset(page: browser.Page, tmp_path: Any):
    path = str(tmp_path / "page_routes.py")
    source = "import fauxserver\nserver = fauxserver.FauxServer()\nbooks = [1]\nserver.get('books', lambda: books)\n"
    answers = [page.load(path, source)]
    page.ready()
    answers.append(ask(page, "GET", "books"))
    page.run_python("import page_routes; page_routes.books.append(2)")
    page.load(path, source.replace("lambda: books", "lambda: {'books': books}"))
    answers.append(ask(page, "GET", "books"))
    page.reset()
    answers.append(ask(page, "GET", "books"))
    assert answers == ["{}", "+[1]", '+{"books":[1,2]}', '+{"books":[1]}']


def test_a_route_file_that_fails_says_where(page: browser.Page, tmp_path: Any):
    path = str(tmp_path / "broken_routes.py")
    error = json.loads(page.load(path, "books = {}\nbooks['missing']\n"))["error"]
    assert (error["file"], error["line"], error["source"]) == (path, 2, "books['missing']")
    assert "KeyError" in error["message"]


def test_what_a_file_declares_is_told(page: browser.Page):
    source = '# /// script\n# dependencies = ["humanize"]\n# [tool.fauxserver]\n# files = ["books.json"]\n# ///\n'
    assert json.loads(page.metadata(source)) == {"dependencies": ["humanize"], "files": ["books.json"], "index": None}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("1 + 1", {"value": 2}),
        ("x = 1\nx", {"value": 1}),
        ("x = 1", {}),
        ("server", {}),
        ("", {}),
        ("None", {"value": None}),
    ],
)
def test_run_python_gives_the_value_of_a_last_expression(page: browser.Page, code: str, expected: Any):
    assert json.loads(page.run_python(code)) == expected


def test_run_python_tells_what_went_wrong_and_where(page: browser.Page):
    raised = json.loads(page.run_python("x = 1\nx / 0"))["error"]
    broken = json.loads(page.run_python("x = = 1"))["error"]
    assert (raised["message"], raised["line"], raised["source"]) == ("ZeroDivisionError: division by zero", 2, "x / 0")
    assert (broken["type"], broken["line"], broken["source"]) == ("Error", 1, "x = = 1")


def test_code_that_loops_is_stopped_and_the_line_told(page: browser.Page, side: FakeSide):
    page.server.guard = lambda limit: pageguard.Guard(limit, side.arm, side.disarm)
    told = json.loads(page.run_python("from fauxserver.guard import Stopped\nraise Stopped"))["error"]
    assert (told["line"], told["source"], side.armed) == (2, "raise Stopped", [pagecode.LOAD_LIMIT, None])
    assert "20 s" in told["message"]


def test_a_request_that_python_makes_reaches_a_javascript_handler(page: browser.Page, side: FakeSide):
    side.functions[7] = lambda request: {
        "value": {"id": request["captures"][0]},
        "status": 201,
        "headers": {},
        "failed": False,
    }
    add(page, 7, expression="books/:id")
    response = asyncio.run(page.server.handle(Request("GET", "books/7")))
    assert response is not None
    assert (response.body, response.status) == ({"id": "7"}, 201)


def test_javascript_calls_a_python_handler_directly(page: browser.Page):
    page.server.get("books/:id", lambda context, id: {"id": id, "data": context.data}, name="n")
    row = json.loads(page.get_route("n"))["row"]
    call = json.dumps({"url": "books/7", "httpMethod": "GET", "captures": ["7"], "data": 1})
    assert json.loads(page.call(row, call)) == {"value": {"id": "7", "data": 1}}


def test_nothing_is_kept_of_a_request_that_is_over(page: browser.Page):
    page.server.get("it", {})
    add(page, 7, name="js", expression="js")
    for _ in range(3):
        ask(page, "GET", "it")
        page.done(str(page.accept("GET", "js")).split()[0], 200, 0)
        page.drop(str(page.accept("GET", "it")).split()[0])
    assert (page._exchanges, page._awaited, page._transports, page._tasks) == ({}, {}, {}, set())


def test_a_helper_that_changes_is_imported_anew_and_a_data_file_read_anew(page: browser.Page, tmp_path: Any):
    path, helper, data = (str(tmp_path / name) for name in ("own_routes.py", "own_helper.py", "own_data.json"))
    (tmp_path / "own_helper.py").write_text("said = 'one'\n")
    (tmp_path / "own_data.json").write_text('"first"')
    source = (
        '# /// script\n# [tool.fauxserver]\n# files = ["own_helper.py", "own_data.json"]\n# ///\n'
        "import json, pathlib\nimport own_helper\nfrom fauxserver import FauxServer\nserver = FauxServer()\n"
        "data = json.loads(pathlib.Path(__file__).with_name('own_data.json').read_text())\n"
        "server.get('it', lambda: {'said': own_helper.said, 'data': data})\n"
    )
    for file in (helper, data):
        page.wrote(file)
    answers = [page.load(path, source), ask(page, "GET", "it")]
    (tmp_path / "own_helper.py").write_text("said = 'two'\n")
    page.wrote(helper)
    page.load(path, source)
    answers.append(ask(page, "GET", "it"))
    (tmp_path / "own_data.json").write_text('"second"')
    page.wrote(data)
    page.load(path, source, True)
    answers.append(ask(page, "GET", "it"))
    assert answers == [
        "{}",
        '+{"said":"one","data":"first"}',
        '+{"said":"two","data":"first"}',
        '+{"said":"two","data":"second"}',
    ]


# --- Requests that no route matches ---

HOST = "http://host/"


def test_by_default_what_begins_as_a_route_does_is_warned_of(page: browser.Page):
    page.server.get("books/:id", {})

    assert page.unmatched("GET", "http://host/books", "fetch", HOST) == "warn"
    assert page.unmatched("GET", "http://host/authors", "xhr", HOST) is None
    assert page.unmatched("GET", "books", "sync") is None


def test_the_page_says_what_becomes_of_them(page: browser.Page):
    page.set_unmatched(None, "error")
    page.set_unmatched("live/", "bypass")

    assert page.unmatched("GET", "http://host/books", "fetch", HOST) == "error"
    assert page.unmatched("GET", "http://host/live/news", "fetch", HOST) is None
    page.set_unmatched(None, None)
    assert page.unmatched("GET", "http://host/books", "fetch", HOST) is None


def test_a_function_of_the_page_is_asked_there_and_may_leave_it_to_the_next(page: browser.Page, side: FakeSide):
    page.set_unmatched(None, "error")
    page.set_unmatched("api/", None, 7)

    assert page.unmatched("GET", "http://host/api/1", "fetch", HOST) == "j7 1"
    assert page.unmatched("GET", "http://host/api/1", "fetch", HOST, 1) == "error"
    page.set_unmatched("api/", None)
    assert side.forgotten == [7]


def test_a_policy_in_python_runs_under_guard_and_its_mistake_is_told(page: browser.Page, side: FakeSide):
    told: list[str] = []
    side.report = lambda fault: told.append(json.loads(fault)["message"])  # type: ignore[method-assign]
    page.server.get("books/:id", {}).set_unmatched(lambda request: request.nothing)

    word = page.unmatched("GET", "http://host/books", "fetch", HOST)

    assert word == "warn"
    assert told == ["AttributeError: 'Request' object has no attribute 'nothing'"]
    assert side.armed == [pageguard.TIME_LIMIT, None]


def test_what_is_no_policy_is_an_error(page: browser.Page):
    told = json.loads(page.set_unmatched("api/", "eror"))["error"]

    assert (told["type"], told["message"][:37]) == ("PolicyError", "set_unmatched: 'eror' is no policy. G")


def test_an_explanation_is_kept_until_something_changes(page: browser.Page):
    first = page.explain("GET", "books")
    again = page.explain("GET", "books")
    row = add(page, 1, regexp=["^books", ""], httpMethod="PUT")

    assert first is again == "GET books is not answered here. No route matches it, and there is no default handler."
    assert page.explain("GET", "books", str(row)) == f"{first} Nearest:\n  PUT /^books/ answers PUT, not GET"


def test_reset_restores_the_policies(page: browser.Page):
    page.set_unmatched(None, "warn")
    page.ready()
    page.set_unmatched(None, "error")

    page.reset()

    assert page.unmatched("GET", "http://host/books", "fetch", HOST) == "warn"
