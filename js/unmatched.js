// What becomes of a request that no route answers: it goes to the network, in silence or with a word on the console, or fails.

import { networkError } from "./transport.js"

/** @import { Exchange } from "./exchange.js" */

/**
 * @typedef {object} Unanswered
 * @property {string} method
 * @property {any} url
 * @property {"sync" | "fetch" | "xhr" | "eventsource"} door
 * @property {string} [base]  What the url of a client of HTTP was relative to.
 *
 * @typedef {"bypass" | "warn" | "error"} Word
 */

/** @type {readonly Word[]} */
export const WORDS = ["bypass", "warn", "error"]
// What was told is not told again, up to so many.
const MOST_TOLD = 1_000
const ENDS = {
  warn: 'It goes to the network. To keep this quiet: fauxServer.setUnmatched("bypass"), for some urls setUnmatched("api/", "bypass").',
  error: 'It fails, because the policy for such requests is "error" (fauxServer.setUnmatched, or set_unmatched in a route file).',
}

/**
 * @param {object} surroundings
 * @param {(request: { method: string, url: string, door: string, base?: string }) => "warn" | "error" | undefined} surroundings.ask  The server's policy.
 * @param {(request: { method: string, url: string, base?: string }) => string} surroundings.explain  Why no route answers it.
 * @param {Pick<Console, "warn" | "error">} [surroundings.console]
 */
export function createUnmatched({ ask, explain, console = globalThis.console }) {
  /** @type {Set<string>} */
  const told = new Set()
  // Whether a sync is on its way to the network, and whether it was warned of: what it uses to get there is no other request.
  let passing = false
  let warned = false

  /**
   * @param {Unanswered} request
   * @returns {"network" | "fail"}
   */
  function unmatched({ method, url, door, base }) {
    const request = { method, url: String(url), base }
    try {
      const word = ask({ ...request, door: passing ? "sync" : door })
      if (word && !(passing && warned && word === "warn")) tell(word, request)
      if (door === "sync") warned = word === "warn"
      return word === "error" ? "fail" : "network"
    } catch (error) {
      // Whatever is wrong with us, it is not the request's fault.
      console.error("fauxserver:", error)
      return "network"
    }
  }

  /** @param {"warn" | "error"} word @param {{ method: string, url: string, base?: string }} request */
  function tell(word, request) {
    const text = `fauxserver: ${explain(request)}\n${ENDS[word]}`
    if (told.has(text)) return
    if (told.size >= MOST_TOLD) told.clear()
    told.add(text)
    if (word === "warn") console.warn(text)
    else console.error(text)
  }

  return {
    unmatched,
    /**
     * Let a sync that was decided upon go to the network: the XHR or fetch that it makes is not warned of once more.
     *
     * @template T
     * @param {() => T} go
     * @returns {T}
     */
    passing(go) {
      const outer = passing
      passing = true
      try {
        return go()
      } finally {
        passing = outer
      }
    },
  }
}

/**
 * The exchange of a sync that fails as if there were no network.
 *
 * @returns {Exchange}
 */
export function lostExchange() {
  return /** @type {any} */ ({
    take() {},
    delay: () => 0,
    /** @type {Exchange["answer"]} */
    answer(done) {
      done({ failed: true, value: networkError(), ...networkError(), headers: {} })
    },
    drop() {},
  })
}
