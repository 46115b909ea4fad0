"""`attach(page, server)`, with Playwright's synchronous API, in Chromium."""

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from playwright.sync_api import Error

from fauxserver import FauxServer, FauxServerError, HTTPError, Response
from fauxserver.hosts.playwright import attach
from fauxserver.hosts.reach import reach, regexps
from fauxserver.routefile import RouteFile
from fauxserver.urlexp import UrlExp
from tests.browser.site import Site
from tests.conformance import FILE, ROUTES, Answer, answers, cases, expected

ASK = """
async ([url, options]) => {
  try {
    const response = await fetch(url, options)
    return [response.status, await response.text(), Object.fromEntries(response.headers)]
  } catch (error) {
    return String(error)
  }
}
"""


@pytest.fixture(scope="module")
def _static_site():
    site = Site({}).start()
    yield site
    site.stop()


@pytest.fixture
def site(_static_site):
    """A site with a page, and a real API below /real/."""
    _static_site.clear()
    _static_site.write("/index.html", "<!doctype html><title>a page</title>")
    return _static_site


@pytest.fixture
def page(_engines, site):
    """A page in a fresh context, that shows the site's."""
    opened = _engines("chromium")(site)
    opened.page.goto(f"{site.url}/index.html")
    yield opened.page
    opened.close()


@pytest.fixture
def server():
    return FauxServer()


def ask(page, url, method="GET", **options):
    """What a fetch in the page comes to: status and text, or its error."""
    answer = page.evaluate(ASK, [url, {"method": method, **options}])
    return answer if isinstance(answer, str) else (answer[0], answer[1])


def headers(page, url, **options):
    return page.evaluate(ASK, [url, options])[2]


def test_an_attached_server_answers_the_page(page, server):
    server.get("api/books/:id", lambda id: {"id": id})

    detach = attach(page, server)
    answered = ask(page, "/api/books/7")
    detach()
    gone = ask(page, "/api/books/7")

    assert (answered, gone) == ((200, '{"id":"7"}'), (404, "Not found"))


def test_what_no_route_wants_goes_to_the_network(page, site, server):
    server.get("real/books", [])
    attach(page, server)

    answers = [ask(page, "/real/books"), ask(page, "/real/authors"), ask(page, "/real/books", "POST", body="1")]

    assert answers == [
        (200, "[]"),
        (200, '{"real": true, "method": "GET", "path": "/real/authors"}'),
        (200, '{"real": true, "method": "POST", "path": "/real/books", "body": 1}'),
    ]


def test_what_is_no_page_is_told(server):
    with pytest.raises(FauxServerError) as raised:
        attach(server, server)

    assert str(raised.value) == (
        "attach: <FauxServer with 0 routes> is no page, and no context, of Playwright's. "
        "Give it a Page or a BrowserContext, of the sync or of the async API."
    )


# --- The conformance table -----------------------------------------------------------------------------------------

FETCH = """
async ({ method, url, headers, body }) => {
  const bytes = body === null ? undefined : Uint8Array.from(body, letter => letter.charCodeAt(0))
  const response = await fetch(url, { method, headers, body: bytes })
  const read = new Uint8Array(await response.arrayBuffer())
  const text = Array.from(read, byte => String.fromCharCode(byte)).join("")
  return [response.status, Object.fromEntries(response.headers), text]
}
"""


def asks(page):
    """Ask as the table asks; what the site's own server answers is not ours."""

    def ask(request):
        sent, body = request.content()
        body = None if body is None else body.decode("latin-1")
        given = {"method": request.method, "url": f"/{request.url}", "headers": sent, "body": body}
        status, received, content = page.evaluate(FETCH, given)
        return None if "server" in received else Answer.read(status, received, content.encode("latin-1"))

    return ask


@pytest.fixture(scope="module")
def table():
    file = RouteFile(FILE, ROUTES)
    file.run()
    return file.servers[0]


def test_the_conformance_table_is_answered_as_everywhere(page, table):
    attach(page, table)

    found = {}
    for case in cases("Playwright"):
        table.reset()
        found[case.name] = answers(case, asks(page))

    assert found == {case.name: expected("Playwright", case) for case in cases("Playwright")}


# --- Which requests are ours ---------------------------------------------------------------------------------------


