"""Streamed answers in the page: generators, read piece by piece, while they are still at it."""

import json

import pytest

from tests.browser.pages import Visitor, python, script
from tests.browser.test_load import CAPTURE, PYTHON, counts, grown

ROUTES = r"""
import asyncio
import itertools
from fauxserver import FauxServer, Response

server = FauxServer()
log = []
told = []
waiting = asyncio.Event()

@server.post("tell")
def tell(data):
    told.append(data)
    waiting.set()

server.get("log", lambda: log)
server.get("on", lambda: itertools.repeat("and on "))
server.post("forget", lambda: log.clear())

@server.get("sync")
def sync():
    # Should it be collected, it would never end: it waits for what the page does with its first pieces.
    yield "begun,"
    while not told:
        yield "waiting,"
    yield "told "
    yield str(told[0]).encode()

@server.get("async")
async def asynchronous():
    async def pieces():
        yield b"begun,"
        await waiting.wait()
        yield "told "
        yield str(told[0])
    return Response(pieces(), 203, {"content-type": "text/csv", "X-Own": "yes"})

@server.get("async/plain")
async def asynchronous_plain():
    yield "ä€"
    await asyncio.sleep(0)
    yield "".encode()
    yield bytearray(b"\x00\xff")
    yield memoryview(b"ab")[1:]

@server.get("letters")
def letters():
    yield from ["ä€😀", "", b"\xe2\x82", b"\xac"]

@server.get("nothing")
def nothing():
    yield from ()

@server.get("endless/:kind")
def endless(kind):
    return Response(fast() if kind == "sync" else fast_async() if kind == "async" else patient())

def fast():
    try:
        for n in itertools.count(1):
            log[:] = [f"made {n}"]
            yield b"x" * 1000
    finally:
        log.append("finally")

async def fast_async():
    try:
        for n in itertools.count(1):
            log[:] = [f"made {n}"]
            yield b"x" * 1000
            await asyncio.sleep(0)
    finally:
        await asyncio.sleep(0)
        log.append("finally")

async def patient():
    try:
        yield "begun"
        await asyncio.Event().wait()
    except BaseException as error:
        log.append(type(error).__name__)
        raise
    finally:
        log.append("finally")

@server.get("breaks/first")
def raises_first():
    raise KeyError("first")
    yield ""

@server.get("raises/:kind")
def raises(kind):
    return Response(raising() if kind == "sync" else raising_async())

def raising():
    yield "one"
    raise KeyError("midway")

async def raising_async():
    yield "one"
    await asyncio.sleep(0)
    raise KeyError("midway")

@server.get("wrong")
def wrong():
    yield "one"
    yield {"n": 1}

@server.get("loops/:kind", name="loops")
def loops(kind):
    return Response(looping() if kind == "sync" else looping_async())

def looping():
    yield "one"
    while True:
        pass

async def looping_async():
    yield "one"
    await asyncio.sleep(0)
    while True:
        pass

@server.get("unwilling/:kind")
def unwilling(kind):
    return Response(never_done() if kind == "never" else raises_at_the_end())

def never_done():
    while True:
        try:
            yield "x" * 20_000
        except GeneratorExit:
            pass

def raises_at_the_end():
    try:
        while True:
            yield "x" * 20_000
    finally:
        raise KeyError("at the end")

@server.get("count/:kind/:n")
def numbers(kind, n: int):
    return Response(counting(n) if kind == "sync" else counting_async(n))

@server.get("ticks/:n")
async def ticks(n: int):
    yield "retry: 0\n"
    for number in range(n):
        yield f"id: {number}\ndata: {number}\n\n"

def counting(n):
    for number in range(n):
        yield f"{number}\n" if number % 2 else b"%d\n" % number

async def counting_async(n):
    for number in range(n):
        if number % 10 == 0:
            await asyncio.sleep(0)
        yield f"{number}\n" if number % 2 else b"%d\n" % number

@server.get("events")
async def events(context):
    log.append(context.headers["accept"])
    for n in range(3):
        yield f"event: tick\ndata: {n}\n\n"
        await asyncio.sleep(0)

@server.post("whole")
def whole(context, data):
    return {"data": data, "bytes": len(context.request.body), "type": context.headers.get("content-type")}
"""

