"""Requests that no route answers: they go to the network, with a word on the console or without, or fail."""

import pytest

from tests.browser.conftest import Visitor
from tests.browser.pages import html, python, script
from tests.browser.site import Site

ROUTES = """\
from fauxserver import FauxServer

server = FauxServer()
server.get("real/books/:id", lambda id: {"id": id})
server.post("real/books", lambda data: data)
"""

# What fetch, XHR or a sync came to: a status, or what it failed with.
OUTCOMES = """
    window.byFetch = (url, options) => fetch(url, options).then(response => response.status, error => error.name)
    window.byXHR = (url, { method = "GET", async = true } = {}) => new Promise((resolve, reject) => {
      const xhr = new XMLHttpRequest()
      const events = []
      for (const name of ["readystatechange", "load", "error", "loadend"]) {
        xhr.addEventListener(name, () => events.push(name === "readystatechange" ? xhr.readyState : name))
      }
      xhr.onloadend = () => resolve([xhr.status, ...events])
      xhr.open(method, url, async)
      xhr.send()
    }).catch(error => error.name)
    window.bySync = (url, method = "read") => new Promise(resolve => {
      const error = reason => resolve([reason.status, reason.statusText])
      const options = { url, success: () => resolve("success"), error }
      Backbone.sync(method, new Backbone.Model(), options)
    })
"""


def faux_lines(visitor: Visitor) -> list[str]:
    """What the console was told of unanswered requests, without the address of the site."""
    return [line.replace(visitor.site.url, "") for line in visitor.console if " is not answered here" in line]


def paths(site: Site) -> list[str]:
    return [f"{seen.method} {seen.path}" for seen in site.reached()]


ENDS = {
    "warning": 'It goes to the network. To keep this quiet: fauxServer.setUnmatched("bypass"), for some urls '
    'setUnmatched("api/", "bypass").',
    "error": 'It fails, because the policy for such requests is "error" (fauxServer.setUnmatched, or set_unmatched in '
    "a route file).",
}


def line(kind: str, asked: str, *nearest: str) -> str:
    """The console's line."""
    head = f"{kind}: fauxserver: {asked} is not answered here. No route matches it, and there is no default handler."
    return "\n".join([head + " Nearest:" * bool(nearest), *(f"  {near}" for near in nearest), ENDS[kind]])


@pytest.mark.every_engine
def test_by_default_a_fetch_that_begins_as_a_route_does_is_warned_of(visitor: Visitor, site: Site):
    visitor.open(script(OUTCOMES), python(ROUTES), data_intercept="sync fetch")

    told = visitor.run("""return [
      await byFetch("real/books/7"), await byFetch("/real/book/7"), await byFetch("/real/book/7"),
      await byFetch("/real/books/7", { method: "DELETE" }), await byFetch("/real/cover.png?v=2"),
      await byFetch("/other"),
      await bySync("real/boks"),
    ]""")

    assert told == [200, 200, 200, 200, 200, 404, "success"]
    assert faux_lines(visitor) == [
        line(
            "warning",
            "GET /real/book/7",
            'GET real/books/:id (inline_1.py:4) has "books" where the url has "book"',
        ),
        line("warning", "DELETE /real/books/7", "GET real/books/:id (inline_1.py:4) answers GET, not DELETE"),
    ]
    assert paths(site) == ["GET /real/book/7"] * 2 + ["DELETE /real/books/7"] + [
        "GET /real/cover.png?v=2",
        "GET /real/boks",
    ]


def test_error_fails_them_and_nothing_reaches_the_network(visitor: Visitor, site: Site):
    visitor.open(script(OUTCOMES), python(ROUTES), data_intercept="sync fetch", data_unmatched="error")

    told = visitor.run("""return [
      await byFetch("/real/book/7"), await bySync("real/boks"), await bySync("real/books/7", "delete"),
      await byFetch("real/books/7"), await byFetch("/app.js"),
    ]""")

    assert told == ["TypeError", [0, "error"], [0, "error"], 200, 404]
    assert faux_lines(visitor) == [
        line("error", "GET /real/book/7", 'GET real/books/:id (inline_1.py:4) has "books" where the url has "book"'),
        line(
            "error",
            "GET real/boks",
            'POST real/books (inline_1.py:5) has "books" where the url has "boks"; answers POST, not GET',
            'GET real/books/:id (inline_1.py:4) has "books" besides',
        ),
        line("error", "DELETE real/books/7", "GET real/books/:id (inline_1.py:4) answers GET, not DELETE"),
    ]
    assert paths(site) == []


def test_an_xhr_is_warned_of_or_fails_as_without_a_network(visitor: Visitor, site: Site):
    visitor.open(script(OUTCOMES), python(ROUTES), data_intercept="xhr")

    told = visitor.run("""
      const warned = [(await byXHR("/real/book/7"))[0], (await byXHR("/other"))[0]]
      fauxServer.setUnmatched("error")
      return [warned, await byXHR("/real/book/8"), await byXHR("/real/book/9", { async: false })]
    """)

    assert told == [[200, 404], [0, 1, 4, "error", "loadend"], "NetworkError"]
    assert [said.partition(" is not")[0] for said in faux_lines(visitor)] == [
        "warning: fauxserver: GET /real/book/7",
        "error: fauxserver: GET /real/book/8",
        "error: fauxserver: GET /real/book/9",
    ]
    assert paths(site) == ["GET /real/book/7"]


