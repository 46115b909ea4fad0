"""The pytest plugin, in a pytest of its own: once within this process, once in another where that is the point."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROUTES = """\
from fauxserver import FauxServer, HTTPError

server = FauxServer()
books = {1: {"id": 1, "title": "Nine Stories"}}


@server.get("api/books")
def list_books():
    return list(books.values())


@server.post("api/books")
def create_book(data):
    books[2] = {**data, "id": 2}
    return books[2], 201


@server.get("api/broken")
def broken():
    return books["missing"]
"""


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with a route file, whose pytest has our plugin and no other."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p fauxserver.hosts.pytest_plugin --strict-markers -W error")
    monkeypatch.syspath_prepend(Path(__file__).parents[2])
    pytester.makepyfile(routes=ROUTES)
    pytester.makeini("[pytest]\nfaux_routes = routes.py\n")
    return pytester


def test_a_test_asks_the_route_file_in_its_own_process(inner):
    inner.makepyfile(
        """
        import asyncio
        from fauxserver import Request

        def test_books(faux):
            response = asyncio.run(faux.handle(Request("POST", "api/books", {"title": "Franny"})))
            assert (response.status, response.body) == (201, {"title": "Franny", "id": 2})
            assert [entry.label for entry in faux.journal] == ["create_book"]
        """
    )

    inner.runpytest_inprocess().assert_outcomes(passed=1)


def test_each_test_has_a_fresh_server(inner):
    inner.makepyfile(
        """
        import pytest
        from fauxserver import Request

        def ask(faux, method, url, data=None):
            exchange = faux.accept(Request(method, url, data))
            return exchange and exchange.answer().body

        @pytest.mark.parametrize("time", ["first", "second"])
        def test_books(faux, time):
            assert len(faux.journal) == 0
            assert ask(faux, "GET", "api/mine") is None
            assert ask(faux, "GET", "api/books") == [{"id": 1, "title": "Nine Stories"}]

            ask(faux, "POST", "api/books", {})
            assert len(ask(faux, "GET", "api/books")) == 2
            faux.get("api/books", []).get("api/mine", time).set_latency(100)
            assert ask(faux, "GET", "api/books") == []
        """
    )

    inner.runpytest_inprocess().assert_outcomes(passed=2)


def test_a_failed_test_shows_what_was_asked(inner):
    inner.makepyfile(
        """
        from fauxserver import Request

        def test_books(faux):
            for url in ("api/books", "api/bookz", "api/broken"):
                exchange = faux.accept(Request("GET", url))
                if exchange:
                    exchange.answer()
            assert False
        """
    )

    result = inner.runpytest_inprocess()

    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [
            r"-+ faux: what was asked -+",
            r"GET api/books → 200, \d+ ms, list_books routes\.py:7",
            r"GET api/bookz → no route\. Nearest: GET api/books \(routes\.py:7\) has \"books\" where .* \"bookz\".*",
            r"GET api/broken → 500, \d+ ms, broken routes\.py:18",
            r"    Traceback \(most recent call last\):",
            r"      File \".*routes\.py\", line 20, in broken",
            r"        return books\[\"missing\"\]",
        ],
        consecutive=False,
    )


def test_a_test_asks_over_http(inner):
    inner.makepyfile(
        """
        import json
        from urllib.request import Request, urlopen

        def test_books(faux, faux_url):
            faux.get("api/motto", {"text": "read more"})
            assert json.load(urlopen(f"{faux_url}/api/motto")) == {"text": "read more"}
            sent = Request(f"{faux_url}/api/books", b'{"title": "Franny"}', {"content-type": "application/json"})
            assert urlopen(sent).status == 201
            assert [entry.status for entry in faux.journal] == [200, 201]

        def test_again(faux_url):
            assert len(json.load(urlopen(f"{faux_url}/api/books"))) == 1
        """
    )

    inner.runpytest_inprocess().assert_outcomes(passed=2)