# `pieces(response)` reads all that comes: texts, and at the end how it ended.
READ = """
const decoder = new TextDecoder()
window.readerOf = response => {
  const reader = response.body.getReader()
  return {
    next: () => reader.read().then(({ done, value }) => done ? "end" : decoder.decode(value), ({ name }) => name),
    cancel: () => reader.cancel("enough"),
  }
}
window.pieces = async response => {
  const reader = readerOf(response)
  const seen = []
  for (;;) {
    const piece = await reader.next()
    seen.push(piece)
    if (piece === "end" || /Error$/.test(piece)) return seen
  }
}
window.post = (url, body, headers) => fetch(url, { method: "POST", body, headers }).then(response => response.json())
window.tell = data => {
  const headers = { "content-type": "application/json" }
  return fetch("tell", { method: "POST", body: JSON.stringify(data), headers })
}
window.logged = async word => {
  for (;;) {
    const log = await (await fetch("log")).json()
    if (log.some(line => line.startsWith(word))) return log
    await someTime()
  }
}
fauxServer.intercept("fetch")
"""


def opened(visitor: Visitor, **options: object) -> None:
    visitor.open(script(READ), python(ROUTES), **options)


@pytest.mark.every_engine
def test_pieces_come_while_their_generator_is_still_at_it(visitor: Visitor):
    opened(visitor)
    assert visitor.run("""
        const seen = {}
        const patient = await fetch("async")
        const { headers } = patient
        seen.head = [patient.status, headers.get("content-type"), headers.get("x-own"), headers.has("content-length")]
        const reader = readerOf(patient)
        seen.async = [await reader.next()]
        const eager = await fetch("sync")
        const other = readerOf(eager)
        seen.sync = [(await other.next()).startsWith("begun,")]
        await tell("hello")
        for (const [name, each] of [["async", reader], ["sync", other]]) {
          let all = ""
          for (let piece = await each.next(); piece !== "end"; piece = await each.next()) all += piece
          seen[name].push(all.replace(/(begun,|waiting,)+/g, ""))
        }
        seen.type = eager.headers.get("content-type")
        seen.bytes = [...new Uint8Array(await (await fetch("async/plain")).arrayBuffer())]
        seen.letters = await (await fetch("letters")).text()
        seen.nothing = [await (await fetch("nothing")).text(), (await fetch("nothing")).status]
        return seen
    """) == {
        "head": [203, "text/csv", "yes", False],
        "async": ["begun,", "told hello"],
        "sync": [True, "told hello"],
        "type": "text/plain; charset=utf-8",
        "bytes": [*"ä€".encode(), 0, 255, ord("b")],
        "letters": "ä€😀€",
        "nothing": ["", 200],
    }
    assert visitor.failures == []


@pytest.mark.every_engine
def test_nobody_reads_on_and_the_generator_is_closed(visitor: Visitor):
    opened(visitor)
    assert visitor.run("""
        const seen = []
        for (const kind of ["sync", "async", "waiting"]) {
          for (const how of ["cancel", "abort"]) {
            await fetch("forget", { method: "POST" })
            const control = new AbortController()
            const reader = readerOf(await fetch(`endless/${kind}`, { signal: control.signal }))
            await reader.next()
            const pending = kind === "waiting" ? reader.next() : undefined
            await someTime()
            if (how === "abort") control.abort()
            else await reader.cancel()
            seen.push([kind, how, await pending, await reader.next(), ...(await logged("finally")).slice(-2)])
          }
        }
        fauxServer.runPython("import gc; gc.collect()")
        await someTime()
        return seen.map(said => said.map(word => word?.replace(/ .*/, "")))
    """) == [
        ["sync", "cancel", None, "end", "made", "finally"],
        ["sync", "abort", None, "AbortError", "made", "finally"],
        ["async", "cancel", None, "end", "made", "finally"],
        ["async", "abort", None, "AbortError", "made", "finally"],
        ["waiting", "cancel", "end", "end", "CancelledError", "finally"],
        ["waiting", "abort", "AbortError", "AbortError", "CancelledError", "finally"],
    ]
    assert visitor.failures == []


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_fast_generator_is_not_read_ahead_of_its_reader(visitor: Visitor, kind: str):
    opened(visitor)
    before, after = visitor.run(
        """
        const reader = readerOf(await fetch(`endless/${given}`))
        const made = async () => {
          for (let n = 0; n < 5; n += 1) await someTime()
          return Number((await logged("made"))[0].replace("made ", ""))
        }
        const before = await made()
        for (let read = 0; read < 100_000; ) read += (await reader.next()).length
        const after = await made()
        await reader.cancel()
        return [before, after]
    """,
        kind,
    )
    assert before <= 40
    assert 100 <= after <= 140


