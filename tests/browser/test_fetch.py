"""fetch, answered in the page: whatever a page can see of it is what it sees of a real server."""

from typing import Any

import pytest

from tests.browser import real
from tests.browser.conftest import Visitor

ROUTES = "/tests/fetched.py"


def open_table(visitor: Visitor) -> None:
    """A page with the table, and with the routes; nothing is intercepted yet."""
    visitor.site.raw["/api/"] = real.serve
    visitor.open('<script src="/tests/fetching.js"></script>', libraries=None, routes=[ROUTES])


@pytest.mark.every_engine
def test_what_fetch_does_is_what_it_does_with_a_real_server(visitor: Visitor) -> None:
    open_table(visitor)
    native: dict[str, Any] = visitor.run("return fetching.run()")
    reached = len(visitor.site.reached("/api/"))

    visitor.run("window.stop = fauxServer.intercept('fetch')")
    ours: dict[str, Any] = visitor.run("return fetching.run()")

    differing = visitor.run("return fetching.differing(given)", visitor.engine)
    assert len(native) > 300
    assert {name: ours[name] for name in native if name not in differing} == {
        name: native[name] for name in native if name not in differing
    }
    assert visitor.site.reached("/api/")[reached:] == []
