/** Find the runtime's files and boot it: from the snapshot first, plainly second. */
import { BootError, inNode, openFiles, readAsset } from "./files.js"
import { startLoading } from "./progress.js"
import * as shared from "./shared.js"

/* global FAUXSERVER_FILES, FAUXSERVER_VERSION, __dirname */

/**
 * @typedef {import("./files.js").Asset} Asset
 * @typedef {import("./files.js").Files} Files
 * @typedef {import("./progress.js").Loading} Loading
 * @typedef {{ script: Asset, answering: Asset, wasm: Asset, snapshot: Asset, stdlib: Asset, wholeStdlib: Asset, package: Asset, micropip: Asset, lock: any }} Manifest
 * @typedef {{ base?: string, onProgress?: (loaded: number, total: number, stage: string) => void, stdout?: (line: string) => void, stderr?: (line: string) => void }} Options
 * @typedef {{ pyodide: any, boot: "snapshot" | "plain", reason?: Error, answering: typeof import("./answering.js"), base: string }} Booted
 */

// Kept while the script first runs: later, `currentScript` is gone, and the page may have replaced the others.
const ownScript = /** @type {HTMLScriptElement | null} */ (globalThis.document?.currentScript ?? null)
const network = globalThis.fetch?.bind(globalThis)

/** The version of this build. */
export const version = typeof FAUXSERVER_VERSION === "string" ? FAUXSERVER_VERSION : "0.0.0"

// Where our Python package lies in the runtime, when the snapshot is made and ever after.
const PACKAGE = "/lib/fauxserver.zip"
const STDLIB = "fauxserver://stdlib"
const RUNTIME = Symbol.for("fauxserver.runtime")
const ANSWERING = Symbol.for("fauxserver.answering")

/**
 * The folder of the runtime's files, with a slash at its end.
 *
 * @param {string} [given] What the page says itself.
 * @returns {string}
 */
export function findBase(given) {
  const named = given ?? ownScript?.dataset.runtime ?? /** @type {any} */ (globalThis).fauxServer?.runtime
  if (typeof named === "string" && named) return folder(inNode() ? pathOf(named) : addressOf(named))
  if (!inNode() && ownScript?.src) return new URL(".", ownScript.src).href
  if (inNode() && typeof __dirname === "string") return folder(__dirname)
  const here = import.meta.url
  if (here && inNode()) return folder(pathOf(new URL(".", here).href))
  // webpack puts in where the file lay on the machine that bundled it.
  if (here && !(here.startsWith("file:") && /^http/.test(location.protocol))) return new URL(".", here).href
  throw new BootError(
    "finding its files",
    "",
    "this script does not know where it lies",
    'Name the folder that `fauxserver vendor` made: data-runtime="…" on the script tag, or start({ runtime: "…" }) from a module',
  )
}

/**
 * The whole path, in Node, of what is named by its path or its URL.
 *
 * @param {string} named
 */
function pathOf(named) {
  const { getBuiltinModule } = /** @type {any} */ (globalThis).process
  return named.startsWith("file:") ? getBuiltinModule("node:url").fileURLToPath(named) : getBuiltinModule("node:path").resolve(named)
}

/** @param {string} named */
function addressOf(named) {
  try {
    return new URL(named, document.baseURI).href
  } catch (cause) {
    throw new BootError("finding its files", JSON.stringify(named), "is no address", "Name the folder that `fauxserver vendor` made", cause)
  }
}

/**
 * Boot the runtime with the files in *base*.
 *
 * @param {Options} [options]
 * @returns {Promise<Booted>} Rejects with a BootError, which names the stage, the file and what to do.
 */
export async function boot({ base = findBase(), onProgress, stdout, stderr } = {}) {
  refuseWhatCannotWork(base)
  const loading = startLoading(onProgress)
  const files = openFiles(base)
  try {
    return await bootFrom(files, await manifest(files), loading, { base, stdout, stderr })
  } catch (error) {
    if (error instanceof BootError) throw error
    const message = (error instanceof Error ? error.message : String(error)).replace(/\.$/, "")
    const advice = `Try another ${inNode() ? "version of Node" : "browser"}; if it fails there too, tell us`
    throw new BootError("starting Python", "", `the runtime does not start: ${message}`, advice, error)
  } finally {
    files.end()
    loading.end()
  }
}

