// fetch, answered by the server: `installFetch(server, global)` gives back the function that undoes it.

import { readBody } from "./body.js"
import { TOKEN } from "./fetchresponse.js"
import { offer } from "./http.js"

/** @import { Body } from "./body.js" */
/** @import { Server } from "./backbone.js" */
/** @import { Exchange } from "./exchange.js" */

/**
 * @typedef {object} Installation
 * @property {typeof globalThis.fetch} native  What was there before us.
 * @property {typeof globalThis.fetch} fetch  Ours.
 * @property {number} users  While there are none, ours hands on what it is given.
 *
 * @typedef {Exchange | null | undefined} Found  As `offer` has it.
 *
 * @typedef {object} Call  One call of fetch, with what it was given.
 * @property {string} method
 * @property {string} url  Absolute, without fragment.
 * @property {AbortSignal | undefined} signal
 * @property {boolean} sent  Whether a body was given, and not only a Request that may have one.
 * @property {Body | undefined} body  The same, taken when the Request is made; nothing for a stream.
 * @property {() => Request} request  The native one, made when it is first asked for; throws what the browser refuses.
 * @property {() => Promise<Response>} network  The same call, of what was there before us.
 * @property {() => void} keep  Take what may change until it is made; throws like `request`.
 */

// As it was before anybody could replace it.
const pristine = globalThis.fetch

/** @type {WeakMap<object, WeakMap<object, Installation>>} */
const installations = new WeakMap()

/**
 * @param {Server} server
 * @param {any} global
 * @returns {() => void}
 */
export function installFetch(server, global) {
  if (typeof global.fetch !== "function") return () => {}
  const known = installations.get(server) ?? new WeakMap()
  installations.set(server, known)
  /** @type {Installation} */
  const installation = known.get(global) ?? { native: global.fetch, fetch: global.fetch, users: 0 }

  if (!known.has(global)) {
    installation.fetch = createFetch(server, global, installation)
    known.set(global, installation)
  }
  // Who has wrapped ours meanwhile still calls it; it only has to answer again. The browser's own surely does not.
  if (global.fetch === installation.native || global.fetch === pristine) {
    installation.native = global.fetch
    global.fetch = installation.fetch
  }
  installation.users += 1

  let over = false
  return () => {
    if (over) return
    over = true
    installation.users -= 1
    if (installation.users || global.fetch !== installation.fetch) return
    global.fetch = installation.native
    known.delete(global)
  }
}

/**
 * @param {Server} server
 * @param {any} global
 * @param {Installation} installation
 * @returns {typeof globalThis.fetch}
 */
function createFetch(server, global, installation) {
  const readCall = createReader(global)
  /** @type {import("./fetchanswer.js").Responder | undefined} */
  let responder

  // A method, because it has neither a prototype nor a constructor, as the native one.
  return {
    /** @this {any} @param {any} _input */
    fetch(_input) {
      const { native } = installation
      const given = /** @type {any} */ (arguments)
      const network = (/** @type {any} */ ...args) => native.apply(this, args)
      const foreign = this !== undefined && this !== null && this !== global
      const call = !foreign && installation.users && server.enabled ? readCall(given, network) : undefined
      // What is wrong with a call is for the native one to say, which refuses before it sends anything.
      if (!call) return native.apply(this, given)

      /** @type {Promise<Response> | undefined} */
      let promise
      let release = (/** @type {Found} */ exchange) => void (promise = go(call, exchange))
      const forget = offer(server, { method: call.method, url: call.url, door: "fetch", sync: false }, (found) => release(found), () => installation.users > 0)
      if (promise) return promise
      try {
        call.keep()
      } catch {
        forget()
        return native.apply(this, given)
      }
      return new Promise((resolve, reject) => {
        const stopWatching = onAbort(call.signal, {
          act(reason) {
            forget()
            reject(reason)
          },
        })
        release = (exchange) => {
          stopWatching()
          resolve(go(call, exchange))
        }
      })
    },
  }.fetch

  /** @param {Call} call @param {Found} exchange @returns {Promise<Response>} */
  function go(call, exchange) {
    if (exchange === undefined) return call.network()
    let request
    try {
      request = call.request()
    } catch {
      exchange?.drop()
      return call.network()
    }
    const { respond, networkError } = (responder ??= server.answering.createResponder(server, global))
    if (exchange === null) return networkError().then((error) => Promise.reject(error))
    return respond(call, request, exchange)
  }
}

