/** Read the runtime's files, from beside the script or from disk: whole, unharmed, inflated. */

/**
 * @typedef {{ file: string, size: number, raw: number, integrity: string }} Part
 *   One file: its size, its size when inflated, and the hashes of both, as `integrity` of fetch wants them.
 * @typedef {{ raw: number, parts: (Part & { at: number })[] }} Asset
 *   What is read as one piece: the size of it, and the files that it lies in, each with its place. Between them are zeros.
 * @typedef {{ part(part: Part, stage: string, arrived?: (share: number) => void): Promise<Uint8Array>, script(part: Part, stage: string): Promise<void>, json(file: string, stage: string): Promise<any>, refusal(): string | undefined, end(): void }} Files
 * @typedef {import("./progress.js").Loading} Loading
 */

// Kept from before anybody patches them.
const network = globalThis.fetch?.bind(globalThis)
const { setTimeout } = globalThis
// Not there on plain http, unless it is this machine's own.
const subtle = globalThis.crypto?.subtle
// The nonce of our own script tag, for a policy that asks for one.
const nonce = /** @type {any} */ (globalThis.document?.currentScript)?.nonce

const VENDOR = "Copy the files there with `fauxserver vendor DIR`"

/** A boot that cannot end: in which stage, over which file, and what to do. */
export class BootError extends Error {
  /**
   * @param {string} stage
   * @param {string} file
   * @param {string} problem
   * @param {string} advice
   * @param {unknown} [cause]
   */
  constructor(stage, file, problem, advice, cause) {
    super(`Cannot start fauxserver (${stage}): ${file ? `${file} ` : ""}${problem}. ${advice}.`, { cause })
    this.name = "BootError"
    this.stage = stage
    this.file = file
  }
}

/**
 * Whether this is Node, and the files are read from disk. It may have a document: test runners give it one.
 *
 * @param {any} [global]
 */
export function inNode({ process } = globalThis) {
  // By its tag: a bundler's stand-in for a page has the versions, too.
  return Object.prototype.toString.call(process) === "[object process]" && Boolean(process.versions?.node) && process.type !== "renderer"
}

/**
 * One of Node's own modules.
 *
 * @param {string} name
 * @returns {Promise<any>}
 */
export async function builtin(name) {
  const process = /** @type {any} */ (globalThis).process
  return process.getBuiltinModule?.(name) ?? import(/* webpackIgnore: true */ /* @vite-ignore */ name)
}

/**
 * The files of a folder, on the web or on disk.
 *
 * @param {string} base
 * @returns {Files}
 */
export function openFiles(base) {
  return inNode() ? diskFiles(base) : pageFiles(base)
}

/**
 * The files of a folder on the web.
 *
 * @param {string} base
 * @returns {Files}
 */
