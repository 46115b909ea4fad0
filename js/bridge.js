// The only file that talks to Python: at most two crossings a request, and only primitives go over.

import { isRegExp, readMethod } from "./args.js"
import { httpOf, isStreamed, readData } from "./message.js"
import { callFromPython, cannotWait, faultOf, isThenable, parseQuery, run, stillWaits } from "./handlers.js"
import { clearTimeout, now, setTimeout } from "./originals.js"
import { HTTPError, readError, readResult } from "./reply.js"
import { createTurns } from "./turns.js"
import { WORDS } from "./unmatched.js"

/** @import { HttpReply, Pieces } from "./message.js" */
/** @import { Reply } from "./reply.js" */
/** @import { Scheduler } from "./schedule.js" */
/** @import { TransportFactory } from "./transport.js" */
/** @import { Word } from "./unmatched.js" */

/**
 * @typedef {object} RouteSpec  What a caller of addRoute asked for.
 * @property {string | undefined} name
 * @property {string | RegExp} urlExp
 * @property {string} httpMethod
 * @property {any} handler
 *
 * @typedef {object} Row  A row of the route table, as it is known on this side.
 * @property {string} row
 * @property {string} name
 * @property {RegExp | ""} urlExp
 * @property {string} httpMethod
 * @property {any} handler
 * @property {boolean} python  Whether Python answers it.
 * @property {string} label
 * @property {string} location
 * @property {(url: string) => (string | undefined)[]} capture
 *
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
 *
 * @typedef {object} Answered  What there is to tell about a request once it is answered.
 * @property {string} method
 * @property {string} url
 * @property {Reply} reply
 * @property {number} duration
 * @property {number} delay
 * @property {Row} row
 * @property {any} data
 *
 * @typedef {object} Fault  An error in the page's Python or in a handler, for the person who wrote it.
 * @property {string} message
 * @property {string} [type]
 * @property {string} [file]
 * @property {number} [line]
 * @property {string} [source]
 * @property {string} [traceback]
 * @property {unknown} [cause]
 *
 * @typedef {ReturnType<typeof createBridge>} Bridge
 */

const NO_BYTES = new Uint8Array()
// Longer than any handler takes that means to answer.
const PATIENCE = 30_000

const PYTHON_METHODS = /** @type {const} */ ([
  "accept", "delay", "answer", "done", "drop", "describe", "live_rows", "add_route", "remove_route", "remove_routes",
  "get_route", "get_route_at", "get_matching_route", "call", "set_default_handler", "set_latency", "set_transport_factory",
  "transport", "resolve", "reject", "enable", "set_base", "ready", "reset", "metadata", "load", "wrote", "run_python",
  "hand", "captures", "send", "pull",
  "unmatched", "explain", "set_unmatched",
  "turn", "ring",
  "mend", "rails",
])

/**
 * Start `fauxserver.hosts.browser` inside a booted runtime and give back the page's server, as JavaScript functions.
 *
 * @param {any} pyodide
 * @param {any} callbacks  See `createBridge`.
 */
export function connect(pyodide, callbacks) {
  const host = pyodide.pyimport("fauxserver.hosts.browser")
  const page = host.start(callbacks)
  host.destroy()
  // Taken once: every access to a proxy's method would make another proxy.
  const methods = Object.fromEntries(PYTHON_METHODS.map((name) => [name, page[name]]))
  // The others as well that every request takes: a clock that nobody has armed sends itself a message to find its end.
  for (const name of /** @type {const} */ (["accept", "answer", "send", "pull", "done", "unmatched", "explain", "turn", "ring"])) {
    methods[name] = callbacks.limited(methods[name], page.time_limit)
  }
  /** @param {string} path @param {Uint8Array} bytes */
  const write = (path, bytes) => {
    pyodide.FS.mkdirTree(path.replace(/\/[^/]*$/, ""))
    pyodide.FS.writeFile(path, bytes)
    methods.wrote(path)
  }
  return { ...methods, write }
}