def test_only_urls_that_a_route_can_match_are_intercepted(page, site, server):
    asked = []
    page.context.route("**/*", lambda route: (asked.append(route.request.url), route.fallback()))
    server.get("api/books", [])
    attach(page, server)
    taken = []
    server.on_change, before = None, server.on_change
    site.write("/main.js", "let it = 'be'")

    page.add_script_tag(url="/main.js")
    ask(page, "/api/books")

    # What we fulfil goes no further, and nothing else is known to us.
    assert (asked, taken, before is not None) == ([f"{site.url}/main.js"], [], True)


def test_expressions_count_from_the_pages_folder_and_else_from_the_root_of_its_origin(page, site, server):
    server.get("books", ["a book"]).get("/authors", ["an author"])
    attach(page, server)
    site.write("/app/shelf.html", "<title>a shelf</title>")
    page.goto(f"{site.url}/app/shelf.html")

    statuses = [ask(page, url)[0] for url in ("books", "/books", "/other/books", "authors", "/authors")]

    assert statuses == [200, 200, 404, 404, 200]


@pytest.mark.parametrize(
    ("base", "answered"),
    [
        ("/", ["/books"]),
        ("/api", ["/api/books"]),
        ("{site}/api/", ["/api/books"]),
        ("{site}", ["/books"]),
        ("https://elsewhere.test", []),
    ],
)
def test_a_base_says_from_where_expressions_count(page, site, server, base, answered):
    server.get("books", [])
    attach(page, server, base=base.format(site=site.url))

    assert [url for url in ("/books", "/api/books", "/api/more/books") if ask(page, url)[0] == 200] == answered


def test_a_page_that_is_closed_cannot_be_attached_to(page, server):
    page.close()

    with pytest.raises(Error, match="closed"):
        attach(page, server.get("books", []))

    assert server.on_change is None


def test_what_is_no_base_is_told(page, server):
    with pytest.raises(FauxServerError) as raised:
        attach(page, server, base="api")

    assert str(raised.value) == (
        "attach: 'api' is no base. Give an address, as in 'http://localhost:8000/api', or '/' for the root of any "
        "origin."
    )


def test_what_is_no_server_is_told(page):
    with pytest.raises(FauxServerError, match=r"attach: \[\] is no FauxServer. Give it the server after the page."):
        attach(page, [])


def test_a_server_that_stands_for_an_address_answers_there(page):
    server = FauxServer("https://api.test/v1").get("books/:id", lambda id: [id])
    attach(page, server)

    assert [ask(page, "https://api.test/v1/books/7"), ask(page, "/books/7")[0]] == [(200, '["7"]'), 404]


def test_routes_added_and_removed_while_attached_count_at_once(page, server):
    server.get("first", [1], name="first")
    attach(page, server)

    server.get("second", [2])
    server.remove_route("first")
    other = FauxServer()
    server.include(other)
    other.get("third", [3])
    answers = [ask(page, f"/{name}")[0] for name in ("first", "second", "third")]
    server.exclude(other)
    server.enable(False)
    off = [ask(page, f"/{name}")[0] for name in ("second", "third")]
    server.enable()
    on = [ask(page, f"/{name}")[0] for name in ("second", "third")]

    assert (answers, off, on) == ([404, 200, 200], [404, 404], [200, 404])


def test_a_change_from_another_thread_is_heard(page, server):
    attach(page, server)

    thread = threading.Thread(target=server.get, args=("added", [1]))
    thread.start()
    thread.join()

    assert ask(page, "/added") == (200, "[1]")


def test_a_handler_may_add_routes(page, server):
    @server.get("begin")
    def begin():
        server.get("added", ["by def"])

    @server.post("begin")
    async def begin_later():
        await asyncio.sleep(0)
        server.get("later", ["by async def"])

    attach(page, server)

    ask(page, "/begin")
    ask(page, "/begin", "POST")

    assert [ask(page, "/added"), ask(page, "/later")] == [(200, '["by def"]'), (200, '["by async def"]')]


def test_who_listened_to_changes_before_still_does(page, server):
    heard = []
    server.on_change = lambda: heard.append(len(server))

    detach = attach(page, server)
    server.get("a", 1)
    detach()
    server.get("b", 1)

    assert heard == [1, 2]


def test_many_routes_are_added_in_a_row(page, server):
    attach(page, server)
    for number in range(60):
        server.get(f"api/shelf{number}/:id", lambda id, number=number: [number, id])
    server.get("other/:id", ["other"])

    assert [ask(page, f"/api/shelf{number}/7") for number in (0, 31, 59)] == [
        (200, f'[{number},"7"]') for number in (0, 31, 59)
    ]
    assert [ask(page, url)[0] for url in ("/other/1", "/api/shelf", "/other")] == [200, 404, 404]


