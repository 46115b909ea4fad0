// What the page does before the runtime is there: its calls are noted, its requests kept, and all of it in order.

/**
 * @typedef {object} Recorded
 * @property {string} name
 * @property {any[]} args
 * @property {() => unknown} run
 */

/** @param {() => void} [wanted]  Something waits for the runtime. */
export function createHold(wanted = () => {}) {
  /** @type {Recorded[]} */
  let calls = []
  /** @type {Set<(ours: boolean) => void>} */
  const requests = new Set()

  return {
    /** @param {Recorded} call */
    record(call) {
      calls.push(call)
      wanted()
    },

    /**
     * Make the noted calls. One that fails is reported with its arguments, and the rest goes on.
     *
     * @param {(call: Recorded, error: unknown) => void} report
     */
    async replay(report) {
      while (calls.length) {
        const batch = calls
        calls = []
        for (const call of batch) {
          try {
            const result = call.run()
            if (result instanceof Promise) await result
          } catch (error) {
            report(call, error)
          }
        }
      }
    },

    /** @param {(ours: boolean) => void} release */
    keep(release) {
      requests.add(release)
      wanted()
      return () => {
        requests.delete(release)
      }
    },

    /**
     * Let the kept requests go on, in the order they were made.
     *
     * @param {boolean} ours  Whether the server may answer them; otherwise they go to the network.
     * @param {(task: () => void) => void} shield
     */
    release(ours, shield) {
      for (const request of [...requests]) {
        requests.delete(request)
        shield(() => request(ours))
      }
    },
  }
}
