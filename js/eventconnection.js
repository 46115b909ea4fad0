// The life of an event source that we answer: connecting, open, waiting for the next connection, closed.

import { createEventStream } from "./eventstream.js"
import { isStreamed, readable } from "./message.js"
import * as originals from "./originals.js"

/** @import { Server } from "./backbone.js" */
/** @import { Answer, HttpRequest } from "./http.js" */
/** @import { Pieces } from "./message.js" */

/**
 * @typedef {object} Surroundings
 * @property {Server} server
 * @property {{ offer: typeof import("./http.js").offer, answer: typeof import("./httpanswer.js").answer }} http
 * @property {(task: () => void) => void} tasks  Run each in a task of its own, in order.
 * @property {any} global
 * @property {() => boolean} installed  Whether we still are: the network has the next connection of who is left behind.
 *
 * @typedef {object} Wanted
 * @property {string} url  Absolute.
 * @property {boolean} withCredentials
 *
 * @typedef {{ reply: (answer: Pick<Answer, "status" | "headers" | "url" | "body">) => void, fail: () => void }} Outcome
 */

export const CONNECTING = 0
export const OPEN = 1
export const CLOSED = 2

// What Chromium and WebKit wait where the stream does not say how long, in milliseconds.
const RETRY = 3_000
// Timers take what is longer for nothing.
const LONGEST = 2 ** 31 - 1

/**
 * @param {Surroundings} surroundings
 * @param {Wanted} wanted
 * @param {(event: Event) => void} fire
 */
export function createConnection({ server, http, tasks, global, installed }, { url, withCredentials }, fire) {
  let readyState = CONNECTING
  // Where a redirect has led is where the next connection begins.
  let address = url.replace(/#.*$/s, "")
  let lastEventId = ""
  let retry = RETRY
  /** Ends what is under way. */
  let stop = () => {}
  // What an earlier connection still has to say is not heard.
  let attempt = 0

  return {
    get readyState() {
      return readyState
    },
    /** Begin, and say whether it is ours. It is, too, as long as nobody knows. */
    start: () => connect(true),
    close() {
      if (readyState === CLOSED) return
      readyState = CLOSED
      halt()
    },
  }

  function halt() {
    attempt += 1
    const end = stop
    stop = () => {}
    end()
  }

  /** @param {boolean} [first] */
  function connect(first = false) {
    const current = (attempt += 1)
    /** @type {HttpRequest} */
    const request = {
      method: "GET", url: address, headers: headers(), door: "eventsource", redirect: "follow", mode: "cors",
      credentials: withCredentials ? "include" : "same-origin", cache: "no-store",
    }
    let decided = false
    let ours = true
    /** @type {Outcome} */
    const outcome = {
      reply(answer) {
        if (current === attempt) open(answer)
        else cancel(answer.body)
      },
      fail() {
        if (current === attempt) reestablish()
      },
    }
    const forget = http.offer(server, request, (exchange) => {
      const early = !decided
      decided = true
      if (current !== attempt) return exchange?.drop()
      if (exchange) stop = http.answer(server, exchange, request, outcome)
      else if (exchange === null) tasks(outcome.fail)
      // At once, it is the native one's. Later we are it, and read what it would have read.
      else if (early && first) ours = false
      else stop = askNetwork(request, outcome, tasks)
    }, installed)
    if (!decided) stop = forget
    decided = true
    return ours
  }

  function headers() {
    /** @type {[string, string][]} */
    const own = [["accept", "text/event-stream"]]
    if (lastEventId !== "") own.push(["last-event-id", lastEventId])
    return own
  }

  /** @type {Outcome["reply"]} */
  function open({ status, headers, url, body }) {
    const type = typeOf(headers)
    stop = () => cancel(body)
    if (status !== 200 || type !== "text/event-stream") {
      if (status === 200) console.error(wrongType(url, type))
      readyState = CLOSED
      halt()
      return fire(new global.Event("error"))
    }
    address = url.replace(/#.*$/s, "")
    const stream = createEventStream(lastEventId)
    const { origin } = new URL(url)
    const current = attempt
    readyState = OPEN
    fire(new global.Event("open"))
    if (current !== attempt) return
    if (isStreamed(body)) pull(body)
    else deliver(typeof body === "string" ? new TextEncoder().encode(body) : body ?? new Uint8Array(), reestablish)

    /** @param {Pieces} pieces */
    function pull(pieces) {
      const broken = () => tasks(() => current === attempt && reestablish())
      pieces.pull().then((piece) => {
        if (current !== attempt) return
        if (piece) deliver(piece, () => pull(pieces))
        else broken()
      }, broken)
    }

    /** @param {Uint8Array} bytes @param {() => void} then */
    function deliver(bytes, then) {
      const blocks = stream.push(bytes)
      retry = Math.min(stream.retry ?? retry, LONGEST)
      for (const block of blocks) {
        tasks(() => {
          if (current !== attempt) return
          lastEventId = block.lastEventId
          if (block.data !== undefined) fire(new global.MessageEvent(block.type, { data: block.data, origin, lastEventId }))
        })
      }
      tasks(() => current === attempt && then())
    }
  }

  /** The connection has ended, or could not be had: the next one, after a while. */
  function reestablish() {
    halt()
    const current = attempt
    readyState = CONNECTING
    fire(new global.Event("error"))
    if (current === attempt) stop = server.scheduler.later(() => connect(), retry)
  }
}

/**
 * What the native one would have read, when it is too late to have one.
 *
 * @param {HttpRequest} request
 * @param {Outcome} outcome
 * @param {(task: () => void) => void} tasks
 */
function askNetwork({ url, headers, credentials }, { reply, fail }, tasks) {
  const control = new AbortController()
  const options = { headers: headers.map(inBytes), credentials, cache: /** @type {const} */ ("no-store"), signal: control.signal }
  originals.fetch(url, options).then(
    ({ status, headers, url, body }) => tasks(() => reply({ status, headers: [...headers], url, body: readable(body) })),
    () => tasks(fail),
  )
  return () => control.abort()
}

/** A header's value as fetch takes it: a character for each byte. @param {[string, string]} header @returns {[string, string]} */
function inBytes([name, value]) {
  return [name, String.fromCharCode(...new TextEncoder().encode(value))]
}

/** @param {Answer["body"]} body */
function cancel(body) {
  if (isStreamed(body)) body.cancel()
}

/** The last type that is one, without its parameters. @param {[string, string][]} headers */
function typeOf(headers) {
  const values = headers.filter(([name]) => name.toLowerCase() === "content-type").flatMap(([, value]) => value.split(","))
  const types = values.map((value) => value.split(";")[0].trim().toLowerCase())
  return types.findLast((type) => /^[^\s/]+\/[^\s/]+$/.test(type)) ?? ""
}

/** @param {string} url @param {string} type */
function wrongType(url, type) {
  return `fauxserver: ${url} is answered ${type ? `as ${type}` : "without a content-type"}, and an EventSource takes text/event-stream only. `
    + 'Return Response(pieces, headers={"content-type": "text/event-stream"}).'
}