def test_a_default_handler_leaves_alone_what_pages_are_made_of(page, site, server):
    server.set_default_handler(lambda context: Response(None, 410))
    attach(page, server)
    site.write("/main.js", "window.loaded = true")
    site.write("/other.html", "<script src=main.js></script>")

    page.goto(f"{site.url}/other.html")

    assert (page.evaluate("loaded"), ask(page, "/api/anything")) == (True, (410, ""))


def test_a_route_that_takes_anything_leaves_alone_what_pages_are_made_of(page, site, server):
    server.get("*rest", lambda rest: [rest])
    attach(page, server)
    site.write("/other.html", "<title>other</title>")

    page.goto(f"{site.url}/other.html")

    assert (page.title(), ask(page, "/a/b")) == ("other", (200, '["a/b"]'))


def test_a_route_that_names_its_url_answers_pages_and_pictures_too(page, site, server):
    pixel = '<svg xmlns="http://www.w3.org/2000/svg" width="3" height="4"/>'
    server.get("covers/:id", lambda id: Response(pixel, headers={"content-type": "image/svg+xml"}))
    server.get("hello/:name", lambda name: Response(f"<title>{name}</title><img src=/covers/1>", headers=HTML))
    attach(page, server)

    page.goto(f"{site.url}/hello/you")

    assert (page.title(), page.evaluate("document.images[0].naturalHeight")) == ("you", 4)


HTML = {"content-type": "text/html"}


def test_of_several_servers_the_one_attached_last_is_asked_first(page, site, server):
    server.get("a", ["first"]).get("b", ["first"])
    told = []
    attach(page, server, on_unmatched=lambda explanation, word: told.append(word))
    other = FauxServer().get("b", ["second"]).get("b/c", ["second"])
    detach = attach(page.context, other)
    last = FauxServer().get("b", ["third"])
    detach_last = attach(page, last, on_unmatched=lambda explanation, word: told.append(word))

    answers = [ask(page, url)[1] for url in ("/a", "/b", "/b/c")]
    detach_last()
    after = ask(page, "/b")[1]
    detach()

    # A page's comes before its context's, as with page.route.
    assert (answers, after, told) == (['["first"]', '["third"]', '["second"]'], '["first"]', [])


def test_a_context_answers_its_popups_and_a_page_does_not(page, site, server):
    server.get("books", [])
    detach = attach(page, server)

    def asked_in_popup():
        with page.expect_popup() as opened:
            page.evaluate("window.open('/index.html'); 0")
        opened.value.wait_for_load_state()
        return ask(opened.value, "/books")[0]

    by_page = asked_in_popup()
    detach()
    attach(page.context, server)
    by_context = asked_in_popup()

    assert (by_page, by_context) == (404, 200)


def test_a_server_answers_two_contexts(page, site, server):
    server.get("books", [])
    context = page.context.browser.new_context()
    other = context.new_page()
    other.goto(f"{site.url}/index.html")
    attach(page, server)
    detach = attach(context, server)

    server.get("authors", [])
    both = [ask(page, "/authors")[0], ask(other, "/authors")[0]]
    detach()
    one = [ask(page, "/authors")[0], ask(other, "/authors")[0]]
    context.close()
    server.get("publishers", [])

    assert (both, one, ask(page, "/publishers")[0]) == ([200, 200], [200, 404], 200)


def test_page_route_set_later_comes_first_and_keeps_its_place(page, server):
    server.get("books", ["ours"])
    attach(page, server)
    page.route("**/books", lambda route: route.fulfill(body="theirs"))

    server.get("authors", ["ours"])

    assert [ask(page, "/books")[1], ask(page, "/authors")[1]] == ["theirs", '["ours"]']


def test_page_route_set_before_has_what_we_do_not_want(page, server):
    page.route("**/books*", lambda route: route.fulfill(body="theirs"))
    server.post("books", ["ours"])
    attach(page, server)

    assert [ask(page, "/books")[1], ask(page, "/books", "POST")[1]] == ["theirs", '["ours"]']


# --- What no route wants -------------------------------------------------------------------------------------------


