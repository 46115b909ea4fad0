"""EventSource, answered in the page, and the native one beside it: the same streams, the same events.

What differs, and has to: our events are not trusted (`isTrusted`), and microtasks run when all listeners of one have
been called; one that was made while the runtime was loading is ours even if the network answers it; and the charset of
a content-type is not looked at, as the specification says, where Chromium takes UTF-8 only. Firefox waits half a second
at least before it connects again, and five if nobody says how long; we wait as we are told, else three, as Chromium.
"""

from collections.abc import Iterator, Mapping
from threading import Event
from typing import Any

import pytest

from tests.browser.pages import Visitor, python, script
from tests.browser.site import Reply, Site

STREAM = {"content-type": "text/event-stream"}


def stream(*pieces: str, end: str = "ends", status: int = 200, **headers: str) -> dict[str, Any]:
    """What one connection is answered. It `ends`, or `breaks`, or `stays` open."""
    return {
        "status": status,
        "headers": {**STREAM, **{name.replace("_", "-"): value for name, value in headers.items()}},
        "pieces": pieces,
        "end": end,
    }


def plain(status: int, body: str = "no stream", kind: str | None = "text/plain", **headers: str) -> dict[str, Any]:
    return {
        "status": status,
        "headers": {**({"content-type": kind} if kind else {}), **headers},
        "pieces": [body] if body else [],
        "end": "ends",
    }


GOOD = "retry: 1\ndata: here\n\n"

