"""The table that every host answers alike, asked in the page."""

import pytest

from tests.browser.conftest import Visitor
from tests.browser.site import Site
from tests.conformance import ASK, FILE, ROUTES, expected_of, read_doors, to_ask

pytestmark = pytest.mark.every_engine

DOORS = ("Backbone.sync", "fetch", "XMLHttpRequest")
RUN = """
    const stop = fauxServer.intercept("fetch", "xhr")
    const answers = await run(given, { Backbone, fauxServer, base: "" })
    stop()
    return answers
"""


def test_the_page_answers_as_every_host_does_through_every_door(visitor: Visitor, site: Site):
    site.write(f"/{FILE}", ROUTES)
    visitor.open(routes=[f"/{FILE}"])

    told = visitor.run(ASK + RUN, to_ask(DOORS))

    assert read_doors(told) == expected_of(DOORS)