def test_a_response_that_is_never_read_makes_no_more_than_a_little(visitor: Visitor):
    opened(visitor)
    assert visitor.run("""
        const response = await fetch("endless/async")
        const copy = response.clone()
        copy.body.cancel()
        await someTime()
        const made = Number((await logged("made"))[0].replace("made ", ""))
        await response.body.cancel()
        return [made < 60, (await logged("finally")).slice(-1)]
    """) == [True, ["finally"]]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_one_that_raises_midway_breaks_the_body_off_and_the_console_names_the_line(visitor: Visitor, kind: str):
    opened(visitor, data_quiet=True)
    assert visitor.run(
        """
        const response = await fetch(`raises/${given}`)
        const seen = [response.status, await pieces(response)]
        const again = await fetch(`raises/${given}`)
        return [...seen, await again.text().catch(error => [error.name, error.message])]
    """,
        kind,
    ) == [200, ["one", "TypeError"], ["TypeError", "Failed to fetch"]]
    told = [("KeyError: 'midway'" in line, 'raise KeyError("midway")' in line) for line in visitor.failures]
    assert told == [(True, True)] * 2


def test_one_that_raises_before_its_first_piece_is_a_500(visitor: Visitor):
    opened(visitor, data_quiet=True)
    status, text = visitor.run(
        'const response = await fetch("breaks/first"); return [response.status, await response.text()]'
    )
    assert (status, "KeyError: 'first'" in text) == (500, True)


def test_what_is_no_piece_is_told(visitor: Visitor):
    opened(visitor, data_quiet=True)
    assert visitor.run('return pieces(await fetch("wrong"))') == ["one", "TypeError"]
    (line,) = visitor.failures
    assert "A streamed body yielded dict. Yield str or bytes; to send JSON, yield `json.dumps(…)`." in line


@pytest.mark.every_engine
def test_one_that_loops_midway_is_stopped(visitor: Visitor):
    opened(visitor, data_quiet=True)
    assert visitor.run("""
        await fauxServer.runPython("server.time_limit = 200")
        return [await pieces(await fetch("loops/sync")), await pieces(await fetch("loops/async"))]
    """) == [["one", "TypeError"], ["one", "TypeError"]]
    assert ["The handler ran longer than the time limit of 200 ms." in line for line in visitor.failures] == [
        True,
        True,
    ]


@pytest.mark.parametrize("kind", ["never", "raising"])
def test_a_generator_that_does_not_end_properly_is_told_and_hurts_nobody(visitor: Visitor, kind: str):
    opened(visitor, data_quiet=True)
    assert visitor.run(
        """
        const reader = readerOf(await fetch(`unwilling/${given}`))
        await reader.next()
        await reader.cancel()
        await someTime()
        fauxServer.runPython("import gc; gc.collect()")
        await someTime()
        return [await (await fetch("letters")).text()]
    """,
        kind,
    ) == ["ä€😀€"]
    (line,) = visitor.failures
    assert {"never": "generator ignored GeneratorExit", "raising": "KeyError: 'at the end'"}[kind] in line


def test_several_at_once_are_each_their_own(visitor: Visitor):
    opened(visitor)
    assert visitor.run("""
        const wanted = Array.from({ length: 100 }, (_, n) => `${n}\\n`).join("")
        const kinds = Array.from({ length: 20 }, (_, n) => (n % 2 ? "sync" : "async"))
        const all = await Promise.all(kinds.map(kind => fetch(`count/${kind}/100`)))
        const texts = await Promise.all(all.map(pieces))
        return texts.every(pieces => pieces.pop() === "end" && pieces.join("") === wanted)
    """)


