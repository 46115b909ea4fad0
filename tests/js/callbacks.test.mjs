// Handlers that call back: what a callback is given, what it comes to, and stacks of them.

import assert from "node:assert/strict"
import { test } from "node:test"

import { createHandler } from "../../js/callbacks.js"
import { HTTPError, Response } from "../../js/reply.js"

const contextOf = (more = {}) => ({ data: undefined, url: "/a/7", httpMethod: "GET", query: {}, route: { handlerParams: ["7"] }, ...more })
const handle = (steps, { app, collapse, captures = ["7"], ...more } = {}) =>
  createHandler([steps].flat(), { app, collapse })(contextOf(more), ...captures)
const thrown = (run) => {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error("it threw nothing")
}

test("B2 success and error come first, then captures, data and the query, if there is one", () => {
  const seen = []
  const see = (success, error, ...args) => {
    seen.push([typeof success, typeof error, ...args])
    success()
  }
  handle(see)
  handle(see, { data: { a: 1 }, query: { page: "2" }, captures: ["7", undefined] })
  assert.deepEqual(seen, [["function", "function", "7", undefined], ["function", "function", "7", undefined, { a: 1 }, { page: "2" }]])
})

test("B11 equal arguments are all given, or once as the original gave them", () => {
  const see = (success, error, ...args) => success(args)
  const given = { captures: ["1", "1"], data: ["1", "2"] }
  assert.deepEqual([handle(see, given), handle(see, { ...given, collapse: true })], [["1", "1", ["1", "2"]], ["1", "2"]])
})

test("what it is successful with is handed over by identity", () => {
  const value = { id: 1 }
  assert.equal(handle((success) => success(value)), value)
  assert.equal(handle((success) => success()), undefined)
  assert.equal(handle([]), undefined)
})

test("B7 a status, a text, a header make a response", () => {
  const made = [
    (success) => success({ id: 1 }, 201),
    (success) => success("404"),
    (success) => success(new Response([1], 206)),
    function (success) {
      this.res.set("x-count", "3").statusCode = 203
      success([2])
    },
    (success) => success([3], { more: "of somebody's arguments" }),
  ].map((step) => handle(step))
  assert.deepEqual(made.slice(0, 4).map((each) => [each instanceof Response, each.body, each.status, each.headers]), [
    [true, { id: 1 }, 201, {}], [true, "404", 200, {}], [true, [1], 206, {}], [true, [2], 203, { "x-count": "3" }],
  ])
  assert.deepEqual(made[4], [3])
})

test("B5 B6 to throw is to call error, and an error has its own status", () => {
  const gone = Object.assign(new Error("gone"), { name: "Not Found", httpStatusCode: 404 })
  const own = new HTTPError(409, { taken: true })
  const plain = new TypeError("out of the blue")
  const told = [gone, own, "a text", undefined, { why: "so" }, { http_status_code: 422 }].map((reason) => {
    const errors = [
      thrown(() => handle((success, error) => error(reason))),
      thrown(() => handle(() => {
        throw reason
      })),
    ]
    const [one, other] = errors.map(({ status, body }) => [status, body])
    assert.deepEqual(one, other)
    return one
  })
  assert.deepEqual(told, [
    [404, "Not Found: gone"], [409, { taken: true }], [500, "a text"], [500, "Internal Server Error"], [500, { why: "so" }],
    [422, { http_status_code: 422 }],
  ])
  assert.equal(thrown(() => handle((success, error) => error(plain))), plain)
})

test("B4 a stack goes on with success, and the last one's result counts", async () => {
  const seen = []
  const first = (success) => {
    seen.push("first")
    success("discarded", 418)
  }
  const later = async (success) => {
    await null
    seen.push("later")
    success("discarded, too")
  }
  const last = (success) => success(["kept"])
  assert.deepEqual(handle([first, last]), ["kept"])
  assert.deepEqual(await handle([later, first, last]), ["kept"])
  assert.deepEqual(seen, ["first", "later", "first"])
})

test("B5 error stops a stack, at once or later", async () => {
  const never = () => assert.fail("it went on")
  assert.equal(thrown(() => handle([(success, error) => error("no"), never])).body, "no")
  await assert.rejects(handle([(success, error) => setTimeout(error, 0, "later"), never]), { status: 500, body: "later" })
  await assert.rejects(handle([async () => {
    throw new HTTPError(403)
  }, never]), { status: 403 })
})

test("the first of several calls counts, and who succeeds at once is answered at once", async () => {
  assert.equal(handle((success, error) => {
    success(1)
    error("too late")
    success(2)
  }), 1)
  assert.equal(handle(async (success) => {
    success("no promise".length)
    await null
  }), 10)
  assert.equal(await handle((success) => {
    setTimeout(() => {
      success(3)
      success(4)
    }, 0)
  }), 3)
})

test("B14 this has app, req and res, and a stack shares them", () => {
  const app = {}
  const seen = []
  handle([
    function (success) {
      this.req.user = "Franny"
      success()
    },
    function (success) {
      seen.push(this.app === app, this.req)
      success()
    },
  ], { app, url: "http://here:8000/a/7?b=1#c", data: { d: 1 }, query: { b: "1" }, headers: { accept: "*/*" } })
  assert.deepEqual(seen, [true, {
    method: "GET", url: "/a/7?b=1#c", path: "/a/7", headers: { accept: "*/*" }, params: { 0: "7" }, query: { b: "1" }, body: { d: 1 },
    user: "Franny",
  }])
})

test("it is called what its callbacks are called", () => {
  assert.equal(createHandler([function one() {}, () => {}, function two() {}]).name, "one, two")
})
