// Backbone.sync, answered by the server: `installBackbone(server, Backbone)` gives back the function that undoes it.

import { aborted, createPromise, defaultTransport, setAbort } from "./transport.js"
import { lostExchange } from "./unmatched.js"

/** @import { Exchange } from "./exchange.js" */
/** @import { Reply } from "./reply.js" */
/** @import { Scheduler } from "./schedule.js" */
/** @import { Settleable, Transport } from "./transport.js" */

/**
 * @typedef {object} Server  What the doors of a page know of the server behind them.
 * @property {boolean} enabled
 * @property {Scheduler} scheduler
 * @property {typeof import("./answering.js")} answering  The half of the bridge that answers; there once the runtime is.
 * @property {(request: { method: string, url: any, override?: string, base?: string }) => Exchange | undefined} accept
 * @property {((release: (ours: boolean) => void) => () => void) | undefined} hold
 *   While the runtime loads: keep a request, until it is known whether it is ours. Gives back what forgets it.
 * @property {(request: import("./unmatched.js").Unanswered) => "network" | "fail"} [unmatched]  What becomes of a request that no route answers.
 * @property {<T>(go: () => T) => T} [passing]  Lets a sync go to the network, of which that was asked.
 *
 * @typedef {object} Call  What was asked of sync, read when it was asked.
 * @property {string} crudMethod
 * @property {any} model
 * @property {any} options
 * @property {any} url
 * @property {any} data
 */

/** @type {Record<string, string>} */
const METHODS = { create: "POST", read: "GET", update: "PUT", delete: "DELETE", patch: "PATCH" }

/** @typedef {{ sync: Function, native: Function, active: boolean, local: boolean }} Installation */

/** @type {WeakMap<object, WeakMap<object, Installation>>} */
const installations = new WeakMap()

/**
 * @param {Server} server
 * @param {any} Backbone
 * @param {{ local?: boolean }} [options]  `local`: the answer is there before sync returns, where the handler does not take its time.
 * @returns {() => void}
 */
export function installBackbone(server, Backbone, options) {
  const known = installations.get(server) ?? new WeakMap()
  installations.set(server, known)
  /** @type {Installation} */
  const installation = known.get(Backbone) ?? { sync: Backbone.sync, native: Backbone.sync, active: false, local: false }

  if (!known.has(Backbone)) {
    installation.sync = createSync(server, Backbone, installation)
    known.set(Backbone, installation)
  }
  // Who has wrapped our sync meanwhile still calls it; it only has to answer again.
  if (Backbone.sync === installation.native) Backbone.sync = installation.sync
  installation.active = true
  if (options) installation.local = Boolean(options.local)

  return () => {
    installation.active = installation.local = false
    if (Backbone.sync !== installation.sync) return
    Backbone.sync = installation.native
    known.delete(Backbone)
  }
}

/**
 * @param {Server} server
 * @param {any} Backbone
 * @param {Installation} installation
 */
function createSync(server, Backbone, installation) {
  /** @param {string} crudMethod @param {any} model @param {any} options */
  return function sync(crudMethod, model, options) {
    if (!installation.active || !server.enabled) return goToNetwork(Backbone, installation, crudMethod, model, options)
    if (!options) options = {}
    if (options.emulateHTTP === undefined) options.emulateHTTP = Backbone.emulateHTTP
    if (options.emulateJSON === undefined) options.emulateJSON = Backbone.emulateJSON

    const url = options.url || (model && (typeof model.url === "function" ? model.url() : model.url))
    if (!url) throw new Error("sync: Undefined 'url' property or function of Model / Collection")
    if (server.hold) return hold(server, Backbone, installation, { crudMethod, model, options, url, data: undefined })

    const exchange = accept(server, requestOf(crudMethod, options, url))
    if (!exchange) return pass(server, () => goToNetwork(Backbone, installation, crudMethod, model, options))
    return answer(server, Backbone, exchange, model, options, () => [dataOf(crudMethod, model, options)], installation.local)
  }
}

/**
 * @param {Server} server
 * @param {{ method: string, url: any, override?: string }} request
 */
function accept(server, request) {
  const exchange = server.accept(request)
  if (exchange) return exchange
  return server.unmatched?.({ method: request.method, url: request.url, door: "sync" }) === "fail" ? lostExchange() : undefined
}

/**
 * @template T
 * @param {Server} server
 * @param {() => T} go
 */
function pass(server, go) {
  return server.passing ? server.passing(go) : go()
}

/** Nothing of ours answers, and nothing else can. Of the type that Backbone throws then, as if we were not there. */
class NoNetwork extends TypeError {}

/**
 * @param {any} Backbone
 * @param {Installation} installation
 * @param {string} crudMethod
 * @param {any} model
 * @param {any} options
 */
function goToNetwork(Backbone, { native }, crudMethod, model, options) {
  try {
    return native.call(model, crudMethod, model, options)
  } catch (cause) {
    // Backbone leaves it to jQuery, which Node has none of.
    if (Backbone.$ || !(cause instanceof TypeError && /ajax/.test(cause.message))) throw cause
    const url = options?.url || (typeof model?.url === "function" ? model.url() : model?.url)
    throw new NoNetwork(
      `${METHODS[crudMethod] ?? crudMethod} ${url}: no route answers it, or the faux server is off, and Backbone has nothing to ask the network with. `
      + "Add a route, or set Backbone.ajax.",
      { cause },
    )
  }
}