def test_what_looks_meant_for_us_is_told(page, site, server):
    server.get("real/books/:id", {})
    told = []
    attach(page, server, on_unmatched=lambda explanation, word: told.append((word, str(explanation))))

    statuses = [ask(page, url)[0] for url in ("/real/book/7", "/other", "/real/main.js", "/real/books/7")]

    assert statuses == [200, 404, 200, 200]
    assert told == [
        (
            "warn",
            f"GET {site.url}/real/book/7 is not answered here. No route matches it, and there is no default handler. "
            'Nearest:\n  GET real/books/:id (test_playwright.py:LINE) has "books" where the url has "book"'.replace(
                "LINE", str(server.get_route_at(0).location.rpartition(":")[2])
            ),
        )
    ]


def test_below_an_explicit_base_all_that_no_route_wants_is_an_error(page, site, server):
    server.get("books", [])
    server.set_unmatched("live/", "bypass")
    told = []
    attach(page, server, base=f"{site.url}/real", on_unmatched=lambda explanation, word: told.append(word))

    answers = [ask(page, url) for url in ("/real/books", "/real/nowhere", "/real/live/news", "/elsewhere")]

    assert [told, answers[0], answers[1], answers[2][0], answers[3][0]] == [
        ["error"],
        (200, "[]"),
        "TypeError: Failed to fetch",
        200,
        404,
    ]


def test_who_is_told_may_decide_otherwise(page, site, server):
    server.get("books", [])
    words = iter(["bypass", None])
    attach(page, server, base=f"{site.url}/real", on_unmatched=lambda explanation, word: next(words))

    assert [ask(page, "/real/a")[0], ask(page, "/real/b")] == [200, "TypeError: Failed to fetch"]


def test_policies_of_the_server_hold_without_anybody_to_be_told(page, site, server, caplog):
    server.set_unmatched("real/", lambda request: "error" if request.method == "POST" else "warn")
    attach(page, server)

    answers = [ask(page, "/real/a")[0], ask(page, "/real/a", "POST")]

    assert answers == [200, "TypeError: Failed to fetch"]
    assert [record.getMessage().partition(" is not")[0] for record in caplog.records] == [
        f"GET {site.url}/real/a",
        f"POST {site.url}/real/a",
    ]


# --- What handlers are given, and where they run -------------------------------------------------------------------


def test_a_request_comes_with_its_headers_and_its_cookies(page, site, server):
    server.get("headers", lambda context: {name: context.headers.get(name) for name in ("host", "cookie", "x-own")})
    attach(page, server)
    page.context.add_cookies([{"name": "a", "value": "1", "url": site.url}])

    answer = page.evaluate(ASK, ["/headers", {"headers": {"X-Own": "yes"}}])

    assert answer[1] == f'{{"host":"{site.url[7:]}","cookie":"a=1","x-own":"yes"}}'


def test_the_fragment_stays_with_the_browser(page, site, server):
    server.get("books", lambda context: context.url)
    attach(page, server)

    assert ask(page, "/books?page=2#top") == (500, f"{site.url}/books?page=2")


FORM = """
async () => {
  const form = new FormData()
  form.append("title", "größe")
  form.append("made", new File([new Uint8Array([0, 255, 13, 10])], "a.bin"))
  form.append("chosen", document.querySelector("input").files[0])
  return await (await fetch("/upload", { method: "POST", body: form })).json()
}
"""


@pytest.fixture
def upload(server):
    """A server that tells what a form has."""

    @server.post("upload")
    def upload(data):
        files = [data["made"], data["chosen"]]
        return [data["title"], *([file.filename, file.content_type, list(file.body)] for file in files)]

    return server


MADE = ["a.bin", "application/octet-stream", [0, 255, 13, 10]]


def test_a_form_with_files_comes_byte_for_byte(page, upload):
    attach(page, upload)
    page.set_content("<input type=file>")
    page.set_input_files("input", {"name": "b.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n"})

    assert page.evaluate(FORM) == ["größe", MADE, ["b.png", "image/png", list(b"\x89PNG\r\n")]]


def test_of_a_file_on_disk_only_the_name_comes_and_that_is_told(page, upload, tmp_path, caplog):
    attach(page, upload)
    (tmp_path / "b.png").write_bytes(b"PNG")
    page.set_content("<input type=file>")
    page.set_input_files("input", tmp_path / "b.png")

    answer = page.evaluate(FORM)

    told = (
        "b.png came without content: of a file on disk, Playwright is told the name alone. In a test, give "
        "set_input_files a buffer."
    )
    assert (answer, upload.journal[-1].note) == (["größe", MADE, ["b.png", "image/png", []]], told)
    assert told in caplog.text


