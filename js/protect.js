// Between the page and its Python: the clock runs while a handler does, what a handler has broken is put back, and a
// runtime that has crashed fails requests at once and clearly.

import { now } from "./originals.js"
import { layRails, noRails } from "./rails.js"
import { httpOf } from "./message.js"
import { readError } from "./reply.js"
import { createTimeLimit } from "./timelimit.js"

/** @import { Exchange } from "./exchange.js" */

/**
 * @param {any} pyodide
 * @param {(error: Error) => void} onCrash  Called once: Python is gone.
 */
export function protect(pyodide, onCrash) {
  // Where it can switch stacks, Pyodide gives each callback of the event loop a stack and a thread of its own, and a tick
  // more. `run_sync`, which it is for, does not work from the snapshot anyway; and a stack of its own has no rails.
  if (pyodide._module) pyodide._module.jspiSupported = false
  /** @type {Error | undefined} */
  let crash
  const limit = createTimeLimit(pyodide)
  let rails = noRails

  if (pyodide._api) pyodide._api.on_fatal = (/** @type {any} */ cause) => {
    const reason = String(cause?.message ?? cause).split("\n")[0]
    crash = Object.assign(
      new Error(`Python in this page has crashed (${reason}) and answers no more requests. Reload the page.`, { cause }),
      { name: "CrashError" },
    )
    onCrash(crash)
  }

  const clock = {
    ...limit,
    /** @param {number} milliseconds */
    arm(milliseconds) {
      limit.arm(milliseconds)
      rails.begin(milliseconds)
    },
    disarm() {
      limit.disarm()
      rails.end()
    },
  }

  return {
    clock,
    get crash() {
      return crash
    },
    /** @param {Record<string, any>} page  The page's server, as functions of Python. */
    wrap(page) {
      const { accept } = page
      limit.watch()
      rails = layRails(pyodide, JSON.parse(page.rails?.() ?? "null"), limit)
      const whileAlive = Object.fromEntries(["done", "drop"].map((name) => {
        const call = page[name]
        return [name, (/** @type {any[]} */ ...args) => (crash ? undefined : call(...args))]
      }))
      return {
        ...page,
        ...whileAlive,
        /** @param {any[]} args */
        accept(...args) {
          try {
            return accept(...args)
          } catch (error) {
            if (!mended(page)) throw crash ?? error
            return accept(...args)
          }
        },
        ...Object.fromEntries(["answer", "send", "pull"].map((name) => [name, guarded(page, page[name])])),
      }
    },
  }

  /** @param {Record<string, any>} page @param {(...args: any[]) => any} call */
  function guarded(page, call) {
    return (/** @type {any[]} */ ...args) => {
      try {
        return call(...args)
      } catch (error) {
        mended(page)
        throw crash ?? error
      }
    }
  }

  // A handler that has succeeded may have left Python such that the next one cannot.
  /** @param {Record<string, any>} page */
  function mended(page) {
    const names = crash ? "" : page.mend()
    if (names) console.warn(`fauxserver: a handler had replaced what the server cannot do without; it is as before: ${names}`)
    return names
  }
}

/**
 * What becomes of a request when Python is gone. Not the real server's business: it might be a `DELETE`.
 *
 * @param {Error} crash
 * @param {{ method: string, url: any }} request
 * @returns {any}
 */
export function deadExchange(crash, { method, url }) {
  const start = now()
  let http = false
  return {
    row: { row: "", name: "", urlExp: "", httpMethod: "*", handler: undefined, python: true, label: "", location: "" },
    take() {},
    send() {
      http = true
    },
    context: () => ({ url, httpMethod: method, route: { name: "", handlerParams: [] } }),
    delay: () => 0,
    /** @type {Exchange["answer"]} */
    answer(done) {
      console.error(`fauxserver: ${method} ${url} → 500, ${(now() - start).toFixed(0)} ms. ${crash.message}`)
      done(http ? httpOf(readError(crash)) : readError(crash))
    },
    drop() {},
  }
}
