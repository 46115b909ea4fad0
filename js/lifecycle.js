// From the script's first line to the first answer: boot, the page's Python, what was recorded, what was held.

import { createErrorBox } from "./errorbox.js"
import { inNode } from "./files.js"
import { createHold } from "./hold.js"
import { createListeners } from "./listeners.js"
import * as originals from "./originals.js"
import { findScripts, pathOf, read, readBytes, routeFile, shownPath } from "./pagescripts.js"
import { createScheduler } from "./schedule.js"

/** @import { Answered, Fault } from "./bridge.js" */
/** @import { PythonScript } from "./pagescripts.js" */

/**
 * @typedef {object} Settings
 * @property {boolean} [quiet]  Errors on the console only.
 * @property {boolean} [reload]  Load a route file again when it was saved.
 * @property {(string | URL)[]} [routes]  Route files besides those of the page's script tags.
 *
 * @typedef {object} Surroundings
 * @property {any} [global]
 * @property {() => Promise<import("./loader.js").Booted>} boot
 * @property {Settings} [settings]
 * @property {boolean} enabled  Whether the page starts enabled; if not, it loads no runtime until it is.
 * @property {() => void} [beforeScripts]  The document is complete.
 * @property {() => void} [wanted]  Something waits for a runtime that nobody has started yet.
 */

