// What becomes of requests that no route answers.

import assert from "node:assert/strict"
import { test } from "node:test"

import { readUnmatched } from "../../js/args.js"
import { installBackbone } from "../../js/backbone.js"
import { createHold } from "../../js/hold.js"
import { createUnmatched } from "../../js/unmatched.js"
import { ask, createBackbone, createCast, createModel, route } from "./fakes.mjs"

/** The policies of a bridge, and what the console is told. */
function createDecider() {
  const cast = createCast()
  const lines = []
  const console = { warn: (text) => lines.push(["warn", text]), error: (...texts) => lines.push(["error", ...texts.map(String)]) }
  const { bridge } = cast
  return { ...cast, lines, ...createUnmatched({ ask: bridge.unmatched, explain: bridge.explain, console }) }
}

const WARNED = 'It goes to the network. To keep this quiet: fauxServer.setUnmatched("bypass"), for some urls setUnmatched("api/", "bypass").'
const FAILED = 'It fails, because the policy for such requests is "error" (fauxServer.setUnmatched, or set_unmatched in a route file).'

const get = (url, door = "fetch") => ({ method: "GET", url, door, base: door === "sync" ? undefined : "http://host/" })

test("without a policy they go to the network in silence", () => {
  const { unmatched, lines } = createDecider()
  assert.deepEqual([unmatched(get("http://host/a")), lines], ["network", []])
})

test("a warning names the request and why no route answers it, once", () => {
  const { bridge, unmatched, lines } = createDecider()
  bridge.setUnmatched(undefined, "warn")
  const decided = [get("http://host/a"), get("http://host/a"), get("http://host/a", "xhr"), get("http://host/b")].map(unmatched)
  assert.deepEqual(decided, ["network", "network", "network", "network"])
  assert.deepEqual(lines, [
    ["warn", `fauxserver: GET http://host/a is not answered here. Below http://host/.\n${WARNED}`],
    ["warn", `fauxserver: GET http://host/b is not answered here. Below http://host/.\n${WARNED}`],
  ])
})

test("another reason is told again", () => {
  const { bridge, unmatched, lines } = createDecider()
  bridge.setUnmatched(undefined, "warn")
  unmatched(get("http://host/a"))
  bridge.addRoute(route(undefined, /a$/, "PUT", () => {}))
  unmatched(get("http://host/a"))
  assert.deepEqual(lines.map(([, text]) => text.split("\n")[0]), [
    "fauxserver: GET http://host/a is not answered here. Below http://host/.",
    "fauxserver: GET http://host/a is not answered here. Below http://host/. Hits: 1.",
  ])
})

test("an error fails, and says so once", () => {
  const { bridge, unmatched, lines } = createDecider()
  bridge.setUnmatched(undefined, "error")
  assert.deepEqual([unmatched(get("books", "sync")), unmatched(get("books", "sync"))], ["fail", "fail"])
  assert.deepEqual(lines, [["error", `fauxserver: GET books is not answered here.\n${FAILED}`]])
})

test("a function of the page is asked, and may leave it to the others", () => {
  const { bridge, unmatched, faults } = createDecider()
  const asked = []
  bridge.setUnmatched(undefined, "error")
  bridge.setUnmatched("http://host/", (request) => {
    asked.push(request)
    return request.url.endsWith("live") ? "bypass" : undefined
  })
  assert.deepEqual([unmatched(get("http://host/live")), unmatched(get("http://host/a"))], ["network", "fail"])
  assert.deepEqual([asked, faults], [["http://host/live", "http://host/a"].map((url) => ({ method: "GET", url, door: "fetch" })), []])
})

for (const [what, policy, message] of [
  ["no policy", () => "loud", 'The policy that setUnmatched was given returned "loud" for GET http://host/a. Return "bypass", "warn" or "error", or nothing for the default.'],
  ["a promise", async () => { throw new Error("unheard") }, 'The policy that setUnmatched was given returned a promise for GET http://host/a. Return "bypass", "warn" or "error", or nothing for the default.'],
  ["nothing, and throws", () => { throw new Error("oops") }, "The policy that setUnmatched was given failed for GET http://host/a."],
]) {
  test(`a function that returns ${what} is told of, and the others count`, () => {
    const { bridge, unmatched, faults } = createDecider()
    bridge.setUnmatched(undefined, "error")
    bridge.setUnmatched(undefined, policy)
    assert.deepEqual([unmatched(get("http://host/a")), faults], ["fail", [message]])
  })
}

test("what is wrong with us does not keep a request from the network", () => {
  const lines = []
  const console = { warn() {}, error: (...texts) => lines.push(texts.map(String)) }
  const { unmatched } = createUnmatched({ ask() { throw new Error("gone") }, explain: () => "", console })
  assert.deepEqual([unmatched(get("http://host/a")), lines], ["network", [["fauxserver:", "Error: gone"]]])
})

