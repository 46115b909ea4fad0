// fetch, answered by the server: `installFetch(server, global)` gives back the function that undoes it.

import { readBody } from "./body.js"
import { collect, createEmpty, createStream, isIntact, joined, onePiece } from "./fetchbody.js"
import { createResponses, TOKEN } from "./fetchresponse.js"
import { answer, lengthOf, offer } from "./http.js"
import { isStreamed } from "./message.js"
import * as originals from "./originals.js"

/** @import { Body } from "./body.js" */
/** @import { Server } from "./backbone.js" */
/** @import { Exchange } from "./bridge.js" */
/** @import { Facts } from "./fetchresponse.js" */
/** @import { Answer } from "./http.js" */
/** @import { Pieces } from "./message.js" */

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
  const { respond, networkError } = createResponder(server, global)

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
      const forget = offer(server, { method: call.method, url: call.url, door: "fetch", sync: false }, (found) => release(found))
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
      const option = (/** @type {"method" | "mode" | "signal"} */ name) => (init?.[name] === undefined ? given?.[name] : init[name])
      const method = normalized(option("method") === undefined ? "GET" : option("method"))
      const mode = option("mode")
      const signal = option("signal") ?? undefined
      const sent = init?.body ?? undefined
      if (!/^https?:$/.test(protocol) || username || password || !TOKEN.test(method) || signal?.aborted) return undefined
      if (/^(connect|trace|track)$/i.test(method)) return undefined
      if (mode === "same-origin" && isForeign(url, global)) return undefined
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

// As browsers write it for a form.
const WRITTEN = /^multipart\/form-data; boundary=----/

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

/** @param {string} url @param {any} global */
function isForeign(url, global) {
  const origin = global.origin ?? global.location?.origin
  return origin !== undefined && new URL(url).origin !== origin
}

/**
 * Do what `watch` says when a signal aborts. Gives back what ends it. The signal keeps no more alive than that: a function
 * of ours would bring all that stands around it, and so the promise and the answer.
 *
 * @param {AbortSignal | undefined} signal
 * @param {{ act: (reason: any) => void }} watch
 */
function onAbort(signal, watch) {
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

/**
 * What a request sends; a promise where that cannot be read at once.
 *
 * @param {Call} call
 * @param {Request} request
 * @param {(cancel: (reason: any) => void) => void} onCancel
 * @returns {string | Uint8Array | undefined | Promise<string | Uint8Array | undefined>}
 */
function bodyOf({ body, sent, method }, request, onCancel) {
  if (body) return body.content ?? body.read()
  if (!sent && (method === "GET" || method === "HEAD" || request.body === null)) return undefined
  if (request.body) return readAll(request.body, onCancel)
  return request.arrayBuffer().then((buffer) => (buffer.byteLength ? new Uint8Array(buffer) : undefined))
}

/** @param {Call} call @param {Request} request @returns {[string, string][]} */
function headersOf({ body }, request) {
  const headers = /** @type {[string, string][]} */ ([...request.headers])
  // A form is written by us, because WebKit lets nobody read what it would write; the boundary is ours, too.
  return body?.form && body.type ? headers.map(([name, value]) => [name, WRITTEN.test(value) ? /** @type {string} */ (body.type) : value]) : headers
}

/** @param {ReadableStream<Uint8Array>} stream @param {(cancel: (reason: any) => void) => void} onCancel */
async function readAll(stream, onCancel) {
  const reader = stream.getReader()
  onCancel((reason) => void reader.cancel(reason).catch(() => {}))
  const chunks = []
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return joined(chunks)
    if (!(value instanceof Uint8Array)) {
      const error = new TypeError("A request's body streams Uint8Arrays.")
      reader.cancel(error).catch(() => {})
      throw error
    }
    chunks.push(value)
  }
}


// --- What is answered ------------------------------------------------------------------------------------------------

// What a browser sends at most while it closes the page.
const KEEPALIVE_LIMIT = 65_536
const NULL_BODY = [101, 103, 204, 205, 304]