/** @param {Surroundings} surroundings */
export function createLifecycle({ global = globalThis, boot, settings = {}, enabled, beforeScripts = () => {}, wanted = () => {} }) {
  const { document } = global
  // Nobody looks at the one that a test runner gives Node, and tests count what is in it.
  const page = inNode(global) ? undefined : document
  const scheduler = createScheduler(global)
  const held = createHold(() => {
    if (phase === "off" && enabled) wanted()
  })
  const box = page && !settings.quiet ? createErrorBox(page) : undefined
  const wait = (/** @type {() => void} */ task, /** @type {number} */ delay) => originals.setTimeout.call(global, task, delay)
  /** @type {(answered: Answered) => void} */
  let report = () => {}
  const listeners = createListeners(scheduler.shield)

  /** @type {"off" | "loading" | "ready" | "failed"} */
  let phase = "off"
  /** @type {import("./bridge.js").Bridge | undefined} */
  let bridge
  /** @type {"snapshot" | "plain" | undefined} */
  let booted
  /** @type {any} */
  let host
  /** The second half of the bridge. @type {typeof import("./answering.js")} */
  let answering
  /** @type {ReturnType<typeof answering.protect> | undefined} */
  let protection
  let stopWatching = () => {}
  /** What waits for calls that were noted, should they never be made. @type {Set<(error: unknown) => void>} */
  const unsettled = new Set()
  let toldEnabled = enabled
  /** Route files by address, and the files laid beside them. @type {Map<string, { script: PythonScript, beside: string[] }>} */
  const loaded = new Map()

  /** What the doors of the page see of the server. @type {any} */
  const server = {
    scheduler,
    get enabled() {
      return bridge && phase === "ready" ? bridge.enabled : enabled && phase !== "failed"
    },
    /** @param {any} request */
    accept: (request) => (protection?.crash ? answering.deadExchange(protection.crash, request) : bridge?.accept(request)),
    /** @param {any} request */
    explain: (request) => bridge?.explain(request),
    get hold() {
      return phase === "ready" ? undefined : held.keep
    },
  }

  return {
    server,
    scheduler,
    listeners,
    start,
    stop,
    enable,
    call,
    later,
    load,
    ask,
    get boot() {
      return booted
    },
  }

  async function start() {
    phase = "loading"
    const scripts = documentComplete(document).then(() => {
      beforeScripts()
      return findAll().map((script) => ({ script, text: read(script) }))
    })
    try {
      const runtime = await boot()
      booted = runtime.boot
      bridge = open(runtime)
      if (!enabled) bridge.enable(false)
    } catch (error) {
      fail(error)
      throw error
    }
    for (const { script, text } of await scripts) await runReporting(script, text)
    await held.replay(({ name, args }, error) => {
      console.error(`fauxserver: fauxServer.${name} failed, with`, args, error)
      const fault = /** @type {any} */ (error)?.fault
      if (fault) show(fault)
    })
    bridge.ready()
    phase = "ready"
    tellEnabled()
    held.release(true, scheduler.shield)
    if (settings.reload && page) stopWatching = answering.watch(watched, reload)
  }

  function stop() {
    stopWatching()
    enable(false)
    held.release(false, scheduler.shield)
    box?.close()
  }

  /** @param {boolean} flag */
  function enable(flag) {
    enabled = flag
    bridge?.enable(flag)
    if (!flag && phase !== "ready") held.release(false, scheduler.shield)
    tellEnabled()
  }

  // Python may have done it, a route file, or a boot that failed.
  function tellEnabled() {
    if (server.enabled === toldEnabled) return
    toldEnabled = Boolean(server.enabled)
    listeners.tell("enable", toldEnabled)
  }

  /** @param {import("./loader.js").Booted} booted */
  function open({ pyodide, base, ...loaded }) {
    answering = loaded.answering
    const { connect, createBridge, createReporter, createUnmatched, installPackages, protect } = answering
    // Lines in a terminal would only be in the way.
    if (page) report = createReporter({ wait })
    Object.assign(server, { answering }, createUnmatched({
      ask: (request) => bridge?.unmatched(request),
      explain: (request) => /** @type {import("./bridge.js").Bridge} */ (bridge).explain(request),
    }))
    protection = protect(pyodide, (crash) => bridge?.crashed(crash))
    const { clock, wrap } = protection
    return createBridge({
      connect: (callbacks) => {
        host = wrap(connect(pyodide, { ...callbacks, ...clock }))
        host.installPackages = (/** @type {string[]} */ requirements, /** @type {any} */ options) =>
          installPackages(pyodide, base, requirements, options)
        return host
      },
      scheduler,
      onAnswered(answered) {
        report(answered)
        if (listeners.has("answer")) listeners.tell("answer", entryOf(answered))
      },
      onFault: tell,
      // Not while Python is still at it: a listener may ask the server something.
      onEnabled: () => originals.queueMicrotask.call(global, tellEnabled),
    })
  }

  /** @param {unknown} error */
  function fail(error) {
    phase = "failed"
    const message = error instanceof Error ? error.message : String(error)
    console.error("fauxserver:", error)
    scheduler.shield(() => show({ message }))
    for (const reject of unsettled) reject(error)
    held.release(false, scheduler.shield)
    tellEnabled()
  }

  /** @param {Fault} fault */
  function tell(fault) {
    answering.logFault(fault)
    show(fault)
  }

  /** @param {Fault} fault */
  function show(fault) {
    box?.show(shown(fault))
  }

  /** @param {any} error */
  function tellError(error) {
    tell(error?.fault ?? { message: error?.message ?? String(error), cause: error })
  }

  // --- Calls -----------------------------------------------------------------------------------------------------------

  /**
   * Call the bridge, or note the call until there is one.
   *
   * @param {string} name
   * @param {any[]} args  As the page gave them, for the report.
   * @param {(bridge: import("./bridge.js").Bridge) => unknown} run
   */
  function call(name, args, run) {
    if (bridge && phase === "ready") return run(bridge)
    held.record({ name, args, run: () => run(/** @type {import("./bridge.js").Bridge} */ (bridge)) })
  }

  /**
   * The same for what takes its time, and gives something back.
   *
   * @param {string} name
   * @param {any[]} args
   * @param {(bridge: import("./bridge.js").Bridge) => unknown} run
   */
  function later(name, args, run) {
    if (bridge && phase === "ready") return promiseOf(() => run(/** @type {import("./bridge.js").Bridge} */ (bridge)))
    const promise = new Promise((resolve, reject) => {
      if (phase === "failed") return reject(new Error(`fauxServer.${name}: the server could not start, as the console says.`))
      unsettled.add(reject)
      call(name, args, async (bridge) => {
        unsettled.delete(reject)
        try {
          resolve(await run(bridge))
        } catch (error) {
          reject(error)
          throw error
        }
      })
    })
    // The replay tells of it, whoever waits for it or not.
    promise.catch(() => {})
    return promise
  }

  /**
   * @template T
   * @param {string} name
   * @param {(bridge: import("./bridge.js").Bridge) => T} read
   * @returns {T}
   */
  function ask(name, read) {
    if (bridge && phase === "ready") return read(bridge)
    if (phase === "off" && enabled) wanted()
    const why = phase === "off" ? "is disabled and has loaded no runtime; call fauxServer.enable()"
      : phase === "failed" ? "could not start, as the console says; see fauxServer.ready"
      : "is still loading its runtime"
    throw new Error(`fauxServer.${name}: the server ${why}. Call it after \`await fauxServer.ready\`.`)
  }

  // --- Route files -----------------------------------------------------------------------------------------------------

  function findAll() {
    const named = (settings.routes ?? []).map((given) => routeFile(given, document))
    return document && !settings.routes ? findScripts(document) : named
  }

  /** @param {PythonScript} script @param {Promise<string>} text */
  async function runReporting(script, text) {
    try {
      await run(script, text)
    } catch (error) {
      tellError(error)
    }
  }

  /** @param {PythonScript} script @param {Promise<string>} text @param {string[]} [laid]  The files that lie beside it already. */
  async function run(script, text, laid) {
    if (script.url && !loaded.has(script.url)) loaded.set(script.url, { script, beside: [] })
    const beside = await answering.runScript(runner(), script, await text, laid)
    if (script.url) loaded.set(script.url, { script, beside })
  }

  function runner() {
    const { metadata, load } = /** @type {import("./bridge.js").Bridge} */ (bridge)
    return { metadata, load, write: host.write, installPackages: host.installPackages }
  }

  /** @param {string | URL} given @param {string} [source]  Its text, if the page has it. */
  function load(given, source) {
    const script = routeFile(given, document)
    if (source === undefined) {
      const text = read(script)
      return later("load", [given], () => run(script, text)).catch(rethrow)
    }
    const text = Promise.resolve(String(source))
    // What the text is run with has not changed: the network is asked for what is new only.
    return later("load", [given, source], () => run(script, text, loaded.get(script.url ?? "")?.beside)).catch(rethrow)
  }

  /** @param {any} error @returns {never} */
  function rethrow(error) {
    if (error?.fault) error.fault = shown(error.fault)
    throw error
  }

  function watched() {
    return new Set([...loaded].flatMap(([url, { beside }]) => [url, ...beside]))
  }

  /** @param {string} changed */
  async function reload(changed) {
    try {
      const own = loaded.get(changed)
      if (!own) host.write(pathOf(changed), await readBytes(changed))
      for (const [url, { script, beside }] of loaded) {
        if (url !== changed && !beside.includes(changed)) continue
        // Data that was read from a file is to be what the file says now.
        const afresh = url !== changed && !/\.py([?#]|$)/.test(changed)
        const { load } = /** @type {import("./bridge.js").Bridge} */ (bridge)
        const host = { ...runner(), load: (/** @type {string} */ path, /** @type {string} */ source) => load(path, source, afresh) }
        loaded.set(url, { script, beside: await answering.runScript(host, script, await read(script)) })
        console.info(`fauxserver: ${changed} has changed and is loaded again`)
      }
      box?.close()
    } catch (error) {
      tellError(error)
    }
  }
}

/**
 * What a listener is told of an answer, in the words of Python's journal.
 *
 * @param {Answered} answered
 */
function entryOf({ method, url, data, reply, duration, delay, row }) {
  const { failed, value, status, statusText, headers, error } = reply
  return {
    method, url, data, failed, status, statusText, headers, duration, delay,
    body: value, route: row.name, label: row.label, location: row.location, error: error && shown(error),
  }
}

/** @param {Fault} fault @returns {Fault} */
function shown(fault) {
  return { ...fault, file: fault.file && shownPath(fault.file) }
}

/** @param {() => unknown} run */
async function promiseOf(run) {
  return run()
}

/** @param {any} document */
function documentComplete(document) {
  if (!document || document.readyState !== "loading") return Promise.resolve()
  return new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }))
}
