// Backbone.sync, answered by the server.

import assert from "node:assert/strict"
import { test } from "node:test"

import { installBackbone } from "../../js/backbone.js"
import { createHold } from "../../js/hold.js"
import { jqXHRTransport } from "../../js/transport.js"
import { ask, createBackbone, createCast, createModel, route, settled } from "./fakes.mjs"

function createInstalled(options) {
  const cast = createCast()
  const { Backbone, network, native } = createBackbone(options)
  const uninstall = installBackbone(cast.server, Backbone)
  return { ...cast, Backbone, network, native, uninstall }
}

test("all but the handler happens at once", async () => {
  const { bridge, scheduler, Backbone } = createInstalled()
  const log = []
  bridge.addRoute(route(undefined, "books/:id", "GET", () => { log.push("handler") }))
  const model = createModel()
  const returned = Backbone.sync("read", model, { success: () => log.push("success") })
  log.push("returned", model.events[0][0], model.events[0][2] === returned)
  await null
  log.push("microtask")
  await settled(scheduler)
  assert.deepEqual(log, ["returned", "request", true, "microtask", "handler", "success"])
})

test("what no route matches is the network's, with its own arguments and result", () => {
  const { Backbone, network } = createInstalled()
  const model = createModel()
  const options = {}
  const returned = Backbone.sync("read", model, options)
  const [call] = network
  assert.deepEqual(
    [returned, call.method, call.model === model, call.options === options, call.self === model, options],
    ["the network's", "read", true, true, true, { emulateHTTP: false, emulateJSON: false }],
  )
})

test("disabled, the network gets it untouched", () => {
  const { bridge, Backbone, network } = createInstalled()
  bridge.addRoute(route(undefined, "books/:id", "*", () => {}))
  bridge.enable(false)
  Backbone.sync("read", createModel(), undefined)
  assert.deepEqual([network.length, network[0].options], [1, undefined])
})

test("without a url it throws at once", () => {
  const { Backbone } = createInstalled()
  const message = "sync: Undefined 'url' property or function of Model / Collection"
  assert.throws(() => Backbone.sync("read", createModel({}, () => ""), {}), new Error(message))
  assert.throws(() => Backbone.sync("read", createModel({}, null), {}), new Error(message))
})

for (const [method, options, expected] of [
  ["create", {}, ["POST", undefined, { a: 1 }]],
  ["create", { attrs: { b: 2 } }, ["POST", undefined, { a: 1 }]],
  ["update", {}, ["PUT", undefined, { a: 1 }]],
  ["patch", { attrs: { b: 2 } }, ["PATCH", undefined, { b: 2 }]],
  ["patch", { attrs: {} }, ["PATCH", undefined, {}]],
  ["patch", {}, ["PATCH", undefined, { a: 1 }]],
  ["read", {}, ["GET", undefined, undefined]],
  ["read", { data: { b: 2 } }, ["GET", undefined, { b: 2 }]],
  ["delete", {}, ["DELETE", undefined, undefined]],
  ["create", { data: "" }, ["POST", undefined, { a: 1 }]],
  ["read", { emulateHTTP: true }, ["GET", undefined, undefined]],
  ["create", { emulateHTTP: true }, ["POST", "POST", { a: 1 }]],
  ["patch", { emulateHTTP: true, attrs: { b: 2 } }, ["POST", "PATCH", { b: 2 }]],
  ["delete", { emulateHTTP: true }, ["POST", "DELETE", undefined]],
]) {
  test(`${method} with ${JSON.stringify(options)}`, async () => {
    const { bridge, Backbone } = createInstalled()
    let context
    bridge.addRoute(route(undefined, "books/:id", "*", (given) => { context = given }))
    await ask(Backbone, method, createModel(), options)
    assert.deepEqual([context.httpMethod, context.httpMethodOverride, context.data], expected)
  })
}

test("options.faux tells how it was answered", async () => {
  const { fake, bridge, Backbone } = createInstalled()
  bridge.addRoute(route(undefined, "js", "GET", () => "410"))
  fake.python("GET", "python", () => ({ status: 201, reason: "Created", headers: { "X-Mine": "1" }, failed: false, body: { id: 1 } }))
  const js = await ask(Backbone, "read", createModel({}, "js"))
  const python = await ask(Backbone, "read", createModel({}, "python"))
  assert.deepEqual([js, python], [
    ["error", "410", { status: 410, statusText: "Gone", headers: {} }],
    ["success", { id: 1 }, { status: 201, statusText: "Created", headers: { "X-Mine": "1" } }],
  ])
})

test("what a callback throws does not lose the next answer", async () => {
  const { fake, Backbone, errors } = createInstalled()
  fake.python("GET", "it", () => ({ b: 2 }))
  Backbone.sync("read", createModel({}, "it"), { success: () => { throw new Error("mine") } })
  const next = await ask(Backbone, "read", createModel({}, "it"))
  assert.deepEqual([next.slice(0, 2), errors], [["success", { b: 2 }], ["mine"]])
})

