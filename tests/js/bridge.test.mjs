// The crossing: at most two calls a request, and nothing that grows with them.

import assert from "node:assert/strict"
import { test } from "node:test"

import { HTTPError, Response } from "../../js/reply.js"
import { createCast, route } from "./fakes.mjs"

const answerOf = (exchange, data, options) => new Promise((resolve) => {
  exchange.take(data)
  exchange.answer(resolve, options)
})

test("a request for a Python handler crosses twice", async () => {
  const { fake, bridge } = createCast()
  fake.python("PUT", "books/:id", ({ data, url }) => ({ data, url }))
  bridge.accept({ method: "PUT", url: "books/1" }).drop()
  fake.log.length = 0
  const reply = await answerOf(bridge.accept({ method: "PUT", url: "books/7" }), { a: [1, null] })
  assert.deepEqual([reply.value, reply.status, fake.log], [{ data: { a: [1, null] }, url: "books/7" }, 200, ["accept", "answer"]])
})

test("a request for a JavaScript handler crosses twice, and its values by identity", async () => {
  const { fake, bridge } = createCast()
  const result = {}
  const data = {}
  const seen = []
  bridge.addRoute(route(undefined, "books/:id(/:part)", "PUT", (...args) => {
    seen.push(args)
    return result
  }))
  fake.log.length = 0
  const exchange = bridge.accept({ method: "PUT", url: "books/7" })
  const reply = await answerOf(exchange, data)
  const [[context, ...captures]] = seen
  assert.deepEqual([reply.value === result, context.data === data, captures, fake.log], [true, true, ["7", undefined], ["accept", "done"]])
  assert.deepEqual(Object.keys(context), ["data", "url", "httpMethod", "route"])
})

test("a row of Python's is described once, when somebody wants to know of it", async () => {
  const { fake, bridge, answered } = createCast()
  const { describe } = fake.page
  fake.page.describe = (row) => {
    fake.log.push("describe")
    return describe(row)
  }
  fake.python("GET", "books/:id", function read() {}, { name: "one book" })
  for (let id = 1; id < 4; id += 1) await answerOf(bridge.accept({ method: "GET", url: `books/${id}` }))
  const before = fake.log.filter((each) => each === "describe").length
  const told = answered.map(({ row }) => [row.name, row.label, row.location, row.httpMethod, row.python, row.capture("books/7")])
  assert.deepEqual(told, Array(3).fill(["one book", "read", "routes.py:1", "GET", true, ["7"]]))
  assert.deepEqual([before, fake.log.filter((each) => each === "describe").length], [0, 1])
  assert.ok(answered[0].row.handler === bridge.getRoute("one book").handler)
})

test("headers cross only if they are not those of the last request, or if that one failed", () => {
  const { fake, bridge } = createCast()
  fake.python("GET", "it", () => {})
  const crossed = []
  fake.page.send = (id, lines) => {
    crossed.push(lines)
    if (lines === "x-mine: c") throw new Error("no")
    return "+{}"
  }
  for (const value of ["a", "a", "b", "a", "c", "c", "a"]) {
    const exchange = bridge.accept({ method: "GET", url: "it" })
    exchange.send({ headers: [["x-mine", value]] })
    exchange.answer(() => {})
  }
  assert.deepEqual(crossed, ["x-mine: a", undefined, "x-mine: b", "x-mine: a", "x-mine: c", "x-mine: c", "x-mine: a"])
})

test("what nobody answers is not ours", () => {
  assert.equal(createCast().bridge.accept({ method: "GET", url: "books" }), undefined)
})

test("RegExps match on this side, whatever their flags, and see the query", async () => {
  const { bridge } = createCast()
  const regexp = /^books\/(\d+)\?page=(\d)$/g
  bridge.addRoute(route("it", regexp, "GET", (context, ...captures) => captures))
  const replies = [
    await answerOf(bridge.accept({ method: "GET", url: "books/7?page=1" })),
    await answerOf(bridge.accept({ method: "GET", url: "books/8?page=2" })),
  ]
  assert.deepEqual(replies.map(({ value }) => value), [["7", "1"], ["8", "2"]])
  assert.deepEqual([bridge.getRoute("it").urlExp === regexp, regexp.lastIndex], [true, 0])
})

test("a RegExp that was removed, or replaced by name, matches no more", () => {
  const { bridge } = createCast()
  bridge.addRoute(route("one", /^a/, "GET", () => {}))
  bridge.addRoute(route("two", /^b/, "GET", () => {}))
  bridge.addRoute(route("one", /^c/, "GET", () => {}))
  bridge.removeRoute("two")
  const found = ["a", "b", "c"].map((url) => bridge.accept({ method: "GET", url }) !== undefined)
  assert.deepEqual([found, bridge.sizes().regexps], [[false, false, true], 1])
})

