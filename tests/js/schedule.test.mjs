// When an answer is due.

import assert from "node:assert/strict"
import { test } from "node:test"

import { createScheduler } from "../../js/schedule.js"

const settled = (scheduler, delay = 0) => new Promise((resolve) => scheduler.later(resolve, delay))

function createPage() {
  const errors = []
  return { errors, setTimeout, clearTimeout, reportError: (error) => errors.push(error.message) }
}

test("what is due at once runs after the current tick and its microtasks, in order", async () => {
  const scheduler = createScheduler(createPage())
  const log = []
  scheduler.later(() => log.push("first"), 0)
  scheduler.later(() => log.push("second"), 0)
  log.push("tick")
  await null
  log.push("microtask")
  await settled(scheduler)
  assert.deepEqual(log, ["tick", "microtask", "first", "second"])
})

test("what one throws is reported, and the next still runs", async () => {
  const page = createPage()
  const scheduler = createScheduler(page)
  const log = []
  scheduler.later(() => {
    throw new Error("mine")
  }, 0)
  scheduler.later(() => log.push("next"), 0)
  await settled(scheduler)
  assert.deepEqual([page.errors, log], [["mine"], ["next"]])
})

test("what is cancelled does not run, with a delay or without", async () => {
  const scheduler = createScheduler(createPage())
  const log = []
  scheduler.later(() => log.push("at once"), 0)()
  scheduler.later(() => log.push("later"), 1)()
  await settled(scheduler, 5)
  assert.deepEqual(log, [])
})

test("what is added while answers are handed out waits for the next round", async () => {
  const scheduler = createScheduler(createPage())
  const log = []
  scheduler.later(() => {
    scheduler.later(() => log.push("nested"), 0)
    log.push("first")
  }, 0)
  scheduler.later(() => log.push("second"), 0)
  await settled(scheduler)
  await settled(scheduler)
  assert.deepEqual(log, ["first", "second", "nested"])
})

test("a page that has replaced setTimeout moves all delays, zero too", () => {
  const page = createPage()
  const timers = []
  const cleared = []
  const scheduler = createScheduler(page)
  page.setTimeout = (task, delay) => timers.push([task, delay])
  page.clearTimeout = (timer) => cleared.push(timer)
  const log = []
  scheduler.later(() => log.push("zero"), 0)
  const cancel = scheduler.later(() => log.push("later"), 250)
  timers.forEach(([task]) => task())
  cancel()
  assert.deepEqual([timers.map(([, delay]) => delay), log, cleared], [[0, 250], ["zero", "later"], [2]])
})