def test_a_body_that_is_not_what_its_type_says_is_400(page, server):
    server.post("books", [])
    attach(page, server)

    status, said = ask(page, "/books", "POST", body="{", headers={"content-type": "application/json"})

    assert (status, "is no JSON" in said) == (400, True)


def test_a_handler_may_run_an_event_loop_of_its_own(page, server):
    async def later():
        await asyncio.sleep(0)
        return asyncio.current_task() is not None

    @server.get("run")
    def run():
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return [asyncio.run(later()), asyncio.run(later())]

    @server.get("stream")
    def stream():
        for _ in range(2):
            yield str(asyncio.run(later()))

    server.set_latency(lambda: asyncio.run(asyncio.sleep(0, 1)))
    attach(page, server)

    answers = [ask(page, "/run"), ask(page, "/stream")]

    # And Playwright's own is as it was.
    assert (answers, page.evaluate("1 + 1")) == ([(200, "[true,true]"), (200, "TrueTrue")], 2)


def test_handlers_run_in_the_threads_test(page, server):
    server.get("thread", lambda: threading.get_ident())
    attach(page, server)

    assert ask(page, "/thread") == (200, str(threading.get_ident()))


def test_a_handler_may_ask_playwright(page, server):
    @server.get("asks")
    def asks_back():
        first = page.evaluate("document.title")
        return [first, page.evaluate("1 + 1"), len(page.context.cookies())]

    attach(page, server)

    answers = [ask(page, "/asks"), ask(page, "/asks")]

    assert answers == [(200, '["a page",2,0]')] * 2


def test_asynchronous_handlers_run_at_the_same_time(page, server):
    gate = []

    @server.get("first")
    async def first():
        while not gate:
            await asyncio.sleep(0.001)
        return gate

    @server.get("second")
    async def second():
        gate.append("second")
        return gate

    attach(page, server)

    both = "Promise.all(['/first', '/second'].map(async url => (await fetch(url)).json()))"
    assert page.evaluate(both) == [["second"], ["second"]]


def test_latency_keeps_nobody_waiting_but_who_asked(page, server):
    order = []
    server.get("slow", lambda: order.append("slow"))
    server.get("fast", lambda: order.append("fast"))
    server.set_latency(lambda context: 1_500 if "slow" in context.url else 0)
    attach(page, server)

    page.evaluate("window.slow = fetch('/slow').then(response => response.status); 0")
    ask(page, "/fast")
    order.append("test")

    assert (page.evaluate("slow"), order) == (204, ["fast", "test", "slow"])


def test_an_error_in_a_handler_is_500_with_its_line(page, server):
    server.get("fails", lambda: 1 / 0)

    @server.get("fails/later")
    async def fails_later():
        await asyncio.sleep(0)
        raise HTTPError(418, {"tea": True})

    @server.get("asserts")
    def asserts():
        raise SystemExit(3)

    attach(page, server)

    line = server.get_route_at(0).location
    assert [ask(page, url) for url in ("/fails", "/fails/later")] == [
        (500, f"ZeroDivisionError: division by zero (in <lambda>, {line})"),
        (418, '{"tea":true}'),
    ]
    assert ask(page, "/asserts")[0] == 500


def test_a_handler_that_runs_too_long_is_stopped(page, server):
    server.time_limit = 50

    @server.get("endless")
    def endless():
        while True:
            pass

    attach(page, server)

    status, said = ask(page, "/endless")

    assert (status, "ran longer than the time limit of 50 ms" in said, ask(page, "/index.html")[0]) == (500, True, 200)


# --- What the browser is given -------------------------------------------------------------------------------------


def test_head_has_the_headers_and_no_body(page, server):
    server.get("books", [1, 2])
    attach(page, server)

    assert page.evaluate(ASK, ["/books", {"method": "HEAD"}]) == [
        200,
        "",
        {"content-length": "5", "content-type": "application/json"},
    ]


def test_nothing_is_204(page, server):
    server.delete("books/:id", lambda: None)
    attach(page, server)

    assert page.evaluate(ASK, ["/books/1", {"method": "DELETE"}]) == [204, "", {}]


