"""fetch, answered in the page: whatever a page can see of it is what it sees of a real server."""

from typing import Any

import pytest

from tests.browser import real
from tests.browser.pages import Visitor, html, script

ROUTES = "/tests/fetched.py"


def open_table(visitor: Visitor) -> None:
    """A page with the table, and with the routes; nothing is intercepted yet."""
    visitor.site.raw["/api/"] = real.serve
    visitor.open(script("/tests/fetching.js"), libraries=None, routes=[ROUTES])


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


# By the specification, where engines do otherwise with a real server, and where a real server cannot be asked.


def open_intercepted(visitor: Visitor) -> None:
    open_table(visitor)
    visitor.run("window.stop = fauxServer.intercept('fetch')")


def test_an_answer_that_has_no_body_has_none(visitor: Visitor) -> None:
    open_intercepted(visitor)

    seen = visitor.run("""
        const asked = [
            ["api/status/204"], ["api/status/205"], ["api/status/304"], ["api/answers/text", { method: "HEAD" }],
        ]
        return Promise.all(asked.map(async args => {
            const response = await fetch(...args)
            return [response.status, response.body, await response.text(), response.bodyUsed]
        }))
    """)

    assert seen == [[204, None, "", False], [205, None, "", False], [304, None, "", False], [200, None, "", False]]


def test_a_body_that_is_empty_has_ended_before_it_can_be_aborted(visitor: Visitor) -> None:
    open_intercepted(visitor)

    seen = visitor.run("""
        const controller = new AbortController()
        const response = await fetch("api/answers/empty", { signal: controller.signal })
        const reader = response.body.getReader()
        controller.abort()
        return (await reader.read()).done
    """)

    assert seen is True


def test_a_stream_is_sent_whole(visitor: Visitor) -> None:
    open_intercepted(visitor)

    seen = visitor.run("""
        const send = (...chunks) => {
            const body = new ReadableStream({
                async pull(controller) {
                    await someTime()
                    if (chunks.length) controller.enqueue(chunks.shift())
                    else controller.close()
                },
            })
            return fetch("api/echo", { method: "POST", body, duplex: "half" })
        }
        const { type, length, body } = await (await send(new Uint8Array([104, 105]), new Uint8Array([255]))).json()
        return [type, length, body, await send("text").catch(String)]
    """)

    assert seen == [None, "3", "hi\xff", "TypeError: Failed to fetch"]


def test_a_stream_is_sent_once(visitor: Visitor) -> None:
    open_intercepted(visitor)

    seen = visitor.run("""
        const send = async code => {
            const body = new Response("streamed").body
            const response = await fetch(`api/redirect/${code}?to=/api/echo`, { method: "POST", body, duplex: "half" })
            return (await response.json()).method
        }
        return Promise.all([301, 302, 303, 307, 308].map(code => send(code).catch(String)))
    """)

    refused = "TypeError: Failed to fetch"
    assert seen == [refused, refused, "GET", refused, refused]


def test_a_stream_that_fails_fails_the_fetch_and_one_that_is_aborted_is_cancelled(visitor: Visitor) -> None:
    open_intercepted(visitor)

    seen = visitor.run("""
        const failing = new ReadableStream({ pull(controller) { controller.error(new RangeError("mine")) } })
        const failed = await fetch("api/echo", { method: "POST", body: failing, duplex: "half" }).catch(String)
        let cancelled
        const controller = new AbortController()
        const endless = new ReadableStream({ cancel(reason) { cancelled = reason } })
        setTimeout(() => controller.abort("enough"), 10)
        const promise = fetch("api/echo", { method: "POST", body: endless, duplex: "half", signal: controller.signal })
        return [failed, await promise.catch(reason => reason), cancelled]
    """)

    assert seen == ["TypeError: Failed to fetch", "enough", "enough"]


def test_what_no_route_wants_reaches_the_network_as_it_was_given(visitor: Visitor) -> None:
    open_table(visitor)

    seen = visitor.run("""
        const heard = []
        const returned = Promise.resolve("theirs")
        window.fetch = function (...args) {
            heard.push([this, ...args])
            return returned
        }
        const below = window.fetch
        const stop = fauxServer.intercept("fetch")
        const body = new ReadableStream()
        const init = { method: "POST", body, duplex: "half", headers: new Map([["x-a", "1"]]).entries() }
        const request = new Request("real/books", { method: "POST", body: "text" })
        const url = new URL("real/books", location.href)
        const asked = [["real/books", init], [request], [url], [url, undefined, 3], ["http://["], ["data:,x"], []]
        const promises = asked.map(args => fetch(...args))
        stop()
        return [
            heard.length === asked.length && heard.every(([self, ...args], at) => self === window
                && args.length === asked[at].length && args.every((arg, each) => arg === asked[at][each])),
            promises.every(promise => promise === returned),
            body.locked, request.bodyUsed, [...init.headers],
            window.fetch === below,
        ]
    """)

    assert seen == [True, True, False, False, [["x-a", "1"]], True]


