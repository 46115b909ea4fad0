// No handler freezes the page: Python looks here while it runs, and is interrupted when its time is over.

import { roughNow } from "./originals.js"
import { onNextTick } from "./schedule.js"

const SIGINT = 2
/** How long Python may run at a stretch where nobody has said otherwise, in milliseconds. */
export const LIMIT = 5_000
// Who cleans up gets this much more.
const GRACE = 20
// So many looks do without the clock once it was set. Python looks every 50 jumps and calls, so that most requests are
// answered by then, and to read the clock is half of what the limit costs them.
const FREE_LOOKS = 8

/**
 * Give a runtime an interrupt buffer that is a clock.
 *
 * Told to `watch`, it runs whenever Python does: where nothing was armed (a callback of the event loop, say), from the
 * first look on, until the page has its thread again.
 *
 * @param {any} pyodide
 * @param {{ clock?: () => number, whenFree?: (task: () => void) => () => void, freeLooks?: number }} [surroundings]
 */
export function createTimeLimit(pyodide, { clock = roughNow, whenFree = onNextTick, freeLooks = FREE_LOOKS } = {}) {
  /** @type {number | undefined} */
  let deadline
  let unarmed = false
  let watching = false
  let free = 0
  const tellWhenFree = whenFree(() => {
    if (unarmed) disarm()
  })

  /** @param {number} limit  In milliseconds from now. */
  function arm(limit) {
    unarmed = false
    free = freeLooks
    deadline = clock() + limit
  }

  function disarm() {
    unarmed = false
    deadline = undefined
  }

  pyodide.setInterruptBuffer({
    // The signal that Python is sent, if any (see `instantiate` in `loader.js`).
    look() {
      if (free > 0) {
        free -= 1
        return 0
      }
      if (deadline === undefined) {
        if (!watching) return 0
        arm(LIMIT)
        unarmed = true
        tellWhenFree()
      }
      const time = clock()
      if (time <= /** @type {any} */ (deadline)) return 0
      deadline = time + GRACE
      return SIGINT
    },
  })

  return {
    arm,
    disarm,
    /** When Python will be interrupted, if it is at work. */
    deadline: () => deadline,
    /** Interrupt what nobody has armed, too. */
    watch() {
      watching = true
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
      const outer = unarmed ? undefined : deadline
      unarmed = false
      free = freeLooks
      deadline = start + limit
      try {
        return call(...args)
      } finally {
        unarmed = false
        deadline = outer === undefined ? undefined : outer + clock() - start
      }
    },
  }
}
