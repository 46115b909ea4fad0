// The fauxServer object, from the first line of a page to its first answer.

import assert from "node:assert/strict"
import { test } from "node:test"

import * as answering from "../../js/answering.js"
import { createFauxServer } from "../../js/index.js"
import { createFakePage } from "./fakepage.mjs"
import { ask, createBackbone, createModel } from "./fakes.mjs"

/** A page whose runtime boots when `finish` is called. */
function createPage({ enabled = true, settings, intercept } = {}) {
  const { Backbone, network, native } = createBackbone()
  const errors = []
  const global = { Backbone, setTimeout, clearTimeout, reportError: (error) => errors.push(error.message) }
  const fake = createFakePage()
  const start = (callbacks) => fake.connect(callbacks)
  const pyodide = { pyimport: () => ({ start, destroy() {} }), setInterruptBuffer() {}, FS: {} }
  let boots = 0
  let finish
  let fail
  const booting = new Promise((resolve, reject) => {
    finish = () => resolve({ pyodide, boot: "snapshot", answering, base: "/fauxserver/" })
    fail = (message) => reject(new Error(message))
  })
  const boot = () => {
    boots += 1
    return booting
  }
  const created = createFauxServer({ global, boot, enabled, settings, intercept, version: "1.2.3", runtime: "/fauxserver/" })
  return { ...created, global, Backbone, network, native, errors, fake, finish, fail, boots: () => boots }
}

/** Run with the console silenced; gives back what it was told. */
async function quietly(run) {
  const told = []
  const { error } = console
  console.error = (...args) => told.push(args)
  try {
    await run()
  } finally {
    console.error = error
  }
  return told
}

test("F6 it is installed on the page's Backbone at once", () => {
  const { Backbone, native } = createPage()
  assert.notEqual(Backbone.sync, native)
})

test("F10 what was called and asked before ready is done after it, in order", async () => {
  const { fauxServer, Backbone, finish } = createPage()
  const order = []
  fauxServer.get("it/:n", (context, n) => { order.push(n) }).setLatency(0)
  const asked = ["1", "2", "3"].map((n) => ask(Backbone, "read", createModel({}, `it/${n}`)))
  fauxServer.get("named", "it/2", () => { order.push("the later one") })
  finish()
  const resolved = await fauxServer.ready
  await Promise.all(asked)
  assert.deepEqual([order, resolved === fauxServer, fauxServer.boot], [["1", "the later one", "3"], true, "snapshot"])
})

test("F10 what fails in the replay is reported with its arguments, and the rest goes on", async () => {
  const { fauxServer, finish } = createPage()
  fauxServer.get("bad(", () => 1).get("good", "good", () => 2)
  const told = await quietly(async () => {
    finish()
    await fauxServer.ready
  })
  assert.deepEqual([told.length, told[0][1][0], fauxServer.getRoute("good").name], [1, "bad(", "good"])
})

test("F10 what cannot wait says so, and what need not acts at once", () => {
  const { fauxServer, Backbone } = createPage()
  for (const act of [
    () => fauxServer.getRoute("n"),
    () => fauxServer.getRouteAt(0),
    () => fauxServer.getMatchingRoute("u"),
    () => Backbone.sync("read", createModel(), { async: false }),
  ]) assert.throws(act, /fauxServer\.ready/)
  assert.throws(() => fauxServer.addRoute(), /Missing mandatory 'urlExp'/)
  assert.equal(fauxServer.getVersion(), "1.2.3")
})

test("a boot that fails rejects ready, says why, and lets everything go to the network", async () => {
  const { fauxServer, Backbone, network, fail } = createPage()
  Backbone.sync("read", createModel({}, "held"), {})
  const told = await quietly(async () => {
    fail("runtime.js is missing")
    await assert.rejects(fauxServer.ready, /runtime\.js is missing/)
  })
  Backbone.sync("read", createModel({}, "later"), {})
  assert.deepEqual([network.map(({ model }) => model.url), told.flat().map(String)], [["held", "later"], ["fauxserver:", "Error: runtime.js is missing"]])
  assert.throws(() => fauxServer.getRoute("n"), /could not start.*fauxServer\.ready/)
})

test("a page that starts disabled boots nothing until it is enabled, which renews ready", async () => {
  const { fauxServer, Backbone, network, finish, boots } = createPage({ enabled: false })
  const first = fauxServer.ready
  await first
  fauxServer.get("it", () => ({ by: "us" }))
  Backbone.sync("read", createModel({}, "it"), {})
  const before = [boots(), network.length, fauxServer.boot]
  fauxServer.enable()
  const renewed = fauxServer.ready !== first
  finish()
  await fauxServer.ready
  const answer = await ask(Backbone, "read", createModel({}, "it"))
  assert.deepEqual([before, renewed, boots(), answer[1]], [[0, 1, undefined], true, 1, { by: "us" }])
})