def test_what_jquery_uses_to_bring_a_sync_to_the_network_is_warned_of_once(visitor: Visitor, site: Site):
    visitor.open(script(OUTCOMES), python(ROUTES), data_intercept="sync xhr")

    silent = visitor.run('return [await bySync("real/boks")]')
    by_default = faux_lines(visitor)
    visitor.run('fauxServer.setUnmatched("warn"); await bySync("real/boks")')

    assert (silent, by_default) == (["success"], [])
    assert [said.partition(" is not")[0] for said in faux_lines(visitor)] == ["warning: fauxserver: GET real/boks"]


def test_policies_of_the_route_file_and_of_the_page_by_prefix(visitor: Visitor, site: Site):
    visitor.open(
        script(OUTCOMES),
        python(ROUTES + 'server.set_unmatched("real/never/", "error")\n'),
        script("""fauxServer.setUnmatched("/real/quiet", ({ method, door }) => {
          window.asked = [method, door]
          return method === "GET" ? "bypass" : null
        })"""),
        data_intercept="sync fetch",
    )

    told = visitor.run("""return [
      await byFetch("/real/never/1"), await byFetch("/real/quiet/1"), asked,
      await byFetch("/real/quiet/2", { method: "PUT" }), await byFetch("/real/never"),
    ]""")

    assert told == ["TypeError", 200, ["GET", "fetch"], 200, "TypeError"]
    assert [said.partition(" is not")[0] for said in faux_lines(visitor)] == [
        "error: fauxserver: GET /real/never/1",
        "warning: fauxserver: PUT /real/quiet/2",
        "error: fauxserver: GET /real/never",
    ]
    assert paths(site) == ["GET /real/quiet/1", "PUT /real/quiet/2"]


def test_it_can_be_changed_and_reset_restores_it(visitor: Visitor, site: Site):
    visitor.open(script(OUTCOMES), python(ROUTES), script('fauxServer.setUnmatched("bypass")'), data_intercept="fetch")

    told = visitor.run("""
      const before = await byFetch("/real/book/7")
      fauxServer.setUnmatched("error")
      const changed = await byFetch("/real/book/7")
      fauxServer.reset()
      const restored = await byFetch("/real/book/7")
      fauxServer.setUnmatched()
      return [before, changed, restored, await byFetch("/real/book/7")]
    """)

    assert told == [200, "TypeError", 200, 200]
    assert [said.split(":")[0] for said in faux_lines(visitor)] == ["error", "warning"]


def test_a_policy_in_python_that_fails_is_told_with_its_line_and_the_default_counts(visitor: Visitor, site: Site):
    visitor.open(
        script(OUTCOMES),
        python(ROUTES + "def choose(request):\n    return request.nothing\n\nserver.set_unmatched(choose)\n"),
        data_intercept="fetch",
        data_quiet=True,
    )

    assert visitor.run('return byFetch("/real/book/7")') == 200

    faults = [said for said in visitor.console if "AttributeError" in said]
    assert len(faults) == 1
    assert "return request.nothing" in faults[0]
    assert len(faux_lines(visitor)) == 1


def test_a_policy_that_loops_does_not_freeze_the_page(visitor: Visitor, site: Site):
    visitor.open(
        script(OUTCOMES),
        python(ROUTES + "def choose(request):\n    while True:\n        pass\n\nserver.set_unmatched(choose)\n"),
        data_intercept="fetch",
        data_quiet=True,
    )

    assert visitor.run('return byFetch("/real/book/7")') == 200
    assert visitor.run('return byFetch("/real/books/7")') == 200

    assert any("The policy ran longer than the time limit" in said for said in visitor.console)


def test_requests_that_were_held_have_the_policy_that_is_there_then(visitor: Visitor, site: Site):
    early = """
      window.early = [byFetch("/real/book/7"), bySync("real/boks")]
      fauxServer.setUnmatched("error")
    """
    visitor.open(script(OUTCOMES), script(early), python(ROUTES), data_intercept="sync fetch")

    assert visitor.run("return Promise.all(early)") == ["TypeError", [0, "error"]]
    assert paths(site) == []


def test_a_word_that_is_none_is_an_error_that_names_them(visitor: Visitor, site: Site):
    visitor.open(python(ROUTES))

    told = visitor.run(
        'try { fauxServer.setUnmatched("eror") } catch (error) { return `${error.name}: ${error.message}` }'
    )

    assert told == (
        'TypeError: fauxServer.setUnmatched: "eror" is no policy. Give "bypass", "warn" or "error", or a function of '
        "the request that returns one of these."
    )


def test_a_script_tag_whose_word_is_none_says_so(visitor: Visitor, site: Site):
    visitor.visit(html(data_unmatched="loud"))

    assert visitor.run("return typeof fauxServer") == "undefined"
    assert visitor.errors == [
        'TypeError: fauxServer.setUnmatched: "loud" is no policy. Give "bypass", "warn" or "error", or a function of '
        "the request that returns one of these."
    ]