def test_cookies_are_set(page, site, server):
    server.get("login", lambda: Response([], headers={"Set-Cookie": "session=7; Path=/; HttpOnly"}))
    server.get("session", lambda context: [context.headers.get("cookie")])
    attach(page, server)

    ask(page, "/login")

    assert ask(page, "/session") == (200, '["session=7"]')


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"X-Name": "a\r\nX-Other: b"}, "The header X-Name has a value that cannot be sent: 'a\\r\\nX-Other: b'."),
        ({"X Name": "a"}, "'X Name' is no name of a header."),
    ],
)
def test_a_header_that_cannot_be_sent_is_an_error_that_says_so(page, server, header, said):
    server.get("broken", lambda: Response([], headers=header))
    attach(page, server)

    status, text = ask(page, "/broken")

    assert (status, text.startswith(said)) == (500, True)


def test_a_page_of_another_origin_may_ask_and_see_all_headers(page, site):
    server = FauxServer("https://api.test")
    server.put("books/:id", lambda data: Response(data, headers={"X-Count": "3"}))
    attach(page, server)

    url = "https://api.test/books/1"
    sent = {"method": "PUT", "body": "[1]", "headers": {"Content-Type": "application/json", "X-Own": "1"}}

    status, text, seen = page.evaluate(ASK, [url, {**sent, "credentials": "include"}])

    assert (status, text, seen["x-count"]) == (200, "[1]", "3")


def test_a_server_that_says_who_may_read_is_heard(page, site):
    server = FauxServer("https://api.test")
    server.get("mine", lambda: Response([], headers={"Access-Control-Allow-Origin": "https://other.test"}))
    server.get("yours", lambda: Response([], headers={"Access-Control-Allow-Origin": "*", "X-Count": "3"}))
    attach(page, server)

    assert ask(page, "https://api.test/mine") == "TypeError: Failed to fetch"
    assert "x-count" not in headers(page, "https://api.test/yours")


# Redirects


def test_a_redirect_to_a_route_is_followed_here(page, site, server):
    server.post("login", lambda: Response(None, 303, {"Location": "/me", "Set-Cookie": "session=7; Path=/"}))
    server.get("me", lambda context: [context.http_method, context.headers.get("cookie"), context.data])
    server.post("kept", lambda: Response(None, 307, {"Location": "echo"}))
    server.post("echo", lambda data: data)
    attach(page, server)

    answers = [ask(page, url, "POST", body="text") for url in ("/login", "/kept")]

    assert answers == [(200, '["GET","session=7",null]'), (500, "text")]
    assert page.context.cookies()[0]["name"] == "session"


def test_a_redirect_to_nobodys_url_is_the_browsers(page, site, server):
    server.get("moved", lambda: Response(None, 302, {"Location": "/real/books"}))
    attach(page, server)

    response = page.evaluate("fetch('/moved').then(async found => [found.redirected, found.url, await found.json()])")

    assert response == [True, f"{site.url}/real/books", {"real": True, "method": "GET", "path": "/real/books"}]


def test_a_redirect_in_a_circle_fails(page, server):
    server.get("around", lambda: Response(None, 302, {"Location": "/around"}))
    attach(page, server)

    assert ask(page, "/around") == "TypeError: Failed to fetch"


def test_a_page_that_is_redirected_to_the_apps_goes_there(page, site, server):
    server.get("login", lambda: Response(None, 302, {"Location": "/index.html?home"}))
    server.set_default_handler(lambda context: Response(None, 404))
    attach(page, server)

    page.goto(f"{site.url}/login")

    assert (page.url, page.title(), len(server.journal)) == (f"{site.url}/index.html?home", "a page", 1)


def test_head_is_redirected_as_get_is(page, server):
    server.get("moved", lambda: Response(None, 302, {"Location": "books"}))
    server.get("books", [1])
    attach(page, server)

    status, text, seen = page.evaluate(ASK, ["/moved", {"method": "HEAD"}])

    assert (status, text, seen["content-length"]) == (200, "", "3")


def test_a_page_is_redirected_to_a_page_of_ours(page, site, server):
    server.get("old/page", lambda: Response(None, 301, {"Location": "/new/page"}))
    server.get("new/page", lambda: Response("<title>new</title>", headers=HTML))
    attach(page, server)

    page.goto(f"{site.url}/old/page")
    page.wait_for_url(f"{site.url}/new/page")

    assert (page.title(), [entry.status for entry in server.journal]) == ("new", [301, 200])


# --- Beginnings and ends -------------------------------------------------------------------------------------------

PENDING = """
urls => {
  window.ended = Promise.all(urls.map(url => fetch(url).then(found => found.status, error => String(error))))
}
"""


