// The small parts: what is held, the switch, the clock that stops handlers, paths and texts of route files.

import assert from "node:assert/strict"
import { test } from "node:test"

import { inNode } from "../../js/files.js"
import { createHold } from "../../js/hold.js"
import { findScripts, pathOf, runScript, shownPath, withoutIndent } from "../../js/pagescripts.js"
import { deadExchange } from "../../js/protect.js"
import { createTimeLimit } from "../../js/timelimit.js"
import { remember, startsEnabled } from "../../js/toggle.js"

test("F10 recorded calls are made in order; one that fails is reported, and the rest goes on", async () => {
  const hold = createHold()
  const log = []
  hold.record({ name: "get", args: ["a"], run: () => log.push("a") })
  hold.record({ name: "get", args: ["b("], run: () => { throw new Error("no") } })
  hold.record({ name: "load", args: ["c"], run: async () => { hold.record({ name: "get", args: ["d"], run: () => log.push("d") }) } })
  await hold.replay((call, error) => log.push([call.name, call.args, error.message]))
  assert.deepEqual(log, ["a", ["get", ["b("], "no"], "d"])
})

test("F10 kept requests are let go once, in order, but for those that were forgotten", () => {
  const hold = createHold()
  const log = []
  hold.keep((ours) => log.push(["first", ours]))
  hold.keep(() => log.push("never"))()
  hold.keep((ours) => log.push(["third", ours]))
  for (const round of [1, 2]) hold.release(round === 1, (task) => task())
  assert.deepEqual(log, [["first", true], ["third", true]])
})

function createStorage(entries = {}) {
  return { entries, getItem: (key) => entries[key] ?? null, setItem: (key, value) => { entries[key] = value } }
}

for (const [search, stored, expected, then] of [
  ["", {}, true, {}],
  ["?fauxserver=off", {}, false, { fauxserver: "off" }],
  ["?a=1&fauxserver=off&b=2", {}, false, { fauxserver: "off" }],
  ["?fauxserver=on", { fauxserver: "off" }, true, { fauxserver: "on" }],
  ["", { fauxserver: "off" }, false, { fauxserver: "off" }],
  ["?fauxserver=offline", {}, true, {}],
  ["?notfauxserver=off", {}, true, {}],
]) {
  test(`the address ${search || "without a word"} with ${JSON.stringify(stored)} remembered`, () => {
    const localStorage = createStorage({ ...stored })
    const enabled = startsEnabled({ location: { search }, localStorage })
    assert.deepEqual([enabled, localStorage.entries], [expected, then])
  })
}

test("a page without storage goes by its address alone", () => {
  const global = { location: { search: "?fauxserver=off" }, get localStorage() { throw new Error("denied") } }
  remember(global, true)
  assert.deepEqual([startsEnabled(global), startsEnabled({})], [false, true])
})

test("Python is interrupted when its time is over, and again if it goes on, until it is called off", () => {
  let time = 0
  let buffer
  let free = () => {}
  const whenFree = (task) => { free = task; return () => {} }
  const limit = createTimeLimit({ setInterruptBuffer: (given) => { buffer = given } }, { clock: () => time, whenFree, freeLooks: 0 })
  const look = () => buffer.look()
  const seen = [look()]
  limit.arm(100)
  for (time of [50, 100, 101, 102, 121, 122]) seen.push(look())
  limit.disarm()
  time = 1000
  seen.push(look())
  assert.deepEqual(seen, [0, 0, 0, 2, 0, 0, 2, 0])

  limit.watch()
  // What nobody has armed has 5 s from the first look on, unless the page has had its thread meanwhile.
  time = 5_500
  assert.equal(look(), 0)
  free()
  time = 9_000
  assert.equal(look(), 0)
  time = 14_001
  assert.equal(look(), 2)
})

test("a limited call is interrupted when its time is over, and the time of a call within it does not count", () => {
  let time = 0
  let buffer
  const limit = createTimeLimit({ setInterruptBuffer: (given) => { buffer = given } }, { clock: () => time, whenFree: () => () => {}, freeLooks: 0 })
  const seen = []
  const look = (at) => {
    time = at
    seen.push(buffer.look())
  }
  const inner = limit.limited((to) => { look(150); look(to); return "inner" }, 100)
  const outer = limit.limited(() => { look(60); const told = inner(161); look(200); look(202); return told }, 100)
  assert.equal(outer(), "inner")
  look(10_000)
  const broken = limit.limited(() => { throw new Error("broken") }, 100)
  assert.throws(broken, { message: "broken" })
  look(20_000)
  // The inner one began at 60, and ends at 161; the outer one has until 201 then.
  assert.deepEqual(seen, [0, 0, 2, 0, 2, 0, 0])
})