# Each connection of each, one after another; a page closes it when it has had all of them.
CASES: dict[str, list[dict[str, Any]]] = {
    # The format
    "data": [stream("data: one\ndata:two\ndata:  three\n\ndata\n\ndata:\ndata\n\ndata: a:b\n\n")],
    "pieces": [stream("da", "ta: o", "ne\n", "\nda", "", "ta: two\r", "\n\r", "\ndata: three\r", "\rdata: four\n\n")],
    "endings": [stream("data: 1\rdata: 2\r\ndata: 3\n\r\n\rdata: 4\n\n\n\rdata: 5\r\r")],
    "mark": [stream("\ufeffdata: one\n\n\ufeffdata: two\n\ndata: three\n\n")],
    "two marks": [stream("\ufeff\ufeffdata: one\n\ndata: two\n\n")],
    "comments": [stream(": hello\n\n:\ndata: one\n:data: two\n: \n\n")],
    "unknown": [stream("x\nx: y\ndata\0: 1\nDATA: 2\n data: 3\ndata : 4\nda-ta: 5\nmessage: 6\ndata: 7\n\n")],
    "letters": [stream("data: ä€😀", "\nevent: ünique\n\ndata: \u2028\x0b\x85\n\n")],
    "broken letters": [stream("data: a\udcff\udcc3(\udcf0\udc9f\n\n")],
    "letters in pieces": [stream("data: \udcc3", "\udca4\udce2", "\udc82", "\udcac\n\n")],
    "NUL": [stream("data: a\0b\nevent: c\0d\n\n")],
    "names": [
        stream(
            "event: tick\ndata: 1\n\nevent: tick\n\ndata: 2\n\nevent: a b\ndata: 3\n\n",
            "event\ndata: 4\n\nevent: \ndata: 5\n\n",
        )
    ],
    "our own names": [stream("event: open\ndata: 1\n\nevent: error\ndata: 2\n\nevent: message\ndata: 3\n\n")],
    "without data": [stream("event: tick\nid: 1\n\nretry: 1\n\ndata: 2\n\n")],
    "unfinished": [stream("data: 1\n\ndata: 2\n")],
    "unfinished line": [stream("data: 1\n\ndata: 2")],
    "large": [stream("data: " + "x" * 200_000 + "\n\n")],
    "many": [stream("".join(f"data: {n}\n\n" for n in range(300)))],
    # What it says of itself
    "ids": [stream("id: 1\ndata: a\n\ndata: b\n\nid: a\0b\ndata: c\n\nid\ndata: d\n\nid: 2\n\ndata: e\n\n")],
    "retry": [stream("retry: 1\nretry: x\nretry: 1.5\nretry: -1\nretry:2\ndata: 1\n\n"), stream("data: 2\n\n")],
    # Connections
    "again": [
        stream("retry: 1\nid: 7\ndata: 1\n\n"),
        stream("data: 2\n\n"),
        stream("id: 8\n\n"),
        stream("data: 3\n\n"),
    ],
    "again with letters": [stream("retry: 1\nid: …ä\n\n"), stream("data: 1\n\n")],
    "again without": [stream("retry: 1\nid: 7\n\n"), stream("id\n\n"), stream("data: 1\n\n")],
    "not yet an id": [stream("retry: 1\ndata: 1\n\nid: 7\ndata: 2"), stream("data: 3\n\n")],
    "only an id": [stream("retry: 1\nid: 7\n"), stream("data: 3\n\n")],
    "breaks": [stream("retry: 1\nid: 7\ndata: 1\n\ndata: 2\n", end="breaks"), stream("data: 3\n\n")],
    "empty": [stream("retry: 1\n\n"), stream(), stream("data: 1\n\n")],
    "gone": [stream(GOOD), plain(204, "", None)],
    "missing later": [stream(GOOD), plain(404)],
    "another type later": [stream(GOOD), plain(200)],
    # What is none
    **{
        f"status {status}": [stream("data: 1\n\n", status=status)]
        for status in (201, 202, 206, 400, 404, 410, 500, 503)
    },
    "status 204": [plain(204, "", None)],
    "status 205": [plain(205, "", None)],
    "JSON": [plain(200, "{}", "application/json")],
    "text": [plain(200, "data: 1\n\n", "text/plain")],
    "almost": [plain(200, "data: 1\n\n", "text/event-streams")],
    "capitals": [stream(GOOD, content_type="Text/EVENT-Stream")],
    "charset": [stream(GOOD, content_type="text/event-stream; charset=utf-8")],
    "parameter": [stream(GOOD, content_type="text/event-stream;x=y")],
    # Redirects
    **{
        f"redirect {status}": [plain(status, "", None, location=f"to {status}")] for status in (301, 302, 303, 307, 308)
    },
    "redirect twice": [plain(302, "", None, location="redirect thrice")],
    "redirect again": [plain(302, "", None, location="to again"), plain(302, "", None, location="to again")],
    "redirect in circles": [plain(302, "", None, location="redirect in circles")],
    "redirect to nothing": [plain(302, "", None, location="to nothing")],
    "redirect nowhere": [plain(302, "", None)],
}
# Where redirects lead: a page does not ask there itself.
TARGETS: dict[str, list[dict[str, Any]]] = {
    **{f"to {status}": [stream(GOOD)] for status in (301, 302, 303, 307, 308)},
    "redirect thrice": [plain(307, "", None, location="to the end")],
    "to the end": [stream(GOOD)],
    "to again": [stream("retry: 1\nid: 1\ndata: 1\n\n"), stream(GOOD)],
    "to nothing": [plain(404)],
}

# For what a page does with it meanwhile.
ACTED = {
    "two": [stream("retry: 1\ndata: 1\n\ndata: 2\n\n")],
    "stays": [stream("data: 1\n\n", end="stays")],
}
# Where an engine does not do what the specification says, and Chromium does.
IDS = {"without data", "ids", "again", "again with letters", "again without"}
DIFFERENT: dict[str, set[str]] = {
    "chromium": set(),
    # In both an id counts with data only, a redirect too many is the end, and the next connection begins where the
    # first one did, whatever redirected it. NUL ends all.
    "firefox": IDS | {"redirect in circles", "redirect again", "NUL"},
    # What a broken connection has left begins the next one.
    "webkit": IDS | {"redirect in circles", "redirect again", "breaks"},
}