test("disabled while it loads, it lets held requests go to the network", async () => {
  const { fauxServer, Backbone, network, finish } = createPage()
  fauxServer.get("it", () => {})
  Backbone.sync("read", createModel({}, "it"), {})
  const held = network.length
  fauxServer.enable(false)
  Backbone.sync("read", createModel({}, "it"), {})
  finish()
  await fauxServer.ready
  Backbone.sync("read", createModel({}, "it"), {})
  assert.deepEqual([held, network.length], [0, 3])
})

test("enable takes any false value for false, and undefined for true", async () => {
  const { fauxServer, Backbone, network, finish } = createPage()
  finish()
  await fauxServer.ready
  fauxServer.get("it", () => {})
  const counts = [[false], [0], [null], [""], [undefined], [], [true]].map((flag) => {
    network.length = 0
    fauxServer.enable(...flag)
    Backbone.sync("read", createModel({}, "it"), {})
    return network.length
  })
  assert.deepEqual(counts, [1, 1, 1, 1, 0, 0, 0])
})

test("what changes the server returns what it was called on", async () => {
  const { fauxServer, finish } = createPage()
  const { removeRoute } = fauxServer
  const chain = () => [
    fauxServer.addRoute("n", "u"), fauxServer.addRoutes(), fauxServer.get("u"), fauxServer.del("u"), fauxServer.removeRoute("n"),
    fauxServer.setDefaultHandler(), fauxServer.setLatency(), fauxServer.setTransportFactory(), fauxServer.setUnmatched(), fauxServer.enable(),
  ].every((each) => each === fauxServer)
  const before = chain()
  finish()
  await fauxServer.ready
  assert.deepEqual([before, chain(), removeRoute("n"), fauxServer.reset() === fauxServer], [true, true, undefined, true])
})

test("install gives back what undoes it, for one Backbone; uninstall undoes them all", async () => {
  const { fauxServer, Backbone, native } = createPage()
  const other = createBackbone()
  const uninstall = fauxServer.install(other.Backbone)
  uninstall()
  const one = [other.Backbone.sync === other.native, Backbone.sync === native]
  fauxServer.install(other.Backbone)
  fauxServer.install(other.Backbone)
  fauxServer.uninstall()
  assert.deepEqual([one, other.Backbone.sync === other.native, Backbone.sync === native], [[true, false], true, true])
  assert.throws(() => fauxServer.install({}), /no Backbone/)
})

test("runPython waits its turn before ready, and gives the value of its last expression", async () => {
  const { fauxServer, finish } = createPage()
  const early = fauxServer.runPython("1 + 1")
  finish()
  assert.deepEqual([await early, await fauxServer.runPython("2 + 2")], ["1 + 1", "2 + 2"])
})

test("stopping gives Backbone its own sync back, and lets go of what is held", () => {
  const { stop, Backbone, native, network } = createPage()
  Backbone.sync("read", createModel(), {})
  stop()
  assert.deepEqual([Backbone.sync === native, network.length], [true, 1])
})

test("listeners hear of answers in the journal's words, until they leave", async () => {
  const { fauxServer, Backbone, finish } = createPage()
  const heard = []
  const off = fauxServer.on("answer", (answered) => heard.push(answered))
  finish()
  await fauxServer.ready
  fauxServer.setLatency(3).post("shelf", "books", function keep() { throw new fauxServer.HTTPError(409, { taken: true }) })
  await ask(Backbone, "create", createModel({ title: "Zooey" }, "books"))
  off()
  off()
  await ask(Backbone, "create", createModel({}, "books"))
  const [{ duration, ...answered }] = heard
  assert.deepEqual([heard.length, typeof duration, answered], [1, "number", {
    method: "POST", url: "books", data: { title: "Zooey" }, body: { taken: true }, failed: true, status: 409, statusText: "Conflict",
    headers: {}, delay: 3, route: "shelf", label: "keep", location: "", error: undefined,
  }])
})

test("an answer tells what is wrong in its handler", async () => {
  const { fauxServer, Backbone, finish } = createPage({ settings: { quiet: true } })
  const heard = []
  fauxServer.on("answer", ({ status, error }) => heard.push([status, error.message, typeof error.line]))
  finish()
  await fauxServer.ready
  fauxServer.get("books", function list() { throw new RangeError("too many") })
  await quietly(() => ask(Backbone, "read", createModel({}, "books")))
  assert.deepEqual(heard, [[500, "RangeError: too many (in the handler list)", "number"]])
})

test("listeners hear once of a switch, whoever turns it", async () => {
  const { fauxServer, fake, finish } = createPage()
  const heard = []
  fauxServer.on("enable", (flag) => heard.push([flag, fauxServer.enabled]))
  fauxServer.enable(false).enable(false)
  finish()
  await fauxServer.ready
  fauxServer.enable()
  fake.page.enable(false)
  await null
  assert.deepEqual(heard, [[false, false], [true, true], [false, false]])
})

test("listeners hear that a boot has failed, as nothing is answered then", async () => {
  const { fauxServer, fail } = createPage()
  const heard = []
  fauxServer.on("enable", (flag) => heard.push(flag))
  await quietly(async () => {
    fail("no runtime")
    await fauxServer.ready.catch(() => {})
  })
  assert.deepEqual([heard, fauxServer.enabled], [[false], false])
})

