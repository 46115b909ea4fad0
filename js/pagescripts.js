// The page's Python: route files in document order, each with the files and packages it declares.

import { builtin, inNode } from "./files.js"
import { fetch } from "./originals.js"

/**
 * @typedef {object} PythonScript
 * @property {string} path  Where it lies in the runtime's file system, so that tracebacks show its lines.
 * @property {string} [url]
 * @property {string} [source]
 *
 * @typedef {object} Host  What runs them.
 * @property {(source: string, path: string) => { dependencies: string[], files: string[], index?: string | null }} metadata
 * @property {(path: string, bytes: Uint8Array) => void} write
 * @property {(requirements: string[], options: { index?: string | null, from?: string }) => Promise<unknown>} installPackages
 * @property {(path: string, source: string) => unknown} load
 */

// Where the page's files are laid in the runtime.
const ROOT = "/page"

/**
 * Every `<script type="text/python">` of the page, in document order.
 *
 * @param {any} document
 * @returns {PythonScript[]}
 */
export function findScripts(document) {
  const page = document.baseURI.replace(/[?#].*$/s, "").replace(/[^/]*$/, "")
  return [...document.querySelectorAll('script[type="text/python"]')].map((script, i) => {
    if (script.hasAttribute("src")) return fromUrl(script.getAttribute("src"), document.baseURI)
    return { path: pathOf(`${page}inline_${i + 1}.py`), source: withoutIndent(script.textContent) }
  })
}

/**
 * @param {string} url
 * @param {string} [base]
 * @returns {PythonScript}
 */
export function fromUrl(url, base) {
  try {
    const absolute = new URL(url, base).href
    return { path: pathOf(absolute), url: absolute }
  } catch {
    // No address: the reading of it will say so, when its turn comes.
    return { path: `${ROOT}/files/${url}`, url }
  }
}

/**
 * A route file as JavaScript names it. In Node that is a path, with or without a document, and begins where Node was started.
 *
 * @param {string | URL} given
 * @param {any} [document]
 * @returns {PythonScript}
 */
export function routeFile(given, document) {
  const address = String(given)
  // A scheme of one letter is a drive.
  if (!inNode() || /^[a-z][a-z\d+.-]+:/i.test(address)) return fromUrl(address, document?.baseURI)
  const { pathToFileURL } = /** @type {any} */ (globalThis).process.getBuiltinModule("node:url")
  return fromUrl(pathToFileURL(address).href)
}

/**
 * The path that stands for a URL: the same folders, so that files find those beside them.
 *
 * @param {string} url
 */
export function pathOf(url) {
  const { host, pathname } = new URL(url)
  const folders = decodeURIComponent(pathname).split("/").filter((part) => part && part !== "." && part !== "..")
  return [ROOT, host.replace(/[^\w.-]/g, "_") || "files", ...folders].join("/")
}

/**
 * A file as the person who wrote it knows it: without the runtime's folders, or the page's origin.
 *
 * @param {string} file
 */
export function shownPath(file) {
  const origin = globalThis.location?.origin
  return (origin && file.startsWith(`${origin}/`) ? file.slice(origin.length + 1) : file).replace(/^\/page\/[^/]+\//, "")
}

/**
 * Ask for a script's text now; its turn to run may come later.
 *
 * @param {PythonScript} script
 * @returns {Promise<string>}
 */
export function read(script) {
  const text = script.source === undefined ? readText(/** @type {string} */ (script.url)) : Promise.resolve(script.source)
  // It is reported when its turn comes.
  text.catch(() => {})
  return text
}

/**
 * Run a script on the server, when what it declares is there.
 *
 * @param {Host} host
 * @param {PythonScript} script
 * @param {string} source
 * @param {string[]} [laid]  The addresses of files that lie beside it already.
 * @returns {Promise<string[]>}  The addresses of the files that lie beside it.
 */
export async function runScript(host, script, source, laid = []) {
  const { dependencies, files, index } = host.metadata(source, script.path)
  const base = script.url ?? globalThis.document?.baseURI
  const beside = await Promise.all(files.map((file) => layBeside(host, file, base, laid).catch(lacks(script, source, file))))
  if (dependencies.length) {
    await host.installPackages(dependencies, { index, from: script.url }).catch(lacks(script, source, dependencies[0]))
  }
  host.load(script.path, source)
  return beside
}

/**
 * @param {Host} host
 * @param {string} file
 * @param {string | undefined} base
 * @param {string[]} laid
 */
async function layBeside(host, file, base, laid) {
  const { url = file, path } = fromUrl(file, base)
  if (laid.includes(url)) return url
  host.write(path, await readBytes(url))
  return url
}

/**
 * Say which route file, in which line, asks for what cannot be had.
 *
 * @param {PythonScript} script
 * @param {string} source
 * @param {string} declared
 * @returns {(cause: any) => never}
 */
function lacks(script, source, declared) {
  return (cause) => {
    const lines = source.split("\n")
    const line = lines.findIndex((text) => text.startsWith("#") && text.includes(declared)) + 1
    const message = `${script.path.split("/").pop()}: ${cause.message}`
    const place = { file: script.path, ...(line && { line, source: lines[line - 1] }) }
    throw Object.assign(new Error(message, { cause }), { fault: { message, cause, ...place } })
  }
}

/** @param {string} url */
export async function readText(url) {
  return new TextDecoder().decode(await readBytes(url))
}

/** @param {string} url */
export async function readBytes(url) {
  if (inNode() && url.startsWith("file:")) return readFile(url)
  const response = await ask(url)
  if (!response.ok) {
    throw new Error(`Cannot load ${url}: the server answers ${response.status} ${response.statusText}. Check the address.`)
  }
  // As many servers answer for what they do not have.
  if (/^text\/html/.test(response.headers.get("content-type") ?? "") && !/\.html?$/.test(new URL(url).pathname)) {
    throw new Error(`Cannot load ${url}: the server answers with an HTML page. Check the address.`)
  }
  return new Uint8Array(await response.arrayBuffer())
}

/** @param {string} url */
async function readFile(url) {
  const path = (await builtin("node:url")).fileURLToPath(url)
  try {
    return await (await builtin("node:fs")).promises.readFile(path)
  } catch (cause) {
    const { code, message } = /** @type {any} */ (cause)
    const problem = code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a folder" : message
    throw new Error(`Cannot load ${path}: ${problem}. Check the path.`, { cause })
  }
}

/** @param {string} url */
async function ask(url) {
  try {
    return await fetch(url, { cache: "no-cache" })
  } catch (cause) {
    throw new Error(`Cannot load ${url}: no server answers, or it does not let this page read it. Check the address.`, { cause })
  }
}

// Inline Python is indented with the markup around it.
/** @param {string} text */
export function withoutIndent(text) {
  const lines = text.replace(/^[ \t]*\n/, "").split("\n")
  const indents = lines.filter((line) => line.trim()).map((line) => /^[ \t]*/.exec(line)?.[0] ?? "")
  const shared = indents.reduce((one, other) => (other.startsWith(one) ? one : one.startsWith(other) ? other : ""), indents[0] ?? "")
  return lines.map((line) => (line.startsWith(shared) ? line.slice(shared.length) : line.trimStart())).join("\n")
}