@pytest.mark.every_engine
def test_reset_breaks_off_what_is_being_streamed_and_enable_lets_it_go_on(visitor: Visitor):
    opened(visitor)
    assert visitor.run("""
        const readers = []
        for (const kind of ["sync", "async", "waiting"]) {
          readers.push(readerOf(await fetch(`endless/${kind}`)))
          await readers.at(-1).next()
        }
        const going = readerOf(await fetch("async"))
        const seen = [await going.next()]
        await tell("hello")
        fauxServer.enable(false)
        seen.push(await going.next(), await going.next(), await going.next())
        fauxServer.enable(true)
        const pending = readers[2].next()
        fauxServer.reset()
        seen.push(await pending)
        // What has come before may still be read.
        for (const reader of readers) {
          let piece = await reader.next()
          while (!/Error$/.test(piece)) piece = await reader.next()
          seen.push(piece)
        }
        seen.push(await (await fetch("letters")).text())
        return seen
    """) == ["begun,", "told ", "hello", "end", *["TypeError"] * 4, "ä€😀€"]
    visitor.run("fauxServer.runPython('import gc; gc.collect()'); return someTime()")
    assert visitor.failures == []


def test_a_generator_without_end_leaves_the_page_its_turns(visitor: Visitor):
    opened(visitor)
    assert visitor.run("""
        fauxServer.intercept("xhr")
        const xhr = new XMLHttpRequest()
        xhr.open("GET", "on")
        xhr.send()
        const stop = new AbortController()
        const text = fetch("on", { signal: stop.signal }).then(response => response.text()).catch(error => error.name)
        while (xhr.responseText.length < 100) await new Promise(resolve => setTimeout(resolve))
        xhr.abort()
        stop.abort()
        return [xhr.readyState, await text]
    """) == [0, "AbortError"]


def test_server_sent_events_reach_the_reader_of_a_stream(visitor: Visitor):
    opened(visitor)
    assert visitor.run("""
        const response = await fetch("events", { headers: { accept: "text/event-stream" } })
        return [response.headers.get("content-type"), (await pieces(response)).join(""), await logged("text")]
    """) == [
        "text/event-stream",
        "".join(f"event: tick\ndata: {n}\n\n" for n in range(3)) + "end",
        ["text/event-stream"],
    ]


def test_a_request_whose_body_is_a_stream_reaches_the_handler_whole(visitor: Visitor):
    opened(visitor)
    assert visitor.run("""
        const parts = ['{"title": "Fran', "ny and Zoo", 'ey", "pages": [', "1,".repeat(50_000), "2]}"]
        const body = new ReadableStream({
          async pull(controller) {
            await someTime()
            if (parts.length) controller.enqueue(new TextEncoder().encode(parts.shift()))
            else controller.close()
          },
        })
        const headers = { "content-type": "application/json" }
        const answer = await (await fetch("whole", { method: "POST", body, duplex: "half", headers })).json()
        return [answer.data.title, answer.data.pages.length, answer.bytes, answer.type]
    """) == ["Franny and Zooey", 50_001, 40 + 100_000 + 3, "application/json"]


LEFT = """
window.many = async (kind, count) => {
  let all = 0
  const reader = (await fetch(`count/${kind}/${count}`)).body.getReader()
  for (let got = await reader.read(); !got.done; got = await reader.read()) all += got.value.length
  return all
}
// So many connections, one after another, with a thousand events each.
window.ticks = connections => new Promise(resolve => {
  fauxServer.intercept("eventsource")
  const source = new EventSource("ticks/1000")
  let seen = 0
  source.onmessage = () => { seen += 1 }
  source.onerror = () => {
    if (seen < connections * 1_000) return
    source.close()
    resolve(seen)
  }
})
"""


def test_ten_thousand_pieces_leave_nothing_behind(visitor: Visitor):
    visitor.open(script(READ + LEFT), python(ROUTES), before=[script(CAPTURE)], data_quiet=True)
    visitor.run("pyodide._module.enable_pyproxy_allocation_tracing()")
    run = "return [await many('sync', given), await many('async', given), await ticks(given / 1_000)]"
    visitor.run(run, 1_000)
    first = counts(visitor)
    sizes = visitor.run(run, 10_000)
    size = sum(len(f"{n}\n") for n in range(10_000))
    assert sizes == [size, size, 10_000]
    assert grown(first, counts(visitor)) == {}
    assert json.loads(visitor.run("return pyodide.runPython(given)", PYTHON))["held by the host"] < 100