test("what a sync uses to reach the network is not warned of once more, and may fail", () => {
  const { bridge, unmatched, passing, lines } = createDecider()
  bridge.setUnmatched(undefined, "warn")
  bridge.setUnmatched("http://host/never", "error")
  const decided = [unmatched(get("books", "sync")), passing(() => unmatched(get("http://host/books", "xhr")))]
  const other = passing(() => unmatched(get("http://host/never", "xhr")))
  assert.deepEqual([...decided, other, unmatched(get("http://host/books", "xhr"))], ["network", "network", "fail", "network"])
  assert.deepEqual(lines.map(([level, text]) => `${level} ${text.split(" ")[2]}`), ["warn books", "error http://host/never", "warn http://host/books"])
})

// --- Backbone ------------------------------------------------------------------------------------------------------------

function createInstalled({ hold } = {}) {
  const decider = createDecider()
  const { server, unmatched, passing } = decider
  const { Backbone, network } = createBackbone()
  Object.defineProperty(server, "hold", { get: () => hold?.keep })
  Object.assign(server, { unmatched, passing })
  installBackbone(server, Backbone)
  return { ...decider, Backbone, network }
}

test("Backbone: a sync that is to fail does so as without a network, asynchronously", async () => {
  const { bridge, Backbone, network } = createInstalled()
  bridge.setUnmatched("books", "error")
  const model = createModel()
  let early = true
  const asked = ask(Backbone, "read", model).then((told) => [...told, early])
  early = false
  const error = { status: 0, statusText: "error" }
  assert.deepEqual(await asked, ["error", error, { ...error, headers: {} }, false])
  assert.deepEqual([model.events.map(([name]) => name), network], [["request"], []])
})

test("Backbone: the promise of such a sync is rejected, and it can be synchronous", async () => {
  const { bridge, Backbone } = createInstalled()
  bridge.setUnmatched(undefined, "error")
  const told = []
  const promise = Backbone.sync("create", createModel(), { async: false, error: (reason) => told.push(reason) })
  assert.deepEqual(told, [{ status: 0, statusText: "error" }])
  await assert.rejects(promise, (reason) => reason.status === 0)
})

test("Backbone: a sync that is warned of goes to the network", () => {
  const { bridge, Backbone, network, lines } = createInstalled()
  bridge.setUnmatched(undefined, "warn")
  const returned = Backbone.sync("update", createModel(), {})
  assert.deepEqual([returned, network.length], ["the network's", 1])
  assert.deepEqual(lines, [["warn", `fauxserver: PUT books/7 is not answered here.\n${WARNED}`]])
})

test("Backbone: a sync that was held fails once it is known", async () => {
  const held = createHold()
  let hold = held
  const { bridge, Backbone, scheduler, network } = createInstalled({ hold: { get keep() { return hold?.keep } } })
  bridge.setUnmatched(undefined, "error")
  const asked = ask(Backbone, "read", createModel())
  hold = undefined
  held.release(true, scheduler.shield)
  assert.deepEqual([(await asked).slice(0, 2), network], [["error", { status: 0, statusText: "error" }], []])
})

test("Backbone: a disabled server has no policy", () => {
  const { bridge, Backbone, network } = createInstalled()
  bridge.setUnmatched(undefined, "error")
  bridge.enable(false)
  Backbone.sync("read", createModel(), {})
  assert.equal(network.length, 1)
})

// --- setUnmatched --------------------------------------------------------------------------------------------------------

const policy = () => "warn"

for (const [args, expected] of [
  [["warn"], [undefined, "warn"]],
  [[policy], [undefined, policy]],
  [["api/", "error"], ["api/", "error"]],
  [["api/", policy], ["api/", policy]],
  [["api/", null], ["api/", undefined]],
  [["api/", undefined], ["api/", undefined]],
  [[null, "bypass"], [undefined, "bypass"]],
  [[], [undefined, undefined]],
  [[null], [undefined, undefined]],
]) {
  test(`setUnmatched(${args.map(String).join(", ")})`, () => {
    const read = readUnmatched(args)
    assert.deepEqual([read.prefix, read.policy], expected)
  })
}

for (const [args, message] of [
  [["eror"], 'fauxServer.setUnmatched: "eror" is no policy. Give "bypass", "warn" or "error", or a function of the request that returns one of these.'],
  [["api/"], 'fauxServer.setUnmatched: "api/" is no policy. Give "bypass", "warn" or "error", or a function of the request that returns one of these.'],
  [["api/", true], 'fauxServer.setUnmatched: true is no policy. Give "bypass", "warn" or "error", or a function of the request that returns one of these.'],
  [[/api/, "warn"], 'fauxServer.setUnmatched: /api/ is no prefix of urls. Give a text, as in "api/".'],
]) {
  test(`setUnmatched(${args.map(String).join(", ")}) says what is wrong`, () => {
    assert.throws(() => readUnmatched(args), { name: "TypeError", message })
  })
}
