"""Python's clients beside Playwright's synchronous API, which keeps an event loop running in the test's thread."""

import asyncio

import httpx
import requests

from fauxserver import FauxServer
from fauxserver.hosts.httpx import FauxTransport
from fauxserver.hosts.requests import FauxAdapter
from tests.browser.pages import Visitor


async def later():
    await asyncio.sleep(0.001)
    return ["later"]


async def pieces():
    yield "a"
    await asyncio.sleep(0.001)
    yield "b"


def test_a_test_that_has_a_page_may_ask_with_httpx_and_requests(visitor: Visitor):
    server = FauxServer().get("later", later).get("pieces", pieces).get("run", lambda: asyncio.run(later()))
    visitor.open()
    loop = asyncio.get_running_loop()

    with httpx.Client(transport=FauxTransport(server), base_url="http://faux.test") as client:
        found = [client.get(path).text for path in ("/later", "/pieces", "/run")]
    with requests.Session() as session:
        session.mount("http://faux.test", FauxAdapter(server))
        found += [session.get(f"http://faux.test/{path}").text for path in ("later", "pieces", "run")]

    assert found == ['["later"]', "ab", '["later"]'] * 2
    assert visitor.run("return 1 + 1") == 2
    assert asyncio.get_running_loop() is loop
