"""Ten thousand requests in one page, and nothing grows: no heap, no objects, nothing that one side keeps for the other.

The journal holds a thousand requests, so the first thousand fill it, and the last nine thousand are compared with that.
"""

import json
from collections import Counter

import pytest

from tests.browser.pages import Visitor, python, script

COUNT, FULL = 10_000, 1_000

ROUTES = """
import asyncio
import itertools
from fauxserver import FauxServer, HTTPError, Response

# Their own journals are full long before the page's.
server, patient = FauxServer(journal_size=20), FauxServer(journal_size=20)
books, next_id = {}, itertools.count(1)

@server.post("books")
def create_book(data):
    book = {**data, "id": next(next_id) % 50}
    books[book["id"]] = book
    return book

@server.get("books/:id")
def read_book(id: int):
    if id not in books:
        raise HTTPError(404, {"missing": id})
    return books[id]

@server.get("later/:n")
async def later(n: int):
    await asyncio.sleep(0)
    return {"n": n}

@server.get("slow/:n")
async def slow(n: int):
    await asyncio.sleep(60)

@server.get("pieces/:n")
def pieces(n):
    yield f'{{"n": {n}}}'

@server.get("endless/:n")
async def endless(n):
    while True:
        yield f"data: {n}\\n\\n"
        await asyncio.sleep(0)

@server.post("upload")
def upload(data):
    return {"title": data["title"], "bytes": len(data["file"].body)}

@server.get("moved/:n")
def moved(n):
    return Response(None, 302, {"location": f"../js/{n}"})

@server.get("broken/:n")
def broken(n):
    return {}[n]

@server.get("unsendable/:n")
def unsendable(n):
    return {"n": object()}

server.get("refused/:n", lambda n: "not today")
server.get("stack/:n", [lambda context: None, lambda n: {"n": n}])

patient.set_latency(lambda context: 1)
patient.get("patient/:n", lambda n: {"n": n})
"""

# Captures the runtime as it boots, so that its own counts can be asked for.
CAPTURE = """
// A hundred thousand lines for nobody.
for (const say of ["log", "error", "groupCollapsed", "groupEnd"]) console[say] = () => {}
const key = Symbol.for("fauxserver.runtime")
Object.defineProperty(globalThis, key, {
  configurable: true,
  set(runtime) {
    const { loadPyodide } = runtime
    const value = { ...runtime, loadPyodide: async options => (window.pyodide = await loadPyodide(options)) }
    Object.defineProperty(globalThis, key, { value })
  },
})
"""

FROM_JAVASCRIPT = """
fauxServer.get("js/:n", (context, n) => ({ n }))
fauxServer.get("js-later/:n", async (context, n) => ({ n }))
fauxServer.get("js-broken/:n", (context, n) => { throw new Error(`no ${n}`) })
fauxServer.get("js-404/:n", () => "404 Not Found")
fauxServer.get(/^expression\\/(\\d+)$/, (context, n) => ({ n }))
fauxServer.setDefaultHandler(context => new fauxServer.Response({ nobody: context.url }, 404))
"""

# Request number `n`, and the answer it must have: ["success" | "error", value], or "nothing" for one that is aborted.
SYNC = """
const KINDS = [
  n => [["create", "books", { title: `Book ${n}` }], ["success", undefined]],
  n => [["read", "books/1"], ["success", undefined]],
  n => [["read", "books/777"], ["error", { missing: 777 }]],
  n => [["read", `later/${n}`], ["success", { n }]],
  n => [["read", `slow/${n}`, undefined, "abort"], ["error", undefined]],
  n => [["read", `pieces/${n}`], ["success", `{"n": ${n}}`]],
  n => [["read", `broken/${n}`], ["error", undefined]],
  n => [["read", `unsendable/${n}`], ["error", undefined]],
  n => [["read", `refused/${n}`], ["error", "not today"]],
  n => [["read", `stack/${n}`], ["success", { n: `${n}` }]],
  n => [["read", `patient/${n}`], ["success", { n: `${n}` }]],
  n => [["read", `js/${n}`], ["success", { n: `${n}` }]],
  n => [["read", `js-later/${n}`], ["success", { n: `${n}` }]],
  n => [["read", `js-broken/${n}`], ["error", undefined]],
  n => [["read", `js-404/${n}`], ["error", "404 Not Found"]],
  n => [["read", `expression/${n}`], ["success", { n: `${n}` }]],
  n => [["read", `nobody/${n}`], ["error", { nobody: `nobody/${n}` }]],
  n => [["read", `js/${n}`, undefined, "abort at once"], ["error", undefined]],
  n => [["update", `books/${n}/none`, { n }], ["error", { nobody: `books/${n}/none` }]],
  n => [["read", `js/${n}`, undefined, "async: false"], ["success", { n: `${n}` }]],
]
const seen = { asked: 0, answered: 0, wrong: [] }

const request = ([method, url, data, how], [wanted, value]) => new Promise(resolve => {
  seen.asked += 1
  let answers = 0
  const settled = which => got => {
    answers += 1
    seen.answered += 1
    const same = value === undefined || JSON.stringify(got) === JSON.stringify(value)
    if (which !== wanted || !same || answers !== 1) seen.wrong.push([method, url, which, got])
    resolve()
  }
  const options = { url, success: settled("success"), error: settled("error") }
  if (how === "async: false") options.async = false
  const xhr = Backbone.sync(method, new Backbone.Model(data), options)
  xhr.then?.(undefined, () => {})
  if (how === "abort") setTimeout(() => xhr.abort())
  else if (how === "abort at once") xhr.abort()
})

const ask = n => request(...KINDS[n % KINDS.length](n))
"""

