"""What no route wants: its client sees what it would see without us, and the real server the same requests.

Each case (see untouched.js) runs twice in the same browser, natively and with us: all that its client is told is
written down, and all that the real server was asked.
"""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Visitor
from tests.browser.endpoints import Endpoints, refusing
from tests.browser.matrix import COMBINATIONS, LATEST, Combination
from tests.browser.pages import html, script
from tests.browser.site import Site

AXIOS = script("/npm/axios/dist/axios.js")
CASES = script("/untouched.js")
# Routes that nearly match, and one that is elsewhere altogether.
ROUTES = """
from fauxserver import FauxServer
server = FauxServer()
server.get("live/echoes/:id", lambda id: {"faux": True})
server.put("live/many", {"faux": True})
server.add_route("books/*rest", {"faux": True})
"""
INTERCEPT = script("""
    window.stop = fauxServer.intercept("fetch", "xhr", "eventsource")
    fauxServer.get(/^https?:.*\\/live\\/nowhere/, () => ({ faux: true }))
""")
# That it is on: what a route wants is answered.
ANSWERED = """
    const xhr = new XMLHttpRequest()
    xhr.open("GET", "/live/echoes/1", false)
    xhr.send()
    return [JSON.parse(xhr.responseText).faux, (await (await fetch("/live/echoes/1")).json()).faux]
"""

JQUERY_1_11 = COMBINATIONS[3]
JQUERY_4 = COMBINATIONS[12]


@pytest.fixture
def live(site: Site) -> Iterator[Endpoints]:
    site.write("/routes.py", ROUTES)
    with refusing() as refused:
        site.write("/untouched.js", Path(__file__).with_name("untouched.js").read_text().replace("{refused}", refused))
        site.raw["/live/"] = endpoints = Endpoints()
        yield endpoints
        endpoints.release()


def natively(
    visitor: Visitor, libraries: Combination, clients: list[str]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What these clients are told without us, and what the real server was asked."""
    visitor.visit(html(AXIOS, CASES, libraries=libraries, faux=None))
    return record(visitor, clients)


def with_us(
    visitor: Visitor, libraries: Combination, clients: list[str]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The same with us on the page, and everything intercepted."""
    visitor.open(INTERCEPT, AXIOS, CASES, libraries=libraries, routes=["/routes.py"])
    assert visitor.run(ANSWERED) == [True, True]
    return record(visitor, clients)


def record(visitor: Visitor, clients: list[str]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    visitor.site.requests.clear()
    told = visitor.run("return record(given)", clients)
    # What is aborted at once may have been on its way, or not.
    asked = [(method, path) for method, path, _ in visitor.site.reached("/live/") if "hangs" not in path]
    return told, sorted(asked)


def differences(native: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    """The cases that are not the same, with both logs where they part."""
    found = []
    for case in native:
        if native[case] != ours.get(case):
            pairs = list(zip_longest(native[case], ours.get(case, [])))
            apart = next(i for i, (one, other) in enumerate(pairs) if one != other)
            logs = {"natively": native[case], "with us": ours.get(case, [])}
            found.append("\n".join([case, *(f"  {whose}: {log[apart : apart + 6]}" for whose, log in logs.items())]))
    return found


@pytest.mark.parametrize(
    ("libraries", "clients"),
    [
        (LATEST, ["XMLHttpRequest", "fetch", "axios, xhr", "axios, fetch"]),
        (JQUERY_1_11, ["jQuery", "Backbone"]),
        (JQUERY_4, ["jQuery", "Backbone"]),
    ],
    ids=["the browser's own and axios", "jQuery 1.11", "jQuery 4"],
)
def test_a_client_is_told_the_same_in_the_same_order(
    visitor: Visitor, site: Site, live: Endpoints, libraries: Combination, clients: list[str]
):
    native, asked = natively(visitor, libraries, clients)
    ours, asked_with_us = with_us(visitor, libraries, clients)
    assert differences(native, ours) == []
    assert asked_with_us == asked
