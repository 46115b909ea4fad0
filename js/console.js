// Each answered request is one folded console line, as the network view cannot show it.

import { now } from "./originals.js"

/** @import { Answered, Fault } from "./bridge.js" */

const A_SECOND = 1000
const LINES_A_SECOND = 50

/**
 * @param {object} surroundings
 * @param {Console} [surroundings.console]
 * @param {() => number} [surroundings.clock]
 * @param {(task: () => void, delay: number) => unknown} surroundings.wait
 * @returns {(answered: Answered) => void}
 */
export function createReporter({ console = globalThis.console, clock = now, wait }) {
  let since = -Infinity
  let count = 0

  function summarize() {
    const more = count - LINES_A_SECOND
    console.info(`fauxserver: ${more} more ${more === 1 ? "request" : "requests"} answered`)
    count = 0
    since = -Infinity
  }

  return (answered) => {
    const time = clock()
    // Many at once would be slowed down by being told of one by one.
    if (time - since > A_SECOND && count <= LINES_A_SECOND) {
      since = time
      count = 0
    }
    count += 1
    if (count === LINES_A_SECOND + 1) wait(summarize, Math.max(0, since + A_SECOND - time))
    if (count > LINES_A_SECOND) return

    const { reply, data, row } = answered
    console.groupCollapsed(lineOf(answered))
    console.log({ data, body: reply.value, status: reply.status, headers: reply.headers, route: row.name, urlExp: row.urlExp })
    console.groupEnd()
  }
}

/** @param {Answered} answered */
export function lineOf({ method, url, reply, duration, row }) {
  const where = [row.label || row.name, row.location].filter(Boolean).join(" ")
  // Of the page's own origin a client of HTTP says no more than the path; nor do we.
  const origin = globalThis.location && `${globalThis.location.origin}/`
  const shown = origin && url.startsWith(origin) ? url.slice(origin.length - 1) : url
  return `${method} ${shown} → ${reply.status}, ${Math.round(duration)} ms${where && `, ${where}`}`
}

/**
 * @param {Fault} fault
 * @param {Console} [console]
 */
export function logFault(fault, console = globalThis.console) {
  if (fault.cause) console.error(`fauxserver: ${fault.message}\n`, fault.cause)
  else console.error(`fauxserver: ${fault.message}${fault.traceback ? `\n\n${fault.traceback}` : ""}`)
}