@pytest.fixture
def pending(server):
    """A server whose answers do not come: the handler is late, waits, or streams without end."""
    server.get("late", [])
    started = []

    @server.get("waits")
    async def waits():
        started.append(True)
        await asyncio.Event().wait()

    @server.get("streams")
    async def streams():
        started.append(True)
        while True:
            yield "more"
            await asyncio.sleep(0.001)

    server.set_latency(lambda context: 60_000 if "late" in context.url else 0)
    server.started = started
    return server


URLS = ["/late", "/waits", "/streams"]


def begin(page, pending):
    page.evaluate(PENDING, URLS)
    while len(pending.started) < 2:
        page.evaluate("0")


def status(server):
    return sorted((entry.url.rpartition("/")[2], entry.status) for entry in server.journal)


DROPPED = [("late", 0), ("streams", 200), ("waits", 0)]


def test_detaching_drops_what_is_on_its_way(page, pending):
    detach = attach(page, pending)
    begin(page, pending)

    detach()

    assert (page.evaluate("ended"), status(pending)) == (["TypeError: Failed to fetch"] * 3, DROPPED)
    assert (len(pending.awaiting), pending.on_change) == (0, None)


def test_detaching_twice_is_as_detaching_once(page, server):
    detach = attach(page, server.get("a", 1))

    assert (detach(), detach(), ask(page, "/a")[0]) == (None, None, 404)


@pytest.mark.parametrize("whom", ["page", "context"])
@pytest.mark.parametrize("how", ["page.close", "context.close", "navigation", "crash"])
def test_a_page_that_leaves_drops_what_is_on_its_way(page, site, pending, whom, how, recwarn, caplog):
    context = page.context
    other = context.new_page()
    attach(page if whom == "page" else context, pending)
    begin(page, pending)

    if how == "page.close":
        page.close()
    elif how == "context.close":
        context.close()
    elif how == "navigation":
        page.goto(f"{site.url}/index.html?again")
    else:
        with pytest.raises(Exception, match="crash"):
            page.goto("chrome://crash")
    while how != "context.close" and len(pending.journal) < 3:
        other.evaluate("0")

    assert (status(pending), len(recwarn), caplog.records) == (DROPPED, 0, [])


def test_a_request_that_the_page_aborts_is_dropped(page, pending):
    attach(page, pending)

    aborted = page.evaluate("""async () => {
      const controller = new AbortController()
      setTimeout(() => controller.abort(), 30)
      return await fetch("/waits", { signal: controller.signal }).catch(error => error.name)
    }""")
    while not pending.journal:
        page.evaluate("0")

    assert (aborted, status(pending)) == ("AbortError", [("waits", 0)])


def test_a_reset_drops_what_waits(page, pending):
    attach(page, pending)
    begin(page, pending)

    pending.reset()
    page.evaluate(PENDING, ["/index.html"])

    assert (page.evaluate("ended"), len(pending.awaiting)) == ([200], 0)


def test_a_context_that_is_closed_lets_go_of_the_server(page, server):
    attach(page.context, server)

    page.context.close()
    server.get("late", [])

    assert server.on_change is None


def test_a_stream_that_breaks_is_a_network_error(page, server, caplog):
    @server.get("breaks")
    def breaks():
        yield "a"
        raise ValueError("midway")

    attach(page, server)

    assert ask(page, "/breaks") == "TypeError: Failed to fetch"
    assert "ValueError: midway" in server.journal[-1].error.message


def test_a_stream_that_is_too_long_is_told(page, server, monkeypatch, caplog):
    monkeypatch.setattr("fauxserver.hosts.attachment.MOST_BYTES", 10)

    @server.get("endless")
    def endless():
        while True:
            yield "more"

    attach(page, server)

    assert ask(page, "/endless") == "TypeError: Failed to fetch"
    assert "GET endless streams more than 10 bytes, and Playwright wants a body whole." in caplog.text


# --- The regular expressions ---------------------------------------------------------------------------------------

EXPRESSIONS = [
    *(
        "books",
        "books/:id",
        "books(/:id)",
        "files/*path",
        "v1.0/:x-:y.json",
        "search?q=:q",
        "/a$b/(c)",
        "größe/:id",
        "*rest",
    ),
    *("https://api.test/books/:id", "a+b/{c}[d]|e^f", ":x/y", "s/*", "(o)ptional"),
]
PATHS = [
    *(
        "/",
        "/books",
        "/books/7",
        "/app/books/7?x=1",
        "/books/7/8",
        "/files/",
        "/files/a/b.js?v=2",
        "/files",
        "/v1.0/a-b.json",
    ),
    *(
        "/v1x0/a-b.json",
        "/search?q=1",
        "/search",
        "/a$b/",
        "/a$b/c",
        "/gr%C3%B6%C3%9Fe/1",
        "/a+b/{c}[d]|e^f",
        "/aab",
        "/x/y",
    ),
    *("/s/", "/s//", "/ptional", "/optional", "/main.js", "/books.json"),
]