function pageFiles(base) {
  /** @type {SecurityPolicyViolationEvent[]} */
  const violations = []
  const listen = (/** @type {SecurityPolicyViolationEvent} */ event) => violations.push(event)
  document.addEventListener("securitypolicyviolation", listen)

  // The hash in the address: a newer build is never mixed with files that a cache kept of an older one.
  const address = (/** @type {Part} */ part) => new URL(`${part.file}?${tag(part)}`, base).href

  /**
   * @param {string} stage
   * @param {string} url
   * @param {unknown} cause
   */
  async function explain(stage, url, cause) {
    // The browser tells of a refusal in a task of its own.
    await new Promise(resolve => setTimeout(resolve, 0))
    const refused = violations.find(({ blockedURI }) => blockedURI && url.startsWith(blockedURI))
    if (refused) {
      const directive = refused.effectiveDirective
      const origin = new URL(url).origin === location.origin ? "'self'" : new URL(url).origin
      return new BootError(stage, url, `is refused by the page's Content-Security-Policy (${directive})`, `Add ${origin} to its ${directive}`, cause)
    }
    const response = await network(url, { cache: "no-store" }).catch(() => null)
    if (!response) {
      if (new URL(url).origin === location.origin) {
        return new BootError(stage, url, "cannot be fetched: no server answers there", "Start the server, or look at the network", cause)
      }
      return new BootError(
        stage,
        url,
        `cannot be fetched: no server answers there, or it does not let ${location.origin} read it`,
        "Start the server, let it send `Access-Control-Allow-Origin`, or copy the files beside the page with `fauxserver vendor DIR`",
        cause,
      )
    }
    if (!response.ok || /^text\/html/.test(response.headers.get("content-type") ?? "")) {
      // What its encoding has spoiled cannot be cancelled either.
      response.body?.cancel().catch(() => {})
      const problem = response.ok ? "is missing: the server answers with an HTML page" : `is missing: the server answers ${response.status}`
      return new BootError(stage, url, problem, `${VENDOR}, or name the folder that holds them: data-runtime="…" on the script tag, start({ runtime: "…" }) from a module`, cause)
    }
    if (!(await response.arrayBuffer().catch(() => null))) {
      return new BootError(
        stage,
        url,
        "does not arrive whole, twice: the connection breaks off, or its Content-Encoding is not what the server says",
        "Reload the page; if it happens again, look at the server, and at what stands between",
        cause,
      )
    }
    return new BootError(stage, url, "is damaged, or belongs to another version: its SHA-256 is not the one it was built with", `${VENDOR} again`, cause)
  }

  return {
    async part(part, stage, arrived = () => {}) {
      const url = address(part)
      // What was kept under its hash needs nobody to say that it is still good. If it is not, or if the connection broke
      // off: once more, from the server.
      const read = (/** @type {RequestCache} */ cache) => readChecked(url, part, cache, arrived)
      try {
        return await read("force-cache").catch(() => read("reload"))
      } catch (cause) {
        throw await explain(stage, url, cause)
      }
    },
    async script(part, stage) {
      const url = address(part)
      const { integrity } = part
      try {
        // The second time, the browser keeps what it is sent, and the script is what it has kept.
        await addScript(url, integrity).catch(() => network(url, { integrity, cache: "reload" }).then(() => addScript(url, integrity)))
      } catch (cause) {
        throw await explain(stage, url, cause)
      }
    },
    async json(file, stage) {
      const url = new URL(file, base).href
      try {
        const response = await network(url, { cache: "no-cache" })
        if (!response.ok) throw new Error(`${response.status} ${response.statusText}`)
        return await response.json()
      } catch (cause) {
        throw await explain(stage, url, cause)
      }
    },
    refusal: () => violations.find(({ blockedURI }) => blockedURI === "wasm-eval")?.effectiveDirective,
    end: () => document.removeEventListener("securitypolicyviolation", listen),
  }
}

/**
 * Fetch a file and check its hash. With fetch's own `integrity` nothing is seen of it before it is whole: where we can
 * calculate it ourselves, how much has arrived is told meanwhile.
 *
 * @param {string} url
 * @param {Part} part
 * @param {RequestCache} cache
 * @param {(share: number) => void} arrived
 * @returns {Promise<Uint8Array>}
 */
