"""`attach(page, server)`, with Playwright's synchronous API, in Chromium."""


import pytest

from fauxserver import FauxServer, FauxServerError
from fauxserver.hosts.playwright import attach
from tests.browser.site import Site

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
