// A body as a caller gave it, taken at once: its text or its bytes, and the content type that goes with it.

import * as originals from "./originals.js"

/**
 * @typedef {object} Body
 * @property {string} [type]  The content type it has by itself.
 * @property {boolean} text  Whether it is a text: then its charset is UTF-8, whatever the caller says.
 * @property {number} length  In bytes.
 * @property {string | Uint8Array<ArrayBuffer>} [content]  What is sent, if that could be read at once.
 * @property {() => Promise<string | Uint8Array<ArrayBuffer>>} read
 * @property {() => string | Uint8Array<ArrayBuffer>} readNow  The same for who cannot wait.
 * @property {FormData} [form]  What it was made of.
 * @property {() => any} copy  Something to send in its place: what the caller does to it later is not seen.
 */

const COMMENT = 8
const DOCTYPE = 10

const encoder = new TextEncoder()

/** @param {string} text  What it is as bytes, in UTF-8. */
export const encode = (text) => /** @type {Uint8Array<ArrayBuffer>} */ (encoder.encode(text))

/**
 * @param {any} given  What was given to XMLHttpRequest.send: a document, or what fetch takes but a stream.
 * @param {any} [global]
 * @returns {Body | undefined}  Nothing for null and undefined.
 */
export function readBody(given, global = globalThis) {
  if (given === null || given === undefined) return undefined
  switch (kindOf(given)) {
    case "Document": case "HTMLDocument": case "XMLDocument": return documentBody(given, global)
    case "URLSearchParams":
      return { ...textBody(given.toString(), "application/x-www-form-urlencoded;charset=UTF-8", () => new given.constructor(given)), text: true }
    case "Blob": case "File": return blobBody([given], given.type || undefined, given, global)
    case "FormData": return formBody(given, global)
    case "ArrayBuffer": return bytesBody(bytesOf(given, 0, given.byteLength))
    default:
      if (ArrayBuffer.isView(given)) return bytesBody(bytesOf(/** @type {ArrayBuffer} */ (given.buffer), given.byteOffset, given.byteLength))
      return { ...textBody(wellFormed(`${given}`), "text/plain;charset=UTF-8"), text: true }
  }
}

/** @param {any} given */
function kindOf(given) {
  return typeof given === "object" ? Object.prototype.toString.call(given).slice(8, -1) : ""
}

/** @param {string} content @param {string} type @returns {Body} */
function textBody(content, type, copy = () => /** @type {any} */ (content)) {
  const copied = copy()
  return {
    type, content, text: false, copy: () => copied,
    get length() { return byteLength(content) },
    read: async () => content, readNow: () => content,
  }
}

/** @param {Uint8Array<ArrayBuffer>} content @returns {Body} */
function bytesBody(content) {
  return { content, text: false, length: content.length, read: async () => content, readNow: () => content, copy: () => content }
}

/** @param {any} document @param {any} global @returns {Body} */
function documentBody(document, global) {
  const html = document.contentType === "text/html"
  const text = wellFormed(new global.XMLSerializer().serializeToString(document))
  const content = html ? wellFormed(htmlOf(document)) : text
  return { ...textBody(content, `${html ? "text/html" : "application/xml"};charset=UTF-8`), text: true, copy: () => document }
}

/** @param {any} document */
function htmlOf({ childNodes }) {
  return Array.from(childNodes, ({ nodeType, name, data, outerHTML }) =>
    nodeType === DOCTYPE ? `<!DOCTYPE ${name}>` : nodeType === COMMENT ? `<!--${data}-->` : outerHTML ?? "").join("")
}

/**
 * @param {(Blob | Uint8Array<ArrayBuffer>)[]} parts
 * @param {string | undefined} type
 * @param {any} copy
 * @param {any} global
 * @returns {Body}
 */
function blobBody(parts, type, copy, global) {
  const blob = parts.length === 1 && !ArrayBuffer.isView(parts[0]) ? parts[0] : new global.Blob(parts)
  return {
    type,
    text: false,
    length: blob.size,
    read: async () => new Uint8Array(await blob.arrayBuffer()),
    readNow: () => readBlob(blob, global),
    copy: () => copy,
  }
}

/** @param {FormData} given @param {any} global @returns {Body} */
function formBody(given, global) {
  const copy = new /** @type {any} */ (given).constructor()
  // With a boundary as the browser makes them.
  const type = new originals.Response(copy).headers.get("content-type") ?? ""
  const boundary = type.slice(type.indexOf("boundary=") + "boundary=".length)
  /** @type {any[]} */
  const parts = []
  let text = ""
  for (const [name, value] of given) {
    text += `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(lines(name))}"`
    if (typeof value === "string") {
      copy.append(name, value)
      text += `\r\n\r\n${lines(value)}\r\n`
    } else {
      copy.append(name, value, value.name)
      text += `; filename="${quoted(value.name)}"\r\nContent-Type: ${value.type || "application/octet-stream"}\r\n\r\n`
      parts.push(encode(text), value)
      text = "\r\n"
    }
  }
  text += `--${boundary}--\r\n`
  return { ...parts.length ? blobBody([...parts, encode(text)], type, copy, global) : textBody(text, type, () => copy), form: copy }
}

/** @param {string} text */
const lines = (text) => text.replace(/\r\n?|\n/g, "\r\n")
/** @param {string} text */
const quoted = (text) => text.replace(/\n/g, "%0A").replace(/\r/g, "%0D").replace(/"/g, "%22")

/**
 * A blob cannot be read at once, but the browser's own synchronous request for its address can.
 *
 * @param {Blob} blob
 * @param {any} global
 */
function readBlob(blob, global) {
  const url = global.URL.createObjectURL(blob)
  try {
    const xhr = new (originals.XMLHttpRequest ?? global.XMLHttpRequest)()
    xhr.open("GET", url, false)
    // Every byte is one character then.
    xhr.overrideMimeType("text/plain; charset=x-user-defined")
    xhr.send()
    return Uint8Array.from(xhr.responseText, (/** @type {string} */ letter) => letter.charCodeAt(0) & 0xff)
  } finally {
    global.URL.revokeObjectURL(url)
  }
}

/** A copy, because the caller may write to it at once. @param {ArrayBuffer} buffer @param {number} offset @param {number} length */
function bytesOf(buffer, offset, length) {
  // One that was given away has no bytes, and is sent as such.
  return length ? new Uint8Array(buffer, offset, length).slice() : new Uint8Array(0)
}

/** With what is half a character replaced, as UTF-8 cannot hold it. @param {string} text */
export function wellFormed(text) {
  return /** @type {any} */ (text).toWellFormed?.() ?? text
}

/** @param {string} text */
export function byteLength(text) {
  return /^[\x00-\x7f]*$/.test(text) ? text.length : encoder.encode(text).length
}

/** @param {Uint8Array[]} chunks */
export function joined(chunks) {
  const bytes = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