def test_javascript_reads_the_expressions_for_urls_as_python_does(page):
    urls = [origin + path for origin in ("http://localhost:8000", "https://api.test") for path in PATHS]
    found, expected = [], []
    for base in (None, "/", "http://localhost:8000/", "http://localhost:8000/app/"):
        for expression in EXPRESSIONS:
            server = FauxServer()
            server.add_page_route(UrlExp(expression, braces=True), method="GET")
            server.set_unmatched("live/", "error")
            for regexp in regexps(reach(server, base, True)):
                met = page.evaluate(
                    "([source, urls]) => urls.map(url => RegExp(source).test(url))", [regexp.pattern, urls]
                )
                found.append((base, expression, met))
                expected.append((base, expression, [regexp.search(url) is not None for url in urls]))

    assert found == expected


# --- The README ----------------------------------------------------------------------------------------------------

ROOT = Path(__file__).parents[2]


def test_the_readmes_example_runs(page, site):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = [block for block in readme.split("```python\n") if "hosts.playwright import attach" in block]
    names = {}
    exec(block.partition("```")[0].replace("http://localhost:8000/", f"{site.url}/index.html"), names)

    names["test_the_shelf"](page)

    assert ask(page, "/api/books")[0] == 404


# --- A program of its own ------------------------------------------------------------------------------------------

DJANGO = """
import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}, INSTALLED_APPS=["tables"]
)
django.setup()

from django.db import connection, transaction
from playwright.sync_api import sync_playwright

from fauxserver import FauxServer
from fauxserver.hosts.noloop import no_loop_in_sight
from fauxserver.hosts.playwright import attach
from tables.models import Book
from tests.browser.engine import flags
from tests.browser.programs import CHROMIUM, find, is_root
from tests.browser.site import Site

server = FauxServer()

@server.get("books")
def list_books():
    return list(Book.objects.values("title"))

@server.post("books")
def create_book(data):
    with transaction.atomic():
        return {"id": Book.objects.create(title=data["title"]).pk}

@server.get("late")
def late():
    raise AssertionError("Nobody waits for this.")

server.set_latency(lambda context: 60_000 if "late" in context.url else 0)
site = Site({}).start()
site.write("/index.html", "<title>books</title>")
with connection.schema_editor() as editor:
    editor.create_model(Book)

with sync_playwright() as playwright:
    path = find(CHROMIUM, playwright.chromium.executable_path)
    browser = playwright.chromium.launch(executable_path=path, args=flags(is_root()))
    page = browser.new_page()
    page.goto(site.url + "/index.html")
    attach(page, server)
    # As a test's fixture does it, before Playwright.
    with no_loop_in_sight():
        outer = transaction.atomic()
        outer.__enter__()
        Book.objects.create(title="Franny")
    send = "body => fetch('/books', { method: 'POST', headers: { 'content-type': 'application/json' }, body })"
    print(page.evaluate(send + ".then(response => response.json())", '{"title": "Zooey"}'))
    print(page.evaluate("async () => await (await fetch('/books')).json()"))
    with no_loop_in_sight():
        transaction.set_rollback(True)
        outer.__exit__(None, None, None)
        print(Book.objects.count())
    # It ends with a request on its way.
    page.evaluate("fetch('/late').catch(() => {}), 0")
    page.evaluate("fetch('/books').then(() => 0)")
site.stop()
"""
MODELS = """
from django.db import models

class Book(models.Model):
    id = models.AutoField(primary_key=True)
    title = models.TextField()
"""


def test_djangos_orm_works_in_handlers_and_sees_the_tests_transaction(tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "__init__.py").touch()
    (tmp_path / "tables" / "models.py").write_text(MODELS)
    (tmp_path / "program.py").write_text(DJANGO)
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "program.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert (ended.stdout.splitlines(), ended.stderr) == (
        ["{'id': 2}", "[{'title': 'Franny'}, {'title': 'Zooey'}]", "0"],
        "",
    )
