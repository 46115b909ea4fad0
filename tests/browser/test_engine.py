"""The words of engine.py mean the same in every engine."""

import pytest

from tests.browser.conftest import Visitor
from tests.browser.engine import PageError
from tests.browser.pages import html, script
from tests.browser.site import Site

pytestmark = pytest.mark.every_engine


def test_a_page_boots_from_the_snapshot_and_answers_a_request(visitor: Visitor, site: Site):
    site.write(
        "/routes.py", "from fauxserver import FauxServer\nserver = FauxServer()\nserver.get('books', [{'id': 1}])\n"
    )
    visitor.open(routes=["/routes.py"])
    assert visitor.run("return ask('books')") == [{"id": 1}]
    assert visitor.failures == []


def test_what_is_evaluated_comes_as_json_has_it(visitor: Visitor):
    visitor.visit(html(faux=None))
    assert visitor.run("return [given, undefined, { a: undefined, b: NaN }]", {"ü": [1, None]}) == [
        {"ü": [1, None]},
        None,
        {"b": None},
    ]
    assert visitor.run("await null") is None
    assert visitor.run("return given") is None


def test_what_throws_is_raised(visitor: Visitor):
    visitor.visit(html(faux=None))
    with pytest.raises(PageError, match="TypeError: so it is"):
        visitor.run("throw new TypeError('so it is')")
    with pytest.raises(PageError, match="so it is"):
        visitor.run("return Promise.reject('so it is')")


def test_the_console_and_what_nobody_caught_are_heard(visitor: Visitor):
    visitor.visit(
        html(
            script("""
                for (const name of ["log", "info", "warn", "debug", "groupCollapsed"]) console[name](name, 1, null)
                console.groupEnd()
                console.error(new RangeError("told"))
            """),
            script("null.x"),
            script("Promise.reject(new TypeError('nobody waits'))"),
            script("window.addEventListener('error', event => event.preventDefault())"),
            script("throw new Error('the page takes this one')"),
            faux=None,
        )
    )
    visitor.run("console.log('later')")
    heard = [line.split("\n")[0] for line in visitor.console]
    assert heard == [
        "log: log 1 null",
        "info: info 1 null",
        "warning: warn 1 null",
        "debug: debug 1 null",
        "startGroupCollapsed: groupCollapsed 1 null",
        "error: RangeError: told",
        "log: later",
    ]
    assert [error.split(":")[0] for error in visitor.errors] == ["TypeError", "TypeError"]
    visitor.visit(html(faux=None))
    assert len(visitor.console) == len(heard)


def test_every_visitor_has_a_profile_of_its_own(visitor: Visitor):
    visitor.visit(html(faux=None))
    assert visitor.run("const had = localStorage.length; localStorage.setItem('a', 'b'); return had") == 0


test_every_visitor_has_one_again = test_every_visitor_has_a_profile_of_its_own