ROUTES = f"""
import asyncio
from fauxserver import FauxServer, Response

CASES = { {**CASES, **TARGETS, **ACTED}!a}
server = FauxServer()
seen = {{}}

@server.get("/faux/:case")
def connect(case, context):
    from urllib.parse import unquote

    case = unquote(case)
    before = seen.setdefault(case, [])
    before.append([context.headers.get(name) for name in ("accept", "cache-control", "pragma", "last-event-id")])
    answers = CASES[case]
    answer = answers[min(len(before), len(answers)) - 1]
    return Response(pieces(answer), answer["status"], answer["headers"])

async def pieces(answer):
    for piece in answer["pieces"]:
        yield piece.encode("utf-8", "surrogateescape")
    if answer["end"] == "breaks":
        raise ConnectionError("It breaks.")
    if answer["end"] == "stays":
        await asyncio.sleep(3600)

server.get("/seen", lambda: seen)
"""

# Runs a case, and gives back all that can be seen of it.
WATCH = """
window.watch = (url, connections, { init, act = () => {} } = {}) => new Promise(resolve => {
  const source = new EventSource(url, init)
  const address = source.url.replace(/^.*[/](live|faux)[/]/, "")
  const log = [["made", source.readyState, address, source.withCredentials]]
  let errors = 0
  const tell = event => {
    const { type, data, lastEventId, origin, bubbles, cancelable, composed, target, currentTarget } = event
    const said = [type, source.readyState, event.constructor.name, bubbles, cancelable, composed]
    said.push(target === source, currentTarget === source)
    if (event instanceof MessageEvent) {
      said.push(data.length > 1000 ? data.length : data, lastEventId, origin === location.origin)
      said.push(event.source, event.ports.length)
    }
    log.push(said)
    Promise.resolve().then(() => {}).then(() => log.push("promises"))
    if (event instanceof MessageEvent || type !== "error") return
    errors += 1
    if (errors < connections && source.readyState !== EventSource.CLOSED) return
    source.close()
    log.push(["closed", source.readyState])
    someTime().then(someTime).then(() => resolve(log))
  }
  for (const type of ["tick", "a b", "ünique", "c\\0d", "open", "message", "error"]) source.addEventListener(type, tell)
  act(source, log, resolve)
  setTimeout(() => { log.push("NEVER"); resolve(log) }, 7000)
})

// Not all at once, as a browser has six connections for a server.
window.watchAll = async (folder, cases) => {
  const logs = {}
  const waiting = Object.entries(cases)
  const work = async () => {
    while (waiting.length) {
      const [name, connections] = waiting.shift()
      logs[name] = await watch(`/${folder}/${name}#part`, connections)
    }
  }
  await Promise.all([work(), work(), work(), work(), work()])
  return logs
}
"""


class Live:
    """The same streams from a real server, below /live/, and what was asked for."""

    def __init__(self, site: Site) -> None:
        self.seen: dict[str, list[list[str | None]]] = {}
        self.closing = Event()
        for name, answers in {**CASES, **TARGETS, **ACTED}.items():
            site.handlers[f"/live/{name}"] = self.handler(name, answers)

    def handler(self, name: str, answers: list[dict[str, Any]]) -> Any:
        def handle(_method: str, headers: Mapping[str, str], _body: bytes) -> Reply:
            before = self.seen.setdefault(name, [])
            named = {key.lower(): value.encode("latin-1").decode() for key, value in headers.items()}
            before.append([named.get(key) for key in ("accept", "cache-control", "pragma", "last-event-id")])
            answer = answers[min(len(before), len(answers)) - 1]
            body = [piece.encode("utf-8", "surrogateescape") for piece in answer["pieces"]]
            if answer["end"] == "breaks":
                whole = b"".join(body)
                return Reply(answer["status"], whole, answer["headers"], promised=len(whole) + 100)
            if not body:
                return Reply(answer["status"], b"", answer["headers"])
            return Reply(answer["status"], self.pieces(body, answer["end"] == "stays"), answer["headers"])

        return handle

    def pieces(self, body: list[bytes], stays: bool) -> Iterator[bytes]:
        yield from filter(None, body)
        if stays:
            self.closing.wait()