test("an expression that does not parse is a SyntaxError", () => {
  const { bridge } = createCast()
  assert.throws(() => bridge.addRoute(route(undefined, "a(b", "GET", () => {})), { name: "SyntaxError", message: /Unbalanced/ })
})

test("routes are given as plain writable copies, their handlers by identity", () => {
  const { bridge } = createCast()
  const handler = () => {}
  bridge.addRoute(route("n", "books/:id", "GET", handler))
  const copy = bridge.getRoute("n")
  copy.name = "changed"
  const found = [bridge.getRoute("n"), bridge.getRouteAt(0), bridge.getMatchingRoute("books/7", "get")]
  assert.deepEqual(found.map((each) => [each.name, String(each.urlExp), each.httpMethod, each.handler === handler, each.handlerParams]), [
    ["n", "/^books\\/([^/]+)$/", "GET", true, undefined],
    ["n", "/^books\\/([^/]+)$/", "GET", true, undefined],
    ["n", "/^books\\/([^/]+)$/", "GET", true, ["7"]],
  ])
  assert.deepEqual([bridge.getRoute("m"), bridge.getMatchingRoute("x", "GET")], [null, null])
  assert.deepEqual([-1, 1, 0.5, null, undefined, ""].map(bridge.getRouteAt), Array(6).fill(null))
})

test("one function stands for a Python handler, and calls it", () => {
  const { fake, bridge } = createCast()
  fake.python("GET", "books/:id", ({ captures, data }) => ({ captures, data }), { name: "n" })
  const { handler } = bridge.getRoute("n")
  assert.deepEqual(
    [Object.prototype.toString.call(handler), bridge.getRoute("n").handler === handler, handler({ data: 1 }, "7")],
    ["[object Function]", true, { captures: ["7"], data: 1 }],
  )
})

for (const [name, handler, expected] of [
  ["a value", { text: "read more" }, [false, { text: "read more" }, 200]],
  ["an empty list", [], [false, [], 200]],
  ["a stack", [(context) => { context.order = ["first"] }, async (context) => { context.order.push("second") }, (context) => context.order], [false, ["first", "second"], 200]],
  ["a stack that stops", [() => { throw new HTTPError(401) }, () => "never"], [true, "Unauthorized", 401]],
  ["a promise", async () => ({ later: true }), [false, { later: true }, 200]],
  ["a promise of a text", async () => "410", [true, "410", 410]],
  ["a promise that is rejected", async () => { throw new HTTPError(409, { why: 1 }) }, [true, { why: 1 }, 409]],
  ["a thenable", () => ({ then: (resolve) => resolve({ thenable: true }) }), [false, { thenable: true }, 200]],
  ["a Response", () => new Response("made", 201), [false, "made", 201]],
]) {
  test(`a JavaScript handler that is, or gives, ${name}`, async () => {
    const { bridge, faults } = createCast()
    bridge.addRoute(route(undefined, "it", "GET", handler))
    const { failed, value, status } = await answerOf(bridge.accept({ method: "GET", url: "it" }))
    assert.deepEqual([[failed, value, status], faults], [expected, []])
  })
}

test("a handler that throws fails the request, and is told of", async () => {
  const { fake, bridge, faults } = createCast()
  bridge.addRoute(route("n", "it", "GET", function broken() { throw new TypeError("x is not a function") }))
  const { failed, value, status } = await answerOf(bridge.accept({ method: "GET", url: "it" }))
  assert.deepEqual([failed, value, status], [true, "TypeError: x is not a function", 500])
  assert.deepEqual([faults, fake.done[0].slice(1, 2)], [["TypeError: x is not a function (in the handler broken)"], [500]])
})

test("where it threw is told from the stack, as each engine writes it", async () => {
  const stacks = [
    "TypeError: no\n    at reading (http://h/app.js:3:74)\n    at run (http://h/fauxserver.js:1:1)",
    "TypeError: no\n    at http://h/app.js:4:1",
    "reading@http://h/app.js:5:74\nrun@http://h/fauxserver.js:1:1",
    "@http://h/app.js:6:1",
    "",
  ]
  const places = []
  for (const stack of stacks) {
    const { bridge, places: told } = createCast()
    bridge.addRoute(route("n", "it", "GET", () => { throw Object.assign(new TypeError("no"), { stack }) }))
    await answerOf(bridge.accept({ method: "GET", url: "it" }))
    places.push(...told)
  }
  assert.deepEqual(places, [3, 4, 5, 6].map((line) => ["http://h/app.js", line]).concat([[undefined, undefined]]))
})