test("listeners hear of latency and reset when they take effect", async () => {
  const { fauxServer, finish } = createPage()
  const heard = []
  fauxServer.on("latency", (...limits) => heard.push(limits))
  fauxServer.on("reset", () => heard.push("reset"))
  fauxServer.setLatency(50, 200)
  const before = heard.length
  finish()
  await fauxServer.ready
  fauxServer.setLatency().reset()
  assert.deepEqual([before, heard], [0, [[50, 200], [undefined, undefined], "reset"]])
})

test("what a listener throws reaches neither the others nor the request", async () => {
  const { fauxServer, Backbone, errors, finish } = createPage()
  const heard = []
  fauxServer.on("answer", () => { throw new Error("mine") })
  fauxServer.on("answer", ({ url }) => heard.push(url))
  finish()
  await fauxServer.ready
  fauxServer.get("it", () => 1)
  const answer = await ask(Backbone, "read", createModel({}, "it"))
  assert.deepEqual([heard, answer.slice(0, 2), errors], [["it"], ["success", 1], ["mine"]])
})

test("a listener for what does not happen is a mistake that says what does", () => {
  const { fauxServer } = createPage()
  assert.throws(() => fauxServer.on("answered", () => {}), {
    message: 'fauxServer.on: there is nothing called "answered". Write one of "answer", "enable", "latency", "reset".',
  })
  assert.throws(() => fauxServer.on("answer"), { message: 'fauxServer.on("answer"): the listener is no function. Give one.' })
})

test("a route file's text can be given; what is wrong with it says where, as the page knows the file", async () => {
  const { fauxServer, fake, finish } = createPage()
  const loaded = []
  fake.page.load = (path, source) => {
    loaded.push([path, source])
    return source === "good" ? "{}" : JSON.stringify({ error: { type: "RouteFileError", message: "routes.py, line 1: no", file: path, line: 1, source } })
  }
  finish()
  await fauxServer.ready
  const given = await fauxServer.load("https://example.com/api/routes.py", "good")
  const failed = await fauxServer.load("https://example.com/api/routes.py", "bad").catch((error) => error)
  assert.deepEqual([given === fauxServer, loaded.map(([, source]) => source), failed.message, failed.fault.file, failed.fault.line, failed.fault.source], [
    true, ["good", "bad"], "routes.py, line 1: no", "api/routes.py", 1, "bad",
  ])
})

test("who hears that a page is enabled can wait until it is ready", async () => {
  const { fauxServer, finish } = createPage({ enabled: false })
  const heard = []
  fauxServer.on("enable", (flag) => heard.push([flag, fauxServer.ready.then(() => fauxServer.boot)]))
  fauxServer.enable()
  finish()
  const [[flag, boot]] = heard
  assert.deepEqual([flag, await boot], [true, "snapshot"])
})

test("what there is to intercept is told to who asks for something else", () => {
  const { fauxServer } = createPage()
  assert.throws(() => fauxServer.intercept("fetch", "ajax"), {
    message: 'fauxServer.intercept: there is no "ajax". Give one or more of sync, fetch, xhr, eventsource.',
  })
})

test("intercepting sync can be ended and taken up again", async () => {
  const { fauxServer, Backbone, native, finish } = createPage()
  finish()
  await fauxServer.ready
  fauxServer.uninstall()
  const end = fauxServer.intercept("sync")
  const ours = Backbone.sync
  assert.notEqual(ours, native)
  end()
  end()
  assert.equal(Backbone.sync, native)
  fauxServer.intercept("sync")
  assert.notEqual(Backbone.sync, native)
})

test("sync is intercepted until the last who has asked for it ends it, and Backbone may come meanwhile", async () => {
  const { fauxServer, global, Backbone, native, finish } = createPage({ intercept: [] })
  const other = createBackbone()
  fauxServer.install(other.Backbone)
  delete global.Backbone
  fauxServer.intercept("sync")()
  assert.notEqual(other.Backbone.sync, other.native)
  const ends = [fauxServer.intercept("sync"), fauxServer.intercept("sync")]
  global.Backbone = Backbone
  finish()
  await fauxServer.ready
  const seen = [Backbone.sync === native]
  for (const end of ends) {
    end()
    seen.push(Backbone.sync === native)
  }
  assert.deepEqual(seen, [false, false, true])
})

test("what was uninstalled while the runtime loads stays so, and what it had kept goes to the network", async () => {
  const { fauxServer, Backbone, native, network, finish } = createPage()
  fauxServer.get("books/7", {})
  Backbone.sync("read", createModel(), {})
  fauxServer.uninstall()
  finish()
  await fauxServer.ready
  assert.deepEqual([Backbone.sync === native, network.length], [true, 1])
})

test("stopping ends all that was intercepted", () => {
  const { fauxServer, global, stop } = createPage()
  const fetch = () => {}
  global.fetch = fetch
  global.Request = Request
  fauxServer.intercept("fetch")
  const during = global.fetch
  stop()
  assert.deepEqual([during === fetch, global.fetch === fetch], [false, true])
})
