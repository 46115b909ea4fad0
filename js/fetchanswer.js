// How a fetch is answered: what it sends, and the browser's own `Response` made of the reply.

import { joined } from "./body.js"
import { onAbort } from "./fetch.js"
import { collect, createEmpty, createStream, isIntact, onePiece } from "./fetchbody.js"
import { createResponses } from "./fetchresponse.js"
import { answer, lengthOf, NULL_BODY } from "./httpanswer.js"
import { isStreamed } from "./message.js"
import * as originals from "./originals.js"

/** @import { Server } from "./backbone.js" */
/** @import { Exchange } from "./exchange.js" */
/** @import { Call } from "./fetch.js" */
/** @import { Facts } from "./fetchresponse.js" */
/** @import { Answer } from "./http.js" */
/** @import { Pieces } from "./message.js" */

/** @typedef {ReturnType<typeof createResponder>} Responder */

// As browsers write it for a form.
const WRITTEN = /^multipart\/form-data; boundary=----/
// What a browser sends at most while it closes the page.
const KEEPALIVE_LIMIT = 65_536

/** @param {Server} server @param {any} global */
export function createResponder(server, global) {
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
        const { method, redirect, credentials, cache, mode, referrer, referrerPolicy } = request
        const headers = headersOf(call, request)
        const options = { redirect, credentials, cache, mode, referrer, referrerPolicy, streamed: call.sent && !call.body }
        cancel = answer(server, exchange, { method, url: call.url, headers, body, form: call.body?.form, ...options, door: "fetch" }, { reply, fail })
      }

      /** @param {Answer} answered */
      function reply(answered) {
        const { body, status } = answered
        const facts = factsOf(answered, request)
        const empty = facts.status === 0 || NULL_BODY.includes(status) || request.method === "HEAD"
        // What is not to be read cannot be checked.
        const refused = empty && request.integrity && facts.type !== "opaqueredirect"
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
    if (type === "opaqueredirect") return { type, url: request.url.replace(/#.*/s, ""), redirected: false, status: 0 }
    if (type !== "basic" && request.mode === "no-cors") return { type: "opaque", url: "", redirected: false, status: 0 }
    return { type, url, redirected }
  }
}

/** @param {any} error */
const messageOf = (error) => String(error.message)

// --- What is sent ----------------------------------------------------------------------------------------------------

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