# The same of clients of HTTP: what was got, or the name of what was thrown.
HTTP = """
const asked = (url, init) => fetch(url, init).then(response => response.json())
const posted = (url, data) =>
  asked(url, { method: "POST", body: JSON.stringify(data), headers: { "Content-Type": "application/json" } })
const drawn = n => new Blob([new Uint8Array(n % 100)])

const form = n => {
  const fields = new FormData()
  fields.append("title", `Book ${n}`)
  fields.append("file", drawn(n), "cover.png")
  return fields
}

/** One piece of a body that never ends. */
const piece = async (url, signal) => {
  const { body } = await fetch(url, { signal })
  const reader = body.getReader()
  await reader.read()
  return reader
}

const xhr = (method, url, { body, ...settings } = {}) => new Promise((resolve, reject) => {
  const request = Object.assign(new XMLHttpRequest(), settings)
  request.upload.onprogress = () => {}
  request.onloadend = ({ target }) => resolve(target.status ? target.response : target.statusText || "nothing")
  request.ontimeout = () => reject(new DOMException("Too slow.", "TimeoutError"))
  request.open(method, url)
  request.send(body)
  if (settings.how === "abort") setTimeout(() => request.abort())
})

const KINDS = [
  [n => asked(`js/${n}`), n => ({ n: `${n}` })],
  [n => asked(`later/${n}`), n => ({ n })],
  [n => posted("books", { title: `Book ${n}` }).then(({ title }) => title), n => `Book ${n}`],
  [n => asked("upload", { method: "POST", body: form(n) }), n => ({ title: `Book ${n}`, bytes: n % 100 })],
  [n => asked(`moved/${n}`), n => ({ n: `${n}` })],
  [n => asked(`pieces/${n}`), n => ({ n })],
  [n => asked(`nobody/${n}`), n => ({ nobody: `${location.origin}/nobody/${n}` })],
  [n => fetch(`broken/${n}`).then(({ status }) => status), () => 500],
  [n => fetch(`js/${n}`, { method: "HEAD" }).then(({ status }) => status), () => 200],
  // Nobody reads it.
  [n => fetch(`stack/${n}`).then(({ ok }) => ok), () => true],
  [n => fetch(`slow/${n}`, { signal: AbortSignal.timeout(1) }), () => "TimeoutError"],
  [n => fetch(`js/${n}`, { signal: AbortSignal.abort() }), () => "AbortError"],
  [n => piece(`endless/${n}`).then(reader => reader.cancel()), () => undefined],
  [async n => {
    const control = new AbortController()
    const reader = await piece(`endless/${n}`, control.signal)
    control.abort()
    return reader.closed
  }, () => "AbortError"],
  [n => new Promise(resolve => {
    const source = new EventSource(`endless/${n}`)
    source.onmessage = ({ data }) => { source.close(); resolve(data) }
  }), n => `${n}`],
  [n => xhr("GET", `patient/${n}`, { responseType: "json" }), n => ({ n: `${n}` })],
  [n => xhr("POST", "upload", { body: form(n), responseType: "json" }), n => ({ title: `Book ${n}`, bytes: n % 100 })],
  [n => xhr("GET", `slow/${n}`, { how: "abort" }), () => "nothing"],
  [n => xhr("GET", `slow/${n}`, { timeout: 1 }), () => "TimeoutError"],
  [n => {
    const request = new XMLHttpRequest()
    request.open("GET", `later-now/${n}`, false)
    request.send()
    return JSON.parse(request.responseText)
  }, n => ({ nobody: `${location.origin}/later-now/${n}` })],
]
const seen = { asked: 0, answered: 0, wrong: [] }

const request = async ([ask, wanted], n) => {
  seen.asked += 1
  const got = await Promise.resolve(n).then(ask).catch(({ name }) => name)
  seen.answered += 1
  if (JSON.stringify(got) !== JSON.stringify(wanted(n))) seen.wrong.push([String(ask), n, got])
}

const ask = n => request(KINDS[n % KINDS.length], n)
"""