/**
 * @param {object} surroundings
 * @param {(callbacks: any) => any} surroundings.connect  Gives the Python side its callbacks and gets its methods.
 * @param {Scheduler} surroundings.scheduler
 * @param {(answered: Answered) => void} [surroundings.onAnswered]
 * @param {(fault: Fault) => void} [surroundings.onFault]
 * @param {() => void} [surroundings.onEnabled]  Whether it answers may have changed.
 * @param {number} [surroundings.patience]  How long a handler may make a request wait, in milliseconds.
 */
export function createBridge({ connect, scheduler, onAnswered = () => {}, onFault = () => {}, onEnabled = () => {}, patience = PATIENCE }) {
  /** What Python keeps by number: handlers, latency functions, transport factories. @type {Map<number, any>} */
  const kept = new Map()
  /** @type {Map<string, Row>} */
  const rows = new Map()
  /** The page's own RegExps by route number, as they are matched. @type {Map<string, RegExp>} */
  const regexps = new Map()
  /** Exchanges that Python answers later. @type {Map<string, (text: string) => void>} */
  const awaited = new Map()
  /** Streamed bodies that are being read. @type {Map<string, (reason: Error) => void>} */
  const streams = new Map()
  /** Requests of HTTP under way, by what tells them that they are lost. @type {Set<() => void>} */
  const flights = new Set()
  /** The bytes that Python's next text speaks of. @type {Uint8Array} */
  let bytes = NO_BYTES
  /** The header lines that Python has from the last request. @type {string | undefined} */
  let lastLines
  const state = { enabled: true }
  let lastRef = 0
  let pruneAt = 100
  // Whether routes may have gone whose RegExps are still tried.
  let stale = false
  // What was under way when the server was reset has nobody to answer any more.
  let resets = 0

  const page = connect({
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
    /** @param {string} json */
    report(json) {
      scheduler.shield(() => onFault(JSON.parse(json)))
    },
    /** @param {boolean} flag */
    enabled(flag) {
      state.enabled = flag
      onEnabled()
    },
    /** @param {number} ref */
    forget(ref) {
      const row = String(kept.get(ref)?.row)
      kept.delete(ref)
      regexps.delete(row)
      rows.delete(row)
    },
    /** @param {number} ref @param {string} json */
    call(ref, json) {
      return callFromPython(kept.get(ref), json)
    },
    ...createTurns(() => page, scheduler.shield),
  })

  function takeBytes() {
    const taken = bytes
    bytes = NO_BYTES
    return taken
  }

  /** @param {any} value */
  function keep(value) {
    lastRef += 1
    kept.set(lastRef, value)
    return lastRef
  }

  /** @param {string} text  What a method of the page gave back. */
  function read(text) {
    const answer = JSON.parse(text)
    if (answer !== null && answer.error) throw toError(answer.error)
    return answer
  }

  // --- A request's way -------------------------------------------------------------------------------------------------

  /**
   * Ask the server whether a request is its own. Route, handler and delay are fixed by this.
   *
   * @param {{ method: string, url: any, override?: string, base?: string }} request
   * @returns {Exchange | undefined}
   */
  function accept(request) {
    const url = String(request.url)
    const answer = page.accept(request.method ?? "", url, request.override, hits(url), request.base)
    if (answer === undefined) return undefined
    const [id, number, delay, factory] = answer.split(" ")
    return createExchange(request, url, id, rowOf(number), delay, factory)
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
  function createExchange(request, url, id, row, pause, factory) {
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
      flights.add(lost)
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
      captures = sent && !regexps.has(row.row) ? JSON.parse(page.captures(id)).map(orUndefined) : row.capture(url)
      const route = row.urlExp === ""
        ? { name: "", urlExp: "", handler: row.handler, handlerParams: [] }
        : { ...copy(row), handlerParams: captures }
      context = { data, url: request.url, httpMethod: request.method, route }
      if ("override" in request) context.httpMethodOverride = request.override
      if (sent) Object.assign(context, { headers: Object.fromEntries(sent.headers), body: sent.body })
      // Not enumerable, as a context is compared with what the original gives.
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
      /** @param {any} error */
      const fail = (error) => {
        if (over) return
        const reply = readError(error)
        if (!reply.unexpected) return finish(reply)
        const fault = faultOf(error, row)
        onFault(fault)
        finish({ ...reply, error: fault })
      }
      let result
      try {
        if (sent) context.data = data = dataOf(sent)
        result = run(row.handler, row.urlExp === "" ? [context] : [context, ...captures])
      } catch (error) {
        return fail(error)
      }
      if (!isThenable(result)) {
        const reply = sent ? httpOf(readResult(result), sent) : readResult(result)
        return atOnce && sent && isStreamed(/** @type {HttpReply} */ (reply).body) ? fail(new Error(cannotWait(row))) : finish(reply)
      }
      if (atOnce) {
        result.then(undefined, () => {})
        return fail(new Error(cannotWait(row)))
      }
      Promise.resolve(result).then(
        (value) => scheduler.shield(() => finish(readResult(value))),
        (error) => scheduler.shield(() => fail(error)),
      )
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

  /**
   * What becomes of a request that `accept` gave nothing for; nothing: it goes to the network in silence.
   *
   * @param {{ method: string, url: string, door: string, base?: string }} request
   * @returns {"warn" | "error" | undefined}
   */
  function unmatched({ method, url, door, base }) {
    let asked = 0
    for (;;) {
      const told = page.unmatched(method, url, door, base, asked)
      if (told === undefined || told[0] !== "j") return told
      // A function of the page, which may leave it to the others.
      const [ref, next] = told.slice(1).split(" ").map(Number)
      const word = askPolicy(kept.get(ref), { method, url, door })
      if (word) return word === "bypass" ? undefined : word
      asked = next
    }
  }

  /**
   * @param {(request: { method: string, url: string, door: string }) => any} policy
   * @param {{ method: string, url: string, door: string }} request
   * @returns {Word | undefined}
   */
  function askPolicy(policy, request) {
    try {
      const word = policy(request)
      if (word === undefined || word === null || WORDS.includes(word)) return word ?? undefined
      if (isThenable(word)) word.then(undefined, () => {})
      const what = isThenable(word) ? "a promise" : JSON.stringify(word) ?? String(word)
      onFault({
        message: `The policy that setUnmatched was given returned ${what} for ${request.method} ${request.url}. `
          + 'Return "bypass", "warn" or "error", or nothing for the default.',
      })
    } catch (cause) {
      onFault({ message: `The policy that setUnmatched was given failed for ${request.method} ${request.url}.`, cause })
    }
    return undefined
  }

  // --- Rows ------------------------------------------------------------------------------------------------------------

  /**
   * The page's RegExps that match, by number: Python could only ask back.
   *
   * @param {string} url
   */
  function hits(url) {
    if (stale) refreshRegExps()
    let found = ""
    for (const [row, regexp] of regexps) if (regexp.test(url)) found += found ? `,${row}` : row
    return found
  }

  function refreshRegExps() {
    stale = false
    regexps.clear()
    const own = [...kept.values()].filter(({ regexp }) => regexp)
    if (!own.length) return
    const live = liveRows()
    for (const { row, regexp } of own) if (live.has(row)) regexps.set(String(row), regexp)
  }

  /** @returns {Set<number>} */
  function liveRows() {
    return new Set(JSON.parse(page.live_rows()))
  }

  /**
   * Take note of a row: its function and its RegExp are made once, and are the same ever after.
   *
   * @param {string} text
   * @returns {Row}
   */
  function describe(text) {
    const { row: number, name, urlExp, query, httpMethod, ref, label, location } = read(text)
    const key = String(number)
    const known = rows.get(key)
    if (known) return known
    const own = ref === null ? undefined : kept.get(ref)
    const exp = urlExp === "" ? "" : own?.urlExp ?? new RegExp(urlExp[0], urlExp[1])
    const plain = own?.regexp ?? exp
    const whole = query || own?.regexp
    /** @type {Row} */
    const row = {
      row: key,
      name,
      urlExp: exp,
      httpMethod,
      handler: own ? own.handler : standIn(number),
      python: own === undefined,
      label: own ? own.handler?.name ?? "" : label,
      location,
      capture: (url) => (plain ? plain.exec(whole ? url : url.replace(/[?#].*$/s, ""))?.slice(1) ?? [] : []),
    }
    if (rows.size > pruneAt) prune()
    rows.set(key, row)
    return row
  }

  // Rows that were removed stay known until they are many, so that adding and removing costs nothing.
  function prune() {
    const live = liveRows()
    for (const number of rows.keys()) if (!live.has(Number(number))) rows.delete(number)
    pruneAt = 100 + 2 * live.size
  }

  /**
   * The function that stands for a Python handler: called like any handler, it calls that one.
   *
   * @param {number} number
   */
  function standIn(number) {
    /** @param {any} context @param {any[]} captures */
    return function pythonHandler(context, ...captures) {
      const { data, url = "", httpMethod = "GET" } = context ?? {}
      return read(page.call(number, JSON.stringify({ data, url, httpMethod, captures }))).value
    }
  }

  /** @param {string} text @returns {Row | undefined} */
  function found(text) {
    return text === "null" ? undefined : describe(text)
  }

  /**
   * The row of that number; one of the page's own handlers if a `j` comes before it.
   *
   * @param {string} number
   * @returns {Row}
   */
  function rowOf(number) {
    if (number[0] !== "j") return rows.get(number) ?? pythonRow(number)
    const key = number.slice(1)
    return rows.get(key) ?? describe(page.describe(Number(key)))
  }

  /**
   * A row that Python answers. What else there is to say of it is asked for when somebody wants to know: mostly nobody
   * does, and of ten thousand rows each would have to be described once.
   *
   * @param {string} row
   * @returns {Row}
   */
  function pythonRow(row) {
    const told = () => rows.get(row) ?? describe(page.describe(Number(row)))
    return {
      row,
      python: true,
      get name() { return told().name },
      get urlExp() { return told().urlExp },
      get httpMethod() { return told().httpMethod },
      get handler() { return told().handler },
      get label() { return told().label },
      get location() { return told().location },
      capture: (url) => told().capture(url),
    }
  }

  /** @param {RouteSpec} spec */
  function addRoute({ name, urlExp, httpMethod, handler }) {
    const own = isRegExp(urlExp) ? /** @type {RegExp} */ (urlExp) : undefined
    const record = { handler, urlExp: own, regexp: own && plainRegExp(own), row: 0 }
    const ref = keep(record)
    const label = typeof handler === "function" ? handler.name : ""
    const { row } = read(page.add_route(JSON.stringify({
      name, httpMethod, ref, label, expression: own ? undefined : urlExp, regexp: own && [own.source, own.flags],
    })))
    record.row = row
    if (record.regexp) regexps.set(String(row), record.regexp)
    // It may have taken the place of another of its name.
    if (name !== undefined && regexps.size) stale = true
  }

  // --- What JavaScript may set on the server ---------------------------------------------------------------------------

  return {
    get enabled() {
      return state.enabled
    },
    accept,
    addRoute,
    /** @param {unknown} name */
    removeRoute(name) {
      if (name === undefined || name === null) return
      stale = true
      read(page.remove_route(String(name)))
    },
    removeRoutes() {
      stale = true
      read(page.remove_routes())
    },
    /** @param {unknown} name */
    getRoute(name) {
      if (name === undefined || name === null) return null
      const row = found(page.get_route(String(name)))
      return row ? copy(row) : null
    },
    /** @param {unknown} index */
    getRouteAt(index) {
      const at = Number(index)
      // Null and the empty string make a 0 that nobody meant.
      if (!Number.isInteger(at) || at < 0 || String(at) !== String(index)) return null
      const row = found(page.get_route_at(at))
      return row ? copy(row) : null
    },
    /** @param {unknown} url @param {unknown} [httpMethod] */
    getMatchingRoute(url, httpMethod) {
      const text = String(url)
      const method = httpMethod === undefined || httpMethod === null ? undefined : readMethod(httpMethod)
      const row = found(page.get_matching_route(text, method, hits(text)))
      return row ? { ...copy(row), handlerParams: row.capture(text) } : null
    },
    /** @param {any} handler */
    setDefaultHandler(handler) {
      read(page.set_default_handler(handler ? keep({ handler }) : undefined))
    },
    /** @param {any} min @param {any} max */
    setLatency(min, max) {
      const latency = latencyOf(min, max)
      if (typeof latency === "function") read(page.set_latency(keep(latency), undefined, undefined))
      else read(page.set_latency(undefined, latency[0], latency[1]))
    },
    /** @param {string | undefined} prefix @param {any} policy */
    setUnmatched(prefix, policy) {
      if (typeof policy === "function") read(page.set_unmatched(prefix, undefined, keep(policy)))
      else read(page.set_unmatched(prefix, policy, undefined))
    },
    unmatched,
    /** @param {{ method: string, url: string, base?: string }} request */
    explain: ({ method, url, base }) => page.explain(method, url, hits(url), base),
    /** @param {TransportFactory} [factory] */
    setTransportFactory(factory) {
      read(page.set_transport_factory(factory ? keep(factory) : undefined))
    },
    /** @param {boolean} flag */
    enable(flag) {
      state.enabled = flag
      read(page.enable(flag))
    },
    ready() {
      read(page.ready())
    },
    reset() {
      resets += 1
      stale = true
      awaited.clear()
      for (const reject of streams.values()) reject(new Error("The server was reset."))
      streams.clear()
      const all = [...flights]
      flights.clear()
      read(page.reset())
      for (const tell of all) scheduler.shield(tell)
    },
    /** @param {string} base */
    setBase(base) {
      read(page.set_base(base))
    },
    /** @param {string} source @param {string} path */
    metadata: (source, path) => read(page.metadata(source, path)),
    /** @param {string} path @param {string} source @param {boolean} [afresh] */
    load: (path, source, afresh) => read(page.load(path, source, afresh ?? false)),
    /** @param {string} code */
    runPython: (code) => read(page.run_python(code)).value,
    /** Python is gone: what waits for it need not. @param {Error} crash */
    crashed(crash) {
      const { status, statusText: reason, headers, value: body } = readError(crash)
      const text = `=${JSON.stringify({ status, reason, headers, failed: true, error: null, body })}`
      for (const settle of [...awaited.values()]) scheduler.shield(() => settle(text))
      awaited.clear()
    },
    /** For tests: how much is kept. */
    sizes: () => ({ kept: kept.size, rows: rows.size, regexps: regexps.size, awaited: awaited.size, flights: flights.size }),
  }
}

/**
 * @param {any} min
 * @param {any} max
 * @returns {[number, number] | ((...args: any[]) => number)}
 */
function latencyOf(min, max) {
  if (typeof min === "function") return min
  const low = max ? Number(min) : Number(min ?? 0)
  const high = max ? Number(max) : low
  return low + high === low + high ? [low, high] : [0, 0]
}

/** @param {any} value */
const orUndefined = (value) => (value === null ? undefined : value)

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
function copy({ name, urlExp, httpMethod, handler }) {
  return { name, urlExp, httpMethod, handler }
}

// As the g and y flags move a RegExp's lastIndex, it would match every other time only.
/** @param {RegExp} regexp */
function plainRegExp(regexp) {
  return regexp.global || regexp.sticky ? new RegExp(regexp.source, regexp.flags.replace(/[gy]/g, "")) : regexp
}

/** @param {{ type: string, message: string } & Partial<Fault>} error */
function toError(error) {
  const Type = { SyntaxError, TypeError }[/** @type {"SyntaxError"} */ (error.type)] ?? Error
  return Object.assign(new Type(error.message), { fault: error })
}
