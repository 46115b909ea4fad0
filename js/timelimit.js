// No handler freezes the page: Python looks here while it runs, and is interrupted when its time is over.

import { now } from "./originals.js"

const SIGINT = 2
// Who cleans up gets this much more, in milliseconds.
const GRACE = 50

/**
 * Give a runtime an interrupt buffer that is a clock.
 *
 * @param {any} pyodide
 * @param {() => number} [clock]
 */
export function createTimeLimit(pyodide, clock = now) {
  let deadline = Infinity
  let fired = false

  pyodide.setInterruptBuffer({
    get 0() {
      if (clock() <= deadline) return 0
      fired = true
      return SIGINT
    },
    // Pyodide writes a zero at every look; it means that the interrupt was taken only if there was one.
    set 0(_value) {
      if (!fired) return
      fired = false
      deadline = clock() + GRACE
    },
  })

  return {
    /** @param {number} limit  In milliseconds from now. */
    arm(limit) {
      fired = false
      deadline = clock() + limit
    },
    disarm() {
      deadline = Infinity
    },
    /**
     * A function of Python's that is interrupted when it takes longer than the limit. It may be called within itself:
     * the time of the inner call does not count.
     *
     * @template {any[]} Args
     * @template T
     * @param {(...args: Args) => T} call
     * @param {number} limit
     * @returns {(...args: Args) => T}
     */
    limited: (call, limit) => (...args) => {
      const start = clock()
      const outer = deadline
      fired = false
      deadline = start + limit
      try {
        return call(...args)
      } finally {
        fired = false
        deadline = outer === Infinity ? Infinity : outer + clock() - start
      }
    },
  }
}