def watch_all(visitor: Visitor, site: Site, names: list[str]) -> tuple[Any, Any, Any, Any]:
    """What the native one has done in these cases, and ours; and what each has asked for."""
    live = Live(site)
    visitor.open(script(WATCH), python(ROUTES), data_quiet=True)
    cases = {name: len(CASES[name]) for name in names}
    visitor.run('fauxServer.intercept("eventsource")')
    native = visitor.run('return watchAll("live", given)', cases)
    ours = visitor.run('return watchAll("faux", given)', cases)
    return native, ours, live.seen, visitor.run('return ask("/seen")')


@pytest.mark.every_engine
def test_every_stream_gives_the_events_of_the_native_one(visitor: Visitor, site: Site):
    names = [name for name in CASES if name not in DIFFERENT[visitor.engine]]
    native, ours, asked, seen = watch_all(visitor, site, names)
    assert ours == native
    assert seen == asked
    assert visitor.errors == []


# Each is run with `source`, `log` and `done`, once for a native one and once for ours, at the same streams.
ACTS = {
    "closed at once": ("two", "end()"),
    "closed in open": (
        "two",
        "source.onopen = () => { end() }",
    ),
    "closed in a message": (
        "two",
        "source.onmessage = () => { end() }",
    ),
    "closed while it stays open": (
        "stays",
        "source.onmessage = () => someTime().then(() => source.close()).then(someTime).then(done)",
    ),
    "closed when it has ended": (
        "two",
        "source.onerror = () => { source.close(); later(done) }",
    ),
    "closed while it waits": (
        "two",
        "source.onerror = () => { setTimeout(end) }",
    ),
    "closed twice": ("two", "source.close(); log.push(source.close(), source.readyState); someTime().then(done)"),
    "a handler that throws": (
        "two",
        """
        const tell = event => {
          log.push(["uncaught", event.message.replace(/^.*Error: /, "")])
          event.preventDefault()
        }
        window.addEventListener("error", tell)
        source.onmessage = () => { throw new Error("mine") }
        source.onerror = () => { source.close(); window.removeEventListener("error", tell); done() }
        """,
    ),
    "handlers and listeners, in their order": (
        "two",
        """
        const say = text => function (event) { log.push([text, event.type, this === source, event.eventPhase]) }
        source.onmessage = say("first")
        source.addEventListener("message", say("second"))
        source.onmessage = say("first after all")
        source.addEventListener("message", { handleEvent: say("object") })
        source.addEventListener("message", say("once"), { once: true })
        source.addEventListener("message", event => { log.push("stop"); event.stopImmediatePropagation() })
        source.addEventListener("message", say("never"))
        source.onopen = "text"
        log.push(source.onopen, source.onerror, typeof source.onmessage)
        const object = {}
        source.onopen = object
        log.push(source.onopen === object)
        source.onopen = say("replaced")
        source.onopen = null
        source.addEventListener("open", say("open"))
        source.onopen = say("at the end")
        const gone = say("gone")
        source.addEventListener("error", gone)
        source.removeEventListener("error", gone)
        source.onerror = () => { source.close(); done() }
        """,
    ),
    "what a listener leaves to promises": (
        "two",
        """
        source.onmessage = async ({ data }) => {
          log.push(data)
          for (let n = 0; n < 20; n += 1) await null
          log.push(`${data}, later`)
        }
        source.onerror = () => { source.close(); done() }
        """,
    ),
    "an event of one's own": (
        "two",
        """
        log.push(source.dispatchEvent(new Event("message", { cancelable: true })))
        source.onerror = event => { event.preventDefault(); return false }
        log.push(source.dispatchEvent(new Event("error", { cancelable: true })))
        source.onerror = () => { source.close(); done() }
        """,
    ),
}