test("async: false is answered before sync returns, without latency", () => {
  const { fake, bridge, Backbone } = createInstalled()
  fake.python("GET", "python", () => ({ by: "Python" }))
  bridge.addRoute(route(undefined, "js", "GET", () => ({ by: "JavaScript" })))
  bridge.setLatency(10000)
  const log = []
  for (const url of ["python", "js"]) Backbone.sync("read", createModel({}, url), { async: false, success: ({ by }) => log.push(by) })
  assert.deepEqual(log, ["Python", "JavaScript"])
})

test("a request keeps the handler it matched", async () => {
  const { bridge, Backbone } = createInstalled()
  bridge.addRoute(route("n", "it", "GET", () => ({ by: "first" })))
  const answer = ask(Backbone, "read", createModel({}, "it"))
  bridge.addRoute(route("n", "it", "GET", () => ({ by: "second" })))
  bridge.removeRoutes()
  bridge.enable(false)
  assert.deepEqual((await answer).slice(0, 2), ["success", { by: "first" }])
})

test("abort: the handler is not run, the error callback is told", async () => {
  const { fake, bridge, scheduler, Backbone } = createInstalled()
  const log = []
  bridge.addRoute(route(undefined, "it", "GET", () => { log.push("ran") }))
  const returned = Backbone.sync("read", createModel({}, "it"), { error: (reason) => log.push(reason) })
  returned.abort()
  const reason = await returned.catch((given) => given)
  await settled(scheduler)
  assert.deepEqual([log, reason, fake.dropped.length], [[{ status: 0, statusText: "abort" }], { status: 0, statusText: "abort" }, 1])
})

test("a transport factory gets options and context, nothing more, and its promise is returned as it is", async () => {
  const { bridge, Backbone } = createInstalled()
  bridge.addRoute(route(undefined, "it", "GET", () => ({ b: 2 })))
  const promise = Object.freeze({})
  const seen = []
  bridge.setTransportFactory(function (options, context) {
    seen.push(arguments.length, context.url)
    return { promise: () => promise, resolve: options.success, reject: options.error }
  })
  const returned = Backbone.sync("read", createModel({}, "it"), {})
  const answer = await ask(Backbone, "read", createModel({}, "it"))
  assert.deepEqual([returned === promise, seen.slice(0, 2), answer.slice(0, 2)], [true, [2, "it"], ["success", { b: 2 }]])
})

test("the jqXHR-like factory is one of them, and can abort", async () => {
  const { fake, bridge, Backbone } = createInstalled()
  bridge.addRoute(route(undefined, "it", "GET", () => ({ b: 2 })))
  bridge.setTransportFactory(jqXHRTransport)
  const options = {}
  const good = Backbone.sync("read", createModel({}, "it"), options)
  const bad = Backbone.sync("read", createModel({}, "it"), {})
  bad.abort()
  const value = await good
  assert.deepEqual([value, good.status, options.xhr === good, bad.statusText, fake.dropped.length], [{ b: 2 }, 200, true, "abort", 1])
})

test("a transport factory of Python's makes its transports there", async () => {
  const { fake, scheduler, Backbone } = createInstalled()
  fake.python("GET", "it", () => ({ b: 2 }))
  fake.page.python_factory()
  const returned = Backbone.sync("read", createModel({}, "it"), {})
  await settled(scheduler)
  assert.deepEqual([returned, fake.transported], ["from Python", [["resolve", '{"b":2}']]])
})

test("uninstall restores the sync there was, and install comes back", () => {
  const { server, Backbone, native, uninstall } = createInstalled()
  uninstall()
  const restored = Backbone.sync === native
  installBackbone(server, Backbone)
  assert.deepEqual([restored, Backbone.sync === native], [true, false])
})

test("install comes back where somebody put the first sync back", () => {
  const { server, Backbone, native } = createInstalled()
  const ours = Backbone.sync
  Backbone.sync = native
  installBackbone(server, Backbone)
  assert.equal(Backbone.sync, ours)
})

test("under a patch of somebody else ours passes through, and is taken up again", async () => {
  const { server, bridge, Backbone, network, uninstall } = createInstalled()
  bridge.addRoute(route(undefined, "it", "GET", () => ({ b: 2 })))
  const ours = Backbone.sync
  const patch = function (...args) { return ours.apply(this, args) }
  Backbone.sync = patch
  uninstall()
  Backbone.sync("read", createModel({}, "it"), {})
  const passed = network.length
  installBackbone(server, Backbone)
  const answer = await ask(Backbone, "read", createModel({}, "it"))
  assert.deepEqual([passed, Backbone.sync === patch, answer.slice(0, 2)], [1, true, ["success", { b: 2 }]])
})