async function readChecked(url, { size, raw, integrity }, cache, arrived) {
  const response = await network(url, subtle ? { cache } : { cache, integrity })
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`)
  if (!subtle) return new Uint8Array(await response.arrayBuffer())
  const whole = response.headers.has("content-encoding") ? raw : size
  const bytes = await readBody(response, length => arrived(length / whole))
  const hash = new Uint8Array(await subtle.digest("SHA-256", bytes))
  if (!integrity.includes(btoa(String.fromCharCode(...hash)))) throw new Error("another SHA-256")
  return bytes
}

/**
 * @param {Response} response
 * @param {(length: number) => void} arrived
 */
async function readBody(response, arrived) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader()
  const chunks = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    chunks.push(value)
    arrived((length += value.length))
  }
  const bytes = new Uint8Array(length)
  length = 0
  for (const chunk of chunks) {
    bytes.set(chunk, length)
    length += chunk.length
  }
  return bytes
}

/**
 * Run a script whose hash is known.
 *
 * @param {string} url
 * @param {string} integrity
 * @returns {Promise<void>}
 */
async function addScript(url, integrity) {
  const element = document.createElement("script")
  element.crossOrigin = "anonymous"
  element.integrity = integrity
  if (nonce) element.nonce = nonce
  element.src = url
  try {
    await new Promise((resolve, reject) => {
      element.onload = resolve
      element.onerror = () => reject(new Error(`${url} did not load`))
      const place = document.head ?? document.documentElement
      place.append(element)
    })
  } finally {
    element.remove()
  }
}

/**
 * The files of a folder on disk, under Node.
 *
 * @param {string} base
 * @returns {Files}
 */
function diskFiles(base) {
  /**
   * @param {string} file
   * @param {string} stage
   * @returns {Promise<[string, Uint8Array]>}
   */
  async function read(file, stage) {
    const path = (await builtin("node:path")).join(base, file)
    try {
      return [path, await (await builtin("node:fs")).promises.readFile(path)]
    } catch (cause) {
      throw new BootError(stage, path, "is missing or cannot be read", VENDOR, cause)
    }
  }

  /**
   * @param {Part} part
   * @param {string} stage
   * @returns {Promise<[string, Uint8Array]>}
   */
  async function checked(part, stage) {
    const [path, bytes] = await read(part.file, stage)
    const hash = (await builtin("node:crypto")).createHash("sha256").update(bytes).digest("base64")
    if (part.integrity.split(" ").includes(`sha256-${hash}`)) return [path, bytes]
    throw new BootError(stage, path, "is damaged, or belongs to another version: its SHA-256 is not the one it was built with", `${VENDOR} again`)
  }

  return {
    part: async (part, stage) => (await checked(part, stage))[1],
    async script(part, stage) {
      const [path] = await checked(part, stage)
      const { createRequire } = await builtin("node:module")
      createRequire(path)(path)
    },
    json: async (file, stage) => JSON.parse(new TextDecoder().decode((await read(file, stage))[1])),
    refusal: () => undefined,
    end: () => {},
  }
}

/**
 * Read an asset into one buffer of its size: its files side by side, each inflated as it comes.
 *
 * @param {Files} files
 * @param {Asset} asset
 * @param {string} stage
 * @param {Loading} loading
 * @param {Uint8Array} [buffer] Of zeros.
 * @returns {Promise<Uint8Array>}
 */
export async function readAsset(files, asset, stage, loading, buffer = new Uint8Array(asset.raw)) {
  const pieces = asset.parts.map(async part => {
    let told = 0
    const arrived = (/** @type {number} */ share) => {
      const length = Math.round(part.size * Math.min(share, 1))
      if (length <= told) return
      loading.loaded(length - told, stage)
      told = length
    }
    const bytes = await files.part(part, stage, arrived)
    arrived(1)
    await inflate(bytes, buffer.subarray(part.at, part.at + part.raw), part, stage)
  })
  // If several fail, the first is the one to tell of.
  for (const piece of pieces) piece.catch(() => {})
  for (const piece of pieces) await piece
  return buffer
}

/**
 * Look at the bytes, not at the label: a server may have inflated them already.
 *
 * @param {Uint8Array} bytes
 * @param {Uint8Array} place
 * @param {Part} part
 * @param {string} stage
 */
async function inflate(bytes, place, part, stage) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return place.set(bytes)
  if (inNode()) return place.set((await builtin("node:zlib")).gunzipSync(bytes))
  if (typeof DecompressionStream === "undefined") {
    throw new BootError(stage, part.file, "cannot be inflated: this browser has no DecompressionStream", "Use a newer browser")
  }
  const { readable, writable } = new DecompressionStream("gzip")
  const writer = writable.getWriter()
  // Whatever is wrong with it is told by the reader.
  for (const writing of [writer.write(/** @type {any} */ (bytes)), writer.close()]) writing.catch(() => {})
  // Read a chunk at a time into its place: nothing is kept twice.
  const reader = readable.getReader()
  let offset = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    place.set(value, offset)
    offset += value.length
  }
}

/** @param {Part} part */
function tag(part) {
  return part.integrity.slice(7, 17).replace(/\W/g, "")
}
