// One request on its way through the server: from the row that answers it to the reply.

import { cannotWait, faultOf, isThenable, parseQuery, run, stillWaits } from "./handlers.js"
import { httpOf, isStreamed, readData } from "./message.js"
import { clearTimeout, now, setTimeout } from "./originals.js"
import { HTTPError, readError, readResult } from "./reply.js"

/** @import { Answered, Fault, Row } from "./bridge.js" */
/** @import { HttpReply, Pieces } from "./message.js" */
/** @import { Reply } from "./reply.js" */
/** @import { Scheduler } from "./schedule.js" */
/** @import { TransportFactory } from "./transport.js" */

/**
 * @typedef {object} Exchange  One request on its way through the server.
 * @property {Row} row
 * @property {TransportFactory | undefined} factory  Undefined is the default one.
 * @property {(data: any, json?: string) => void} take
 *   The data, and its JSON if that was written before; what the sender does to it later is no longer seen by Python.
 * @property {(sent: Sent, whenLost?: (reason: string) => void) => void} send
 *   Instead of data: what a client of HTTP has sent. `answer` gives a reply in HTTP's words then, unless the server is reset before.
 * @property {() => any} context  What a JavaScript handler is given.
 * @property {() => number} delay  In milliseconds.
 * @property {(done: (reply: any) => void, options?: { now?: boolean }) => void} answer  The reply is a `Reply`, or an `HttpReply`.
 * @property {() => void} drop
 *
 * @typedef {object} Sent
 * @property {[string, string][]} headers  Names are in lower case.
 * @property {string | Uint8Array | undefined} body
 * @property {FormData} [form]  The form that the body was made of.
 */

const NO_BYTES = new Uint8Array()

/**
 * @param {object} surroundings
 * @param {any} surroundings.page  Python's side.
 * @param {Scheduler} surroundings.scheduler
 * @param {(answered: Answered) => void} surroundings.onAnswered
 * @param {(fault: Fault) => void} surroundings.onFault
 * @param {number} surroundings.patience  How long a handler may make a request wait, in milliseconds.
 * @param {Map<number, any>} surroundings.kept  What Python keeps by number.
 * @param {(row: string) => boolean} surroundings.hasRegExp  Whether a row's expression is a RegExp of the page.
 */
