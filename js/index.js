// The `fauxServer` object: the public interface, and nothing but words from the files beside it.

import { createLocalCalls, errors } from "./apiadapter.js"
import { readRoute, readRoutes, readShortcut, readUnmatched, SHORTCUTS } from "./args.js"
import { installBackbone } from "./backbone.js"
import { createDataStore } from "./datastore.js"
import { installEventSource } from "./eventsource.js"
import { installFetch } from "./fetch.js"
import { createLifecycle } from "./lifecycle.js"
import { HTTPError, Response } from "./reply.js"
import { holdTestRunners } from "./testrunners.js"
import { jqXHRTransport } from "./transport.js"
import { installXHR } from "./xhr.js"

/** @import { Settings } from "./lifecycle.js" */

/** What there is to intercept besides `Backbone.sync`. @type {Record<string, (server: import("./backbone.js").Server, global: any) => () => void>} */
const DOORS = { fetch: installFetch, xhr: installXHR, eventsource: installEventSource }
const WORDS = ["sync", ...Object.keys(DOORS)]

/**
 * @param {object} surroundings
 * @param {any} [surroundings.global]
 * @param {() => Promise<any>} surroundings.boot
 * @param {boolean} surroundings.enabled
 * @param {boolean} [surroundings.lazy]  Whether the runtime waits until something needs it.
 * @param {Settings & { hold?: boolean }} [surroundings.settings]
 * @param {string} surroundings.version
 * @param {string} [surroundings.runtime]  Where the runtime's files are.
 * @param {string} [surroundings.base]  The address that the page's server stands for.
 * @param {any} [surroundings.unmatched]  What becomes of requests that no route answers.
 * @param {any} [surroundings.Backbone]  The one to install on; by default the global one.
 * @param {string[]} [surroundings.intercept]  What to answer from the beginning: `sync`, `fetch`, `xhr`, `eventsource`.
 */
