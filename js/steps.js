// Events one after another, as the browser's own come: what a listener's promises do is done before the next one.

import { report } from "./schedule.js"
import * as originals from "./originals.js"

/** @typedef {Iterator<unknown, unknown, undefined>} Steps */

// As many events as most answers have; the rest takes another message.
const AT_ONCE = 16

/**
 * A function that runs steps. Between two listeners of one message the browser runs the microtasks, as it does between
 * its own events, and as it cannot do while a loop of ours is running: so there is a listener for each step.
 *
 * @param {any} global
 * @returns {(steps: Steps) => void}
 */
export function createStepper(global) {
  /** @type {Steps[]} */
  let queue = []
  let asked = false
  /** @type {MessagePort | undefined} */
  let port

  /** @param {Steps} steps @returns {boolean}  Whether that was the last. */
  function step(steps) {
    try {
      return Boolean(steps.next().done)
    } catch (error) {
      report(error, global)
      return true
    }
  }

  function next() {
    const [steps] = queue
    if (steps && step(steps)) queue.splice(queue.indexOf(steps), 1)
  }

  function open() {
    const { port1, port2 } = new originals.MessageChannel()
    for (let each = 0; each < AT_ONCE; each += 1) port1.addEventListener("message", () => next())
    port1.addEventListener("message", () => {
      asked = queue.length > 0
      if (asked) port2.postMessage(undefined)
    })
    port1.start()
    return port2
  }

  return (steps) => {
    // Who moves the clock wants everything to have happened when it stands still again; in Node a port would keep the process.
    if (global.setTimeout !== originals.setTimeout || originals.setImmediate || !originals.MessageChannel) {
      while (!step(steps));
      return
    }
    queue.push(steps)
    if (asked) return
    asked = true
    const to = port ?? open()
    port = to
    to.postMessage(undefined)
  }
}
