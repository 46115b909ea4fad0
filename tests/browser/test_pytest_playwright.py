"""`faux` and the pages of a test: a pytest of its own, with pytest-playwright and Chromium."""

import functools
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.engine import flags
from tests.browser.programs import CHROMIUM, find, is_root

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## In pytest\n")[2].partition("\n## ")[0]

# A reader has Playwright's own Chromium, and needs none of this.
CONFTEST = """
import pytest

@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {{**browser_type_launch_args, "executable_path": {path!r}, "args": {flags!r}}}
"""


@pytest.fixture(scope="session")
def _conftest() -> str:
    # Other tests may have a browser open in this thread, and then there is none to be started.
    with ThreadPoolExecutor(1) as thread:
        path = thread.submit(_chromium).result()
    return CONFTEST.format(path=path, flags=flags(is_root()))


def _chromium() -> str:
    with sync_playwright() as playwright:
        return find(CHROMIUM, playwright.chromium.executable_path)


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, _conftest: str) -> pytest.Pytester:
    """A folder with tests, whose pytest has our plugin and pytest-playwright."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    # pytest-playwright 0.10 has a fixture that pytest 9 warns of.
    monkeypatch.setenv(
        "PYTEST_ADDOPTS",
        "-p playwright -p fauxserver.hosts.pytest_plugin -W error -W 'ignore:Session-scoped fixtures defined as'",
    )
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeconftest(_conftest)
    return pytester


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """What `python -m http.server -d folder` does."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def blocks(language: str, text: str = SECTION) -> list[str]:
    """The code blocks of that language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def plain(text: str) -> str:
    """What pytest prints, without what differs from run to run."""
    return re.sub(r"\d+ ms", "0 ms", re.sub(r"-{3,}", "---", text))


def test_the_tests_of_the_readme_pass_and_fail_as_it_says(project):
    (project.path / "public").mkdir()
    (project.path / "public" / "routes.py").write_text(blocks("python", README)[0])
    (project.path / "app").mkdir()
    (project.path / "app" / "index.html").write_text(blocks("html")[0])
    (project.path / "test_library.py").write_text(blocks("python")[0])
    (project.path / "test_app.py").write_text(blocks("python")[1])
    (project.path / "pytest.ini").write_text("".join(blocks("ini")))

    with served(project.path / "app") as address:
        # Port 8000 may be taken here.
        result = project.runpytest_subprocess("-v", "--base-url", address)

    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["test_app.py::test_a_book_is_lent?chromium? FAILED *"])
    said = plain(result.stdout.str().replace(address, "http://localhost:8000"))
    assert plain(blocks("text")[0]) in said


PAGE = """
from fauxserver import Response

def page_that(script):
    return Response(f"<!doctype html><script>{script}</script>", headers={"content-type": "text/html"})

SHOW = "fetch('api/books').then(answer => answer.json()).then(books => { document.title = books.length })"

def go(faux, page):
    faux.get("/", lambda: page_that(SHOW)).get("api/books", [1, 2, 3])
    page.goto("http://app.test/")
    page.wait_for_function("document.title === '3'")
    assert [entry.url for entry in faux.journal] == ["http://app.test/", "http://app.test/api/books"]
"""

EVERY_WAY = """
import pytest
from pages import SHOW, go

def test_the_page_after_it(faux, page):
    go(faux, page)

def test_the_page_before_it(page, faux):
    go(faux, page)

def test_a_context_after_it(faux, context):
    go(faux, context.new_page())

def test_another_context(new_context, faux):
    go(faux, new_context().new_page())

@pytest.fixture
def librarian(browser):
    context = browser.new_context()
    yield context.new_page()
    context.close()

def test_a_page_of_ones_own_after_it(faux, librarian):
    go(faux, librarian)

def test_a_page_of_ones_own_before_it(librarian, faux):
    go(faux, librarian)

def test_a_page_of_the_browser(browser, faux):
    page = browser.new_page()
    go(faux, page)
    page.close()

def test_a_page_that_is_asked_for_late(faux, browser, request):
    go(faux, request.getfixturevalue("page"))

@pytest.fixture
def shelf(page, faux):
    go(faux, page)
    return page

def test_a_page_that_a_fixture_has_opened(shelf):
    assert shelf.title() == "3"