def test_a_request_before_ready_is_held_and_sends_what_it_had(visitor: Visitor) -> None:
    site = visitor.site
    site.raw["/api/"] = real.serve
    page = html(
        script("""
            fauxServer.intercept("fetch")
            const bytes = new Uint8Array([65, 66])
            const form = new FormData()
            form.append("a", "1")
            const request = new Request("api/echo", { method: "PUT", body: "once" })
            const controller = new AbortController()
            const early = [
                fetch("api/echo?first").then(response => response.json()),
                fetch("api/echo", { method: "POST", body: bytes }).then(response => response.json()),
                fetch("api/echo", { method: "POST", body: form }).then(response => response.json()),
                fetch(request).then(response => response.json()),
                fetch("real/books", { method: "POST", body: bytes }).then(response => response.json()),
                fetch("real/relative").then(response => response.json()),
                fetch("api/echo", { signal: controller.signal }).catch(reason => reason),
                fetch("api/echo", { method: "GET", body: "x" }).catch(error => error.name),
            ]
            const used = request.bodyUsed
            bytes.fill(67)
            form.append("b", "2")
            controller.abort("enough")
            history.pushState(null, "", "/elsewhere/page.html")
        """),
        libraries=None,
        routes=[ROUTES],
    )
    visitor.visit(page)

    seen = visitor.run("return Promise.all([...early, used])")

    bodies = [each["body"] for each in seen[:5]]
    assert bodies == [
        "",
        "AB",
        '--BOUNDARY\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--BOUNDARY--\r\n',
        "once",
        "AB",
    ]
    assert seen[5]["path"] == "/real/relative"
    assert seen[6:] == ["enough", "TypeError", True]
    assert [each.path for each in site.reached("/api/")] == []


def test_a_request_that_is_aborted_during_the_latency_reaches_no_handler(visitor: Visitor) -> None:
    open_intercepted(visitor)

    seen = visitor.run("""
        const called = []
        fauxServer.get("js/late", () => void called.push("late"))
        fauxServer.get("js/after", () => "x")
        fauxServer.setLatency(40)
        const controller = new AbortController()
        const promise = fetch("js/late", { signal: controller.signal })
        await someTime()
        controller.abort("enough")
        const reason = await promise.catch(reason => reason)
        await fetch("js/after")
        await fetch("js/after")
        return [reason, called]
    """)

    assert seen == ["enough", []]


def test_no_listener_stays_on_a_signal(visitor: Visitor) -> None:
    open_intercepted(visitor)

    seen = visitor.run("""
        const controller = new AbortController()
        const { signal } = controller
        const listening = new Set()
        const { addEventListener, removeEventListener } = signal
        signal.addEventListener = (type, listener, options) => {
            listening.add(listener)
            addEventListener.call(signal, type, listener, options)
        }
        signal.removeEventListener = (type, listener) => {
            listening.delete(listener)
            removeEventListener.call(signal, type, listener)
        }
        const counts = []
        const count = async promise => {
            await promise
            counts.push(listening.size)
        }
        await count(fetch("api/answers/text", { signal }).then(response => response.text()))
        await count(fetch("api/pieces", { signal }).then(response => response.text()))
        await count(fetch("api/pieces", { signal }).then(response => response.body.cancel()))
        await count(fetch("api/status/204", { signal }))
        await count(fetch("api/answers/text", { method: "HEAD", signal }))
        await count(fetch("api/hops/21", { signal }).catch(() => {}))
        await count(fetch("api/breaks", { signal }).then(response => response.text()).catch(() => {}))
        await count(fetch("api/answers/text", { signal, integrity: "sha256-AAAA" }).catch(() => {}))
        await count(fetch("real/books", { signal }).then(response => response.text()))
        return counts
    """)

    assert seen == [0, 0, 0, 0, 0, 0, 0, 0, 0]


def test_each_piece_arrives_when_it_is_yielded(visitor: Visitor) -> None:
    open_intercepted(visitor)

    seen = visitor.run("""
        let yieldNext
        const asked = () => new Promise(resolve => { yieldNext = resolve })
        fauxServer.get("js/pieces", () => (async function* () {
            yield "one"
            await asked()
            yield "two"
            await asked()
        })())
        const reader = (await fetch("js/pieces")).body.getReader()
        const read = async () => new TextDecoder().decode((await reader.read()).value)
        const pieces = [await read()]
        await someTime()
        yieldNext()
        pieces.push(await read())
        await someTime()
        yieldNext()
        return [...pieces, (await reader.read()).done]
    """)

    assert seen == ["one", "two", True]


def test_a_handler_streams_no_further_than_it_is_read(visitor: Visitor) -> None:
    open_intercepted(visitor)

    seen = visitor.run("""
        let made = 0, ended = false
        fauxServer.get("js/endless", () => (function* () {
            try {
                for (;;) {
                    made += 1
                    yield new Uint8Array(10_000).fill(made)
                }
            } finally {
                ended = true
            }
        })())
        const reader = (await fetch("js/endless")).body.getReader()
        const first = await reader.read()
        await someTime()
        const before = made
        await reader.cancel()
        await someTime()
        return [first.value.length, first.value[0], before < 6, made - before, ended]
    """)

    assert seen == [10_000, 1, True, 0, True]