@pytest.mark.every_engine
def test_what_a_page_does_with_it_has_the_effect_it_has_on_the_native_one(visitor: Visitor, site: Site):
    live = Live(site)
    try:
        visitor.open(script(WATCH), python(ROUTES), data_quiet=True)
        act = """
            fauxServer.intercept("eventsource")
            const logs = []
            const prelude = `
              const later = done => someTime().then(someTime).then(done)
              const end = () => { source.close(); log.push(source.readyState); later(done) }
            `
            for (const [, [stream, code]] of Object.entries(given)) {
              for (const folder of ["live", "faux"]) {
                const act = new Function("source", "log", "done", prelude + code)
                logs.push(await watch(`/${folder}/${stream}`, Infinity, { act }))
              }
            }
            return logs
        """
        logs = visitor.run(act, ACTS)
    finally:
        live.closing.set()
    assert dict(zip(ACTS, logs[1::2], strict=True)) == dict(zip(ACTS, logs[::2], strict=True))
    assert visitor.failures == []


# All that there is to see of the class and of an object that has not been answered yet.
SHAPE = r"""
window.shape = (address) => {
  const thrown = act => {
    try {
      return [typeof act()]
    } catch (error) {
      return [error.constructor.name, error.name, error.code ?? null, error.message]
    }
  }
  class Mine extends EventSource {
    constructor(...args) { super(...args); this.mine = true }
    get twice() { return this.readyState * 2 }
    close() { this.closed = true; super.close() }
  }
  EventSource.prototype.added = function () { return this.readyState }
  const source = new EventSource(address)
  const mine = new Mine(new URL(address, location), { withCredentials: 1 })
  const { prototype } = EventSource
  const descriptors = Object.entries(Object.getOwnPropertyDescriptors(prototype)).map(([name, descriptor]) => {
    const { get, set, value, ...flags } = descriptor
    return [name, flags, ...[get, set, value].map(each => [typeof each, each?.name, each?.length])]
  })
  const told = [
    EventSource.name, EventSource.length, typeof EventSource, String(EventSource).replace(/\s+/g, " ").length > 0,
    Object.getOwnPropertyNames(EventSource).sort(), EventSource.CONNECTING, EventSource.OPEN, EventSource.CLOSED,
    Object.getPrototypeOf(EventSource) === EventTarget, Object.getPrototypeOf(prototype) === EventTarget.prototype,
    prototype.constructor === EventSource, descriptors.sort(),
    Object.entries(Object.getOwnPropertyDescriptor(window, "EventSource")).filter(([name]) => name !== "value"),
    source.CONNECTING, source.OPEN, source.CLOSED, source.readyState, source.url === new URL(address, location).href,
    source.withCredentials, source.onopen, source.onmessage, source.onerror, source.added(), String(source),
    source instanceof EventSource, source instanceof EventTarget, source.constructor === EventSource,
    Object.getPrototypeOf(source) === prototype, Object.getOwnPropertyNames(source),
    Object.keys(source), JSON.stringify(source),
    (() => { const names = []; for (const name in source) names.push(name); return names.sort() })(),
    Object.entries({ ...source }), "onopen" in source, source.hasOwnProperty("close"),
    mine instanceof Mine, mine instanceof EventSource, mine.mine, mine.twice, mine.withCredentials, Mine.OPEN,
    mine.constructor === Mine,
    mine.url === source.url, Object.getOwnPropertyNames(mine),
    thrown(() => EventSource(address)), thrown(() => new EventSource()),
    thrown(() => new EventSource("http://no host/")), thrown(() => new EventSource(Symbol("s"))),
    thrown(() => new EventSource(address, 7)), thrown(() => new EventSource(address, "x")),
    thrown(() => new EventSource({ toString() { throw new RangeError("mine") } })),
    thrown(() => new EventSource(address, { get withCredentials() { throw new RangeError("mine") } })),
    thrown(() => prototype.close.call({})), thrown(() => prototype.readyState),
    thrown(() => { prototype.onopen = null }),
    thrown(() => prototype.url), thrown(() => { "use strict"; source.readyState = 7 }).slice(0, 3),
    thrown(() => Reflect.construct(EventSource, [address], function () {}).close),
  ]
  for (const init of [undefined, null, {}, { withCredentials: false }, { withCredentials: "yes" }, () => {}, []]) {
    const each = new EventSource(address, init)
    told.push(each.withCredentials)
    each.close()
  }
  mine.close()
  told.push(mine.closed, mine.readyState, source.close(), source.readyState, source.added())
  delete prototype.added
  return told
}
"""


