"""`attach(page, server)`, with Playwright's asynchronous API, in Chromium, on a thread with an event loop of its own.

(The synchronous API keeps an event loop running in the tests' thread.)
"""

import asyncio
import threading
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import async_playwright

from fauxserver import FauxServer
from fauxserver.hosts.playwright import attach
from fauxserver.routefile import RouteFile
from tests.browser.engine import flags
from tests.browser.programs import CHROMIUM, find, is_root
from tests.browser.site import Site
from tests.conformance import FILE, ROUTES, Answer, cases, expected, seen

FETCH = """
async ({ method, url, headers, body }) => {
  try {
    const bytes = body === null ? undefined : Uint8Array.from(body, letter => letter.charCodeAt(0))
    const response = await fetch(url, { method, headers, body: bytes })
    const read = new Uint8Array(await response.arrayBuffer())
    const text = Array.from(read, byte => String.fromCharCode(byte)).join("")
    return [response.status, Object.fromEntries(response.headers), text]
  } catch (error) {
    return [0, {}, String(error)]
  }
}
"""


@pytest.fixture(scope="module")
def site():
    site = Site({}).start()
    site.write("/index.html", "<!doctype html><title>a page</title>")
    yield site
    site.stop()


class Driven:
    """A browser on a thread of its own; `run` runs a coroutine there."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.unhandled = []
        self.loop.set_exception_handler(lambda loop, context: self.unhandled.append(context))
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    async def open(self):
        self.playwright = await async_playwright().start()
        path = find(CHROMIUM, self.playwright.chromium.executable_path)
        self.browser = await self.playwright.chromium.launch(executable_path=path, args=flags(is_root()))

    async def end(self):
        await self.browser.close()
        await self.playwright.stop()

    def close(self):
        self.run(self.end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture(scope="module")
def driven():
    driven = Driven()
    driven.run(driven.open())
    yield driven
    driven.close()
    assert driven.unhandled == []


@pytest.fixture
def visit(driven, site):
    """Run a coroutine function with a page in a fresh context."""

    @asynccontextmanager
    async def opened():
        context = await driven.browser.new_context()
        page = await context.new_page()
        await page.goto(f"{site.url}/index.html")
        yield page
        await context.close()

    async def visiting(act):
        async with opened() as page:
            return await act(page)

    return lambda act: driven.run(visiting(act))


async def ask(page, url, method="GET", headers=None, body=None):
    status, _, text = await page.evaluate(FETCH, {"method": method, "url": url, "headers": headers or {}, "body": body})
    return status, text


@pytest.fixture
def server():
    return FauxServer()


def test_an_attached_server_answers_the_page(visit, server):
    server.get("books/:id", lambda id: [id])

    async def act(page):
        detach = await attach(page, server)
        answered = await ask(page, "/books/7")
        await detach()
        return answered, (await ask(page, "/books/7"))[0], await detach()

    assert visit(act) == ((200, '["7"]'), 404, None)


def test_the_conformance_table_is_answered_as_everywhere(visit):
    file = RouteFile(FILE, ROUTES)
    file.run()
    (table,) = file.servers

    async def asked(page, request):
        headers, body = request.content()
        given = {"method": request.method, "url": f"/{request.url}", "headers": headers}
        status, received, content = await page.evaluate(FETCH, {**given, "body": body and body.decode("latin-1")})
        return None if "server" in received else Answer.read(status, received, content.encode("latin-1"))

    async def act(page):
        await attach(page.context, table)
        found = {}
        for case in cases("Playwright"):
            table.reset()
            found[case.name] = [seen(await asked(page, request), answer) for request, answer in case.steps]
        return found

    assert visit(act) == {case.name: expected("Playwright", case) for case in cases("Playwright")}


def test_routes_added_while_attached_count_at_once(visit, server):
    async def act(page):
        await attach(page, server)
        for number in range(20):
            server.get(f"added{number}", [number])
        return [await ask(page, f"/added{number}") for number in (0, 19)]

    assert visit(act) == [(200, "[0]"), (200, "[19]")]


def test_handlers_may_add_routes_and_run_event_loops(visit, server):
    @server.get("def")
    def plain():
        server.get("added", ["by def"])
        return [asyncio.run(asyncio.sleep(0, "ran"))]

    @server.get("async")
    async def coroutine():
        await asyncio.sleep(0)
        server.get("later", ["by async def"])
        return [asyncio.get_running_loop() is not None]

    async def act(page):
        await attach(page, server)
        return [await ask(page, f"/{url}") for url in ("def", "async", "added", "later")]

    assert visit(act) == [(200, '["ran"]'), (200, "[true]"), (200, '["by def"]'), (200, '["by async def"]')]


def test_a_change_from_another_thread_is_heard(visit, server):
    async def act(page):
        await attach(page, server)
        await asyncio.to_thread(server.get, "added", [1])
        return await ask(page, "/added")

    assert visit(act) == (200, "[1]")


def test_handlers_answer_while_the_test_goes_on(visit, server):
    gate = asyncio.Event()

    @server.get("waits")
    async def waits():
        await gate.wait()
        return ["opened"]

    async def act(page):
        await attach(page, server)
        asked = asyncio.ensure_future(ask(page, "/waits"))
        await asyncio.sleep(0)
        gate.set()
        return await asked

    assert visit(act) == (200, '["opened"]')


@pytest.mark.parametrize("how", ["detach", "page.close", "context.close", "navigation"])
def test_who_ends_drops_what_is_on_its_way(visit, server, site, how):
    started = []
    server.get("late", [])

    @server.get("waits")
    async def waits():
        started.append(True)
        await asyncio.Event().wait()

    server.set_latency(lambda context: 60_000 if "late" in context.url else 0)

    async def act(page):
        detach = await attach(page, server)
        await page.evaluate("fetch('/late').catch(() => {}), fetch('/waits').catch(() => {}), 0")
        while not started:
            await asyncio.sleep(0.001)
        if how == "detach":
            await detach()
        elif how == "page.close":
            await page.close()
        elif how == "context.close":
            await page.context.close()
        else:
            await page.goto(f"{site.url}/index.html?again")
        while len(server.journal) < 2:
            await asyncio.sleep(0.001)
        return sorted(entry.status for entry in server.journal)

    assert visit(act) == [0, 0]


def test_what_no_route_wants_is_told(visit, server, site):
    server.get("books", [])
    told = []

    async def act(page):
        base = f"{site.url}/real"
        await attach(page, server, base=base, on_unmatched=lambda explanation, word: told.append(explanation.url))
        return await ask(page, "/real/nowhere"), await ask(page, "/real/books")

    assert (visit(act), told) == (((0, "TypeError: Failed to fetch"), (200, "[]")), [f"{site.url}/real/nowhere"])
