import assert from "node:assert/strict"
import { test } from "node:test"

import { createTurns } from "../../js/turns.js"

const moment = (delay = 0) => new Promise((resolve) => setTimeout(resolve, delay))

function createCast() {
  const log = []
  const page = { turn: () => log.push("turn"), ring: (number) => log.push(number) }
  const errors = []
  const shield = (task) => {
    try {
      task()
    } catch (error) {
      errors.push(error.message)
    }
  }
  return { log, page, errors, turns: createTurns(() => page, shield) }
}

test("Python has its turn after the current one", async () => {
  const { log, turns } = createCast()
  turns.soon()
  log.push("asked")
  await moment()
  assert.deepEqual(log, ["asked", "turn"])
})

test("a timer rings once, unless it is cleared", async () => {
  const { log, turns } = createCast()
  turns.set_timer(1, 1)
  turns.set_timer(2, 2)
  turns.set_timer(3, 3)
  turns.clear_timer(2)
  await moment(10)
  turns.clear_timer(1)
  assert.deepEqual(log, [1, 3])
})

test("an error in Python's turn is shielded", async () => {
  const { page, errors, turns } = createCast()
  page.turn = () => { throw new Error("in its turn") }
  page.ring = () => { throw new Error("at its time") }
  turns.soon()
  turns.set_timer(1, 1)
  await moment(10)
  assert.deepEqual(errors, ["in its turn", "at its time"])
})