test("null as a handler is kept, and fails the request with a word about it", async () => {
  const { bridge, faults } = createCast()
  bridge.addRoute(route("n", "it", "GET", null))
  const { status } = await answerOf(bridge.accept({ method: "GET", url: "it" }))
  assert.deepEqual([bridge.getRoute("n").handler, status, faults[0].includes("'n' is null")], [null, 500, true])
})

test("a request that cannot wait fails on a promise, and names the handler", async () => {
  const { bridge } = createCast()
  bridge.addRoute(route(undefined, "it", "GET", async function promising() {}))
  const { value, status } = await answerOf(bridge.accept({ method: "GET", url: "it" }), undefined, { now: true })
  assert.deepEqual([status, value.includes("promising"), value.includes("async: false")], [500, true, true])
})

test("the default handler gets the context alone, and a route that is none", async () => {
  const { bridge } = createCast()
  const seen = []
  const handler = (...args) => { seen.push(args) }
  bridge.setDefaultHandler(handler)
  await answerOf(bridge.accept({ method: "GET", url: "it" }))
  assert.deepEqual([seen.length, seen[0].length, seen[0][0].route], [1, 1, { name: "", urlExp: "", handler, handlerParams: [] }])
})

test("a latency function of the page gets what the handler gets", () => {
  const { bridge } = createCast()
  const seen = []
  bridge.addRoute(route("n", "books/:id", "GET", () => {}))
  bridge.setLatency((...args) => { seen.push(args); return 20 })
  const exchange = bridge.accept({ method: "GET", url: "books/7" })
  assert.deepEqual([exchange.delay(), seen[0][0] === exchange.context(), seen[0].slice(1)], [20, true, ["7"]])
})

for (const [args, expected] of [
  [[50], [50, 50]], [[50, 0], [50, 50]], [[], [0, 0]], [[20, 60], [20, 60]], [[60, 20], [20, 60]],
  [[undefined, 5], [0, 0]], [[-5], [0, 0]], [[() => NaN], [0, 0]], [[() => -1], [0, 0]], [[7.5], [7.5, 7.5]],
]) {
  test(`setLatency(${args.map(String).join(", ")})`, () => {
    const { bridge } = createCast()
    bridge.addRoute(route(undefined, "it", "GET", () => {}))
    bridge.setLatency(...args)
    const delay = bridge.accept({ method: "GET", url: "it" }).delay()
    assert.equal(delay >= expected[0] && delay <= expected[1], true, String(delay))
  })
}

test("an awaited answer comes when Python settles it, unless it was dropped", async () => {
  const { fake, bridge } = createCast()
  const settle = []
  fake.python("GET", "slow", () => ({ later: (done) => settle.push(done) }))
  const replies = []
  const [first, second] = [bridge.accept({ method: "GET", url: "slow" }), bridge.accept({ method: "GET", url: "slow" })]
  for (const exchange of [first, second]) exchange.answer((reply) => replies.push(reply.value))
  second.drop()
  settle.forEach((done, i) => done({ n: i }))
  assert.deepEqual([replies, fake.dropped.length, bridge.sizes().awaited], [[{ n: 0 }], 1, 0])
})

test("what a callback throws when Python settles does not reach Python", () => {
  const { fake, bridge, errors } = createCast()
  fake.python("GET", "slow", () => ({ later: (done) => { fake.settle = () => done(1) } }))
  bridge.accept({ method: "GET", url: "slow" }).answer(() => { throw new Error("mine") })
  fake.settle()
  assert.deepEqual(errors, ["mine"])
})

test("should the crossing itself fail, the request fails and nobody waits for ever", async () => {
  const { fake, bridge, faults } = createCast()
  fake.python("GET", "it", () => { throw new Error("out of memory") })
  const { status } = await answerOf(bridge.accept({ method: "GET", url: "it" }))
  assert.deepEqual([status, faults.length], [500, 1])
})

test("reset drops what is under way, and brings the page's routes back with their RegExps", async () => {
  const { bridge } = createCast()
  const handler = () => ({ by: "regexp" })
  bridge.addRoute(route("n", /^it$/, "GET", handler))
  bridge.ready()
  const replies = []
  const exchange = bridge.accept({ method: "GET", url: "it" })
  bridge.removeRoutes()
  const gone = bridge.accept({ method: "GET", url: "it" })
  bridge.reset()
  exchange.answer((reply) => replies.push(reply))
  const again = await answerOf(bridge.accept({ method: "GET", url: "it" }))
  assert.deepEqual([gone, replies, again.value, bridge.getRoute("n").handler === handler], [undefined, [], { by: "regexp" }, true])
})

