// Test runners wait for the server.

import assert from "node:assert/strict"
import { test } from "node:test"

import { holdTestRunners } from "../../js/testrunners.js"

function createReady() {
  let settle
  const ready = new Promise((resolve, reject) => { settle = { resolve, reject } })
  return { ready, ...settle }
}

function createPage(runners, readyState = "loading") {
  const listeners = []
  return { ...runners, document: { readyState, addEventListener: (_, listener) => listeners.push(listener) }, loaded: () => listeners.forEach((each) => each()) }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test("QUnit is started when ready, once the page has loaded", async () => {
  const { ready, resolve } = createReady()
  let starts = 0
  const page = createPage({ QUnit: { config: { autostart: true }, start: () => { starts += 1 } } })
  holdTestRunners(page, ready)()
  page.loaded()
  page.document.readyState = "complete"
  const held = page.QUnit.config.autostart
  resolve()
  await turn()
  assert.deepEqual([held, starts], [false, 1])
})

test("QUnit starts by itself if we are ready before the page has loaded", async () => {
  const { ready, resolve } = createReady()
  let starts = 0
  const page = createPage({ QUnit: { config: {}, start: () => { starts += 1 } } })
  holdTestRunners(page, ready)()
  resolve()
  await turn()
  assert.deepEqual([page.QUnit.config.autostart, starts], [true, 0])
})

test("QUnit 1 resets its config when the page loads, which changes nothing", async () => {
  const { ready, resolve } = createReady()
  let starts = 0
  const page = createPage({ QUnit: { config: { autostart: true }, start: () => { starts += 1 } } })
  holdTestRunners(page, ready)()
  page.loaded()
  const before = { ...page.QUnit.config }
  page.QUnit.config.autostart = true
  Object.assign(page.QUnit.config, before)
  page.document.readyState = "complete"
  resolve()
  await turn()
  assert.equal(starts, 1)
})

test("a page that starts QUnit by hand starts it when ready", async () => {
  const { ready, resolve } = createReady()
  const started = []
  const page = createPage({ QUnit: { config: { autostart: true }, start: (...args) => started.push(args) } })
  holdTestRunners(page, ready)()
  page.QUnit.config.autostart = false
  const early = started.length
  page.loaded()
  page.QUnit.start()
  page.document.readyState = "complete"
  resolve()
  await turn()
  assert.deepEqual([early, started, page.QUnit.config.autostart], [0, [[]], false])
})

test("Jasmine executes when ready", async () => {
  const { ready, resolve } = createReady()
  const env = { execute: (runnables) => `ran ${runnables}` }
  holdTestRunners(createPage({ jasmine: { getEnv: () => env } }), ready)()
  let ended
  env.execute("all").then((result) => { ended = result })
  await turn()
  const before = ended
  resolve()
  await turn()
  assert.deepEqual([before, ended], [undefined, "ran all"])
})

function createMocha() {
  const hooks = [{ title: "the page's" }]
  const suite = { _beforeAll: hooks, beforeAll: (title, run) => hooks.push({ title, run }) }
  return { suite, hooks, run: () => "runner" }
}

test("Mocha gives its runner back at once, and waits in the first hook of all", async () => {
  const { ready, reject } = createReady()
  const mocha = createMocha()
  holdTestRunners(createPage({ mocha }), ready)()
  const returned = mocha.run()
  let over = false
  const timeouts = []
  mocha.hooks[0].run.call({ timeout: (limit) => timeouts.push(limit) }).then(() => { over = true })
  await turn()
  const before = over
  reject(new Error("the boot failed"))
  await turn()
  assert.deepEqual([returned, mocha.hooks.map(({ title }) => title), timeouts, before, over], ["runner", ["fauxServer.ready", "the page's"], [0], false, true])
})

test("a Mocha that is loaded after us is held as soon as it is there", async () => {
  const { ready, resolve } = createReady()
  const page = createPage({})
  holdTestRunners(page, ready)()
  const mocha = createMocha()
  page.mocha = mocha
  page.mocha.run()
  resolve()
  await turn()
  assert.deepEqual([mocha.hooks[0].title, page.mocha === mocha], ["fauxServer.ready", true])
})

test("a page without Mocha has no word of it when all is over", async () => {
  const { ready, resolve } = createReady()
  const page = createPage({})
  holdTestRunners(page, ready)
  resolve()
  await turn()
  assert.equal("mocha" in page, false)
})
