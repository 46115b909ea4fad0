// Who wants to hear what happens in the server: a panel, a test, a log of one's own.

/** What can be heard; `listen` in the README and the types say what each listener is given. */
const NAMES = /** @type {const} */ (["answer", "enable", "latency", "reset"])

/** @typedef {typeof NAMES[number]} Name */

/** @param {(task: () => void) => void} shield  Runs a listener; what it throws reaches nobody else. */
export function createListeners(shield) {
  const heard = new Map(NAMES.map((name) => [name, /** @type {Set<{ listener: Function }>} */ (new Set())]))

  return {
    /**
     * Call *listener* whenever it happens, until the function that this gives back is called.
     *
     * @param {Name} name
     * @param {(...args: any[]) => void} listener
     */
    on(name, listener) {
      const entries = heard.get(name)
      if (!entries) throw new Error(`fauxServer.on: there is nothing called ${JSON.stringify(name)}. Write one of ${NAMES.map((each) => `"${each}"`).join(", ")}.`)
      if (typeof listener !== "function") throw new TypeError(`fauxServer.on("${name}"): the listener is no function. Give one.`)
      // An entry of its own, so that a function that is given twice is heard twice, and ended once.
      const entry = { listener }
      entries.add(entry)
      return () => {
        entries.delete(entry)
      }
    },

    /**
     * Whether anybody listens: what is told need not be made otherwise.
     *
     * @param {Name} name
     */
    has: (name) => /** @type {Set<any>} */ (heard.get(name)).size > 0,

    /**
     * @param {Name} name
     * @param {any[]} args
     */
    tell(name, ...args) {
      // A copy, because a listener may leave, or another come, while we are calling it.
      for (const { listener } of [.../** @type {Set<any>} */ (heard.get(name))]) shield(() => listener(...args))
    },
  }
}