/**
 * The names and hashes of the runtime's files: built into the bundle, so that nothing has to be asked for before they are.
 *
 * @param {Files} files
 * @returns {Promise<Manifest>}
 */
export async function manifest(files) {
  return typeof FAUXSERVER_FILES === "object" ? FAUXSERVER_FILES : (await files.json("manifest.json", "reading the manifest")).runtime
}

/**
 * @param {Files} files
 * @param {Manifest} manifest
 * @param {Loading} loading
 * @param {{ base: string, stdout?: (line: string) => void, stderr?: (line: string) => void }} options
 * @returns {Promise<Booted>}
 */
async function bootFrom(files, manifest, loading, options) {
  loading.expect(size(manifest.script, manifest.answering, manifest.wasm, manifest.package, manifest.stdlib, manifest.snapshot))
  const read = (/** @type {Asset} */ asset, /** @type {string} */ stage, /** @type {Uint8Array} */ buffer = new Uint8Array(asset.raw)) =>
    quiet(readAsset(files, asset, stage, loading, buffer))

  // Everything is asked for at once.
  const runtime = quiet(loadRuntime(files, manifest.script, loading))
  const answering = quiet(loadAnswering(files, manifest.answering, loading))
  const compiled = quiet(compile(files, manifest.wasm, loading))
  const library = read(manifest.package, "loading the server")
  const shared = { ...options, lock: manifest.lock, compiled, library }
  try {
    const image = new Uint8Array(manifest.snapshot.raw)
    const filled = read(manifest.snapshot, "loading the snapshot", image)
    const stdlib = read(manifest.stdlib, "loading the standard library")
    const pyodide = await startRuntime(await runtime, { ...shared, stdlib, image, filled })
    // The snapshot is the same in every page; what is random in it must not be.
    pyodide.runPython("import random; random.seed()")
    return { pyodide, boot: "snapshot", answering: await answering, base: options.base }
  } catch (error) {
    // What fails a plain boot too is the better thing to tell.
    await Promise.all([runtime, answering, compiled, library])
    loading.expect(size(manifest.wholeStdlib))
    const stdlib = read(manifest.wholeStdlib, "loading the standard library")
    const pyodide = await startRuntime(await runtime, { ...shared, stdlib })
    const reason = error instanceof Error ? error : new Error(String(error))
    console.warn(`fauxserver: the runtime has booted without its snapshot, which takes longer. ${reason.message}`)
    return { pyodide, boot: "plain", reason, answering: await answering, base: options.base }
  }
}

/**
 * Start Pyodide with what has been, or is being, loaded.
 *
 * @param {any} runtime What runtime.js leaves behind.
 * @param {{ base: string, lock: any, compiled: Promise<WebAssembly.Module>, stdlib: Promise<Uint8Array>, library: Promise<Uint8Array>,
 *   image?: Uint8Array, filled?: Promise<unknown>, makeSnapshot?: boolean,
 *   stdout?: (line: string) => void, stderr?: (line: string) => void }} options
 *   *image* is the snapshot's buffer, and *filled* settles when the snapshot is in it.
 * @returns {Promise<any>}
 */
export async function startRuntime(runtime, { base, lock, compiled, stdlib, library, image, filled, makeSnapshot, stdout, stderr }) {
  // What cannot be loaded rejects below, once; to Pyodide it just never comes.
  runtime.given.set(STDLIB, orNever(stdlib))
  return runtime.loadPyodide({
    indexURL: base,
    // Both are always given, or Pyodide asks a CDN.
    packageBaseUrl: base,
    lockFileContents: lock,
    stdLibURL: STDLIB,
    // `run_sync` would need what not every browser has, and the snapshot is the same for all.
    enableRunUntilComplete: false,
    env: { HOME: "/home/pyodide", PYTHONPATH: PACKAGE, PYTHONHASHSEED: "0" },
    fsInit: async (/** @type {any} */ FS) => FS.writeFile(PACKAGE, await orNever(library)),
    createPyodideModule(/** @type {any} */ settings) {
      const created = new Promise((resolve, reject) => {
        settings.instantiateWasm = (/** @type {any} */ imports, /** @type {any} */ receive) => {
          instantiate(compiled, imports, settings).then(({ module, instance }) => receive(instance, module)).catch(reject)
          return {}
        }
        runtime.createPyodideModule(settings).then(resolve, reject)
      })
      return Promise.all([created, stdlib, library, filled]).then(([module]) => module)
    },
    ...(image && { _loadSnapshot: image }),
    ...(makeSnapshot && { _makeSnapshot: true }),
    ...(stdout && { stdout }),
    ...(stderr && { stderr }),
  })
}

