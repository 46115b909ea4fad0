// XMLHttpRequest, answered by the server: `installXHR(server, global)` gives back the function that undoes it.
//
// The page's own objects stay. `open`, `setRequestHeader` and the like are done by the browser as well, so that its own
// errors are thrown. `send` decides: what is not ours is sent by the browser, and nothing of ours is heard of it again;
// what is ours is never sent, and the object says of it, and dispatches, what it would say of a real answer.

import { readBody } from "./body.js"
import { answer, offer, passed } from "./http.js"
import { isStreamed } from "./message.js"
import { parseMime, serializeMime } from "./mime.js"
import * as originals from "./originals.js"
import { createPatches } from "./patches.js"
import { createReceived } from "./received.js"
import { report } from "./schedule.js"
import { createStepper } from "./steps.js"

/** @import { Server } from "./backbone.js" */
/** @import { Body } from "./body.js" */
/** @import { Received } from "./received.js" */

/**
 * @typedef {object} Call  What a request was opened with.
 * @property {string} method
 * @property {string} url
 * @property {string} base
 * @property {boolean} async
 * @property {Map<string, string>} headers  By lower-case name.
 * @property {Answered | undefined} ours  Once it is known to be ours.
 * @property {boolean} sent  By the browser.
 *
 * @typedef {ReturnType<typeof createAnswered>} Answered  A request that we answer.
 *
 * @typedef {object} Installation
 * @property {number} users
 * @property {Server} server
 * @property {any} global
 * @property {WeakMap<object, Call>} calls
 * @property {WeakMap<object, string>} mimes  What overrideMimeType was told.
 * @property {WeakMap<object, Map<string, any[]>>} listeners  Those of the upload objects.
 * @property {Set<WeakRef<any>>} answered  The requests whose answers can still be read.
 * @property {ReturnType<typeof createStepper>} run
 * @property {ReturnType<typeof createPatches>} patches
 * @property {(xhr: any) => [string, PropertyDescriptor][]} ownAccessors
 * @property {boolean} pins  Whether what is ours has to stand on the object itself.
 */

const UNSENT = 0
const OPENED = 1
const HEADERS_RECEIVED = 2
const LOADING = 3
const DONE = 4

/** How often a page is told of progress, in milliseconds. */
const PROGRESS_EVERY = 50

/** When a browser has heard from its network that all was sent, if it has had no answer by then, in milliseconds. */
const UPLOADED_AFTER = 100

const NORMALIZED = /^(delete|get|head|options|post|put)$/i
const FORBIDDEN = new RegExp(
  "^(accept-charset|accept-encoding|access-control-request-(headers|method|private-network)|connection|content-length|cookie2?|date|dnt"
  + "|expect|host|keep-alive|origin|referer|set-cookie|te|trailer|transfer-encoding|upgrade|via|proxy-.*|sec-.*)$",
)
const OVERRIDES = ["x-http-method", "x-http-method-override", "x-method-override"]
const FORBIDDEN_METHOD = /(^|,)\s*(connect|trace|track)\s*(,|$)/i

/** @type {WeakMap<object, WeakMap<object, Installation>>} */
const installations = new WeakMap()

/**
 * @param {Server} server
 * @param {any} [global]
 * @returns {() => void}
 */
export function installXHR(server, global = globalThis) {
  const prototype = prototypeOf(global)
  if (!prototype) return () => {}
  const known = installations.get(server) ?? new WeakMap()
  installations.set(server, known)
  const installation = known.get(prototype) ?? createInstallation(server, global, prototype)
  known.set(prototype, installation)

  installation.users += 1
  installation.patches.place()
  let over = false
  return () => {
    if (over) return
    over = true
    installation.users -= 1
    if (!installation.users) end(installation)
  }
}

/**
 * Where the page's requests have their methods. A fake may hide the browser's, or stand on it.
 *
 * @param {any} global
 */
function prototypeOf({ XMLHttpRequest = originals.XMLHttpRequest }) {
  const prototype = XMLHttpRequest?.prototype
  // One whose objects are made by hand passes on to the browser's in the end.
  if (!prototype || !("open" in prototype)) return originals.XMLHttpRequest?.prototype
  return chain(prototype).findLast((each) => isReal(each)) ?? prototype
}