// --- What was asked --------------------------------------------------------------------------------------------------

/** @param {any} global */
function createReader(global) {
  const { Request, URL, document } = global
  // One of another window is a Request, too, and only the getter knows.
  const urlOf = Object.getOwnPropertyDescriptor(Request.prototype, "url")?.get

  /** @param {any} input @returns {boolean} */
  function isRequest(input) {
    if (isPlain(input) || input instanceof URL) return false
    if (input instanceof Request) return true
    try {
      return urlOf?.call(input) !== undefined
    } catch {
      return false
    }
  }

  /** @param {any} input */
  const resolve = (input) => new URL(String(input), document?.baseURI)

  /**
   * Read what fetch was given, but nothing that can be read only once: the network may still want it. Undefined if it is
   * nothing for a server, or wrong.
   *
   * @param {IArguments} args
   * @param {(...args: any) => Promise<Response>} native
   * @returns {Call | undefined}
   */
  return function readCall(args, native) {
    const [input, init] = args
    try {
      const given = isRequest(input) ? input : undefined
      const { href, protocol, username, password } = given ? new URL(given.url) : resolve(input)
      const url = href.replace(/#.*/s, "")
      const option = (/** @type {"method" | "mode" | "redirect" | "signal"} */ name) => (init?.[name] === undefined ? given?.[name] : init[name])
      const method = normalized(option("method") === undefined ? "GET" : option("method"))
      const mode = option("mode")
      const signal = option("signal") ?? undefined
      const sent = init?.body ?? undefined
      if (!/^https?:$/.test(protocol) || username || password || !TOKEN.test(method) || signal?.aborted) return undefined
      if (/^(connect|trace|track)$/i.test(method)) return undefined
      const followed = option("redirect") === undefined || option("redirect") === "follow"
      if ((mode === "same-origin" || (mode === "no-cors" && !followed)) && isForeign(url, global)) return undefined
      let network = () => native(...args)
      /** @type {Call} */
      const call = {
        method, url, signal, sent: sent !== undefined, body: undefined,
        request: once(() => {
          const request = new Request(given ?? href, init)
          call.body = taken(sent)
          return request
        }),
        network: () => network(),
        keep() {
          const kept = call.request()
          // What cannot change meanwhile goes as it came.
          const fixed = typeof input === "string" && Object.values(init ?? {}).every(isPlain)
          const copies = init ? [input, { ...init }] : args
          network = () => (fixed && resolve(input).href === kept.url ? native(...copies) : native(kept))
        },
      }
      return call
    } catch {
      return undefined
    }
  }
}

/** @template T @param {() => T} make @returns {() => T} */
function once(make) {
  /** @type {T | undefined} */
  let made
  return () => (made ??= make())
}

/** @param {any} value */
const isPlain = (value) => (typeof value !== "object" && typeof value !== "function") || value === null

/** @param {any} body */
const isStream = (body) => typeof body?.getReader === "function" || typeof body?.[Symbol.asyncIterator] === "function"

/** @param {any} method */
function normalized(method) {
  const text = String(method)
  return /^(delete|get|head|options|post|put)$/i.test(text) ? text.toUpperCase() : text
}

/** @param {any} global @returns {string | undefined} */
export const originOf = (global) => global.origin ?? global.location?.origin

/** @param {string} url @param {any} global */
export function isForeign(url, global) {
  const origin = originOf(global)
  return origin !== undefined && new URL(url).origin !== origin
}

/**
 * Do what `watch` says when a signal aborts. Gives back what ends it. The signal keeps no more alive than that: a function
 * of ours would bring all that stands around it, and so the promise and the answer.
 *
 * @param {AbortSignal | undefined} signal
 * @param {{ act: (reason: any) => void }} watch
 */
export function onAbort(signal, watch) {
  // WebKit takes any object for a signal.
  if (typeof signal?.addEventListener !== "function") return () => {}
  const listener = () => watch.act(signal.reason)
  signal.addEventListener("abort", listener, { once: true })
  return () => signal.removeEventListener("abort", listener)
}

/**
 * A body as it is now, whatever becomes of it later. Nothing for a stream, which is read when it is wanted.
 *
 * @param {any} sent
 */
function taken(sent) {
  if (isStream(sent)) return undefined
  // A document is nothing special here.
  return readBody(/Document\]$/.test(Object.prototype.toString.call(sent)) ? String(sent) : sent)
}
