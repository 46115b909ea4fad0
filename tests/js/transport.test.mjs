// How an answer reaches who asked.

import assert from "node:assert/strict"
import { test } from "node:test"

import { defaultTransport, jqXHRTransport } from "../../js/transport.js"

/** Enough of jQuery's Deferred. */
function createDollar(log) {
  return {
    Deferred() {
      const promise = {}
      return { promise: () => promise, resolve: (...values) => log.push(["resolved", ...values]), reject: (...reasons) => log.push(["rejected", ...reasons]) }
    },
  }
}

test("the callback is called before the promise settles, and what it throws does not keep it from that", () => {
  const log = []
  const options = {
    success() {
      log.push("success")
      throw new Error("mine")
    },
  }
  const transport = defaultTransport(options, undefined, { $: createDollar(log), cancel() {} })
  assert.throws(() => transport.resolve(1), new Error("mine"))
  assert.deepEqual(log, ["success", ["resolved", 1]])
})

test("abort cancels, tells the error callback, and rejects; once", () => {
  const log = []
  const options = { error: (reason) => log.push(["error", reason]) }
  const transport = defaultTransport(options, undefined, { $: createDollar(log), cancel: () => log.push("cancel") })
  transport.promise().abort()
  transport.promise().abort()
  const reason = { status: 0, statusText: "abort" }
  assert.deepEqual([log, options.faux], [["cancel", ["error", reason], ["rejected", reason]], { ...reason, headers: {} }])
})

test("without jQuery it is a native promise, whose rejection is nobody's duty to catch", async () => {
  const transport = defaultTransport({}, undefined, { $: undefined, cancel() {} })
  transport.reject("no")
  const reason = await transport.promise().then(() => "answered", (reason) => reason)
  assert.deepEqual([transport.promise() instanceof Promise, reason], [true, "no"])
})

test("a promise that cannot be added to is left alone", () => {
  for (const promise of ["its promise", Object.freeze({})]) {
    const $ = { Deferred: () => ({ promise: () => promise, resolve() {}, reject() {} }) }
    assert.equal(defaultTransport({}, undefined, { $, cancel() {} }).promise(), promise)
  }
})

test("the jqXHR-like one hands over three arguments, as jQuery does", () => {
  const log = []
  const options = { faux: { status: 200, statusText: "OK", headers: { "X-Mine": "1" } }, success: (...args) => log.push(["success", ...args]) }
  const transport = jqXHRTransport(options, undefined, { $: createDollar(log), cancel() {} })
  const xhr = transport.promise()
  transport.resolve({ b: 2 })
  assert.deepEqual(log, [["success", { b: 2 }, "success", xhr], ["resolved", { b: 2 }, "success", xhr]])
  assert.deepEqual(
    [xhr.status, xhr.statusText, xhr.readyState, xhr.responseText, xhr.responseJSON, xhr.getResponseHeader("x-mine"), options.xhr === xhr],
    [200, "OK", 4, '{"b":2}', { b: 2 }, "1", true],
  )
})

test("the jqXHR-like one fails as jQuery does", () => {
  const log = []
  const options = { faux: { status: 410, statusText: "Gone", headers: {} }, error: (...args) => log.push(args.slice(1)) }
  const transport = jqXHRTransport(options, undefined, { $: createDollar([]), cancel() {} })
  transport.reject("410")
  transport.promise().abort()
  assert.deepEqual([log, transport.promise().status, transport.promise().responseText], [[["error", "Gone"]], 410, "410"])
})