export function createExchanges({ page, scheduler, onAnswered, onFault, patience, kept, hasRegExp }) {
  /** What Python answers later. @type {Map<string, (text: string) => void>} */
  const awaited = new Map()
  /** Streamed bodies that are being read. @type {Map<string, (reason: Error) => void>} */
  const streams = new Map()
  /** Requests of HTTP under way, by what tells them that they are lost. @type {Set<() => void>} */
  const flights = new Set()
  /** The bytes that Python's next text speaks of. @type {Uint8Array} */
  let bytes = NO_BYTES
  /** The header lines that Python has from the last request. @type {string | undefined} */
  let lastLines
  // What was under way when the server was reset has nobody to answer any more.
  let resets = 0

  return {
    create,

    /** @param {string} id @param {string} text */
    settle(id, text) {
      const settle = awaited.get(id)
      awaited.delete(id)
      if (settle) scheduler.shield(() => settle(text))
    },

    /** @param {Uint8Array} given */
    piece(given) {
      bytes = given
    },

    /** @param {() => void} resetServer */
    reset(resetServer) {
      resets += 1
      awaited.clear()
      breakOff(new Error("The server was reset."))
      const all = [...flights]
      flights.clear()
      resetServer()
      for (const tell of all) scheduler.shield(tell)
    },

    /** Python is gone: what waits for it need not. @param {Error} crash */
    crashed(crash) {
      const { status, statusText: reason, headers, value: body } = readError(crash)
      const text = `=${JSON.stringify({ status, reason, headers, failed: true, error: null, body })}`
      for (const [id, settle] of [...awaited]) if (!streams.has(id)) scheduler.shield(() => settle(text))
      awaited.clear()
      breakOff(crash)
    },

    sizes: () => ({ awaited: awaited.size, flights: flights.size }),
  }

  /** @param {Error} reason */
  function breakOff(reason) {
    for (const reject of streams.values()) reject(reason)
    streams.clear()
  }

  function takeBytes() {
    const taken = bytes
    bytes = NO_BYTES
    return taken
  }

  /**
   * @param {{ method: string, url: any, override?: string }} request
   * @param {string} url
   * @param {string} id
   * @param {Row} row
   * @param {string} pause  Milliseconds, or `j` and the number of a JavaScript function, or `p` for one in Python.
   * @param {string | undefined} factory  The number of a transport factory, or `p` for one in Python.
   * @returns {Exchange}
   */
  function create(request, url, id, row, pause, factory) {
    /** @type {any} */
    let data
    /** @type {string | undefined} */
    let json
    /** @type {Sent | undefined} */
    let sent
    /** @type {any} */
    let context
    /** @type {any[]} */
    let captures
    let over = false
    let lost = () => {}
    let waited = 0
    /** @type {any} */
    let alarm
    const born = resets

    return {
      row, take, send, context: getContext, delay, answer, drop,
      factory: factory === undefined ? undefined : factory === "p" ? pythonTransport : kept.get(Number(factory)),
    }

    /** @param {any} given @param {string} [text] */
    function take(given, text = row.python ? JSON.stringify(given) : undefined) {
      data = given
      json = text
    }

    /** @param {Sent} given @param {(reason: string) => void} [whenLost] */
    function send(given, whenLost) {
      sent = given
      if (!whenLost) return
      lost = () => whenLost("the server was reset")
      // It may have been while the body was read.
      if (born !== resets) lost()
      else flights.add(lost)
    }

    /** As they cross: not at all if they are what they were, as they mostly are. @param {Sent} given */
    function linesOf({ headers }) {
      let lines = ""
      for (const [name, value] of headers) lines += lines ? `\n${name}: ${value}` : `${name}: ${value}`
      if (lines === lastLines) return undefined
      lastLines = lines
      return lines
    }

    /** @param {Sent} given */
    function dataOf({ headers, body, form }) {
      const type = headers.find(([name]) => name === "content-type")?.[1] ?? ""
      try {
        return readData(body, type, form)
      } catch (error) {
        throw new HTTPError(400, { error: `The body is sent as ${type}, and is none: ${/** @type {any} */ (error).message}` })
      }
    }

    /** For those who are told of it. @param {Sent} given */
    function seen(given) {
      try {
        return data ?? dataOf(given)
      } catch {
        return given.body
      }
    }

    function getContext() {
      if (context) return context
      // Only Python knows which part of an absolute url the expression was held against.
      captures = (sent || row.decodes) && !hasRegExp(row.row) ? JSON.parse(page.captures(id)).map(capture) : row.capture(url)
      const route = row.urlExp === ""
        ? { name: "", urlExp: "", handler: row.handler, handlerParams: [] }
        : { ...copy(row), handlerParams: captures }
      context = { data, url: request.url, httpMethod: request.method, route }
      if ("override" in request) context.httpMethodOverride = request.override
      if (sent) Object.assign(context, { headers: Object.fromEntries(sent.headers), body: sent.body })
      // Not enumerable, as a context is compared with what the original gives.
      if (row.decodes) Object.defineProperty(route, "params", { get: () => paramsOf(row.params, captures) })
      Object.defineProperty(context, "query", { get: () => parseQuery(url), configurable: true })
      return context
    }

    function delay() {
      waited = wanted()
      return waited
    }

    function wanted() {
      if (pause === "p") {
        if (sent) page.hand(id, linesOf(sent), sent.body)
        return page.delay(id, json)
      }
      if (pause[0] !== "j") return Number(pause)
      getContext()
      const given = Number(kept.get(Number(pause.slice(1))).apply(null, [context, ...captures]))
      return given > 0 ? given : 0
    }

    /** @param {(reply: Reply) => void} done @param {{ now?: boolean }} [options] */
    function answer(done, { now: atOnce = false } = {}) {
      if (over || born !== resets) return
      const start = now()
      /** @param {Reply | HttpReply} given */
      const finish = (given) => {
        if (over || born !== resets) return
        over = true
        flights.delete(lost)
        const reply = sent && !("body" in given) ? httpOf(given, sent) : given
        clearTimeout.call(globalThis, alarm)
        const duration = now() - start
        if (!row.python) page.done(id, reply.status, duration, undefined)
        onAnswered({ method: request.method, url, reply, duration, delay: waited, row, get data() { return sent ? seen(sent) : data } })
        done(reply)
      }
      if (row.python) answerInPython(finish, atOnce)
      else answerInJavaScript(finish, atOnce)
      if (over) return
      alarm = setTimeout.call(globalThis, () => scheduler.shield(() => giveUp(finish)), patience)
      alarm.unref?.()
    }

    /** @param {(reply: Reply) => void} finish */
    function giveUp(finish) {
      if (over || born !== resets) return
      awaited.delete(id)
      if (row.python) page.drop(id)
      const error = new Error(stillWaits(row, patience))
      const fault = { message: error.message }
      onFault(fault)
      finish({ ...readError(error), error: fault })
    }

    /** @param {(reply: Reply) => void} finish @param {boolean} atOnce */
    function answerInPython(finish, atOnce) {
      let text
      try {
        text = sent ? page.send(id, linesOf(sent), sent.body, atOnce) : page.answer(id, json, atOnce)
      } catch (error) {
        lastLines = undefined
        // Not the handler's doing, which is always told as an answer; but nobody shall wait for ever.
        const fault = faultOf(error, row)
        onFault(fault)
        return finish({ ...readError(error), error: fault })
      }
      const read = sent ? decodeHttp : decode
      if (text === "~") awaited.set(id, (later) => finish(read(later)))
      else finish(read(text))
    }

    /** @param {(reply: Reply) => void} finish @param {boolean} atOnce */
    function answerInJavaScript(finish, atOnce) {
      getContext()
      let result
      try {
        const undecodable = captures.find((each) => each instanceof Undecodable)
        if (undecodable) throw new HTTPError(400, `Failed to decode param '${undecodable}'`)
        if (sent) context.data = data = dataOf(sent)
        result = run(row.handler, row.urlExp === "" ? [context] : [context, ...captures])
      } catch (error) {
        return fail(error)
      }
      if (!isThenable(result)) return conclude(readResult(result))
      if (atOnce) {
        result.then(undefined, () => {})
        return refuse("a promise")
      }
      Promise.resolve(result).then(
        (value) => scheduler.shield(() => conclude(readResult(value))),
        (error) => scheduler.shield(() => fail(error)),
      )

      /** @param {Reply} given @returns {void} */
      function conclude(given) {
        /** @type {Reply | HttpReply} */
        let reply = given
        try {
          if (sent) reply = httpOf(given, sent)
          if (atOnce && "body" in reply && isStreamed(reply.body)) {
            if (!reply.body.whole) {
              reply.body.cancel()
              return refuse("a stream")
            }
            reply.body = reply.body.whole()
          }
        } catch (error) {
          return fail(error)
        }
        finish(reply)
      }

      /** @param {any} error @param {Partial<Fault>} [more] @returns {void} */
      function fail(error, more) {
        if (over) return
        const reply = readError(error)
        if (!reply.unexpected) return conclude(reply)
        const fault = { ...faultOf(error, row), ...more }
        onFault(fault)
        finish({ ...reply, error: fault })
      }

      /** @param {string} what */
      function refuse(what) {
        fail(new Error(cannotWait(row, what)), { asynchronous: true })
      }
    }

    /** @param {string} text */
    function decode(text) {
      const value = JSON.parse(text.slice(1))
      if (text[0] === "+") return { failed: false, value, status: 200, statusText: "OK", headers: {} }
      if (value.error) onFault(value.error)
      return {
        failed: value.failed, value: value.body, status: value.status, statusText: value.reason, headers: value.headers,
        error: value.error ?? undefined,
      }
    }

    /** @param {string} text @returns {HttpReply} */
    function decodeHttp(text) {
      if (text[0] === "+") {
        const body = text.slice(1)
        return {
          failed: false, status: 200, statusText: "OK", headers: { "content-type": "application/json" }, body,
          get value() { return JSON.parse(body) },
        }
      }
      const end = text.indexOf("\n")
      const { status, reason, headers, error, body: kind } = JSON.parse(end < 0 ? text.slice(1) : text.slice(1, end))
      if (error) onFault(error)
      /** @type {import("./message.js").Body} */
      const body = kind === "text" ? text.slice(end + 1) : kind === "bytes" ? takeBytes() : kind === "stream" ? streamed() : undefined
      return {
        failed: status >= 400, status, statusText: reason, headers: Object.fromEntries(headers), body, error: error ?? undefined,
        get value() { return told(headers, /** @type {import("./message.js").Body} */ (body)) },
      }
    }

    /** @returns {Pieces} */
    function streamed() {
      return {
        async pull() {
          for (;;) {
            const piece = await pulled()
            if (!piece || piece.length) return piece
          }
        },
        cancel() {
          streams.delete(id)
          awaited.delete(id)
          if (born === resets) page.drop(id)
        },
      }
    }

    /** @returns {Promise<Uint8Array | undefined>} */
    function pulled() {
      return new Promise((resolve, reject) => {
        if (born !== resets) return reject(new Error("The server was reset."))
        /** @param {string} text */
        const read = (text) => {
          streams.delete(id)
          if (text === ".") return resolve(undefined)
          if (text[0] !== "!") return resolve(text === "b" ? takeBytes() : new TextEncoder().encode(text.slice(1)))
          const fault = JSON.parse(text.slice(1))
          if (fault) onFault(fault)
          reject(new Error(fault?.message ?? "The handler broke off."))
        }
        const text = page.pull(id)
        if (text !== "~") return read(text)
        streams.set(id, reject)
        awaited.set(id, read)
      })
    }

    function drop() {
      if (over) return
      over = true
      flights.delete(lost)
      clearTimeout.call(globalThis, alarm)
      awaited.delete(id)
      page.drop(id)
    }

    /** @type {TransportFactory} */
    function pythonTransport({ success, error }, _context, _surroundings) {
      /** @param {((value: any) => void) | undefined} callback */
      const called = (callback) => (/** @type {string | undefined} */ text) =>
        scheduler.shield(() => callback?.(text === undefined ? undefined : JSON.parse(text)))
      const promise = page.transport(id, json, called(success), called(error))
      return {
        promise: () => promise,
        resolve: (value) => page.resolve(id, JSON.stringify(value)),
        reject: (reason) => page.reject(id, JSON.stringify(reason)),
      }
    }
  }
}

/** A capture that is no encoding of anything: the request is a bad one. */
class Undecodable extends String {}

/** As Python tells of a capture. @param {any} told */
export function capture(told) {
  if (told === null) return undefined
  return typeof told === "object" ? new Undecodable(told.undecodable) : told
}

/** @param {(string | null)[]} names @param {any[]} captures */
function paramsOf(names, captures) {
  /** @type {Record<string, any>} */
  const params = {}
  let unnamed = 0
  names.forEach((name, index) => {
    params[name ?? unnamed++] = captures[index]
  })
  return params
}

/**
 * A body, for those who are told of an answer.
 *
 * @param {[string, string][]} headers
 * @param {import("./message.js").Body} body
 */
function told(headers, body) {
  if (isStreamed(body)) return undefined
  const type = headers.find(([name]) => name === "content-type")?.[1] ?? ""
  if (typeof body !== "string" || !type.startsWith("application/json")) return body
  try {
    return JSON.parse(body)
  } catch {
    // A handler may say that it is JSON, and be wrong.
    return body
  }
}

/** @param {Row} row */
export function copy({ name, urlExp, httpMethod, handler }) {
  return { name, urlExp, httpMethod, handler }
}
