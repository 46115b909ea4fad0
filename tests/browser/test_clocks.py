"""A page that rules its clock rules our latency; the runtime keeps the timers it found."""

import pytest

from tests.browser.conftest import Visitor
from tests.browser.pages import script
from tests.browser.site import Site

pytestmark = pytest.mark.every_engine

ROUTES = """
import asyncio
from fauxserver import FauxServer
server = FauxServer()
server.get("python", {"by": "Python"})

@server.get("coroutine")
async def a_coroutine():
    await asyncio.sleep(0)
    return {"by": "coroutine"}
"""

# Each: how the clock is taken, how it is turned on, how it is given back.
CLOCKS = {
    "sinon": (
        ["/npm/sinon/pkg/sinon.js"],
        "const clock = sinon.useFakeTimers(); const tick = ms => clock.tick(ms)",
        "clock.restore()",
    ),
    "Jasmine": (
        [f"/npm/jasmine-core/lib/jasmine-core/{name}.js" for name in ("jasmine", "jasmine-html", "boot0")],
        "jasmine.clock().install(); const tick = ms => jasmine.clock().tick(ms)",
        "jasmine.clock().uninstall()",
    ),
    "Jasmine 2": (
        [f"/npm/jasmine-core-2/lib/jasmine-core/{name}.js" for name in ("jasmine", "jasmine-html", "boot")],
        "jasmine.clock().install(); const tick = ms => jasmine.clock().tick(ms)",
        "jasmine.clock().uninstall()",
    ),
}


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_fake_clock_delivers_when_it_ticks(visitor: Visitor, site: Site, clock: str):
    scripts, install, restore = CLOCKS[clock]
    site.write("/routes.py", ROUTES)
    visitor.open(*(script(address) for address in scripts), routes=["/routes.py"], data_hold="no")
    assert visitor.run(f"""
        fauxServer.get("javascript", () => ({{ by: "JavaScript" }}))
        const log = []
        const ask = url => Backbone.sync("read", new Backbone.Model(), {{ url, success: value => log.push(value.by) }})
        {install}
        const seen = []
        const tickTo = ms => {{ tick(ms); seen.push(log.splice(0)) }}
        fauxServer.setLatency(250)
        ask("python")
        ask("javascript")
        tickTo(249)
        tickTo(1)
        fauxServer.setLatency()
        ask("javascript")
        ask("python")
        seen.push(log.splice(0))
        tickTo(1)
        {restore}
        await new Promise(success => Backbone.sync("read", new Backbone.Model(), {{ url: "python", success }}))
        return seen
    """) == [[], ["Python", "JavaScript"], [], ["JavaScript", "Python"]]
    assert visitor.failures == []


def test_a_coroutine_needs_no_clock_of_the_page(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.open(script("/npm/sinon/pkg/sinon.js"), routes=["/routes.py"])
    assert visitor.run("""
        const clock = sinon.useFakeTimers()
        const answer = ask("coroutine")
        clock.tick(1)
        const value = await answer
        clock.restore()
        return value
    """) == {"by": "coroutine"}


def test_a_clock_taken_before_ready_does_not_stop_the_boot(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.open(
        script("/npm/sinon/pkg/sinon.js"),
        script("""
            window.clock = sinon.useFakeTimers()
            window.answers = []
            fauxServer.setLatency(100)
            Backbone.sync("read", new Backbone.Model(), { url: "python", success: value => answers.push(value.by) })
        """),
        routes=["/routes.py"],
    )
    assert visitor.run(
        "const before = answers.slice(); clock.tick(100); clock.restore(); return [before, answers]"
    ) == [
        [],
        ["Python"],
    ]