@pytest.mark.every_engine
def test_class_and_objects_look_like_the_native_ones(visitor: Visitor):
    visitor.open(script(SHAPE), python(ROUTES))
    native, passed, ours, again = visitor.run("""
        const native = shape("/live/none")
        const end = fauxServer.intercept("eventsource")
        const told = [native, shape("/live/none"), shape("/faux/data")]
        end()
        return [...told, shape("/faux/data")]
    """)
    assert ours == native
    assert passed == native
    assert again == native


# --- The page's own part --------------------------------------------------------------------------------------------

PAGE = r"""
import asyncio
from fauxserver import FauxServer, Response

server = FauxServer()
log = []

@server.get("stream/:kind")
def stream(kind, context):
    log.append(f"{kind} {context.headers.get('last-event-id')}")
    return Response(asynchronous() if kind == "async" else generator(), headers={"Content-Type": "text/event-stream"})

def generator():
    try:
        n = 0
        while True:
            n += 1
            yield f"retry: 1\nid: {n}\ndata: {n}\n\n"
    except GeneratorExit:
        log.append("GeneratorExit")
        raise
    finally:
        log.append("finally")

async def asynchronous():
    try:
        n = 0
        while True:
            n += 1
            yield f"retry: 1\nid: {n}\ndata: {n}\n\n"
            await asyncio.sleep(0.001)
    finally:
        await asyncio.sleep(0)
        log.append("finally")

@server.get("ends")
def ends(context):
    log.append(f"ends {context.headers.get('last-event-id')}")
    return Response(iter(["retry: 1\nid: 7\ndata: 1\n\n"]), headers={"content-type": "text/event-stream"})

@server.get("plain")
def plain():
    yield "data: of a plain generator\n\n"

@server.get("whole")
def whole():
    return Response("data: whole\n\n", headers={"content-type": "text/event-stream"})

@server.get("raises")
def raises():
    raise KeyError("mine")

@server.get("raises/later")
def raises_later():
    yield "retry: 1\ndata: 1\n\n"
    raise KeyError("mine")

server.get("log", lambda: log)
"""

# `until(source, type, n)` waits for so many events of a type.
UNTIL = """
window.until = (source, type, count = 1) => new Promise(resolve => {
  const seen = []
  const tell = event => {
    seen.push(event.data ?? source.readyState)
    if (seen.length < count) return
    source.removeEventListener(type, tell)
    resolve(seen)
  }
  source.addEventListener(type, tell)
})
"""


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_closing_an_open_one_ends_its_generator(visitor: Visitor, kind: str):
    visitor.open(script(UNTIL), python(PAGE))
    assert visitor.run(
        """
        fauxServer.intercept("eventsource")
        const source = new EventSource(`stream/${given}`)
        const seen = await until(source, "message", 3)
        source.close()
        while (!(await ask("log")).includes("finally")) await someTime()
        return [seen, await ask("log")]
    """,
        kind,
    ) == [["1", "2", "3"], [f"{kind} None", *(["GeneratorExit"] if kind == "sync" else []), "finally"]]
    assert visitor.failures == []


def test_closing_one_that_connects_means_that_its_handler_is_not_called(visitor: Visitor):
    visitor.open(python(PAGE))
    assert visitor.run("""
        fauxServer.intercept("eventsource")
        fauxServer.setLatency(5)
        const events = []
        const source = new EventSource("ends")
        source.onopen = source.onerror = ({ type }) => events.push(type)
        source.close()
        fauxServer.setLatency(0)
        await someTime()
        await someTime()
        return [source.readyState, events, await ask("log")]
    """) == [2, [], []]