@pytest.fixture(scope="module")
def kept(browser):
    context = browser.new_context()
    yield context.new_page()
    context.close()

@pytest.mark.parametrize("time", [1, 2])
def test_a_page_that_outlives_the_test(kept, faux, time):
    go(faux, kept)

def test_a_page_without_it(kept):
    from playwright.sync_api import Browser, Error
    with pytest.raises(Error, match="ERR_"):
        kept.goto("http://app.test/")
    assert Browser.new_context.__qualname__ == "Browser.new_context" and not hasattr(Browser.new_context, "__wrapped__")

@pytest.mark.faux("routes.py")
def test_a_page_with_the_marker_alone(page):
    page.goto("http://app.test/")
    assert page.title() == "of the file"

def test_a_call_from_a_test_that_has_a_page(faux, page):
    page.goto("about:blank")

    @faux.get("api/slow")
    async def slow():
        return "asynchronous",  200

    assert faux.dispatch("GET", "api/slow").body == "asynchronous"

def test_an_api_on_another_origin(faux, page):
    faux.base = "https://api.example.com/v1"
    faux.get("books", [1, 2, 3])
    script = SHOW.replace("api/books", "https://api.example.com/v1/books")
    page.route("http://app.test/", lambda route: route.fulfill(body=f"<script>{script}</script>"))
    page.goto("http://app.test/")
    page.wait_for_function("document.title === '3'")

def test_a_handler_that_runs_a_loop_and_is_late(faux, page):
    import asyncio
    import threading

    @faux.get("api/books")
    def books():
        assert threading.current_thread() is threading.main_thread()
        return asyncio.run(asyncio.sleep(0, [1, 2, 3]))

    faux.set_latency(20)
    faux.get("/", lambda: "404")
    go(faux, page)
"""

ROUTES = """
import asyncio
from fauxserver import FauxServer, Response
asyncio.run(asyncio.sleep(0))
server = FauxServer().get("/", Response("<title>of the file</title>", headers={"content-type": "text/html"}))
"""


def test_every_page_of_a_test_is_answered(project):
    project.makepyfile(pages=PAGE, routes=ROUTES, test_it=EVERY_WAY)

    result = project.runpytest_subprocess()

    result.assert_outcomes(passed=16)


REFUSED = """
import pytest
from fauxserver import Request
from pages import page_that

def serve_a_page(route):
    route.fulfill(body="<script>fetch('books')</script>", content_type="text/html")

def visit(faux, page, script):
    faux.get("/", page_that(script)).get("api/books", [])
    page.goto("http://app.test/")

def test_no_route_at_all(faux, page):
    page.route("http://app.test/", serve_a_page)
    page.goto("http://app.test/")

def test_with_another_method(faux, page):
    visit(faux, page, "fetch('api/books', { method: 'PUT' })")

def test_an_xhr(faux, page):
    visit(faux, page, "const xhr = new XMLHttpRequest(); xhr.open('GET', 'else/where'); xhr.send()")

def test_twice(faux, page):
    visit(faux, page, "fetch('api/bookz').catch(() => fetch('api/bookz')).catch(() => { document.title = 'over' })")
    page.wait_for_function("document.title === 'over'")

def test_that_fails_by_itself(faux, page):
    visit(faux, page, "fetch('api/bookz')")
    assert page.title() == "3"

def test_below_another_origin(faux, page):
    faux.base = "https://api.example.com/v1"
    page.route("http://app.test/", lambda route: route.fulfill(
        body="<script>fetch('https://api.example.com/v1/loans').catch(() => { document.title = 'over' })</script>"
    ))
    page.goto("http://app.test/")
    page.wait_for_function("document.title === 'over'")

def test_by_a_policy_that_is_wrong(faux, page):
    faux.set_unmatched(lambda request: "perhaps")
    visit(faux, page, "fetch('else')")

@pytest.mark.xfail(strict=True)
def test_that_is_expected_to(faux, page):
    visit(faux, page, "fetch('api/bookz')")
"""

LET_GO = """
import pytest
from fauxserver import Request
from test_refused import serve_a_page, visit

def over(page):
    page.wait_for_function("document.title === 'over'")

def test_an_asset(faux, page):
    visit(faux, page, "fetch('api/main.js').catch(() => { document.title = 'over' })")
    over(page)