/** @param {any} object @returns {any[]} */
function chain(object) {
  return object ? [object, ...chain(Object.getPrototypeOf(object))] : []
}

/** Fakes keep their state in properties of each object, which stand before what a prototype has. @param {any} prototype */
function isReal(prototype) {
  return Object.getOwnPropertyDescriptor(prototype, "readyState")?.get !== undefined
}

/**
 * @param {Server} server
 * @param {any} global
 * @param {any} prototype
 * @returns {Installation}
 */
function createInstallation(server, global, prototype) {
  /** @type {any} */
  const installation = {
    users: 0, server, global,
    calls: new WeakMap(), mimes: new WeakMap(), listeners: new WeakMap(), answered: new Set(),
    run: createStepper(global),
    pins: !isReal(prototype),
  }
  const doors = createDoors(installation)
  /** @type {import("./patches.js").Patch[]} */
  const patches = []
  for (const [name, make] of Object.entries(doors.methods)) {
    const owner = chain(prototype).find((each) => Object.hasOwn(each, name))
    if (owner) patches.push({ owner, name, make: ({ value }) => ({ value: named(make(value), value) }) })
  }
  if (!installation.pins) {
    for (const [name, make] of Object.entries(doors.accessors)) {
      const owner = chain(prototype).find((each) => Object.hasOwn(each, name))
      if (owner) patches.push({ owner, name, make: (original) => make(original) })
    }
  }
  const uploads = global.XMLHttpRequestUpload?.prototype
  for (const [name, make] of Object.entries(doors.uploads)) {
    if (uploads && name in uploads) patches.push({ owner: uploads, name, make: ({ value }) => ({ value: named(make(value), value) }) })
  }
  installation.patches = createPatches(patches)
  return installation
}

/** A function that calls itself what the one before it did. @param {any} replacement @param {any} original */
function named(replacement, original) {
  for (const name of ["name", "length"]) Object.defineProperty(replacement, name, { value: original?.[name], configurable: true })
  return replacement
}

/**
 * The prototype is as it was; what has been answered, or is about to be, is to be read all the same.
 *
 * @param {Installation} installation
 */
function end(installation) {
  const { answered, calls, patches } = installation
  const own = patches.ours.filter(([name]) => !/EventListener$/.test(name))
  patches.remove()
  for (const ref of answered) {
    const xhr = ref.deref()
    if (xhr && calls.get(xhr)?.ours && !installation.pins) pin(xhr, own)
  }
  answered.clear()
}

/** @type {WeakMap<object, [string, PropertyDescriptor | undefined][]>} */
const pinned = new WeakMap()

/** @param {any} xhr @param {[string, PropertyDescriptor][]} own */
function pin(xhr, own) {
  pinned.set(xhr, own.map(([name]) => [name, Object.getOwnPropertyDescriptor(xhr, name)]))
  for (const [name, descriptor] of own) Object.defineProperty(xhr, name, { ...descriptor, configurable: true })
}

/** @param {any} xhr */
function unpin(xhr) {
  for (const [name, descriptor] of pinned.get(xhr) ?? []) {
    if (descriptor) Object.defineProperty(xhr, name, descriptor)
    else delete xhr[name]
  }
  pinned.delete(xhr)
}

// --- What stands in the place of the browser's -------------------------------------------------------------------------