/** @param {Server} server @param {any} global */
function createResponder(server, global) {
  const responses = createResponses(global)
  /** @type {Promise<string> | undefined} */
  let refusal

  return { respond, networkError }

  /** A network error, in this browser's words: they are found by making one that reaches no network. */
  async function networkError() {
    const here = global.location?.href ?? ""
    // The one that no browser tells its console of: too much to be kept alive.
    const silent = /^https?:/.test(here) && "keepalive" in global.Request.prototype
    refusal ??= silent
      ? originals.fetch(here, { method: "POST", keepalive: true, body: "-".repeat(KEEPALIVE_LIMIT + 1) }).then(String, messageOf)
      : originals.fetch("about:nothing").then(String, messageOf)
    return new TypeError(await refusal)
  }

  /** @param {Call} call @param {Request} request @param {Exchange} exchange @returns {Promise<Response>} */
  function respond(call, request, exchange) {
    return new Promise((resolve, reject) => {
      /** @type {(reason: any) => void} */
      let cancel = () => exchange.drop()
      const watch = {
        /** @param {any} reason */
        act(reason) {
          cancel(reason)
          reject(reason)
        },
      }
      const unwatch = onAbort(call.signal, watch)
      const fail = () => {
        unwatch()
        networkError().then(reject)
      }
      const body = bodyOf(call, request, (stop) => {
        cancel = (reason) => {
          stop(reason)
          exchange.drop()
        }
      })
      if (!(body instanceof Promise)) return send(body)
      body.then(
        (bytes) => call.signal?.aborted || send(bytes),
        () => {
          exchange.drop()
          fail()
        },
      )

      /** @param {string | Uint8Array | undefined} body */
      function send(body) {
        if (request.keepalive && lengthOf(body) > KEEPALIVE_LIMIT) {
          exchange.drop()
          return fail()
        }
        const { method, redirect, credentials, mode, referrer, referrerPolicy } = request
        const headers = headersOf(call, request)
        const asked = { method, url: call.url, headers, body, form: call.body?.form, redirect, credentials, mode, referrer, referrerPolicy }
        cancel = answer(server, exchange, { ...asked, door: "fetch" }, { reply, fail })
      }

      /** @param {Answer} answered */
      function reply(answered) {
        const { body, status } = answered
        const facts = factsOf(answered, request)
        const empty = facts.status === 0 || NULL_BODY.includes(status) || request.method === "HEAD"
        const strayed = request.mode === "same-origin" && isForeign(answered.url, global)
        // What is not to be read cannot be checked.
        const refused = strayed || (empty && request.integrity && facts.type !== "opaqueredirect")
        if ((empty || refused) && isStreamed(body)) body.cancel()
        if (refused) return fail()
        const none = !isStreamed(body) && !body?.length
        // What is there already needs no stream, unless it may still be aborted.
        const plain = !isStreamed(body) && !call.signal
        if (empty || (!request.integrity && (none || plain))) {
          unwatch()
          return resolve(responses.create(answered, facts, empty ? null : none ? createEmpty() : body))
        }
        const pieces = isStreamed(body) ? body : onePiece(body)
        if (request.integrity) return void resolveChecked(answered, facts, pieces)
        const stream = createStream(pieces, unwatch, networkError)
        watch.act = stream.abort
        resolve(responses.create(answered, facts, stream.readable, stream.failure))
      }

      /** @param {Answer} answered @param {Facts} facts @param {Pieces} pieces */
      async function resolveChecked(answered, facts, pieces) {
        cancel = () => pieces.cancel()
        try {
          const bytes = await collect(pieces)
          if (!(await isIntact(bytes, request.integrity))) return fail()
          unwatch()
          resolve(responses.create(answered, facts, bytes))
        } catch {
          fail()
        }
      }
    })
  }

  /** @param {Answer} answered @param {Request} request @returns {Facts} */
  function factsOf({ url, redirected, type }, request) {
    const foreign = isForeign(request.url, global) || isForeign(url, global)
    if (type === "opaqueredirect") return { type, url: request.url.replace(/#.*/s, ""), redirected: false, status: 0 }
    if (foreign && request.mode === "no-cors") return { type: "opaque", url: "", redirected: false, status: 0 }
    return { type: foreign ? "cors" : "basic", url, redirected }
  }
}

/** @param {any} error */
const messageOf = (error) => String(error.message)