test("the first looks of a call do not read the clock", () => {
  let buffer
  let read = 0
  const clock = () => { read += 1; return read * 100 }
  const limit = createTimeLimit({ setInterruptBuffer: (given) => { buffer = given } }, { clock, whenFree: () => () => {}, freeLooks: 2 })
  const looks = (count) => Array.from({ length: count }, () => buffer.look())
  assert.deepEqual(limit.limited(looks, 50)(3), [0, 0, 2])
  assert.equal(read, 2)
  limit.arm(50)
  assert.deepEqual(looks(3), [0, 0, 2])
})

for (const [url, path] of [
  ["http://localhost:8000/app/routes.py", "/page/localhost_8000/app/routes.py"],
  ["http://localhost:8000/app/routes.py?v=2#top", "/page/localhost_8000/app/routes.py"],
  ["https://cdn.example.com/a%20b/r.py", "/page/cdn.example.com/a b/r.py"],
  ["http://h/a/%2e%2e/r.py", "/page/h/r.py"],
  ["file:///home/me/routes.py", "/page/files/home/me/routes.py"],
]) {
  test(`${url} lies at ${path}`, () => {
    assert.equal(pathOf(url), path)
  })
}

test("a file is shown as the person who wrote it knows it", () => {
  assert.deepEqual(["/page/localhost_8000/app/routes.py", "<runPython 1>"].map(shownPath), ["app/routes.py", "<runPython 1>"])
})

test("inline Python is read without the indent of the markup around it", () => {
  assert.equal(withoutIndent("\n    a = 1\n    if a:\n        b = 2\n\n    "), "a = 1\nif a:\n    b = 2\n\n")
  assert.equal(withoutIndent("a = 1\n  b"), "a = 1\n  b")
})

test("the page's scripts are found in document order", () => {
  const script = (src, textContent) => ({ hasAttribute: () => src !== undefined, getAttribute: () => src, textContent })
  const document = {
    baseURI: "http://h/app/page.html?x=1",
    querySelectorAll: () => [script("routes.py"), script(undefined, "\n  a = 1"), script("/other.py")],
  }
  assert.deepEqual(findScripts(document), [
    { path: "/page/h/app/routes.py", url: "http://h/app/routes.py" },
    { path: "/page/h/app/inline_2.py", source: "a = 1" },
    { path: "/page/h/other.py", url: "http://h/other.py" },
  ])
})

test("what a script declares is there before it runs", async () => {
  const log = []
  const host = {
    metadata: () => ({ dependencies: ["humanize"], files: [], index: "http://index/" }),
    installPackages: async (requirements, options) => log.push(["install", requirements, options]),
    write: () => {},
    load: (path) => log.push(["load", path]),
  }
  await runScript(host, { path: "/page/h/routes.py", url: "http://h/routes.py" }, "source")
  assert.deepEqual(log, [
    ["install", ["humanize"], { index: "http://index/", from: "http://h/routes.py" }],
    ["load", "/page/h/routes.py"],
  ])
})

test("a page with a stand-in for Node's process is no Node", () => {
  const own = globalThis.process
  const seen = [inNode()]
  Object.defineProperty(globalThis, "process", { value: { env: {}, versions: { node: "20.0.0" } }, configurable: true, writable: true })
  try {
    seen.push(inNode())
  } finally {
    Object.defineProperty(globalThis, "process", { value: own, configurable: true, writable: true })
  }
  assert.deepEqual(seen, [true, false])
})

test("once Python has crashed, a client of HTTP is told so in HTTP's words", (t) => {
  t.mock.method(console, "error", () => {})
  const answers = []
  for (const send of [false, true]) {
    const exchange = deadExchange(new Error("Python has crashed."), { method: "GET", url: "books" })
    if (send) exchange.send({ headers: [], body: undefined })
    exchange.answer(({ status, body, value, headers }) => answers.push([status, body ?? value, headers]))
  }
  assert.deepEqual(answers, [
    [500, "Error: Python has crashed.", {}],
    [500, "Error: Python has crashed.", { "content-type": "text/plain; charset=utf-8" }],
  ])
})
