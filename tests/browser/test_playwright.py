"""`attach(page, server)`, with Playwright's synchronous API, in Chromium."""

import pytest

from fauxserver import FauxServer, FauxServerError
from fauxserver.hosts.playwright import attach
from fauxserver.routefile import RouteFile
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