def test_handlers_of_the_page_answer_with_bytes_and_forms_and_native_responses(visitor: Visitor) -> None:
    open_intercepted(visitor)

    seen = visitor.run("""
        const bytes = new Uint8Array([1, 2, 255])
        fauxServer.get("js/bytes", () => bytes)
        fauxServer.get("js/native", () => new Response("made", { status: 201, headers: { "x-a": "1" } }))
        fauxServer.post("js/form", ({ data }) => ({ a: data.a, name: data.f.name, size: data.f.size }))
        const form = new FormData()
        form.append("a", "1")
        form.append("f", new File([bytes], "f.bin"))
        const { signal } = new AbortController()
        const read = async (...args) => Array.from(new Uint8Array(await (await fetch(...args)).arrayBuffer()))
        const native = await fetch("js/native")
        return [
            await read("js/bytes"), await read("js/bytes", { signal }), await read("js/bytes", { signal }),
            [native.status, native.headers.get("x-a"), await native.text(), native.type],
            await (await fetch("js/form", { method: "POST", body: form })).json(),
        ]
    """)

    assert seen == [
        [1, 2, 255],
        [1, 2, 255],
        [1, 2, 255],
        [201, "1", "made", "basic"],
        {"a": "1", "name": "f.bin", "size": 3},
    ]


def test_a_header_that_no_network_could_send_is_sent_as_it_can_be(visitor: Visitor) -> None:
    open_intercepted(visitor)

    seen = visitor.run("""
        const headers = { "x-a": "büch 📚", "x b": "1", "x-c": "1\\n2" }
        fauxServer.get("js/odd", () => new fauxServer.Response("x", 200, headers))
        return fetch("js/odd").then(({ status, headers }) => [status, headers.get("x-a"), headers.get("x-c")])
    """)

    assert seen == [200, "büch ?", "1?2"]


def test_a_redirect_may_lead_to_the_network(visitor: Visitor) -> None:
    open_intercepted(visitor)

    seen = visitor.run("""
        const response = await fetch("api/redirect/307?to=/real/books", { method: "POST", body: "text" })
        const { url, redirected, type, status } = response
        return [url.slice(location.origin.length), redirected, type, status, await response.json()]
    """)

    assert seen == [
        "/real/books",
        True,
        "basic",
        200,
        {"real": True, "method": "POST", "path": "/real/books", "body": "text"},
    ]


def test_a_disabled_server_answers_nothing(visitor: Visitor) -> None:
    open_intercepted(visitor)

    visitor.run("fauxServer.enable(false); return fetch('api/answers/text')")
    reached = visitor.site.reached("/api/")
    visitor.run("fauxServer.enable(true); return fetch('api/answers/text')")

    assert [seen.path for seen in reached] == ["/api/answers/text"]
    assert visitor.site.reached("/api/") == reached


def test_what_nobody_answers_may_fail_as_a_network_does(visitor: Visitor) -> None:
    open_intercepted(visitor)

    seen = visitor.run("""
        fauxServer.setUnmatched("error")
        return [await fetch("api/missing").catch(String), await fetch("api/missing", { method: "A B" }).catch(String)]
    """)

    assert seen == [
        "TypeError: Failed to fetch",
        "TypeError: Failed to execute 'fetch' on 'Window': 'A B' is not a valid HTTP method.",
    ]
    assert visitor.site.reached("/api/") == []


def test_a_cookie_that_scripts_may_not_see_is_not_set(visitor: Visitor) -> None:
    open_intercepted(visitor)

    seen = visitor.run("""
        const setting = cookie => new fauxServer.Response("", 200, { "set-cookie": cookie })
        const set = cookie => fauxServer.get("js/cookie", () => setting(cookie))
        set("hidden=1; HttpOnly")
        const response = await fetch("js/cookie")
        set("seen=1")
        await fetch("js/cookie")
        return [document.cookie, response.headers.get("set-cookie")]
    """)

    assert seen == ["seen=1", None]


def test_a_body_that_nobody_reads_lets_go_of_the_signal_and_the_handler_when_it_is_gone(visitor: Visitor) -> None:
    open_intercepted(visitor)
    visitor.run("""
        const { signal } = window.controller = new AbortController()
        window.listening = new Set()
        const { addEventListener, removeEventListener } = signal
        signal.addEventListener = (type, listener, options) => {
            listening.add(listener)
            addEventListener.call(signal, type, listener, options)
        }
        signal.removeEventListener = (type, listener) => {
            listening.delete(listener)
            removeEventListener.call(signal, type, listener)
        }
        window.ended = 0
        fauxServer.get("js/endless", () => (function* () {
            try {
                for (;;) yield new Uint8Array(10_000)
            } finally {
                ended += 1
            }
        })())
        for (let count = 0; count < 5; count += 1) await fetch("js/endless", { signal })
    """)

    listening = visitor.run("return listening.size")
    visitor.context.new_cdp_session(visitor.page).send("HeapProfiler.collectGarbage")
    visitor.until("listening.size === 0 && ended === 5")

    assert listening == 5
