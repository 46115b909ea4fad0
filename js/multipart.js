// A multipart form that came as bytes, read as `fauxserver/bodies.py` reads it: exactly, and at once.

import { encode } from "./body.js"

const CR = 13
const LF = 10
const DASH = 45
const [SPACE, TAB] = [32, 9]
const PARAMETER = /[ \t]*;[ \t]*(?:([^=;" \t]*)[ \t]*=[ \t]*(?:"(.*?)"(?=[ \t]*(?:;|$))|([^;"]*)))?/sy

/**
 * @param {Uint8Array} bytes
 * @param {string} type  The content type, which names the boundary.
 * @returns {[string, string | File][]}
 */
export function readForm(bytes, type) {
  const boundary = parameterOf(type, "boundary")
  if (!boundary) {
    throw new Error("its content type names no boundary. Leave the header to the client that knows the boundary: give it a FormData, and no Content-Type")
  }
  /** @type {string | undefined} */
  let charset
  return cut(bytes, boundary).map((part, index) => {
    const [headers, content] = readPart(part)
    const disposition = headers.get("content-disposition") ?? ""
    const given = readDisposition(disposition, index + 1)
    const name = given.get("name")
    if (!/^form-data[ \t]*(?:;|$)/i.test(disposition) || name === undefined) {
      throw new Error(`part ${index + 1} has no header Content-Disposition: form-data; name="…"`)
    }
    const contentType = headers.get("content-type") ?? "text/plain"
    const filename = given.get("filename")
    if (filename !== undefined) return [name, new File([/** @type {Uint8Array<ArrayBuffer>} */ (content)], filename, { type: contentType })]
    const value = readText(content, parameterOf(contentType, "charset") ?? charset)
    if (name === "_charset_" && isCharset(value)) charset = value
    return [name, value]
  })
}

/** @param {string} name */
function isCharset(name) {
  try {
    return Boolean(new TextDecoder(name))
  } catch {
    return false
  }
}

/** @param {Uint8Array} bytes @param {string | undefined} charset */
export function readText(bytes, charset = "utf-8") {
  try {
    return new TextDecoder(charset, { ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Error(`its charset ${JSON.stringify(charset)} is unknown. Send it as UTF-8`)
  }
}

/** @param {string} type @param {string} name */
export function parameterOf(type, name) {
  for (const [, found, quoted, plain] of type.matchAll(/;[ \t]*([^=;" \t]+)=(?:"((?:[^"\\]|\\.)*)"|([^;"]*))/g)) {
    if (found.toLowerCase() === name) return quoted === undefined ? plain.trim() : quoted.replace(/\\(.)/g, "$1")
  }
  return undefined
}

/**
 * What stands between the lines with the boundary.
 *
 * @param {Uint8Array} bytes
 * @param {string} boundary
 */
function cut(bytes, boundary) {
  const line = encode(`--${boundary}`)
  const parts = []
  let start = -1
  for (let at = nextLine(bytes, line, 0); at >= 0; at = nextLine(bytes, line, at + line.length)) {
    const last = bytes[at + line.length] === DASH && bytes[at + line.length + 1] === DASH
    let end = at + line.length + (last ? 2 : 0)
    while (bytes[end] === SPACE || bytes[end] === TAB) end += 1
    // A line that only begins with the boundary is content.
    if (end < bytes.length && !(bytes[end] === CR && bytes[end + 1] === LF)) continue
    if (start >= 0) parts.push(bytes.subarray(start, Math.max(start, at - 2)))
    if (last) return parts
    start = end + 2
  }
  throw new Error(start < 0 ? `no line is its boundary, --${boundary}` : `it breaks off: the last line, --${boundary}--, is missing`)
}

/**
 * Where the next line begins that begins so.
 *
 * @param {Uint8Array} bytes
 * @param {Uint8Array} line
 * @param {number} from
 */
function nextLine(bytes, line, from) {
  for (let at = bytes.indexOf(DASH, from); at >= 0; at = bytes.indexOf(DASH, at + 1)) {
    const begins = at === 0 || (bytes[at - 1] === LF && bytes[at - 2] === CR)
    if (begins && line.every((byte, index) => bytes[at + index] === byte)) return at
  }
  return -1
}

/** @param {Uint8Array} part @returns {[Map<string, string>, Uint8Array]} */
function readPart(part) {
  let end = part[0] === CR && part[1] === LF ? 0 : part.indexOf(CR)
  while (end > 0 && !(part[end + 1] === LF && part[end + 2] === CR && part[end + 3] === LF)) end = part.indexOf(CR, end + 1)
  const head = new TextDecoder().decode(end < 0 ? part : part.subarray(0, end))
  /** @type {Map<string, string>} */
  const headers = new Map()
  for (const line of head.replace(/\r\n(?=[ \t])/g, "").split("\r\n")) {
    const colon = line.indexOf(":")
    if (colon >= 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
  }
  return [headers, end < 0 ? new Uint8Array() : part.subarray(end ? end + 4 : 2)]
}

/**
 * Read `form-data; name="…"; filename="…"`. Browsers write a quotation mark as `%22`, and the ends of a line likewise, and
 * leave all else as it is; others put a backslash before a quotation mark.
 *
 * @param {string} text
 * @param {number} number
 */
function readDisposition(text, number) {
  /** @type {Map<string, string>} */
  const found = new Map()
  PARAMETER.lastIndex = text.includes(";") ? text.indexOf(";") : text.length
  while (PARAMETER.lastIndex < text.length) {
    const parameter = PARAMETER.exec(text)
    if (!parameter) throw new Error(`part ${number} has a Content-Disposition that cannot be read: ${JSON.stringify(text.slice(0, 200))}`)
    const [, name, quoted, plain] = parameter
    if (name && !found.has(name.toLowerCase())) found.set(name.toLowerCase(), quoted === undefined ? plain.trim() : unescaped(quoted))
  }
  return found
}

/** @param {string} text */
const unescaped = (text) => text.replace(/%0D/g, "\r").replace(/%0A/g, "\n").replace(/%22/g, '"').replace(/\\"/g, '"')
