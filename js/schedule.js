// When an answer is due: after the current tick, never clamped, and never lost to another answer's exception.

import * as originals from "./originals.js"

/**
 * @typedef {() => void} Task
 * @typedef {object} Scheduler
 * @property {(task: Task, delay: number) => () => void} later  Run a task in `delay` ms; gives back what cancels it.
 * @property {(task: Task) => void} shield  Run a task now; what it throws is reported and goes no further.
 */

/**
 * Timers clamp a nested zero to 4 ms, so what is due at once goes by message, and one message drains all that is due.
 *
 * @param {any} [global]
 * @returns {Scheduler}
 */
export function createScheduler(global = globalThis) {
  /** @type {{ task: Task | undefined }[]} */
  let due = []
  let asked = false
  const ask = onNextTick(drain)

  function drain() {
    const entries = due
    due = []
    asked = false
    for (const entry of entries) if (entry.task) shield(entry.task)
  }

  /** @param {Task} task */
  function shield(task) {
    try {
      task()
    } catch (error) {
      report(error, global)
    }
  }

  return {
    shield,
    later(task, delay) {
      // A page that has put its own clock in place expects to move us with it, zero latency too.
      if (global.setTimeout !== originals.setTimeout) {
        const timer = global.setTimeout(() => shield(task), delay)
        const { clearTimeout } = global
        return () => clearTimeout(timer)
      }
      if (delay > 0) {
        const timer = originals.setTimeout.call(global, () => shield(task), delay)
        return () => originals.clearTimeout.call(global, timer)
      }
      /** @type {{ task: Task | undefined }} */
      const entry = { task }
      due.push(entry)
      if (!asked) {
        asked = true
        ask()
      }
      return () => {
        entry.task = undefined
      }
    },
  }
}

/**
 * Let an error reach `window.onerror` (in Node: `uncaughtException`) without stopping who found it.
 *
 * @param {unknown} error
 * @param {any} [global]
 */
export function report(error, global = globalThis) {
  if (typeof global.reportError === "function") return global.reportError(error)
  originals.queueMicrotask(() => {
    throw error
  })
}

/** @type {(() => void)[]} */
const waiting = []
/** @type {(() => void) | undefined} */
let askForTurn

/** Let the page have its turn, for who would keep it busy with promises that are settled already. @returns {Promise<void>} */
export function nextTurn() {
  askForTurn ??= onNextTick(() => waiting.splice(0).forEach((go) => go()))
  if (!waiting.length) askForTurn()
  return new Promise((resolve) => waiting.push(resolve))
}

/**
 * What asks for a task to be run, unclamped.
 *
 * @param {Task} task
 * @returns {() => void}
 */
export function onNextTick(task) {
  // Node's own, because an open MessageChannel would keep the process alive.
  if (originals.setImmediate) return () => originals.setImmediate.call(globalThis, task)
  // A document that a test runner gives Node may have neither.
  if (!originals.MessageChannel) return () => originals.setTimeout.call(globalThis, task, 0)
  const { port1, port2 } = new originals.MessageChannel()
  port1.onmessage = task
  return () => port2.postMessage(undefined)
}