/** @param {string} crudMethod @param {any} options @param {any} url */
function requestOf(crudMethod, options, url) {
  const method = METHODS[crudMethod]
  return options.emulateHTTP && method !== "GET" ? { method: "POST", url, override: method } : { method, url }
}

/** @param {string} crudMethod @param {any} model @param {any} options */
function dataOf(crudMethod, model, options) {
  if (options.data) return options.data
  if (crudMethod === "patch") return options.attrs || model.toJSON()
  if (crudMethod === "create" || crudMethod === "update") return model.toJSON()
  return undefined
}

/**
 * All but the handler happens at once: data, transport, the `request` event and what is returned.
 *
 * @param {Server} server
 * @param {any} Backbone
 * @param {Exchange} exchange
 * @param {any} model
 * @param {any} options
 * @param {() => [data: any, json?: string]} readData
 * @param {boolean} local  Answer before it returns, if the handler does not take its time.
 * @param {Settleable & { cancel?: () => void }} [promised]  What was returned already, if the request was held.
 */
function answer(server, Backbone, exchange, model, options, readData, local, promised) {
  const { scheduler } = server
  let cancelTimer = () => {}
  let dropped = false
  const cancel = () => {
    dropped = true
    cancelTimer()
    exchange.drop()
  }
  if (promised) promised.cancel = cancel

  try {
    exchange.take(...readData())
    const transport = createTransport(exchange, options, { $: Backbone.$, cancel, promised })
    const promise = transport.promise()
    const early = promised && promised.promise !== promise && !follow(promise, promised) ? promised : undefined
    model.trigger("request", model, promise, options)

    /** @param {Reply} reply */
    const settle = ({ failed, value, status, statusText, headers }) => {
      if (dropped) return
      options.faux = { status, statusText, headers }
      try {
        if (failed) transport.reject(value)
        else transport.resolve(value)
      } finally {
        if (early) failed ? early.reject(value) : early.resolve(value)
      }
    }
    if (dropped) return promise
    if (options.async === false) scheduler.shield(() => exchange.answer(settle, { now: true }))
    else if (local) scheduler.shield(() => exchange.answer(settle))
    else cancelTimer = scheduler.later(() => exchange.answer(settle), exchange.delay())
    return promise
  } catch (error) {
    cancel()
    throw error
  }
}

/**
 * @param {Exchange} exchange
 * @param {any} options
 * @param {import("./transport.js").Surroundings} surroundings
 * @returns {Transport}
 */
function createTransport({ factory, context }, options, surroundings) {
  if (!factory) return defaultTransport(options, undefined, surroundings)
  if (factory.length > 2) return factory(options, context(), surroundings)
  // The original's factories get two arguments, and some count them.
  return /** @type {(options: any, context: any) => Transport} */ (factory)(options, context())
}

/**
 * Keep a request while the runtime loads. What it sends is what it had when it was made.
 *
 * @param {Server} server
 * @param {any} Backbone
 * @param {Installation} installation
 * @param {Call} call
 */
function hold(server, Backbone, installation, { crudMethod, model, options, url }) {
  if (options.async === false || installation.local) {
    throw new Error(
      `A synchronous request (${installation.local ? "local: true" : "async: false"}) for ${url} cannot wait for the runtime to load. `
      + "Make it after `await fauxServer.ready`.",
    )
  }
  const sends = ["create", "update", "patch"].includes(crudMethod)
  const data = dataOf(crudMethod, model, options)
  const json = JSON.stringify(data)
  const attrs = sends && !options.data ? JSON.stringify(options.attrs || model.toJSON(options)) : undefined
  /** @type {Settleable & { cancel?: () => void }} */
  const promised = createPromise(Backbone.$)
  const { error } = options

  const forget = /** @type {NonNullable<Server["hold"]>} */ (server.hold)((ours) => {
    const asked = ours && installation.active && server.enabled
    const exchange = asked ? accept(server, requestOf(crudMethod, options, url)) : undefined
    if (exchange) return void answer(server, Backbone, exchange, model, options, () => [data, json], false, promised)
    options.url = url
    if (attrs) options.attrs = JSON.parse(attrs)
    try {
      const go = () => goToNetwork(Backbone, installation, crudMethod, model, options)
      follow(asked ? pass(server, go) : go(), promised)
    } catch (failure) {
      promised.reject(failure)
      if (!(failure instanceof NoNetwork)) throw failure
      // Thrown it would end the process, and it is too late for who asked to catch it.
      console.error(`fauxserver: ${failure.message}`)
      if (error) error(failure)
    }
  })
  let over = false
  setAbort(promised.promise, () => {
    if (over) return promised.promise
    over = true
    forget()
    promised.cancel?.()
    options.faux = { ...aborted(), headers: {} }
    try {
      if (error) error(aborted())
    } finally {
      promised.reject(aborted())
    }
    return promised.promise
  })
  return promised.promise
}

/**
 * Let the promise that was returned early settle as the real one does, if that is one.
 *
 * @param {any} real
 * @param {Settleable} promised
 */
function follow(real, promised) {
  if (real && typeof real.abort === "function") {
    setAbort(promised.promise, () => {
      real.abort()
      return promised.promise
    })
  }
  // A jqXHR has three values to give.
  if (real && typeof real.done === "function") real.done(promised.resolve).fail(promised.reject)
  else if (real && typeof real.then === "function") real.then(promised.resolve, promised.reject)
  else return false
  return true
}