// --- Held -------------------------------------------------------------------------------------------------------------

function createHeld(options) {
  const cast = createInstalled(options)
  const held = createHold()
  cast.server.hold = held.keep
  const release = (ours = true) => {
    cast.server.hold = undefined
    held.release(ours, cast.scheduler.shield)
  }
  return { ...cast, release }
}

test("F10 a held request is answered later, with the url and the data it had", async () => {
  const { fake, Backbone, release } = createHeld()
  fake.python("PUT", "books/:id", ({ data, url }) => ({ data, url }))
  const attributes = { title: "then", tags: ["a"] }
  const model = createModel(attributes)
  const answer = ask(Backbone, "update", model)
  model.url = "elsewhere"
  attributes.title = "now"
  attributes.tags.push("later")
  const triggered = model.events.length
  release()
  assert.deepEqual([triggered, (await answer)[1]], [0, { data: { title: "then", tags: ["a"] }, url: "books/7" }])
  assert.deepEqual(model.events.map(([name]) => name), ["request"])
})

test("F10 a held request that is not ours goes to the network as it was", async () => {
  const { Backbone, network, release } = createHeld()
  const attributes = { title: "then" }
  const model = createModel(attributes)
  Backbone.returned = Promise.resolve("the network's")
  const returned = Backbone.sync("update", model, {})
  attributes.title = "now"
  model.url = "elsewhere"
  release()
  const { url, attrs } = network[0].options
  assert.deepEqual([url, attrs, await returned], ["books/7", { title: "then" }, "the network's"])
})

test("F10 its abort is the real one's, once there is one", async () => {
  const { Backbone, network, release } = createHeld()
  let aborted = 0
  Backbone.returned = Object.assign(Promise.reject("abort"), { abort: () => { aborted += 1 } })
  const returned = Backbone.sync("read", createModel(), {})
  release()
  returned.abort()
  const reason = await returned.catch((given) => given)
  assert.deepEqual([network.length, aborted, reason], [1, 1, "abort"])
})

test("F10 one that is aborted while it is held is not made", async () => {
  const { Backbone, network, release } = createHeld()
  const reasons = []
  Backbone.sync("read", createModel(), { error: (reason) => reasons.push(reason.statusText) }).abort()
  release()
  assert.deepEqual([reasons, network], [["abort"], []])
})

test("F10 async: false cannot be held", () => {
  const { Backbone } = createHeld()
  assert.throws(() => Backbone.sync("read", createModel(), { async: false }), /fauxServer\.ready/)
})

test("F10 the promise of a held request follows a custom transport", async () => {
  const { bridge, Backbone, release } = createHeld()
  bridge.addRoute(route(undefined, "it", "GET", () => ({ b: 2 })))
  bridge.setTransportFactory(() => ({ promise: () => "mine", resolve() {}, reject() {} }))
  const returned = Backbone.sync("read", createModel({}, "it"), {})
  release()
  assert.deepEqual(await returned, { b: 2 })
})

test("F10 one that fails when it is let go does not keep the others", () => {
  const { Backbone, network, native, errors, release } = createHeld()
  const requests = [createModel({}, "one"), createModel({}, "two")]
  requests[0].trigger = () => {}
  for (const model of requests) Backbone.sync("read", model, {})
  network.push = ((push) => function (call) {
    if (call.model === requests[0]) throw new Error("no jQuery")
    return push.call(this, call)
  })(network.push)
  release()
  assert.deepEqual([errors, network.length, typeof native], [["no jQuery"], 1, "function"])
})

test("B8 a local sync has its answer before it returns, until it is uninstalled", async () => {
  const { Backbone } = createBackbone()
  const { server, bridge, fake, scheduler } = createCast()
  const order = []
  const say = (word) => ({ success: (value) => order.push([word, value]) })
  bridge.addRoute(route(undefined, "js", "GET", () => 1))
  bridge.addRoute(route(undefined, "later", "GET", async () => 2))
  fake.python("GET", "python", () => 3)
  bridge.setLatency(60_000)

  const uninstall = installBackbone(server, Backbone, { local: true })
  for (const url of ["js", "later", "python"]) {
    const promise = Backbone.sync("read", createModel({}, url), say(url))
    order.push([typeof promise.abort, url])
  }
  await settled(scheduler)
  assert.deepEqual(order, [["js", 1], ["function", "js"], ["function", "later"], ["python", 3], ["function", "python"], ["later", 2]])

  uninstall()
  bridge.setLatency(0)
  installBackbone(server, Backbone)
  order.length = 0
  Backbone.sync("read", createModel({}, "js"), say("js"))
  assert.deepEqual(order, [])
  await settled(scheduler)
  assert.deepEqual(order, [["js", 1]])
})
