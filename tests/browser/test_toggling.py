"""The switch: by call, by the page's address, remembered; a disabled page loads no runtime."""

import pytest

from tests.browser.conftest import Visitor
from tests.browser.pages import html, script
from tests.browser.site import Site

pytestmark = pytest.mark.every_engine

PAGE = html(script("fauxServer.get('/real/one', () => ({ faux: true }))"), title="Toggled")

ASK = "return ask('/real/one')"


def loaded(site: Site) -> list[str]:
    """What was asked of our folder besides the script."""
    return [seen.path for seen in site.reached("/fauxserver/") if seen.path != "/fauxserver/fauxserver.js"]


def test_a_page_that_starts_disabled_loads_no_runtime_and_remembers(visitor: Visitor, site: Site):
    visitor.visit(PAGE, "/page.html?fauxserver=off")
    assert visitor.run("return (await fauxServer.ready) === fauxServer") is True
    assert visitor.run(ASK)["real"] is True
    visitor.visit(PAGE)
    assert visitor.run(ASK)["real"] is True
    assert loaded(site) == []
    visitor.visit(PAGE, "/page.html?fauxserver=on")
    assert visitor.ready() == "snapshot"
    assert visitor.run(ASK) == {"faux": True}
    visitor.visit(PAGE)
    assert visitor.ready() == "snapshot"
    assert visitor.run(ASK) == {"faux": True}
    assert len(site.reached()) == 2
    assert visitor.failures == []


def test_enabling_a_disabled_page_boots_it(visitor: Visitor, site: Site):
    visitor.visit(PAGE, "/page.html?fauxserver=off")
    visitor.run("await fauxServer.ready; window.before = fauxServer.ready; fauxServer.enable()")
    assert visitor.run("return before !== fauxServer.ready") is True
    assert visitor.run(ASK) == {"faux": True}
    assert visitor.ready() == "snapshot"
    assert site.reached() == []


def test_a_page_disabled_by_its_first_call_asks_the_network(visitor: Visitor, site: Site):
    visitor.visit(html(script("fauxServer.enable(false).get('/real/one', () => ({ faux: true }))")))
    assert visitor.run("return (await fauxServer.ready) === fauxServer") is True
    assert visitor.run(ASK)["real"] is True
    assert visitor.failures == []


def test_other_things_in_the_address_switch_nothing(visitor: Visitor, site: Site):
    visitor.visit(PAGE, "/page.html?notfauxserver=off&q=fauxserver=off")
    assert visitor.ready() == "snapshot"
