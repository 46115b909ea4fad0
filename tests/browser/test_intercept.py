"""What is intercepted, from when until when, and what a reset does to requests under way."""

import pytest

from tests.browser.pages import Visitor, html, python
from tests.browser.site import Reply, Site

ROUTES = """
import asyncio
from fauxserver import FauxServer

server = FauxServer()

@server.get("books/:id")
def read_book(id: int):
    return {"id": id}

@server.get("waits")
async def wait_for_ever():
    await asyncio.sleep(3600)
"""

# What each way of asking gets: the answer's number, or the status of the real server.
ASK = """
    window.jQuery = undefined
    const byFetch = async url => { const r = await fetch(url); return r.ok ? (await r.json()).id : r.status }
    const byXHR = url => new Promise(resolve => {
      const xhr = new XMLHttpRequest()
      xhr.open("GET", url)
      xhr.onloadend = () => resolve(xhr.status === 200 ? JSON.parse(xhr.responseText).id : xhr.status)
      xhr.send()
    })
    const all = async () => [await byFetch("books/7"), await byXHR("books/7")]
"""


def test_the_script_tag_says_what_is_intercepted(visitor: Visitor):
    visitor.visit(html(python(ROUTES), data_intercept="fetch"))
    assert visitor.run(f"await fauxServer.ready; {ASK}; return all()") == [7, 404]
    assert (
        visitor.run("return new Backbone.Model().fetch({ url: 'books/7' }).then(() => 'ours', xhr => xhr.status)")
        == 404
    )


def test_without_a_word_nothing_but_sync_is(visitor: Visitor):
    visitor.open(python(ROUTES))
    assert visitor.run(f"{ASK}; return all()") == [404, 404]


@pytest.mark.every_engine
def test_interception_begins_and_ends_at_any_time(visitor: Visitor):
    visitor.open(python(ROUTES))
    assert visitor.run(f"""
        {ASK}
        const globals = () => [window.fetch, XMLHttpRequest.prototype.send, window.EventSource]
        const natives = globals()
        const seen = []
        const first = fauxServer.intercept("fetch", "xhr", "eventsource")
        const second = fauxServer.intercept("fetch")
        seen.push(await all())
        first()
        first()
        seen.push(await all())
        second()
        seen.push(await all())
        const same = globals().map((each, n) => each === natives[n])
        const third = fauxServer.intercept("xhr", "fetch")
        seen.push(await all())
        fauxServer.enable(false)
        seen.push(await all())
        fauxServer.enable(true)
        third()
        return [...seen, same]
    """) == [[7, 7], [7, 404], [404, 404], [7, 7], [404, 404], [True, True, True]]


@pytest.mark.every_engine
def test_a_reset_fails_what_waits_for_an_answer(visitor: Visitor):
    visitor.open(python(ROUTES))
    assert visitor.run("""
        fauxServer.intercept("fetch", "xhr", "eventsource")
        const fetched = fetch("waits").then(() => "answered", error => error.name)
        const xhr = new XMLHttpRequest()
        const heard = []
        for (const type of ["error", "abort", "load", "loadend"]) xhr.addEventListener(type, () => heard.push(type))
        xhr.open("GET", "waits")
        xhr.send()
        const source = new EventSource("waits")
        const states = []
        source.onerror = () => states.push(source.readyState)
        await someTime()
        fauxServer.reset()
        const answered = await fetched
        while (!states.length || heard.length < 2) await someTime()
        source.close()
        return [answered, heard, states]
    """) == ["TypeError", ["error", "loadend"], [0]]
    assert visitor.failures == []


def test_the_module_is_told_in_words_or_by_name(visitor: Visitor, site: Site):
    site.write("/routes.py", ROUTES)
    visitor.visit(html(faux=None))
    assert visitor.run(f"""
        const {{ start }} = await import("/fauxserver/fauxserver.module.js")
        {ASK}
        const seen = []
        for (const intercept of ["xhr", ["fetch", "xhr"], {{ fetch: true, sync: false }}]) {{
          const stop = await start({{ routes: "/routes.py", intercept }})
          seen.push(await all())
          stop()
        }}
        return [...seen, await all()]
    """) == [[404, 7], [7, 7], [7, 404], [404, 404]]


def test_a_word_that_means_nothing_is_told(visitor: Visitor):
    visitor.visit(html(data_intercept="fetch ajax"))
    message = 'fauxServer.intercept: there is no "ajax". Give one or more of sync, fetch, xhr, eventsource.'
    assert [message in each for each in visitor.errors] == [True]


def test_the_real_server_sees_what_no_route_wants_as_it_was_asked(visitor: Visitor, site: Site):
    site.handlers["/echo"] = lambda method, headers, body: Reply(
        200, f"{method} {headers.get('x-mine')} {body!r}".encode()
    )
    visitor.open(python(ROUTES))
    assert (
        visitor.run("""
        fauxServer.intercept("fetch", "xhr")
        const body = new Uint8Array([0, 255])
        const response = await fetch("echo", { method: "PUT", headers: { "x-mine": "1" }, body })
        return response.text()
    """)
        == "PUT 1 b'\\x00\\xff'"
    )
