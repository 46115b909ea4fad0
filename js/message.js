// What HTTP says, in JavaScript's words: what was sent, as a handler sees it, and its result as a status, headers and a body.

import { encode, joined } from "./body.js"
import { parameterOf, readForm, readText } from "./multipart.js"
import * as originals from "./originals.js"
import { queryOf } from "./handlers.js"
import { reasonOf } from "./reply.js"

/** @import { Reply } from "./reply.js" */

/**
 * @typedef {object} Pieces  A streamed body.
 * @property {() => Promise<Uint8Array | undefined>} pull  The next piece, nothing at the end; rejects where it breaks off.
 * @property {() => void} cancel  Nobody reads on.
 * @property {() => Uint8Array<ArrayBuffer>} [whole]  All of it at once, where it is a generator's that need not be waited for.
 *
 * @typedef {string | Uint8Array | Pieces | undefined} Body
 *
 * @typedef {Reply & { body: Body }} HttpReply  Header names are in lower case.
 */

// They have no body, whatever the handler says.
const WITHOUT_BODY = [101, 204, 205, 304]

/** @param {Body} body @returns {body is Pieces} */
export const isStreamed = (body) => typeof body === "object" && "pull" in body

/**
 * What was sent, read by its content type.
 *
 * @param {string | Uint8Array | undefined} body
 * @param {string} type
 * @param {FormData} [form]  The form itself, if it was sent as one.
 */
export function readData(body, type, form) {
  if (form) return fieldsOf(form)
  if (body === undefined || !body.length) return undefined
  const kind = type.split(";")[0].trim().toLowerCase()
  const text = (/** @type {string} */ charset = "utf-8") => (typeof body === "string" ? body : readText(body, charset))
  if (kind === "application/json" || kind.endsWith("+json")) return JSON.parse(text())
  if (kind === "application/x-www-form-urlencoded") return queryOf(new URLSearchParams(text()))
  if (kind === "multipart/form-data") return queryOf(readForm(typeof body === "string" ? encode(body) : body, type))
  return kind.startsWith("text/") ? text(parameterOf(type, "charset")) : undefined
}

/** @param {FormData} form */
function fieldsOf(form) {
  return queryOf(/** @type {any} */ (form))
}

/**
 * A JavaScript handler's result, as HTTP has it. The rules are those of Python's `Response.encode`. Throws for what JSON
 * cannot hold, and for a platform's Response whose body is read already.
 *
 * @param {Reply} reply
 * @param {{ headers: [string, string][] }} [request]
 * @returns {HttpReply}
 */
export function httpOf(reply, request = { headers: [] }) {
  const { value } = reply
  if (originals.Response && value instanceof originals.Response) return fromNative(reply, value)
  const headers = lowerCase(reply.headers)
  const { body, type } = bodyOf(value, request)
  if (body === undefined && reply.status === 200) return { ...reply, headers, body, status: 204, statusText: reasonOf(204) }
  if (WITHOUT_BODY.includes(reply.status)) return { ...reply, headers, body: undefined }
  if (body !== undefined && type) headers["content-type"] ??= type
  return { ...reply, headers, body }
}

/** @param {any} value @param {{ headers: [string, string][] }} request @returns {{ body: Body, type?: string }} */
function bodyOf(value, { headers }) {
  if (value === undefined || value === null) return { body: undefined }
  if (typeof value === "string" || value instanceof String) return { body: String(value), type: "text/plain; charset=utf-8" }
  if (value instanceof ArrayBuffer) return { body: new Uint8Array(value), type: "application/octet-stream" }
  if (ArrayBuffer.isView(value)) {
    return { body: new Uint8Array(value.buffer, value.byteOffset, value.byteLength), type: "application/octet-stream" }
  }
  if (isNativeBody(value)) {
    const { body, headers: own } = new originals.Response(value)
    return { body: readable(body), type: own.get("content-type") ?? "application/octet-stream" }
  }
  if (typeof value.next === "function") {
    // Who asks for nothing else, as an EventSource does, cannot mean a text.
    const events = headers.some(([name, accepted]) => name === "accept" && accepted === "text/event-stream")
    return { body: iterated(value), type: events ? "text/event-stream" : "text/plain; charset=utf-8" }
  }
  return { body: JSON.stringify(value), type: "application/json" }
}

/** @param {any} value */
function isNativeBody(value) {
  return ["Blob", "FormData", "URLSearchParams", "ReadableStream"].some((name) => {
    const Type = /** @type {any} */ (globalThis)[name]
    return Type && value instanceof Type
  })
}

/** @param {Reply} reply @param {globalThis.Response} value @returns {HttpReply} */
function fromNative(reply, value) {
  const { status, statusText, headers, body } = value
  return {
    ...reply, status, failed: status >= 400, statusText: statusText || reasonOf(status), headers: Object.fromEntries(headers),
    body: body ? readable(body) : undefined,
  }
}

/** @param {ReadableStream<Uint8Array> | null} stream @returns {Pieces | undefined} */
export function readable(stream) {
  if (!stream) return undefined
  const reader = stream.getReader()
  return {
    pull: () => reader.read().then(({ value }) => (value === undefined ? undefined : bytesOf(value))),
    cancel: () => void reader.cancel().catch(() => {}),
  }
}

/** @param {any} iterator @returns {Pieces} */
function iterated(iterator) {
  return {
    async pull() {
      for (;;) {
        const { done, value } = await iterator.next()
        if (done) return undefined
        const piece = bytesOf(value)
        if (piece.length) return piece
      }
    },
    cancel: () => void iterator.return?.(),
    ...(Symbol.iterator in iterator && { whole: () => joined(Array.from(iterator, bytesOf)) }),
  }
}

/** @param {any} piece @returns {Uint8Array} */
export function bytesOf(piece) {
  if (typeof piece === "string") return new TextEncoder().encode(piece)
  if (piece instanceof ArrayBuffer) return new Uint8Array(piece)
  if (ArrayBuffer.isView(piece)) return new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength)
  throw new TypeError(`A streamed body gave ${Object.prototype.toString.call(piece)}. Give texts or bytes; to send JSON, give JSON.stringify(…).`)
}

/** @param {Record<string, any>} headers @returns {Record<string, string>} */
function lowerCase(headers) {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]))
}