export function createFauxServer({ global = globalThis, boot, enabled, lazy = false, settings = {}, version, runtime, base, Backbone, unmatched, intercept: doors = ["sync"] }) {
  /** @type {Map<any, () => void>} */
  const installed = new Map()
  /** What ends each interception. @type {Set<() => void>} */
  const interceptions = new Set()
  /** Those of sync, whose Backbone may come later than we do. @type {Set<object>} */
  const syncs = new Set()
  /** @type {Promise<any>} */
  let ready
  let started = false

  const lifecycle = createLifecycle({
    global, boot, settings, enabled,
    beforeScripts() {
      lookForRunners()
      if (syncs.size) installOnGlobal()
    },
    wanted: () => lazy && begin(),
  })
  let lookForRunners = () => {}

  /** @type {any} */
  const fauxServer = {
    addRoute: registers("addRoute", readRoute, (bridge, route) => bridge.addRoute(route)),
    addRoutes: registers("addRoutes", ([routes]) => readRoutes(routes), (bridge, routes) => routes.forEach((route) => bridge.addRoute(route))),
    removeRoute: registers("removeRoute", first, (bridge, name) => bridge.removeRoute(name)),
    removeRoutes: registers("removeRoutes", first, (bridge) => bridge.removeRoutes()),
    setDefaultHandler: registers("setDefaultHandler", first, (bridge, handler) => bridge.setDefaultHandler(handler)),
    setLatency: registers("setLatency", all, (bridge, [min, max]) => {
      bridge.setLatency(min, max)
      lifecycle.listeners.tell("latency", min, max)
    }),
    setUnmatched: registers("setUnmatched", readUnmatched, (bridge, { prefix, policy }) => bridge.setUnmatched(prefix, policy)),
    setTransportFactory: registers("setTransportFactory", first, (bridge, factory) => bridge.setTransportFactory(factory)),

    getRoute: (/** @type {string} */ name) => lifecycle.ask("getRoute", (bridge) => bridge.getRoute(name)),
    getRouteAt: (/** @type {number} */ index) => lifecycle.ask("getRouteAt", (bridge) => bridge.getRouteAt(index)),
    getMatchingRoute: (/** @type {string} */ url, /** @type {string} */ httpMethod) =>
      lifecycle.ask("getMatchingRoute", (bridge) => bridge.getMatchingRoute(url, httpMethod)),
    getVersion: () => version,

    enable: chained((flag = true) => {
      // First, so that who hears of it finds the new `ready`.
      if (flag) begin()
      lifecycle.enable(Boolean(flag))
    }),
    get enabled() {
      return Boolean(lifecycle.server.enabled)
    },
    reset: registers("reset", all, (bridge) => {
      bridge.reset()
      lifecycle.listeners.tell("reset")
    }),
    on: lifecycle.listeners.on,

    intercept,
    install,
    uninstall: chained((/** @type {any} */ one) => {
      if (one === undefined || one === globalBackbone()) syncs.clear()
      for (const [each, uninstall] of [...installed]) if (one === undefined || one === each) uninstall()
    }),

    load: (/** @type {string | URL} */ url, /** @type {string} */ source) => lifecycle.load(url, source).then(() => fauxServer),
    runPython: (/** @type {string} */ code) => lifecycle.later("runPython", [code], (bridge) => bridge.runPython(code)),

    get ready() {
      if (lazy && lifecycle.server.enabled) begin()
      return ready
    },
    get boot() {
      return lifecycle.boot
    },
    runtime,
    ...createLocalCalls(lifecycle),
    errors,
    DataStore: createDataStore(lifecycle.server),
    HTTPError,
    Response,
    jqXHRTransport,
  }
  for (const name of /** @type {(keyof typeof SHORTCUTS)[]} */ (Object.keys(SHORTCUTS))) {
    fauxServer[name] = registers(name, (args) => readShortcut(name, args), (bridge, route) => bridge.addRoute(route))
  }

  if (unmatched !== undefined) {
    const { policy } = readUnmatched([unmatched])
    lifecycle.call("start", [{ unmatched }], (bridge) => bridge.setUnmatched(undefined, policy))
  }
  if (base !== undefined) lifecycle.call("start", [{ base }], (bridge) => bridge.setBase(base))
  ready = Promise.resolve(fauxServer)
  if (enabled && !lazy) begin()
  if (settings.hold !== false) {
    lookForRunners = holdTestRunners(global, ready)
    lookForRunners()
  }
  intercept(...doors)
  return { fauxServer, stop }

  function begin() {
    if (started) return
    started = true
    ready = lifecycle.start().then(() => fauxServer)
    // The console has said why it failed; who waits for it is told once more.
    ready.catch(() => {})
  }

  function stop() {
    lifecycle.stop()
    for (const end of interceptions) end()
    fauxServer.uninstall()
  }

  /**
   * Answer what goes through these: `"sync"`, `"fetch"`, `"xhr"`, `"eventsource"`. Gives back the function that ends it.
   *
   * @param {string[]} words
   */
  function intercept(...words) {
    const unknown = words.find((word) => !WORDS.includes(word))
    if (unknown !== undefined) {
      throw new Error(`fauxServer.intercept: there is no ${JSON.stringify(unknown)}. Give one or more of ${WORDS.join(", ")}.`)
    }
    const ends = [...new Set(words)].map((word) =>
      word === "sync" ? interceptSync() : DOORS[word](lifecycle.server, global))
    const end = () => {
      interceptions.delete(end)
      ends.splice(0).forEach((each) => each())
    }
    interceptions.add(end)
    return end
  }

  function interceptSync() {
    const own = {}
    syncs.add(own)
    installOnGlobal()
    return () => {
      if (syncs.delete(own) && !syncs.size) installed.get(globalBackbone())?.()
    }
  }

  /**
   * Answer what this Backbone syncs. Gives back the function that undoes it.
   *
   * @param {any} [given]
   * @param {{ local?: boolean }} [options]  `local`: synchronously, without latency, wherever the handler is.
   */
  function install(given = globalBackbone(), options) {
    if (!given || typeof given.sync !== "function") {
      throw new Error("fauxServer.install: there is no Backbone. Give it: fauxServer.install(Backbone).")
    }
    const undo = installBackbone(lifecycle.server, given, options)
    const uninstall = () => {
      installed.delete(given)
      undo()
    }
    installed.set(given, uninstall)
    return uninstall
  }

  function globalBackbone() {
    return Backbone ?? global.Backbone
  }

  function installOnGlobal() {
    const found = globalBackbone()
    if (found && typeof found.sync === "function" && !installed.has(found)) install(found)
  }

  /**
   * A method that changes the server: read at once, so that it throws at once, and noted while the runtime loads.
   *
   * @template T
   * @param {string} name
   * @param {(args: any[]) => T} read
   * @param {(bridge: import("./bridge.js").Bridge, call: T) => void} run
   */
  function registers(name, read, run) {
    return chained((...args) => {
      const call = read(args)
      lifecycle.call(name, args, (bridge) => run(bridge, call))
    })
  }
}

/**
 * A method that can be chained. The original gives back `this`, and so does it, whatever that is.
 *
 * @param {(...args: any[]) => void} method
 */
function chained(method) {
  return /** @this {any} */ function (/** @type {any[]} */ ...args) {
    method(...args)
    return this
  }
}

/** @param {any[]} args */
function first([one]) {
  return one
}

/** @param {any[]} args */
function all(args) {
  return args
}