/**
 * @param {Promise<WebAssembly.Module>} compiled
 * @param {any} imports
 * @param {any} runtime
 */
async function instantiate(compiled, imports, runtime) {
  const module = await compiled
  // Pyodide uses a wasm module for these two where the engine has garbage-collected types, which adds to the function
  // table. Everywhere the same table, or the snapshot would not fit.
  const marker = Symbol("error marker")
  imports.env.Jsv_GetError_import = () => marker
  imports.env.JsvError_Check = (/** @type {unknown} */ value) => value === marker
  // Python looks here several times a request. Pyodide reads an array and writes it, and one that is a clock
  // (`timelimit.js`) would be an object with accessors, which engines have no quick way for.
  imports.env._Py_CheckEmscriptenSignals_Helper = () => runtime.Py_EmscriptenSignalBuffer?.look() ?? 0
  return { module, instance: await WebAssembly.instantiate(module, imports) }
}

/**
 * Compile the wasm. Not from a stream: the engine is done in a fraction of the time that the snapshot takes to come in.
 *
 * @param {Files} files
 * @param {Asset} asset
 * @param {Loading} loading
 * @returns {Promise<WebAssembly.Module>}
 */
async function compile(files, asset, loading) {
  const stage = "compiling the runtime"
  const bytes = await readAsset(files, asset, "loading the runtime", loading)
  try {
    return await WebAssembly.compile(/** @type {any} */ (bytes))
  } catch (cause) {
    const refused = files.refusal() ?? (/Content.Security|CSP|unsafe-eval/i.test(String(cause)) ? "script-src" : undefined)
    if (refused) {
      throw new BootError(stage, "", "the page's Content-Security-Policy refuses WebAssembly", `Add 'wasm-unsafe-eval' to its ${refused}`, cause)
    }
    throw new BootError(stage, "", `this browser cannot compile the runtime (${cause})`, "Use a newer browser", cause)
  }
}

/**
 * @param {Files} files
 * @param {Asset} asset
 * @param {Loading} loading
 * @returns {Promise<any>}
 */
async function loadRuntime(files, { parts: [part] }, loading) {
  const stage = "loading the runtime"
  await files.script(part, stage)
  loading.loaded(part.size, stage)
  const runtime = /** @type {any} */ (globalThis)[RUNTIME]
  if (!runtime) throw new BootError(stage, part.file, "did not run", "See the console for why")
  runtime.useNetwork(network)
  return runtime
}

/**
 * @param {Files} files
 * @param {Asset} asset
 * @param {Loading} loading
 * @returns {Promise<any>}
 */
async function loadAnswering(files, { parts: [part] }, loading) {
  const stage = "loading the bridge"
  await files.script(part, stage)
  loading.loaded(part.size, stage)
  const create = /** @type {any} */ (globalThis)[ANSWERING]
  if (!create) throw new BootError(stage, part.file, "did not run", "See the console for why")
  return create(shared)
}

/** @param {string} base */
function refuseWhatCannotWork(base) {
  const stage = "looking at the page"
  if (typeof WebAssembly !== "object") {
    throw new BootError(stage, "", "this browser has no WebAssembly, or it is switched off", "Use another browser, or allow it in the browser's settings")
  }
  if (!inNode() && base.startsWith("file:")) {
    throw new BootError(
      stage,
      base,
      "is on the file system, and a page opened as file:// may read no files",
      "Serve the folder and open it over http: `python -m http.server` will do",
    )
  }
}

/**
 * A promise whose failure is said where it is waited for, not as an unhandled rejection before.
 *
 * @template T
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
function quiet(promise) {
  promise.catch(() => {})
  return promise
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
function orNever(promise) {
  return promise.catch(() => new Promise(() => {}))
}

/** @param {Asset[]} assets */
function size(...assets) {
  return assets.flatMap(({ parts }) => parts).reduce((sum, part) => sum + part.size, 0)
}

/** @param {string} path */
function folder(path) {
  return path.endsWith("/") || path.endsWith("\\") ? path : `${path}/`
}
