// What an APIAdapter and a local call are before the runtime is there, and where it will never be.

import assert from "node:assert/strict"
import { test } from "node:test"

import { createLocalCalls, errors } from "../../js/apiadapter.js"

/** A server whose runtime is there once `finish` is called. */
function createCast({ enabled = true } = {}) {
  const held = []
  const calls = []
  const added = []
  const dispatched = []
  const answering = {
    createAdapter: (bridge, settings) => ({ number: 1, settings, add: (...args) => added.push(args) }),
    dispatch(server, call) {
      dispatched.push(call)
      return Promise.resolve({ status: 200 })
    },
  }
  const server = { enabled, hold: (release) => held.push(release) }
  const local = createLocalCalls({ server, call: (name, args, run) => calls.push([name, run]) })
  return {
    ...local, server, added, dispatched, named: () => calls.map(([name]) => name),
    finish(ours = true) {
      Object.assign(server, { answering, hold: undefined })
      for (const [, run] of calls) run({})
      for (const release of held) release(ours)
    },
  }
}

test("routes are noted in order, several at once, and replayed to the table that there is then", () => {
  const { APIAdapter, added, named, finish } = createCast()
  const one = () => {}
  const api = new APIAdapter()
  assert.equal(api.get("/a", one).post({ "/b": one, "/c": [one] }).del(["/d", "/e"], one), api)
  assert.deepEqual([named(), added], [["APIAdapter", "APIAdapter.get", "APIAdapter.post", "APIAdapter.post", "APIAdapter.delete"], []])
  finish()
  assert.deepEqual(added, [["get", "/a", one], ["post", "/b", one], ["post", "/c", [one]], ["delete", ["/d", "/e"], one]])
  assert.deepEqual([api instanceof APIAdapter, String(api)], [true, "[object APIAdapter]"])
})

test("without an url it throws at once", () => {
  const api = new (createCast().APIAdapter)()
  assert.throws(() => api.patch(undefined, () => {}), { message: "patch: Missing mandatory 'urlExp' argument" })
})

test("F10 a call waits for the runtime, and knows its adapter then", async () => {
  const { APIAdapter, dispatch, dispatched, finish } = createCast()
  const app = {}
  const api = new APIAdapter({ app })
  const answers = [dispatch("get", "/a"), api.dispatch("get", "/b", { c: 1 })]
  api.dispatchLocalApiCall("get", "/d")
  finish()
  assert.deepEqual(await Promise.all(answers), [{ status: 200 }, { status: 200 }])
  assert.deepEqual(dispatched, [
    { method: "get", url: "/a", data: undefined, options: undefined },
    { method: "get", url: "/b", data: { c: 1 }, options: undefined, adapter: 1, app },
    { method: "get", url: "/d", data: undefined, options: {}, adapter: 1, app },
  ])
})

test("a call fails where no runtime comes: it is off, or could not start", async () => {
  const told = []
  const options = { error: (...args) => told.push(args) }
  const off = await createCast({ enabled: false }).dispatch("get", "/a", undefined, options)
  const broken = createCast()
  const answer = broken.dispatch("get", "/a")
  broken.finish(false)
  assert.deepEqual([off.failed, off.status, (await answer).failed], [true, 0, true])
  assert.deepEqual(told, [["The server could not start, or is off.", 0]])
})

test("B6 errors have a status and a name", () => {
  const Taken = errors.createError(409, "Taken")
  const taken = new Taken("by you")
  assert.deepEqual([String(taken), taken.httpStatusCode, taken instanceof Error], ["Taken: by you", 409, true])
  assert.deepEqual([String(new errors.NotFoundError()), new errors.NotFoundError().httpStatusCode], ["Not Found", 404])
})
