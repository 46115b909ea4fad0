// What stands in the place of XMLHttpRequest's own methods and accessors: they ask whether a request is ours.

import { readBody } from "./body.js"
import { offer, passed } from "./http.js"
import * as originals from "./originals.js"
import { named } from "./patches.js"
import { pin, pinned, unpin } from "./pins.js"
import { createAnswered, DONE, LOADING, OPENED } from "./xhranswer.js"
import { dispatch } from "./xhrevents.js"

/** @import { Answered } from "./xhranswer.js" */
/** @import { Call, Installation } from "./xhr.js" */

const NORMALIZED = /^(delete|get|head|options|post|put)$/i
const FORBIDDEN = new RegExp(
  "^(accept-charset|accept-encoding|access-control-request-(headers|method|private-network)|connection|content-length|cookie2?|date|dnt"
  + "|expect|host|keep-alive|origin|referer|set-cookie|te|trailer|transfer-encoding|upgrade|via|proxy-.*|sec-.*)$",
)
const OVERRIDES = ["x-http-method", "x-http-method-override", "x-method-override"]
const RESPONSE_TYPES = ["", "arraybuffer", "blob", "document", "json", "text"]
const FORBIDDEN_METHOD = /(^|,)\s*(connect|trace|track)\s*(,|$)/i

/** @param {Installation} installation */
export function createDoors(installation) {
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
        user: args[3] ?? undefined,
        password: args[4] ?? undefined,
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
      if (!ours || !args.length) return native.apply(this, args)
      const name = `${args[0]}`
      // No header can have it, and the browser says so.
      return /[^\0-\xff]/.test(name) ? native.apply(this, [name]) : ours.received?.header(name) ?? null
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
    responseURL: reads((ours) => (ours.received ? ours.url : "")),
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
        // What is none of them is ignored whenever it is set.
        if (ours && ours.readyState >= LOADING && RESPONSE_TYPES.includes(`${value}`)) throw invalidState(global, "responseType", "The response type cannot be set")
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
  // What is nothing to send the browser refuses, whatever the method.
  if (url === undefined || passed.has(xhr) || typeof args[0] === "symbol") return sendByBrowser(xhr, call, native, args)
  /** @type {{ exchange: any } | undefined} */
  let decided
  /** @type {Answered | undefined} */
  let held
  const forget = offer(server, { method: call.method, url, door: "xhr", sync: !call.async }, (exchange) => {
    decided = { exchange }
    held?.decide(exchange)
  }, () => installation.users > 0)
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
 * The address that is asked for, without fragment; nothing if it is none of HTTP's. Who asks is no part of it.
 *
 * @param {Call} call
 */
function addressOf(call) {
  try {
    const address = new URL(call.url, call.base)
    if (address.protocol !== "http:" && address.protocol !== "https:") return undefined
    if (address.username || address.password) {
      call.user ??= decodeURIComponent(address.username)
      call.password ??= decodeURIComponent(address.password)
      address.username = address.password = ""
    }
    address.hash = ""
    return address.href
  } catch {
    return undefined
  }
}

/** @param {Installation} installation @param {any} xhr */
function note({ answered, forgotten }, xhr) {
  const ref = new WeakRef(xhr)
  answered.add(ref)
  forgotten.register(xhr, ref)
}
