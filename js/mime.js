// What a content-type says, as a browser reads it: type, parameters, and which of them survive.

/**
 * @typedef {object} Mime
 * @property {string} essence  "text/html", in lower case.
 * @property {Map<string, string>} parameters
 */

const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/
const SPACE_AROUND = /^[\t\n\r ]+|[\t\n\r ]+$/g

/**
 * @param {string} text
 * @returns {Mime | undefined}  Nothing for what is no type.
 */
export function parseMime(text) {
  const [, type, rest] = /^([^/]*)\/(.*)$/s.exec(text.replace(SPACE_AROUND, "")) ?? []
  if (rest === undefined) return undefined
  const end = rest.indexOf(";")
  const subtype = (end < 0 ? rest : rest.slice(0, end)).replace(/[\t\n\r ]+$/, "")
  if (!TOKEN.test(type) || !TOKEN.test(subtype)) return undefined
  return { essence: `${type}/${subtype}`.toLowerCase(), parameters: parseParameters(end < 0 ? "" : rest.slice(end)) }
}

/** @param {string} text  From the first semicolon on. */
function parseParameters(text) {
  const parameters = new Map()
  const pattern = /;[\t\n\r ]*([^;=]*)(?:=(?:"((?:[^"\\]|\\.)*)("|\\?$)[^;]*|([^;]*)))?/gsy
  for (let match; (match = pattern.exec(text)) && match[0];) {
    const [, given, quoted, closing, plain] = match
    const name = given.toLowerCase()
    const value = quoted === undefined ? plain?.replace(/[\t\n\r ]+$/, "") : quoted.replace(/\\(.)/gs, "$1") + (closing === "\\" ? "\\" : "")
    if (value === undefined || (value === "" && quoted === undefined)) continue
    if (!TOKEN.test(name) || /[^\t\x20-\x7e\x80-\xff]/.test(value) || parameters.has(name)) continue
    parameters.set(name, value)
  }
  return parameters
}

/** @param {Mime} mime */
export function serializeMime({ essence, parameters }) {
  let text = essence
  for (const [name, value] of parameters) {
    text += `;${name}=${TOKEN.test(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`}`
  }
  return text
}

/**
 * The type that an answer's headers give; of several the last that is one, and the charset of an earlier one for the same type.
 *
 * @param {string | null} header  All values of content-type, combined.
 * @returns {Mime | undefined}
 */
export function extractMime(header) {
  if (header === null) return undefined
  /** @type {Mime | undefined} */
  let found
  let charset
  for (const value of header.match(/(?:[^,"]|"(?:[^"\\]|\\.)*(?:"|$))+/gs) ?? []) {
    const mime = parseMime(value)
    if (!mime || mime.essence === "*/*") continue
    if (mime.essence !== found?.essence) charset = mime.parameters.get("charset")
    else if (!mime.parameters.has("charset") && charset !== undefined) mime.parameters.set("charset", charset)
    found = mime
  }
  return found
}

/** @param {Mime} mime */
export function isHTML({ essence }) {
  return essence === "text/html"
}

/** @param {Mime} mime */
export function isXML({ essence }) {
  return essence === "text/xml" || essence === "application/xml" || essence.endsWith("+xml")
}