def test_closing_one_that_waits_means_no_other_connection(visitor: Visitor):
    visitor.open(script(UNTIL), python(PAGE))
    assert visitor.run("""
        fauxServer.intercept("eventsource")
        const source = new EventSource("ends")
        const states = await until(source, "error")
        source.close()
        await someTime()
        return [states, source.readyState, await ask("log")]
    """) == [[0], 2, ["ends None"]]


def test_it_connects_again_and_says_what_it_had_last(visitor: Visitor):
    visitor.open(script(UNTIL), python(PAGE))
    assert visitor.run("""
        fauxServer.intercept("eventsource")
        const source = new EventSource("ends")
        await until(source, "message", 3)
        source.close()
        return ask("log")
    """) == ["ends None", "ends 7", "ends 7"]


def test_what_is_made_while_the_runtime_loads_is_answered_when_it_is_there(visitor: Visitor, site: Site):
    site.replies["/network"] = Reply(200, b"event: own\nid: 3\ndata: real\n\nretry: 60000\n\n", STREAM)
    visitor.open(
        script("""
            const made = ["ends", "network#part", "gone", "ends"].map(url => new EventSource(url))
            window.before = made.map(({ readyState, url }) => [readyState, url.replace(/.*[/]/, "")])
            window.log = []
            made[3].close()
            for (const [index, source] of made.entries()) {
              for (const type of ["open", "own", "message", "error"]) {
                source.addEventListener(type, ({ data, lastEventId, origin }) => {
                  log.push([index, type, data ?? source.readyState, lastEventId, origin ?? location.origin])
                  if (index === 0 && type === "message") source.close()
                })
              }
            }
        """),
        python(PAGE),
        data_intercept="eventsource",
    )
    visitor.until("log.length >= 6")
    assert visitor.run("return before") == [[0, "ends"], [0, "network#part"], [0, "gone"], [0, "ends"]]
    assert sorted(visitor.run("return log"), key=lambda said: said[0]) == [
        [0, "open", 1, None, site.url],
        [0, "message", "1", "7", site.url],
        [1, "open", 1, None, site.url],
        [1, "own", "real", "3", site.url],
        [1, "error", 0, None, site.url],
        [2, "error", 2, None, site.url],
    ]


@pytest.mark.every_engine
def test_on_a_clock_of_the_page_it_waits_for_the_clock(visitor: Visitor):
    visitor.open(script("/npm/sinon/pkg/sinon.js"), script(UNTIL), python(PAGE))
    assert visitor.run("""
        fauxServer.intercept("eventsource")
        const clock = sinon.useFakeTimers()
        fauxServer.setLatency(250)
        const source = new EventSource("ends")
        const seen = [source.readyState]
        clock.tick(249)
        seen.push(source.readyState)
        clock.tick(1)
        seen.push(source.readyState)
        const error = until(source, "error")
        seen.push(await until(source, "message"), await error)
        const answer = until(source, "message")
        clock.tick(1)
        clock.tick(249)
        seen.push(source.readyState)
        clock.tick(1)
        seen.push(source.readyState, await answer)
        source.close()
        clock.restore()
        return seen
    """) == [0, 0, 1, ["1"], [0], 0, 1, ["1"]]


def test_reset_breaks_the_connection_and_the_next_one_has_the_routes_anew(visitor: Visitor):
    visitor.open(script(UNTIL), python(PAGE))
    assert visitor.run("""
        fauxServer.intercept("eventsource")
        const source = new EventSource("stream/async")
        const first = await until(source, "message", 2)
        fauxServer.reset()
        const [state] = await until(source, "error")
        const [next] = await until(source, "message")
        source.close()
        while ((await ask("log")).length < 3) await someTime()
        return [first, state, next, await ask("log")]
    """) == [["1", "2"], 0, "1", ["finally", "async 2", "finally"]]
    assert visitor.failures == []