/** @param {Installation} installation */
function createDoors(installation) {
  const { server, global, calls, mimes, listeners } = installation
  const oursOf = (/** @type {any} */ xhr) => calls.get(xhr)?.ours

  /** The browser's own error for a request in a state that forbids it. @param {Function} native @param {any} args */
  function refuse(native, args) {
    const fresh = new (originals.XMLHttpRequest ?? global.XMLHttpRequest)()
    native.apply(fresh, args)
  }

  /** @type {Record<string, (native: any) => (this: any, ...args: any[]) => any>} */
  const methods = {
    open: (native) => function (...args) {
      // Too few, or no request: the browser says so.
      if (args.length < 2) return native.apply(this, args)
      const [method, url, async] = args
      args[0] = `${method}`
      args[1] = `${url}`
      for (const at of [3, 4]) if (args[at] !== null && args[at] !== undefined) args[at] = `${args[at]}`
      const before = calls.get(this)
      const was = before?.ours
      const pins = was && pinned.has(this)
      if (pins) unpin(this)
      calls.set(this, {
        method: NORMALIZED.test(args[0]) ? args[0].toUpperCase() : args[0],
        url: args[1],
        base: global.document?.baseURI ?? global.location?.href,
        async: args.length < 3 || Boolean(async),
        headers: new Map(),
        ours: undefined,
        sent: false,
      })
      try {
        native.apply(this, args)
      } catch (error) {
        if (before) calls.set(this, before)
        else calls.delete(this)
        if (pins) pin(this, installation.ownAccessors(this))
        throw error
      }
      if (!was) return
      // The browser has not seen that anything happened since it was opened last.
      const { readyState } = was
      was.leave()
      if (readyState !== OPENED && !pins) dispatch(global, this, new global.Event("readystatechange"))
    },

    setRequestHeader: (native) => function (...args) {
      if (args.length < 2) return native.apply(this, args)
      const [name, value] = args.map((each) => `${each}`)
      const call = calls.get(this)
      if (call?.ours) return refuse(native, [name, value])
      native.apply(this, [name, value])
      if (call) addHeader(call.headers, name.toLowerCase(), value.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, ""))
    },

    send: (native) => function (...args) {
      const call = calls.get(this)
      if (call?.ours) return refuse(native, [])
      if (!call || call.sent || !installation.users || !server.enabled) return sendByBrowser(this, call, native, args)
      return send(installation, this, call, native, args)
    },

    abort: (native) => function (...args) {
      const ours = oursOf(this)
      return ours ? ours.abort() : native.apply(this, args)
    },

    overrideMimeType: (native) => function (...args) {
      if (!args.length) return native.apply(this, args)
      const mime = `${args[0]}`
      const ours = oursOf(this)
      if (ours && ours.readyState >= LOADING) throw invalidState(global, "overrideMimeType", "MIME type cannot be overridden")
      native.apply(this, [mime])
      mimes.set(this, mime)
    },

    getResponseHeader: (native) => function (...args) {
      const ours = oursOf(this)
      return ours && args.length ? ours.received?.header(`${args[0]}`) ?? null : native.apply(this, args)
    },

    getAllResponseHeaders: (native) => function (...args) {
      const ours = oursOf(this)
      return ours ? ours.received?.allHeaders() ?? "" : native.apply(this, args)
    },
  }

  /** @param {(ours: Answered, xhr: any, native: () => any) => any} read */
  const reads = (read) => (/** @type {any} */ { get }) => ({
    get: named({ get() {
      const ours = oursOf(this)
      return ours ? read(ours, this, () => get.call(this)) : get.call(this)
    } }.get, get),
  })

  /** @type {Record<string, (original: any) => PropertyDescriptor>} */
  const accessors = {
    readyState: reads((ours) => ours.readyState),
    status: reads((ours) => (ours.received ? ours.answer.status : 0)),
    statusText: reads((ours) => (ours.received ? ours.answer.statusText : "")),
    responseURL: reads((ours) => (ours.received ? ours.answer.url.replace(/#.*$/s, "") : "")),
    responseText: reads((ours, xhr, native) => (isText(xhr) ? ours.text() : native())),
    responseXML: reads((ours, xhr, native) => {
      const type = xhr.responseType ?? ""
      if (type !== "" && type !== "document") return native()
      if (ours.readyState !== DONE || !ours.received) return null
      return type ? ours.received.response(type) : ours.received.xml()
    }),
    response: reads((ours, xhr) => {
      if (isText(xhr)) return ours.text()
      return ours.readyState === DONE && ours.received ? ours.received.response(xhr.responseType) : null
    }),
    responseType: ({ get, set }) => ({
      set: named({ set(/** @type {any} */ value) {
        const ours = oursOf(this)
        if (ours && ours.readyState >= LOADING) throw invalidState(global, "responseType", "The response type cannot be set")
        return set.call(this, value)
      } }.set, set),
      get,
    }),
    timeout: ({ get, set }) => ({
      set: named({ set(/** @type {any} */ value) {
        set.call(this, value)
        oursOf(this)?.watchTime()
      } }.set, set),
      get,
    }),
    withCredentials: ({ get, set }) => ({
      set: named({ set(/** @type {any} */ value) {
        const ours = oursOf(this)
        if (ours && (ours.readyState !== OPENED || ours.sending)) throw invalidState(global, "withCredentials", "The value may only be set before it is sent")
        return set.call(this, value)
      } }.set, set),
      get,
    }),
  }

  /** For a fake, whose state stands on the object itself. @param {any} xhr @returns {[string, PropertyDescriptor][]} */
  function ownAccessors(xhr) {
    return ["readyState", "status", "statusText", "responseURL", "responseText", "responseXML", "response"].map((name) => {
      const value = xhr[name]
      const { get } = accessors[name]({ get: () => value })
      return [name, { get, set() {}, enumerable: true, configurable: true }]
    })
  }
  installation.ownAccessors = ownAccessors

  // Whether an upload has listeners when it is sent decides whether it is told of anything.
  /** @type {typeof methods} */
  const uploads = {
    addEventListener: (native) => function (...args) {
      native.apply(this, args)
      const [type, listener, options] = args
      if (!listener) return
      const key = `${type} ${captures(options)}`
      const known = listeners.get(this) ?? new Map()
      listeners.set(this, known)
      const all = known.get(key) ?? []
      known.set(key, all)
      if (!all.includes(listener) && !options?.signal?.aborted) all.push(listener)
      options?.signal?.addEventListener("abort", () => removeListener(this, type, listener, options))
      if (options?.once) native.call(this, type, () => removeListener(this, type, listener, options), { once: true })
    },
    removeEventListener: (native) => function (...args) {
      native.apply(this, args)
      const [type, listener, options] = args
      removeListener(this, type, listener, options)
    },
  }

  /** @param {any} upload @param {any} type @param {any} listener @param {any} options */
  function removeListener(upload, type, listener, options) {
    const all = listeners.get(upload)?.get(`${type} ${captures(options)}`) ?? []
    if (all.includes(listener)) all.splice(all.indexOf(listener), 1)
  }

  return { methods, accessors, uploads }
}

/** @param {any} options */
const captures = (options) => Boolean(typeof options === "object" ? options?.capture : options)

/** @param {any} xhr */
function isText({ responseType = "" }) {
  return responseType === "" || responseType === "text"
}

/** @param {any} global @param {string} what @param {string} why */
function invalidState(global, what, why) {
  return new global.DOMException(`XMLHttpRequest.${what}: ${why} in this state of the request.`, "InvalidStateError")
}

/** @param {Map<string, string>} headers @param {string} name @param {string} value */
function addHeader(headers, name, value) {
  if (FORBIDDEN.test(name) || (OVERRIDES.includes(name) && FORBIDDEN_METHOD.test(value))) return
  const before = headers.get(name)
  headers.set(name, before === undefined ? value : `${before}, ${value}`)
}

/**
 * @param {any} global
 * @param {any} target
 * @param {Event} event
 */
function dispatch(global, target, event) {
  if (originals.EventTarget && target instanceof originals.EventTarget) return void originals.dispatchEvent.call(target, event)
  // A fake may call its on… handlers by itself, or leave them to whoever dispatches.
  const name = `on${event.type}`
  const handler = target[name]
  let called = typeof handler !== "function"
  /** @this {any} */
  function noting(/** @type {any[]} */ ...args) {
    called = true
    return handler.apply(this, args)
  }
  const shielded = (/** @type {() => void} */ task) => {
    try {
      task()
    } catch (error) {
      report(error, global)
    }
  }
  if (!called) target[name] = noting
  shielded(() => target.dispatchEvent?.(event))
  if (target[name] === noting) target[name] = handler
  if (!called) shielded(() => handler.call(target, event))
}

// --- A request ---------------------------------------------------------------------------------------------------------

/**
 * @param {any} xhr
 * @param {Call | undefined} call
 * @param {any} native
 * @param {any[]} args
 */
function sendByBrowser(xhr, call, native, args) {
  const result = native.apply(xhr, args)
  if (call) call.sent = true
  return result
}

/**
 * @param {Installation} installation
 * @param {any} xhr
 * @param {Call} call
 * @param {any} native
 * @param {any[]} args
 */
function send(installation, xhr, call, native, args) {
  const { server } = installation
  const url = addressOf(call)
  if (url === undefined || passed.has(xhr)) return sendByBrowser(xhr, call, native, args)
  /** @type {{ exchange: any } | undefined} */
  let decided
  /** @type {Answered | undefined} */
  let held
  const forget = offer(server, { method: call.method, url, door: "xhr", sync: !call.async }, (exchange) => {
    decided = { exchange }
    held?.decide(exchange)
  })
  if (decided && decided.exchange === undefined) return sendByBrowser(xhr, call, native, args)

  const bodiless = call.method === "GET" || call.method === "HEAD"
  let body
  try {
    body = bodiless ? undefined : readBody(args[0], installation.global)
  } catch (error) {
    decided?.exchange?.drop()
    forget()
    throw error
  }
  const ours = createAnswered(installation, xhr, call, url, body)
  call.ours = ours
  note(installation, xhr)
  if (installation.pins) pin(xhr, installation.ownAccessors(xhr))
  if (!call.async) return ours.answerNow(decided?.exchange)

  held = ours
  ours.start(forget, () => {
    unpin(xhr)
    call.ours = undefined
    sendByBrowser(xhr, call, native, body ? [body.copy()] : [])
  })
  if (decided) ours.decide(decided.exchange)
}

/**
 * The address that is asked for, without fragment; nothing if it is none of HTTP's.
 *
 * @param {Call} call
 */
function addressOf({ url, base }) {
  try {
    const address = new URL(url, base)
    if (address.protocol !== "http:" && address.protocol !== "https:") return undefined
    address.username = address.password = address.hash = ""
    return address.href
  } catch {
    return undefined
  }
}

/** @param {Installation} installation @param {any} xhr */
function note({ answered }, xhr) {
  if (answered.size >= 1000) {
    for (const ref of answered) if (!ref.deref()) answered.delete(ref)
  }
  answered.add(new WeakRef(xhr))
}

/** @param {Pick<Installation, "listeners" | "global">} installation @param {any} upload */
function hasListeners({ listeners, global }, upload) {
  if (!upload) return false
  if (!global.XMLHttpRequestUpload || !(upload instanceof global.XMLHttpRequestUpload)) return true
  const known = listeners.get(upload)
  if (known) for (const all of known.values()) if (all.length) return true
  return ["loadstart", "progress", "load", "loadend", "error", "abort", "timeout"].some((type) => upload[`on${type}`])
}

/**
 * One that we answer, from `send` on: its state, and its events in the order of the specification.
 *
 * @param {Installation} installation
 * @param {any} xhr
 * @param {Call} call
 * @param {string} url
 * @param {Body | undefined} body
 */
function createAnswered({ server, global, mimes, run, listeners }, xhr, call, url, body) {
  const { scheduler } = server
  const { upload } = xhr
  const startTime = time()
  let readyState = OPENED
  let sending = true
  // Whether nothing that comes is wanted any more, and whether it was opened anew, so that nothing is told either.
  let over = false
  let left = false
  let uploaded = body === undefined
  let hears = false
  let begun = false
  /** @type {any} */
  let answered
  /** @type {Received | undefined} */
  let received
  let toldAt = -Infinity
  let told = -1
  let cancel = () => {}
  let cancelTime = () => {}
  let cancelProgress = () => {}
  let cancelUpload = () => {}
  let goToNetwork = () => {}

  return {
    start, decide, abort, leave, watchTime, answerNow, text,
    get readyState() { return readyState },
    get sending() { return sending },
    get received() { return received },
    get answer() { return answered },
  }

  function time() {
    return global.setTimeout === originals.setTimeout ? originals.now() : global.Date.now()
  }

  function text() {
    return readyState >= LOADING && received ? received.text(readyState === DONE, (xhr.responseType ?? "") === "") : ""
  }

  // --- Events ----------------------------------------------------------------------------------------------------------

  function changed() {
    dispatch(global, xhr, new global.Event("readystatechange"))
  }

  /** @param {any} target @param {string} type @param {number} loaded @param {number} total */
  function tell(target, type, loaded, total) {
    dispatch(global, target, new global.ProgressEvent(type, { lengthComputable: total > 0, loaded, total }))
  }

  function tellProgress() {
    const { size, total } = /** @type {Received} */ (received)
    toldAt = time()
    told = size
    tell(xhr, "progress", size, total)
  }

  // --- On its way ------------------------------------------------------------------------------------------------------

  /** @param {() => void} forget @param {() => void} network */
  function start(forget, network) {
    cancel = forget
    goToNetwork = network
    hears = body !== undefined && hasListeners({ listeners, global }, upload)
    watchTime()
  }

  // Not before it is decided: the browser would say it once more.
  function begin() {
    if (begun) return
    begun = true
    tell(xhr, "loadstart", 0, 0)
    if (!over && hears) tell(upload, "loadstart", 0, body?.length ?? 0)
  }

  /** @param {any} exchange */
  function decide(exchange) {
    if (over) return void exchange?.drop()
    if (exchange === undefined) {
      over = true
      cancelTime()
      return goToNetwork()
    }
    begin()
    if (over) {
      exchange?.drop()
    } else if (exchange === null) {
      cancel = scheduler.later(() => fail("error"), 0)
    } else if (!body || body.content !== undefined) {
      ask(exchange, body?.content)
    } else {
      cancel = exchange.drop
      body.read().then((content) => over || scheduler.shield(() => ask(exchange, content)), () => fail("error"))
    }
  }

  /** @param {any} exchange @param {string | Uint8Array | undefined} content */
  function ask(exchange, content) {
    if (hears) cancelUpload = scheduler.later(() => over || run(uploadSteps()), UPLOADED_AFTER)
    cancel = answer(server, exchange, request(content), { reply, fail: () => fail("error") })
  }

  /** @param {string | Uint8Array | undefined} content */
  function request(content) {
    const headers = new Map(call.headers)
    if (!headers.has("accept")) headers.set("accept", "*/*")
    if (body) {
      const given = headers.get("content-type")
      if (given === undefined) {
        if (body.type !== undefined) headers.set("content-type", body.type)
      } else if (body.text) {
        headers.set("content-type", inUTF8(given))
      }
    }
    /** @type {import("./http.js").HttpRequest} */
    const all = {
      method: call.method, url, door: "xhr", sync: !call.async, headers: [...headers], body: content, form: body?.form,
      redirect: "follow", credentials: xhr.withCredentials ? "include" : "same-origin", mode: "cors",
    }
    return all
  }

  function* uploadSteps() {
    if (uploaded || over) return
    const { length = 0 } = body ?? {}
    if (hears) {
      tell(upload, "progress", length, length)
      yield
      if (over) return
    }
    uploaded = true
    if (!hears) return
    // What is begun is ended, even if a listener has given it up.
    for (const type of ["load", "loadend"]) {
      tell(upload, type, length, length)
      yield
    }
  }

  function watchTime() {
    cancelTime()
    if (over || !call.async || readyState === DONE || !(xhr.timeout > 0)) return
    cancelTime = scheduler.later(() => fail("timeout"), Math.max(xhr.timeout - (time() - startTime), 0))
  }

  // --- The answer ------------------------------------------------------------------------------------------------------

  /** @param {import("./http.js").Answer} given */
  function reply(given) {
    cancel = () => {}
    cancelUpload()
    const { body } = given
    const pieces = isStreamed(body) ? body : undefined
    if (pieces) {
      cancel = pieces.cancel
      run(headSteps(given))
      pump(pieces)
    } else {
      run(wholeSteps(given))
    }
  }

  /** @param {import("./http.js").Answer} given */
  function* headSteps(given) {
    yield* uploadSteps()
    if (over) return
    answered = given
    received = createReceived({ ...given, body: isStreamed(given.body) ? new Uint8Array(0) : given.body }, () => mimes.get(xhr), global)
    readyState = HEADERS_RECEIVED
    changed()
    yield
  }

  /** @param {import("./http.js").Answer} given */
  function* wholeSteps(given) {
    yield* headSteps(given)
    if (received?.size) yield* pieceSteps()
    yield* endSteps()
  }

  function* pieceSteps() {
    if (over || !received) return
    const { total } = received
    readyState = LOADING
    changed()
    yield
    // A listener has given it up, and hears of what was to come all the same, as in every browser.
    if (over) return tell(xhr, "progress", 0, left ? 0 : total)
    const wait = PROGRESS_EVERY - (time() - toldAt)
    cancelProgress()
    if (wait > 0) {
      cancelProgress = scheduler.later(() => over || tellProgress(), wait)
    } else {
      tellProgress()
      yield
    }
  }

  function* endSteps() {
    if (over) return
    cancelProgress()
    if (told !== received?.size) {
      tellProgress()
      yield
      if (over) return
    }
    over = true
    cancelTime()
    yield* doneSteps()
  }

  // Whatever a listener does meanwhile, all three come.
  function* doneSteps() {
    const { size, total } = /** @type {Received} */ (received)
    readyState = DONE
    sending = false
    changed()
    for (const type of ["load", "loadend"]) {
      yield
      tell(xhr, type, size, total)
    }
  }

  /** @param {import("./message.js").Pieces} pieces */
  async function pump(pieces) {
    try {
      for (;;) {
        const piece = await pieces.pull()
        if (over) return
        if (!piece) break
        run(addSteps(/** @type {Uint8Array<ArrayBuffer>} */ (piece)))
      }
      run(endSteps())
    } catch {
      if (!over) fail("error")
    }
  }

  /** @param {Uint8Array<ArrayBuffer>} piece */
  function* addSteps(piece) {
    if (over) return
    received?.add(piece)
    yield* pieceSteps()
  }

  // --- Its other ends --------------------------------------------------------------------------------------------------

  function stop() {
    over = true
    cancelTime()
    cancelProgress()
    cancelUpload()
    cancel()
  }

  /** @param {"error" | "timeout"} type */
  function fail(type) {
    begin()
    if (over) return
    stop()
    run(failSteps(type))
  }

  /** @param {string} type */
  function* failSteps(type) {
    if (left) return
    readyState = DONE
    sending = false
    received = undefined
    changed()
    yield
    if (!uploaded) {
      uploaded = true
      if (hears) {
        for (const each of [type, "loadend"]) {
          tell(upload, each, 0, 0)
          yield
        }
      }
    }
    for (const each of [type, "loadend"]) {
      tell(xhr, each, 0, 0)
      yield
    }
  }

  function abort() {
    if (!over) begin()
    if (!over) {
      stop()
      for (const _ of failSteps("abort"));
    }
    if (readyState !== DONE || left) return
    readyState = UNSENT
    received = undefined
  }

  /** It was opened anew. */
  function leave() {
    left = true
    if (!over) stop()
  }

  // --- At once ---------------------------------------------------------------------------------------------------------

  /** @param {any} exchange */
  function answerNow(exchange) {
    begun = true
    /** @type {import("./http.js").Answer | undefined} */
    let given
    let why = ""
    if (exchange) {
      const content = body?.readNow()
      cancel = answer(server, exchange, request(content), {
        reply: (answer) => { given = answer },
        fail: (reason) => { why = `: ${reason}` },
      })
    }
    over = true
    if (!given) {
      cancel()
      readyState = DONE
      sending = false
      throw new global.DOMException(`Failed to execute 'send' on 'XMLHttpRequest': Failed to load '${url}'${why}.`, "NetworkError")
    }
    answered = given
    received = createReceived(given, () => mimes.get(xhr), global)
    for (const _ of doneSteps());
  }
}

/**
 * The content type that a text has, with the charset it is really sent in.
 *
 * @param {string} given
 */
function inUTF8(given) {
  const mime = parseMime(given)
  const charset = mime?.parameters.get("charset")
  if (!mime || charset === undefined || charset.toLowerCase() === "utf-8") return given
  mime.parameters.set("charset", "UTF-8")
  return serializeMime(mime)
}
