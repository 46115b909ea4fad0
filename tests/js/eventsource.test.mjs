// EventSource, with a server and a native one that are at hand. What a real browser shows is in tests/browser/test_eventsource.py.

import assert from "node:assert/strict"
import { test } from "node:test"

import * as answering from "../../js/answering.js"
import { installEventSource } from "../../js/eventsource.js"
import { createScheduler } from "../../js/schedule.js"

const bytes = (text) => new TextEncoder().encode(text)
const headers = [["content-type", "text/event-stream"]]
const ok = (body) => ({ status: 200, headers, url: "http://page.test/ours", body })

/** A page with a clock that stands still, and a server that answers what begins with /ours. */
function createCast() {
  const log = []
  const answers = []
  const timers = []
  const errors = []
  class NativeSource extends EventTarget {
    static CLOSED = 2
    #url
    constructor(url, init) {
      super()
      log.push(["native", url, init])
      this.#url = url
    }
    get url() { return `native ${this.#url}` }
    get withCredentials() { return false }
    get readyState() { return 0 }
    get onopen() { return null }
    set onopen(_) { log.push(["native onopen"]) }
    get onmessage() { return null }
    set onmessage(_) {}
    get onerror() { return null }
    set onerror(_) {}
    close() { log.push(["native close", this.#url]) }
  }
  const global = {
    EventTarget, Event, MessageEvent, EventSource: NativeSource, location: { href: "http://page.test/dir/page.html" },
    setTimeout(task, delay) {
      timers.push({ task, delay })
      return timers.at(-1)
    },
    clearTimeout(timer) { timers.splice(timers.indexOf(timer), 1) },
    reportError: (error) => errors.push(error.message),
  }
  const server = { answering, enabled: true, scheduler: createScheduler(global), accept: undefined, hold: undefined }
  const held = []
  const decide = (url) => {
    if (!server.enabled || !url.includes("/ours")) return url.includes("/error") ? null : undefined
    return { url, drop: () => log.push(["drop"]) }
  }
  const http = {
    holding: false,
    offer(_server, { url }, then) {
      if (!http.holding) {
        then(decide(url))
        return () => {}
      }
      const release = () => then(decide(url))
      held.push(release)
      return () => held.splice(held.indexOf(release), 1)
    },
    answer(_server, _exchange, request, outcome) {
      answers.push({ request, ...outcome })
      return () => log.push(["cancel"])
    },
  }
  const install = () => installEventSource(server, global, http)
  return { global, server, http, install, log, answers, timers, errors, held, NativeSource }
}

/** Pieces that a test gives one by one; `pulls` says how many were asked for. */
function createPieces() {
  const waiting = []
  const given = []
  const pieces = {
    pulls: 0,
    cancelled: 0,
    pull() {
      pieces.pulls += 1
      return given.length ? given.shift() : new Promise((resolve, reject) => waiting.push({ resolve, reject }))
    },
    cancel() { pieces.cancelled += 1 },
    async give(text) {
      const piece = text === undefined ? undefined : bytes(text)
      if (waiting.length) waiting.shift().resolve(piece)
      else given.push(Promise.resolve(piece))
      await idle()
    },
    async break() {
      waiting.shift().reject(new Error("broken"))
      await idle()
    },
  }
  return pieces
}

/** All that is due has run. */
const idle = async () => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

function watch(source, log, ...names) {
  for (const name of ["open", "message", "error", ...names]) {
    source.addEventListener(name, ({ type, data, lastEventId, origin }) =>
      log.push(data === undefined ? [type, source.readyState] : [type, data, lastEventId, origin]))
  }
  return source
}

test("what no route wants is the native one, made with what was given", () => {
  const { global, install, log, NativeSource } = createCast()
  install()
  const source = new global.EventSource("theirs", { withCredentials: 1 })
  source.close()
  source.onopen = () => {}
  assert.deepEqual(log, [["native", "theirs", { withCredentials: true }], ["native close", "theirs"], ["native onopen"]])
  assert.deepEqual(
    [source instanceof global.EventSource, source instanceof NativeSource, source.url, Object.getPrototypeOf(source) === NativeSource.prototype],
    [true, true, "native theirs", true],
  )
})

test("one of ours is an event source like any other", () => {
  const { global, install, log } = createCast()
  install()
  const source = new global.EventSource("/ours#part", { withCredentials: true })
  assert.deepEqual(
    [source instanceof global.EventSource, source.constructor === global.EventSource, Object.getPrototypeOf(source) === global.EventSource.prototype,
      source.url, source.withCredentials, source.readyState, source.onopen, Object.keys(source), log],
    [true, true, true, "http://page.test/ours#part", true, 0, null, [], []],
  )
})

test("a request is what a browser would send", () => {
  const { global, install, answers } = createCast()
  install()
  new global.EventSource(new URL("http://page.test/ours?a=1#part"))
  const { request } = answers[0]
  assert.deepEqual(request, {
    method: "GET", url: "http://page.test/ours?a=1", headers: [["accept", "text/event-stream"]], cache: "no-store",
    door: "eventsource", redirect: "follow", mode: "cors", credentials: "same-origin",
  })
})

for (const [name, body, expected] of [
  ["a text", "data: 1\n\n", [["message", "1", "", "http://page.test"]]],
  ["bytes", bytes("event: tick\nid: 7\ndata: 1\n\n"), [["tick", "1", "7", "http://page.test"]]],
  ["nothing", undefined, []],
]) {
  test(`${name}, whole, is opened, read and over`, async () => {
    const { global, install, answers, timers } = createCast()
    install()
    const log = []
    const source = watch(new global.EventSource("/ours"), log, "tick")
    answers[0].reply(ok(body))
    assert.deepEqual(log, [["open", 1]])
    await idle()
    assert.deepEqual([log, source.readyState, timers.map(({ delay }) => delay)], [[["open", 1], ...expected, ["error", 0]], 0, [3000]])
  })
}

test("pieces are asked for one after another, when what the last one brought is told", async () => {
  const { global, install, answers } = createCast()
  install()
  const log = []
  const pieces = createPieces()
  watch(new global.EventSource("/ours"), log)
  answers[0].reply(ok(pieces))
  await pieces.give("data: 1\n\nda")
  await pieces.give("ta: 2\n\n")
  assert.deepEqual([log.slice(1), pieces.pulls], [[["message", "1", "", "http://page.test"], ["message", "2", "", "http://page.test"]], 3])
})

for (const how of ["ends", "breaks"]) {
  test(`when the stream ${how}, it connects again, with what it had last`, async () => {
    const { global, install, answers, timers } = createCast()
    install()
    const log = []
    const pieces = createPieces()
    const source = watch(new global.EventSource("/ours"), log)
    answers[0].reply(ok(pieces))
    await pieces.give("retry: 40\nid: …\ndata: 1\n\nid: 8\n")
    if (how === "ends") await pieces.give(undefined)
    else await pieces.break()
    assert.deepEqual([log.at(-1), timers.map(({ delay }) => delay), answers.length], [["error", 0], [40], 1])
    timers[0].task()
    assert.deepEqual(answers[1].request.headers.at(-1), ["last-event-id", "…"])
    answers[1].reply(ok("data: 2\n\n"))
    await idle()
    assert.deepEqual(log.slice(3, 5), [["open", 1], ["message", "2", "…", "http://page.test"]])
    source.close()
  })
}

test("a network error is tried again", async () => {
  const { global, install, answers, timers } = createCast()
  install()
  const log = []
  watch(new global.EventSource("/ours"), log)
  answers[0].fail("redirected too often")
  assert.deepEqual([log, timers.length], [[["error", 0]], 1])
  timers[0].task()
  assert.equal(answers.length, 2)
})

test("and so is what nothing answers, where that is an error", async () => {
  const { global, install, timers } = createCast()
  install()
  const log = []
  watch(new global.EventSource("/error"), log)
  assert.deepEqual(log, [])
  await idle()
  assert.deepEqual([log, timers.length], [[["error", 0]], 1])
})

for (const [name, answer, complaint] of [
  ["204", { status: 204, headers }],
  ["404", { status: 404, headers }],
  ["500 with an event stream", { status: 500, headers, body: "data: 1\n\n" }],
  ["another type", { status: 200, headers: [["Content-Type", "application/json"]], body: "{}" }, /is answered as application\/json, .*takes text\/event-stream only\. Return Response/],
  ["no type", { status: 200, headers: [], body: "{}" }, /http:\/\/page\.test\/ours is answered without a content-type/],
]) {
  test(`${name} is an error for good`, async (t) => {
    const { global, install, answers, timers } = createCast()
    const complaints = t.mock.method(console, "error", () => {})
    install()
    const log = []
    watch(new global.EventSource("/ours"), log)
    answers[0].reply({ url: "http://page.test/ours", body: undefined, ...answer })
    await idle()
    assert.deepEqual([log, timers], [[["error", 2]], []])
    assert.equal(complaints.mock.callCount(), complaint ? 1 : 0)
    if (complaint) assert.match(complaints.mock.calls[0].arguments[0], complaint)
  })
}

for (const type of ["text/event-stream", "TEXT/Event-Stream", "text/event-stream;charset=utf-8", " text/event-stream ; x=y", "text/event-stream;charset=windows-1252", "text/plain, text/event-stream"]) {
  test(`${JSON.stringify(type)} is an event stream`, () => {
    const { global, install, answers } = createCast()
    install()
    const source = new global.EventSource("/ours")
    answers[0].reply({ ...ok(undefined), headers: [["content-type", type]] })
    assert.equal(source.readyState, 1)
  })
}

test("the next connection begins where a redirect has led", async () => {
  const { global, install, answers, timers } = createCast()
  install()
  const log = []
  const source = watch(new global.EventSource("/ours"), log)
  answers[0].reply({ ...ok("data: 1\n\n"), url: "http://other.test/ours/moved#there" })
  await idle()
  timers[0].task()
  assert.deepEqual(
    [source.url, log[1], answers[1].request.url],
    ["http://page.test/ours", ["message", "1", "", "http://other.test"], "http://other.test/ours/moved"],
  )
})

test("closed while it connects, the request is cancelled, and its answer is for nobody", async () => {
  const { global, install, answers, log } = createCast()
  install()
  const events = []
  const pieces = createPieces()
  const source = watch(new global.EventSource("/ours"), events)
  source.close()
  answers[0].reply(ok(pieces))
  await idle()
  assert.deepEqual([source.readyState, events, log, pieces.cancelled, pieces.pulls], [2, [], [["cancel"]], 1, 0])
})

test("closed while it is open, the stream is cancelled, and nothing follows, not even what has come", async () => {
  const { global, install, answers, timers } = createCast()
  install()
  const events = []
  const pieces = createPieces()
  const source = watch(new global.EventSource("/ours"), events)
  source.addEventListener("message", () => source.close())
  answers[0].reply(ok(pieces))
  await pieces.give("data: 1\n\ndata: 2\n\n")
  await pieces.give(undefined)
  assert.deepEqual([source.readyState, events.length, pieces.cancelled, pieces.pulls, timers], [2, 2, 1, 1, []])
})

test("closed in its first event, nothing is read", async () => {
  const { global, install, answers } = createCast()
  install()
  const pieces = createPieces()
  const source = new global.EventSource("/ours")
  source.onopen = () => source.close()
  answers[0].reply(ok(pieces))
  await idle()
  assert.deepEqual([source.readyState, pieces.cancelled, pieces.pulls], [2, 1, 0])
})

test("closed while it waits, it does not connect again", async () => {
  const { global, install, answers, timers } = createCast()
  install()
  const source = new global.EventSource("/ours")
  answers[0].reply(ok(""))
  await idle()
  source.close()
  assert.deepEqual([source.readyState, timers, answers.length], [2, [], 1])
})

test("closed in the event that says so, it does not even wait", async () => {
  const { global, install, answers, timers } = createCast()
  install()
  const source = new global.EventSource("/ours")
  source.onerror = () => source.close()
  answers[0].reply(ok(""))
  await idle()
  assert.deepEqual([source.readyState, timers], [2, []])
})

test("what a listener leaves to promises comes before the next event", async () => {
  const { global, install, answers } = createCast()
  install()
  const log = []
  const source = new global.EventSource("/ours")
  source.onmessage = async ({ data }) => {
    log.push(data)
    for (let n = 0; n < 10; n += 1) await null
    log.push(`after ${data}`)
  }
  answers[0].reply(ok("data: 1\n\ndata: 2\n\n"))
  await idle()
  source.close()
  assert.deepEqual(log, ["1", "after 1", "2", "after 2"])
})

test("a handler is a function, or nothing, and keeps its place", async () => {
  const { global, install, answers } = createCast()
  install()
  const log = []
  const source = new global.EventSource("/ours")
  const say = (text) => function (event) { log.push([text, this === source, event.type]) }
  source.onopen = say("first")
  source.addEventListener("open", say("listener"))
  source.onopen = say("instead")
  source.onmessage = say("none")
  source.onmessage = "text"
  source.onerror = say("none")
  source.onerror = null
  const object = {}
  source.addEventListener("error", say("error"))
  source.onerror = object
  const read = [source.onmessage, source.onerror === object]
  answers[0].reply(ok("data: 1\n\n"))
  await idle()
  source.close()
  assert.deepEqual([log, read], [[["instead", true, "open"], ["listener", true, "open"], ["error", true, "error"]], [null, true]])
})

test("held while the runtime loads, it is ours until it is known, and goes on then", async () => {
  const { global, http, install, answers, held } = createCast()
  install()
  http.holding = true
  const source = new global.EventSource("/ours")
  const closed = new global.EventSource("/ours")
  closed.close()
  assert.deepEqual([source.readyState, answers.length, held.length], [0, 0, 1])
  held[0]()
  answers[0].reply(ok(undefined))
  assert.deepEqual([answers.length, source.readyState, closed.readyState], [1, 1, 2])
})

test("a class of one's own, and what it calls of ours", () => {
  const { global, install, log } = createCast()
  install()
  class Mine extends global.EventSource {
    closed = 0
    close() {
      this.closed += 1
      super.close()
    }
  }
  const [ours, theirs] = [new Mine("/ours"), new Mine("/theirs")]
  for (const each of [ours, theirs]) each.close()
  assert.deepEqual(
    [ours instanceof Mine, theirs instanceof Mine, ours.closed, ours.readyState, theirs.readyState, Mine.CLOSED, log.map(([what]) => what)],
    [true, true, 1, 2, 0, 2, ["native", "cancel", "native close"]],
  )
})

test("what the native one refuses, it refuses itself", () => {
  const { global, install, log } = createCast()
  install()
  new global.EventSource("http://not a host/")
  new global.EventSource("data:text/event-stream,/ours")
  new global.EventSource()
  assert.deepEqual(log.map(([, url]) => url), ["http://not a host/", "data:text/event-stream,/ours", undefined])
  assert.throws(() => global.EventSource("/ours"), TypeError)
})

test("ended, all is as before", () => {
  const { global, install, log, NativeSource } = createCast()
  const before = Object.getOwnPropertyDescriptors(NativeSource.prototype)
  const uninstall = install()
  const replacement = global.EventSource
  uninstall()
  assert.deepEqual([global.EventSource === NativeSource, NativeSource.prototype.constructor === NativeSource], [true, true])
  assert.deepEqual(Object.getOwnPropertyDescriptors(NativeSource.prototype), before)
  new replacement("/ours")
  assert.deepEqual(log, [["native", "/ours", undefined]])
})

test("one that is left behind connects again with the network", () => {
  const { global, install, http, answers, timers } = createCast()
  const uninstall = install()
  const source = new global.EventSource("/ours")
  const asked = []
  http.offer = (_server, { url }, _then, installed) => {
    asked.push([url, installed()])
    return () => {}
  }
  uninstall()
  answers[0].fail("the server was reset")
  timers[0].task()
  source.close()
  assert.deepEqual(asked, [["http://page.test/ours", false]])
})

test("one that is open lives on", async () => {
  const { global, install, answers } = createCast()
  const uninstall = install()
  const source = new global.EventSource("/ours")
  uninstall()
  answers[0].reply(ok(undefined))
  assert.equal(source.readyState, 1)
  source.close()
  assert.equal(source.readyState, 2)
})

test("two who install it, and the last ends it; who ends twice ends once", () => {
  const { global, install, NativeSource } = createCast()
  const [first, second] = [install(), install()]
  first()
  first()
  assert.notEqual(global.EventSource, NativeSource)
  second()
  assert.equal(global.EventSource, NativeSource)
})

test("with another on top it stays as a pass-through, and is taken up again", () => {
  const { global, install, log, answers, NativeSource } = createCast()
  const uninstall = install()
  const Below = global.EventSource
  global.EventSource = class Wrapped extends Below {}
  const Above = global.EventSource
  uninstall()
  assert.equal(global.EventSource, Above)
  new global.EventSource("/ours")
  const again = install()
  new global.EventSource("/ours")
  again()
  global.EventSource = Below
  install()()
  assert.deepEqual([log.length, answers.length, global.EventSource === NativeSource], [1, 1, true])
})

test("two servers, one on the other", () => {
  const first = createCast()
  const second = createCast()
  const uninstall = first.install()
  const off = installEventSource(second.server, first.global, { ...second.http, offer: (_server, { url }, then) => then(url.endsWith("second") ? {} : undefined) })
  for (const url of ["/ours", "/second", "/theirs"]) new first.global.EventSource(url)
  const { prototype } = first.NativeSource
  assert.deepEqual([first.answers.length, second.answers.length, first.log.length, prototype.constructor === first.global.EventSource], [1, 1, 1, true])
  off()
  uninstall()
  assert.deepEqual([first.global.EventSource === first.NativeSource, prototype.constructor === first.NativeSource], [true, true])
})

test("a library's own EventSource, which is no EventTarget", () => {
  const { global, install, answers } = createCast()
  global.EventSource = class {
    constructor(url) {
      this.url = url
      this.readyState = 0
    }
  }
  install()
  const [ours, theirs] = [new global.EventSource("/ours"), new global.EventSource("/theirs")]
  answers[0].reply(ok(undefined))
  const log = []
  ours.onerror = () => log.push("error")
  ours.dispatchEvent(new Event("error"))
  assert.deepEqual(log, ["error"])
  assert.deepEqual([ours.url, ours.readyState, ours.onopen, theirs.url, theirs.readyState], ["http://page.test/ours", 1, null, "/theirs", 0])
  ours.close()
  assert.equal(ours.readyState, 2)
})

test("where there is none, there is nothing to do", () => {
  const { server, http } = createCast()
  installEventSource(server, {}, http)()
})