def test_disabled_it_goes_on_where_it_is_and_connects_to_the_real_server_next(visitor: Visitor, site: Site):
    asked = []

    def handle(_method: str, headers: Mapping[str, str], _body: bytes) -> Reply:
        asked.append([headers.get(name) for name in ("accept", "last-event-id")])
        return Reply(200, b"data: real\n\n", STREAM)

    site.handlers["/ends"] = handle
    visitor.open(script(UNTIL), python(PAGE))
    assert visitor.run("""
        fauxServer.intercept("eventsource")
        const source = new EventSource("ends")
        const first = until(source, "message")
        const ended = until(source, "error")
        source.onopen = () => fauxServer.enable(false)
        const seen = [await first, await ended]
        seen.push(await until(source, "message"))
        source.close()
        const native = new EventSource("ends")
        seen.push(await until(native, "message"))
        native.close()
        return seen
    """) == [["1"], [0], ["real"], ["real"]]
    assert asked == [["text/event-stream", "7"], ["text/event-stream", None]]


def test_a_generator_alone_is_an_event_stream_to_one_who_asks_for_that(visitor: Visitor):
    visitor.open(script(UNTIL), python(PAGE))
    assert visitor.run("""
        fauxServer.intercept("eventsource")
        const told = []
        fauxServer.get("javascript", async function* () { yield "data: of JavaScript\\n\\n" })
        for (const url of ["plain", "whole", "javascript"]) {
          const source = new EventSource(url)
          told.push(...await until(source, "message"))
          source.close()
        }
        return told
    """) == ["of a plain generator", "whole", "of JavaScript"]
    assert visitor.failures == []


def test_a_handler_that_raises_is_told_and_one_that_raises_midway_breaks_the_connection(visitor: Visitor):
    visitor.open(script(UNTIL), python(PAGE), data_quiet=True)
    assert visitor.run("""
        fauxServer.intercept("eventsource")
        const at_once = new EventSource("raises")
        const seen = [await until(at_once, "error")]
        const later = new EventSource("raises/later")
        const states = until(later, "error", 2)
        seen.push(await until(later, "message", 2))
        seen.push(await states)
        later.close()
        return seen
    """) == [[2], ["1", "1"], [0, 0]]
    assert [("KeyError: 'mine'" in line, "raise KeyError" in line) for line in visitor.failures] == [(True, True)] * 3


def test_what_is_answered_in_another_type_is_an_error_that_says_what_to_do(visitor: Visitor):
    visitor.open(script(UNTIL), python(PAGE), data_quiet=True)
    assert visitor.run("""
        fauxServer.intercept("eventsource")
        return until(new EventSource("log"), "error")
    """) == [2]
    (line,) = visitor.failures
    assert "/log is answered as application/json, and an EventSource takes text/event-stream only." in line


def test_installed_and_ended_in_any_order_with_others_above_and_below(visitor: Visitor):
    visitor.open(script(UNTIL), python(PAGE))
    assert visitor.run("""
        const native = EventSource
        const data = async () => {
          const source = new EventSource("whole")
          const seen = await Promise.race([until(source, "message"), until(source, "error")])
          source.close()
          return seen[0]
        }
        const seen = []
        const say = async () => seen.push(await data(), EventSource === native)
        const [first, second] = [fauxServer.intercept("eventsource"), fauxServer.intercept("eventsource")]
        await say()
        first(); first()
        await say()
        second()
        await say()
        const again = fauxServer.intercept("eventsource")
        const below = EventSource
        let wrapped = 0
        window.EventSource = class Wrapped extends below { constructor(...args) { super(...args); wrapped += 1 } }
        const above = EventSource
        again()
        await say()
        const taken = fauxServer.intercept("eventsource")
        await say()
        seen.push(EventSource === above, wrapped)
        window.EventSource = below
        taken()
        await say()
        return seen
    """) == ["whole", False, "whole", False, 2, True, 2, False, "whole", False, True, 2, 2, True]
