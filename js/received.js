// What has arrived of an answer, as the getters of an XMLHttpRequest show it: text, JSON, bytes, blob, document.

import { byteLength, encode, joined, wellFormed } from "./body.js"
import { extractMime, isHTML, isXML, parseMime, serializeMime } from "./mime.js"

/** @typedef {ReturnType<typeof createReceived>} Received */

// As a page is looked through for its charset.
const PRESCAN = 1024

/**
 * @param {object} answer
 * @param {[string, string][]} answer.headers
 * @param {unknown} answer.body  What is there at once; of a stream, nothing yet.
 * @param {string} answer.url
 * @param {() => string | undefined} override  What overrideMimeType was told.
 * @param {any} global
 */
export function createReceived({ headers, body, url }, override, global) {
  /** The whole body, if it came as a text. @type {string | undefined} */
  let whole = typeof body === "string" ? body : undefined
  /** @type {Uint8Array<ArrayBuffer>[]} */
  let pieces = body instanceof Uint8Array ? [/** @type {Uint8Array<ArrayBuffer>} */ (body)] : []
  let size = whole === undefined ? pieces.reduce((sum, { length }) => sum + length, 0) : byteLength(whole)
  const missing = body === undefined || body === null

  /** @type {TextDecoder | undefined} */
  let decoder
  let decoded = ""
  let read = 0
  let flushed = false
  /** Made once: whoever asks again gets the same. @type {any} */
  let made
  /** @type {Map<string, string> | undefined} */
  let combined

  return {
    add, text, response, xml, header, allHeaders,
    get size() {
      return size
    },
    /** What content-length promises, or 0. */
    get total() {
      const length = header("content-length")
      // What was packed says its packed length.
      return length !== null && /^\d+$/.test(length) && !header("content-encoding") ? Number(length) : 0
    },
  }

  /** @param {Uint8Array<ArrayBuffer>} piece */
  function add(piece) {
    pieces.push(piece)
    size += piece.length
  }

  // --- Headers ---------------------------------------------------------------------------------------------------------

  function all() {
    if (combined) return combined
    combined = new Map()
    for (const [given, value] of headers) {
      const name = given.toLowerCase()
      if (name === "set-cookie" || name === "set-cookie2") continue
      const before = combined.get(name)
      combined.set(name, before === undefined ? value : `${before}, ${value}`)
    }
    return combined
  }

  /** @param {string} name */
  function header(name) {
    return all().get(name.toLowerCase()) ?? null
  }

  function allHeaders() {
    // In the order that their names have in capitals, as it always was.
    const order = ([a] = ["", ""], [b] = ["", ""]) => (a.toUpperCase() < b.toUpperCase() ? -1 : 1)
    return [...all()].sort(order).map(([name, value]) => `${name}: ${value}\r\n`).join("")
  }

  // --- Type and charset ------------------------------------------------------------------------------------------------

  function sentMime() {
    return extractMime(header("content-type")) ?? { essence: "text/xml", parameters: new Map() }
  }

  function overridden() {
    const text = override()
    return text === undefined ? undefined : parseMime(text) ?? { essence: "application/octet-stream", parameters: new Map() }
  }

  function mime() {
    return overridden() ?? sentMime()
  }

  function charset() {
    const label = overridden()?.parameters.get("charset") ?? sentMime().parameters.get("charset")
    return label === undefined ? undefined : encodingOf(label)
  }

  // --- Text ------------------------------------------------------------------------------------------------------------

  /**
   * @param {boolean} complete
   * @param {boolean} sniff  Whether XML may name its charset itself.
   */
  function text(complete, sniff) {
    if (flushed || missing) return decoded
    if (!decoder) {
      if (!complete && mayBecomeMark(pieces, size)) return ""
      const named = charset()
      if (whole !== undefined && (named ?? "utf-8") === "utf-8") {
        flushed = true
        decoded = withoutMark(wellFormed(whole))
        return decoded
      }
      asBytes()
      const first = start()
      decoder = new TextDecoder(marked(first) ?? named ?? (sniff && isXML(mime()) ? xmlCharset(first) : undefined) ?? "utf-8")
    }
    for (; read < pieces.length; read += 1) decoded += decoder.decode(pieces[read], { stream: true })
    if (complete) {
      flushed = true
      decoded += decoder.decode()
    }
    return decoded
  }

  function asBytes() {
    if (whole === undefined) return
    pieces = [encode(whole)]
    whole = undefined
  }

  /** The first bytes, in one piece. */
  function start() {
    if (pieces.length === 1 || pieces[0]?.length >= PRESCAN) return pieces[0]
    return joined(pieces).subarray(0, PRESCAN)
  }

  function bytes() {
    asBytes()
    if (pieces.length !== 1) pieces = [joined(pieces)]
    return pieces[0]
  }

  // --- The other forms -------------------------------------------------------------------------------------------------

  /** @param {string} type  One of responseType. */
  function response(type) {
    if (made !== undefined) return made
    made = null
    if (type === "arraybuffer") made = bytes().slice().buffer
    else if (type === "blob") made = new global.Blob([whole ?? bytes()], { type: serializeMime(mime()) })
    else if (type === "json") made = missing ? null : json()
    else if (type === "document") made = parse(false)
    return made
  }

  function json() {
    try {
      return JSON.parse(withoutMark(whole ?? new TextDecoder("utf-8").decode(bytes())))
    } catch {
      return null
    }
  }

  /** What responseXML is where no type of response was asked for: XML only. */
  function xml() {
    if (made === undefined) made = parse(true)
    return made
  }

  /** @param {boolean} onlyXML */
  function parse(onlyXML) {
    if (missing) return null
    const type = mime()
    if (!isXML(type) && (onlyXML || !isHTML(type))) return null
    const own = bytes()
    const first = own.subarray(0, PRESCAN)
    const named = marked(first) ?? charset() ?? (isHTML(type) ? htmlCharset(first) : xmlCharset(first)) ?? "utf-8"
    const source = new TextDecoder(named).decode(own)
    const document = new global.DOMParser().parseFromString(source, isHTML(type) ? "text/html" : xmlType(type.essence))
    if (!isHTML(type) && failed(document, global)) return null
    // The parser gives it the page's own address, and knows no other types.
    const address = url.replace(/#.*$/s, "")
    const base = { get: () => document.querySelector("base[href]")?.href ?? address, configurable: true }
    Object.defineProperty(document, "baseURI", base)
    for (const [name, value] of Object.entries({ URL: address, documentURI: address, contentType: type.essence })) {
      Object.defineProperty(document, name, { value, configurable: true })
    }
    return document
  }
}

/** @param {string} text */
function withoutMark(text) {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

/** The encoding that a byte order mark names, whatever else is said. @param {Uint8Array | undefined} first */
function marked(first) {
  if (!first) return undefined
  if (first[0] === 0xef && first[1] === 0xbb && first[2] === 0xbf) return "utf-8"
  if (first[0] === 0xfe && first[1] === 0xff) return "utf-16be"
  if (first[0] === 0xff && first[1] === 0xfe) return "utf-16le"
  return undefined
}

/** Whether it is still to be seen if it begins with a byte order mark. @param {Uint8Array[]} pieces @param {number} size */
function mayBecomeMark(pieces, size) {
  return size < 3 && (size === 0 || [0xef, 0xfe, 0xff].includes(pieces.find(({ length }) => length)?.[0] ?? 0))
}

/** @param {string} label @returns {string | undefined}  Its name; nothing if there is no such encoding. */
function encodingOf(label) {
  try {
    return new TextDecoder(label).encoding
  } catch {
    return undefined
  }
}

/** @param {Uint8Array | undefined} first */
function xmlCharset(first) {
  return declared(first, /^<\?xml[^>]*?\sencoding\s*=\s*["']([^"'>]+)["']/)
}

/** @param {Uint8Array | undefined} first */
function htmlCharset(first) {
  return declared(first, /<meta\s[^>]*?charset\s*=\s*["']?\s*([^\s"'/>;]+)/i)
}

/** @param {Uint8Array | undefined} first @param {RegExp} pattern */
function declared(first, pattern) {
  const label = pattern.exec(new TextDecoder("latin1").decode(first))?.[1]
  const name = label === undefined ? undefined : encodingOf(label)
  // What could be read so far was no UTF-16.
  return name?.startsWith("utf-16") ? "utf-8" : name
}

// The parser takes no other names for XML.
/** @param {string} essence */
function xmlType(essence) {
  return ["text/xml", "application/xml", "application/xhtml+xml", "image/svg+xml"].includes(essence) ? essence : "application/xml"
}

/** Whether the parser gave an account of an error instead of a document. @param {Document} document @param {any} global */
function failed(document, global) {
  const [error] = document.getElementsByTagName("parsererror")
  if (!error) return false
  const [known] = new global.DOMParser().parseFromString("<", "text/xml").getElementsByTagName("parsererror")
  return error.namespaceURI === known?.namespaceURI
}