MANY = """
window.requests = async (from, to) => {
  // As an app would: some at once, and then the next ones.
  for (let n = from; n < to; n += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, at) => ask(n + at)))
  }
  await new Promise(resolve => setTimeout(resolve, 50))
  return seen
}
"""

# What there is of everything in Python.
PYTHON = """
def count():
    import collections, gc, re
    from fauxserver.hosts.browser import Page

    re.purge()
    gc.collect()
    things = gc.get_objects()
    kinds = collections.Counter(type(thing).__name__ for thing in things)
    (page,) = [thing for thing in things if type(thing) is Page]
    return {
        "Python objects": len(things),
        "exchanges": kinds["Exchange"],
        "tasks and coroutines": kinds["Task"] + kinds["coroutine"] + kinds["generator"],
        "held by the host": sum(len(value) for value in vars(page).values() if hasattr(value, "__len__")),
        "journal": len(page.server.journal),
    }

__import__("json").dumps(count())
"""

# What the runtime keeps for both sides, and what it has taken of the memory.
RUNTIME = """
const { HEAPU8, HEAP32, stackSave, stackRestore, stackAlloc, _mallinfo, _hiwire_num_refs } = pyodide._module
const stack = stackSave()
const told = stackAlloc(64)
_mallinfo(told)
const allocated = HEAP32[told / 4 + 7]
stackRestore(stack)
const PyProxies = pyodide._module.pyproxy_alloc_map.size
return { memory: HEAPU8.length, allocated, PyProxies, JsProxies: _hiwire_num_refs() }
"""


def counts(visitor: Visitor) -> Counter[str]:
    """What lives in the page, on both sides, after garbage was collected on both."""
    counted = Counter(json.loads(visitor.run("return pyodide.runPython(given)", PYTHON)))
    counted |= Counter(visitor.run(RUNTIME))
    devtools = visitor.context.new_cdp_session(visitor.page)
    pieces: list[str] = []
    devtools.on("HeapProfiler.addHeapSnapshotChunk", lambda event: pieces.append(event["chunk"]))
    devtools.send("HeapProfiler.collectGarbage")
    # Who is told of what was collected is told a little later.
    visitor.run("await new Promise(resolve => setTimeout(resolve, 50))")
    devtools.send("HeapProfiler.collectGarbage")
    devtools.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    devtools.detach()
    heap = json.loads("".join(pieces))
    fields = heap["snapshot"]["meta"]["node_fields"]
    kinds = heap["snapshot"]["meta"]["node_types"][0]
    step, sizes = len(fields), heap["nodes"][fields.index("self_size") :: len(fields)]
    for kind, size in zip(heap["nodes"][::step], sizes, strict=True):
        # What the engine keeps for itself, compiled code above all, comes and goes.
        if kinds[kind] not in ("hidden", "code", "object shape", "synthetic"):
            counted[f"{kinds[kind]} in the heap"] += 1
            counted["heap"] += size
    return counted


# What nine thousand requests would leave if one in twenty left something: an object on this side, on that, for both.
LEAK = """
window.left = Array.from({ length: given }, (_, n) => ({ n, left: () => n }))
pyodide.runPython(`left = [{"n": n} for n in range(${given})]`)
window.proxies = Array.from({ length: given }, () => pyodide.toPy({}))
"""


def grown(before: Counter[str], after: Counter[str]) -> dict[str, int]:
    """What there is more of, but for what may come and go: a compiled function, a cache, a line on the console."""
    may_grow = {"heap": 1_500_000, "allocated": 250_000, "native in the heap": 4_000}
    more = {name: after[name] - before[name] for name in before | after}
    return {name: by for name, by in more.items() if by > may_grow.get(name, 400)}


@pytest.mark.parametrize("clients", [SYNC, HTTP], ids=["of Backbone", "of fetch, XMLHttpRequest and EventSource"])
def test_ten_thousand_requests_leave_nothing_behind(visitor: Visitor, clients: str):
    intercepted = "sync" if clients is SYNC else "fetch xhr eventsource"
    visitor.open(
        script(FROM_JAVASCRIPT + clients + MANY),
        python(ROUTES),
        before=[script(CAPTURE)],
        data_quiet=True,
        data_intercept=intercepted,
    )
    visitor.run("pyodide._module.enable_pyproxy_allocation_tracing()")

    visitor.run("return requests(0, given)", FULL)
    full = counts(visitor)
    seen = visitor.run("return requests(...given)", [FULL, COUNT])
    last = counts(visitor)

    assert seen == {"asked": COUNT, "answered": COUNT, "wrong": []}
    assert grown(full, last) == {}
    assert last["journal"] == FULL

    # And it would have been noticed.
    visitor.run(LEAK, (COUNT - FULL) // 20)
    noticed = grown(last, counts(visitor))
    assert noticed.keys() >= {"Python objects", "closure in the heap", "object in the heap", "PyProxies"}