test("a client of HTTP whose body was being read while the server was reset is told that it is lost", () => {
  const { fake, bridge } = createCast()
  fake.python("POST", "it", () => {})
  const exchange = bridge.accept({ method: "POST", url: "it" })
  bridge.reset()
  const told = []
  exchange.send({ headers: [] }, (reason) => told.push(reason))
  assert.deepEqual([told, bridge.sizes().flights], [["the server was reset"], 0])
})

test("nothing grows with the number of requests, nor with routes that come and go", async () => {
  const { fake, bridge } = createCast()
  fake.python("GET", "python", () => ({}), { name: "python" })
  for (let i = 0; i < 1000; i += 1) {
    bridge.addRoute(route("js", `js/${i}`, "GET", () => ({})))
    await answerOf(bridge.accept({ method: "GET", url: `js/${i}` }))
    await answerOf(bridge.accept({ method: "GET", url: "python" }))
  }
  const { rows, awaited } = bridge.sizes()
  assert.deepEqual([rows < 250, awaited, fake.exchanges.size], [true, 0, 0])
})

test("what Python holds no more is forgotten", () => {
  const { fake, bridge } = createCast()
  bridge.addRoute(route("n", /^it$/, "GET", () => ({})))
  bridge.getRoute("n")
  fake.callbacks().forget(1)
  assert.deepEqual(bridge.sizes(), { kept: 0, rows: 0, regexps: 0, awaited: 0, flights: 0 })
})

for (const [language, add] of [
  ["Python", ({ fake }) => fake.python("GET", "books", () => ({ later() {} }))],
  ["JavaScript", ({ bridge }) => bridge.addRoute(route("books", "books", "GET", function never() { return new Promise(() => {}) }))],
]) {
  test(`a handler in ${language} that never settles fails the request, and says so`, async (t) => {
    // The alarm alone does not keep Node running.
    const running = setInterval(() => {}, 1000)
    t.after(() => clearInterval(running))
    const cast = createCast({ patience: 1 })
    add(cast)
    const reply = await answerOf(cast.bridge.accept({ method: "GET", url: "books" }))
    assert.deepEqual([reply.failed, reply.status, cast.faults.length, cast.bridge.sizes().awaited], [true, 500, 1, 0])
    assert.match(`${reply.value} ${cast.faults}`, /has not answered within 0.001 s.*has not answered/s)
  })
}

test("a streamed body that waits for its next piece breaks off when Python is gone", async () => {
  const { fake, bridge } = createCast()
  fake.python("GET", "news", () => {})
  fake.page.send = () => `=${JSON.stringify({ status: 200, reason: "OK", headers: [], error: null, body: "stream" })}`
  fake.page.pull = () => "~"
  const exchange = bridge.accept({ method: "GET", url: "news" })
  exchange.send({ headers: [] })
  const { body } = await new Promise((resolve) => exchange.answer(resolve))
  const piece = body.pull()
  bridge.crashed(new Error("Python has stopped."))
  await assert.rejects(piece, { message: "Python has stopped." })
})

/** What a JavaScript handler's result makes of a request of HTTP. */
function askHTTP(bridge, options) {
  const exchange = bridge.accept({ method: "GET", url: "it" })
  exchange.send({ headers: [] })
  return new Promise((resolve) => exchange.answer(resolve, options))
}

test("a result that HTTP cannot have is a failure that says so, and nobody waits for ever", async () => {
  const { bridge, faults } = createCast()
  const used = new globalThis.Response("once")
  const circle = {}
  circle.self = circle
  for (const handler of [() => used, async () => used, () => circle, async () => circle, () => { throw new HTTPError(409, circle) }]) {
    bridge.addRoute(route("n", "it", "GET", handler))
    if (!used.body.locked) await askHTTP(bridge)
    const { status, body } = await askHTTP(bridge)
    assert.deepEqual([status, body.startsWith("TypeError: ")], [500, true], String(handler))
  }
  assert.equal(faults.filter((fault) => fault.startsWith("TypeError: ")).length, 5)
})

test("a synchronous request has a generator's pieces at once, and cannot wait for others", async () => {
  const { bridge, faults } = createCast()
  const given = []
  for (const handler of [function* () { yield "a"; yield "b" }, async function* () { yield "a" }, async () => "a"]) {
    bridge.addRoute(route("n", "it", "GET", handler))
    const { status, body, error } = await askHTTP(bridge, { now: true })
    given.push([status, status === 200 ? new TextDecoder().decode(body) : error.asynchronous])
  }
  assert.deepEqual(given, [[200, "ab"], [500, true], [500, true]])
  assert.deepEqual(faults.map((fault) => /\((it returned .*?)\)/.exec(fault)[1]), ["it returned a stream", "it returned a promise"])
})
