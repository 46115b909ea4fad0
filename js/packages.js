/** Install what a route file declares: from wheels that lie beside it, from those the build lists, else from the index. */
import { builtin, inNode, openFiles, readAsset } from "./files.js"
import { manifest } from "./loader.js"
import { fetch as network } from "./originals.js"
import { startLoading } from "./progress.js"

/**
 * @typedef {{ index?: string | null, from?: string }} Options
 *   *index* replaces the package index; *from* is the address that relative ones are relative to (the route file's).
 * @typedef {{ file: string, size: number, raw: number, integrity: string, depends?: string[] }} Wheel
 */

const STAGE = "installing packages"
const WHEELS = "/tmp/fauxserver-wheels"

// Wheels first and without what they depend on, so that one may be the other's dependency whatever the order; then the
// rest, and with it what the wheels still miss.
//
// micropip is imported here and not by the coroutine: a turn of the event loop has a handler's time limit, and on a slow
// machine the import alone takes longer.
const INSTALL = `
def installer():
    import importlib
    import importlib.metadata
    import json

    import micropip
    import pyodide.http._pyfetch

    async def install(wheels, requirements, index, network):
        # Not the page's, which may wait for us.
        pyodide.http._pyfetch._jsfetch = network

        wheels, requirements = json.loads(wheels), json.loads(requirements)
        options = {"index_urls": [index]} if index else {}
        if wheels:
            await micropip.install([f"emfs:{path}" for path in wheels.values()], deps=False)
            importlib.invalidate_caches()
            for name in wheels:
                requirements += importlib.metadata.requires(name) or []
        if requirements:
            await micropip.install(requirements, **options)
        importlib.invalidate_caches()

    return install
installer()
`

/** @type {WeakMap<object, Promise<any>>} */
const installers = new WeakMap()

/**
 * Install *requirements*: `"name"`, `"name>=1"`, `"name @ ./wheels/name-1-py3-none-any.whl"`.
 *
 * @param {any} pyodide
 * @param {string} base The folder of the runtime's files.
 * @param {string[]} requirements
 * @param {Options} [options]
 * @returns {Promise<void>} Rejects with an Error that names the package and what to do.
 */
export async function installPackages(pyodide, base, requirements, { index, from = globalThis.document?.baseURI } = {}) {
  if (!requirements.length) return
  const files = openFiles(base)
  try {
    const listed = await listedWheels(files)
    /** @type {Record<string, string>} */
    const wheels = {}
    /** @type {string[]} */
    const rest = []
    await Promise.all(requirements.map(async requirement => {
      const [, name, address] = /^\s*([\w.-]+)\s*(?:\[[^\]]*\]\s*)?@\s*([^;\s]+)/.exec(requirement) ?? []
      if (address) {
        wheels[name] = lay(pyodide, address, await readWheel(requirement, address, from))
        return
      }
      rest.push(requirement)
      await Promise.all(withDependencies(listed, normalized(requirement)).map(async ([name, wheel]) => {
        wheels[name] ??= lay(pyodide, wheel.file, await files.part(wheel, STAGE))
      }))
    }))
    const install = await installer(pyodide, files)
    await install(JSON.stringify(wheels), JSON.stringify(rest), index?.replace(/\/+$/, ""), network)
  } catch (cause) {
    throw new Error(explanation(requirements, index, cause), { cause })
  } finally {
    files.end()
  }
}

/**
 * The function that installs: micropip is loaded when a page first needs it.
 *
 * @param {any} pyodide
 * @param {import("./files.js").Files} files
 * @returns {Promise<any>}
 */
function installer(pyodide, files) {
  const known = installers.get(pyodide)
  if (known) return known
  const loading = (async () => {
    const { micropip } = await manifest(files)
    const loading = startLoading()
    try {
      pyodide.unpackArchive(await readAsset(files, micropip, STAGE, loading), "wheel")
    } finally {
      loading.end()
    }
    return pyodide.runPython(INSTALL)
  })()
  installers.set(pyodide, loading)
  loading.catch(() => installers.delete(pyodide))
  return loading
}

/**
 * The wheels that the build holds, by normalized name. (`fauxserver vendor` may have added some: the list is read anew.)
 *
 * @param {import("./files.js").Files} files
 * @returns {Promise<Record<string, Wheel>>}
 */
async function listedWheels(files) {
  return (await files.json("manifest.json", STAGE)).packages ?? {}
}

/**
 * @param {Record<string, Wheel>} listed
 * @param {string} name
 * @param {Map<string, Wheel>} [found]
 * @returns {[string, Wheel][]}
 */
function withDependencies(listed, name, found = new Map()) {
  const wheel = Object.hasOwn(listed, name) ? listed[name] : undefined
  if (wheel && !found.has(name)) {
    found.set(name, wheel)
    for (const dependency of wheel.depends ?? []) withDependencies(listed, dependency, found)
  }
  return [...found]
}

/**
 * @param {string} requirement
 * @param {string} address
 * @param {string | undefined} from
 * @returns {Promise<Uint8Array>}
 */
async function readWheel(requirement, address, from) {
  const url = new URL(address, from).href
  if (inNode() && url.startsWith("file:")) {
    return (await builtin("node:fs")).promises.readFile(new URL(url)).catch((/** @type {unknown} */ cause) => {
      throw new Error(`the wheel of ${JSON.stringify(requirement)} is not there: ${url}`, { cause })
    })
  }
  const response = await network(url, { cache: "no-cache" }).catch(() => null)
  if (!response?.ok) {
    const why = response ? `the server answers ${response.status}` : "no server answers there"
    throw new Error(`the wheel of ${JSON.stringify(requirement)} is not there: ${why} at ${url}`)
  }
  return new Uint8Array(await response.arrayBuffer())
}

/**
 * Lay a wheel where micropip finds it.
 *
 * @param {any} pyodide
 * @param {string} address
 * @param {Uint8Array} bytes
 * @returns {string}
 */
function lay(pyodide, address, bytes) {
  const name = decodeURIComponent(/** @type {string} */ (address.split(/[?#]/)[0].split("/").pop()))
  if (bytes[0] !== 0x50 || bytes[1] !== 0x4b) throw new Error(`${name} is damaged: it is not a wheel`)
  pyodide.FS.mkdirTree(WHEELS)
  pyodide.FS.writeFile(`${WHEELS}/${name}`, bytes)
  return `${WHEELS}/${name}`
}

/** @param {string} requirement */
function normalized(requirement) {
  return (/^\s*([\w.-]+)/.exec(requirement)?.[1] ?? "").toLowerCase().replace(/[-_.]+/g, "-")
}

/**
 * @param {string[]} requirements
 * @param {string | null | undefined} index
 * @param {any} cause
 */
function explanation(requirements, index, cause) {
  // Of a Python traceback, the last line says it.
  const lines = String(cause?.message ?? cause).trim().split("\n")
  const said = lines.findLast(line => /^[\w.]+(Error|Exception)?: /.test(line)) ?? lines[lines.length - 1]
  return (
    `Cannot install ${requirements.join(", ")}: ${said.replace(/\.$/, "")}. ` +
    `Lay the wheel beside the route file and name it ("name @ ./wheels/name-1.0-py3-none-any.whl"), ` +
    `or name an index that has it: [tool.fauxserver] index${index ? ` (now ${index})` : ""}.`
  )
}
