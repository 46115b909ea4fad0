// The bridge to Python, which nobody else talks to but `exchange.js`: at most two crossings a request, and only primitives and bytes go over.

import { isRegExp, readMethod } from "./args.js"
import { capture, copy, createExchanges } from "./exchange.js"
import { callFromPython, isThenable } from "./handlers.js"
import { createTurns } from "./turns.js"
import { WORDS } from "./unmatched.js"

/** @import { Exchange } from "./exchange.js" */
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
 * @property {boolean} decodes  Whether only Python knows what its expression captures: that is decoded.
 * @property {(string | null)[]} params  The names of what it captures.
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
 * @property {boolean} [asynchronous]  Whether all that is wrong is that a synchronous request cannot wait for the handler.
 *
 * @typedef {ReturnType<typeof createBridge>} Bridge
 */

// Longer than any handler takes that means to answer.
const PATIENCE = 30_000

const PYTHON_METHODS = /** @type {const} */ ([
  "accept", "delay", "answer", "done", "drop", "describe", "live_rows", "add_route", "remove_route", "remove_routes",
  "add_adapter", "get_route", "get_route_at", "get_matching_route", "call", "set_default_handler", "set_latency", "set_transport_factory",
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
  /** The page's own RegExps by route number, as they are matched. @type {Map<string, Pick<RegExp, "test">>} */
  const regexps = new Map()
  const state = { enabled: true }
  let lastRef = 0
  let pruneAt = 100
  // Whether routes may have gone whose RegExps are still tried.
  let stale = false

  const page = connect({
    /** @param {string} id @param {string} text */
    settle: (id, text) => exchanges.settle(id, text),
    /** @param {Uint8Array} given */
    piece: (given) => exchanges.piece(given),
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

  const exchanges = createExchanges({ page, scheduler, onAnswered, onFault, patience, kept, hasRegExp: (row) => regexps.has(row) })

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
   * @param {{ method: string, url: any, override?: string, base?: string, adapter?: number }} request
   * @returns {Exchange | undefined}
   */
  function accept(request) {
    const url = String(request.url)
    const answer = request.adapter === undefined
      ? page.accept(request.method ?? "", url, request.override, hits(url), request.base)
      : page.accept(request.method ?? "", url, undefined, hits(url), undefined, request.adapter)
    if (answer === undefined) return undefined
    const [id, number, delay, factory] = answer.split(" ")
    return exchanges.create(request, url, id, rowOf(number), delay, factory)
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
    const { row: number, name, urlExp, query, httpMethod, ref, label, location, decodes = false, params = [] } = read(text)
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
      decodes,
      params,
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
      get decodes() { return told().decodes },
      get params() { return told().params },
      capture: (url) => told().capture(url),
    }
  }

  /** @param {RouteSpec} spec @param {number} [adapter]  Whose route it is; by default the page's. */
  function addRoute({ name, urlExp, httpMethod, handler }, adapter) {
    const own = isRegExp(urlExp) ? /** @type {RegExp} */ (urlExp) : undefined
    const plain = own && plainRegExp(own)
    const record = { handler, urlExp: own, regexp: plain && adapter !== undefined ? ofPath(plain) : plain, row: 0 }
    const ref = keep(record)
    const label = typeof handler === "function" ? handler.name : ""
    const { row } = read(page.add_route(JSON.stringify({
      name, httpMethod, ref, label, expression: own ? undefined : urlExp, regexp: own && [own.source, own.flags], adapter,
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
    /** @param {{ precedence: string, sensitive: boolean, strict: boolean }} options @returns {number} */
    addAdapter: (options) => read(page.add_adapter(JSON.stringify(options))).adapter,
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
      const told = page.get_matching_route(text, method, hits(text))
      const row = found(told)
      if (!row) return null
      const captures = row.decodes ? JSON.parse(told).captures.map(capture) : row.capture(text)
      return { ...copy(row), handlerParams: captures }
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
      stale = true
      exchanges.reset(() => read(page.reset()))
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
    crashed: exchanges.crashed,
    /** For tests: how much is kept. */
    sizes: () => ({ kept: kept.size, rows: rows.size, regexps: regexps.size, ...exchanges.sizes() }),
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

// As the g and y flags move a RegExp's lastIndex, it would match every other time only.
/** @param {RegExp} regexp */
function plainRegExp(regexp) {
  return regexp.global || regexp.sticky ? new RegExp(regexp.source, regexp.flags.replace(/[gy]/g, "")) : regexp
}

/**
 * An adapter's RegExp: Express holds it against the path alone, and decodes what it captures.
 *
 * @param {RegExp} regexp
 * @returns {any}
 */
function ofPath(regexp) {
  const pathOf = (/** @type {string} */ url) => url.replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*/, "").replace(/[?#].*$/s, "")
  return {
    test: (/** @type {string} */ url) => regexp.test(pathOf(url)),
    exec: (/** @type {string} */ url) => regexp.exec(pathOf(url))?.map(decoded) ?? null,
  }
}

/** @param {string | undefined} text */
function decoded(text) {
  try {
    return text && decodeURIComponent(text)
  } catch {
    return text
  }
}

/** @param {{ type: string, message: string } & Partial<Fault>} error */
function toError(error) {
  const Type = { SyntaxError, TypeError }[/** @type {"SyntaxError"} */ (error.type)] ?? Error
  return Object.assign(new Type(error.message), { fault: error })
}