def test_another_origin(faux, page):
    visit(faux, page, "fetch('http://127.0.0.1:9/stats').catch(() => { document.title = 'over' })")
    over(page)

@pytest.mark.parametrize("policy", [("bypass",), ("api/", "bypass"), (lambda request: "warn",)])
def test_what_somebody_lets_go(faux, page, policy, caplog):
    faux.set_unmatched(*policy)
    visit(faux, page, "fetch('api/loans').catch(() => { document.title = 'over' })")
    over(page)
    assert ("GET http://app.test/api/loans is not answered here." in caplog.text) == callable(policy[0])

def test_a_server_that_is_off(faux, page):
    faux.enable(False)
    page.route("http://app.test/", serve_a_page)
    page.goto("http://app.test/")

def test_a_browser_that_is_gone(faux, browser_type, browser_type_launch_args):
    browser = browser_type.launch(**browser_type_launch_args)
    visit(faux, browser.new_page(), "1")
    browser.close()

def test_a_page_that_is_busy_for_good(faux, page):
    visit(faux, page, "1")
    page.evaluate("setTimeout(() => { for (;;); }, 0)")

def test_a_page_that_does_not_exist(faux, page):
    visit(faux, page, "1")
    with pytest.raises(Exception, match="ERR_"):
        page.goto("http://app.test/none")
"""


def test_a_request_that_no_route_wants_fails_the_test(project):
    project.makepyfile(pages=PAGE, test_refused=REFUSED, test_let_go=LET_GO)

    result = project.runpytest_subprocess("-rfx")

    result.assert_outcomes(passed=9, failed=7, xfailed=1)
    unanswered = "is not answered here. No route matches it, and there is no default handler."
    said = result.stdout.str()
    parts = {found[1]: found[0] for found in re.findall(r"(?s)(___ test_(\w+)\[.*?)(?=\n____|\n====)", said)}
    assert {name: part.splitlines()[1] for name, part in parts.items() if name != "that_fails_by_itself"} == {
        "no_route_at_all": f"GET http://app.test/books {unanswered}",
        "with_another_method": f"PUT http://app.test/api/books {unanswered} Nearest:",
        "below_another_origin": f"GET https://api.example.com/v1/loans {unanswered}",
        "an_xhr": f"GET http://app.test/else/where {unanswered}",
        "by_a_policy_that_is_wrong": (
            "GET http://app.test/else cannot be judged: PolicyError: The policy <lambda> (test_refused.py:39) returned "
            '\'perhaps\'. Return "bypass", "warn" or "error", or None for the default.'
        ),
        "twice": f"GET http://app.test/api/bookz {unanswered} Nearest:",
    }
    assert parts["that_fails_by_itself"].count(f"E       GET http://app.test/api/bookz {unanswered}") == 1
    assert parts["twice"].count("GET http://app.test/api/bookz → no route") == 1


ASYNCHRONOUS = """
import pytest
from playwright.async_api import async_playwright
from pages import SHOW, page_that

@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"

@pytest.fixture(scope="session")
async def chromium(anyio_backend, browser_type_launch_args):
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**browser_type_launch_args)
        yield browser
        await browser.close()

@pytest.fixture
async def view(chromium):
    page = await chromium.new_page()
    yield page
    await page.close()

async def go(faux, page):
    faux.get("/", lambda: page_that(SHOW)).get("api/books", [1, 2, 3])
    await page.goto("http://app.test/")
    await page.wait_for_function("document.title === '3'")
    assert len(faux.journal) == 2

@pytest.mark.anyio
async def test_after_it(faux, view):
    await go(faux, view)

@pytest.mark.anyio
async def test_before_it(view, faux):
    await go(faux, view)

@pytest.mark.anyio
async def test_refused(faux, view):
    faux.get("/", page_that("fetch('api/bookz').catch(() => { document.title = 'over' })"))
    await view.goto("http://app.test/")
    await view.wait_for_function("document.title === 'over'")
"""


def test_pages_of_the_asynchronous_api_are_answered_too(project):
    project.makepyfile(pages=PAGE, test_it=ASYNCHRONOUS)

    result = project.runpytest_subprocess("-p", "anyio")

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["GET http://app.test/api/bookz is not answered here.*"])
