// When the page's Python has its turn (`fauxserver/hosts/pageloop.py`): one message for all of its tasks, and timers.

import { clearTimeout, setTimeout } from "./originals.js"
import { onNextTick } from "./schedule.js"

/** @import { Task } from "./schedule.js" */

/**
 * @param {() => { turn: () => void, ring: (number: number) => void }} page
 * @param {(task: Task) => void} shield
 */
export function createTurns(page, shield) {
  /** @type {Map<number, any>} */
  const timers = new Map()

  return {
    soon: onNextTick(() => shield(() => page().turn())),
    /** @param {number} number @param {number} delay  In milliseconds. */
    set_timer(number, delay) {
      timers.set(number, setTimeout.call(globalThis, () => {
        timers.delete(number)
        shield(() => page().ring(number))
      }, delay))
    },
    /** @param {number} number */
    clear_timer(number) {
      clearTimeout.call(globalThis, timers.get(number))
      timers.delete(number)
    },
  }
}
