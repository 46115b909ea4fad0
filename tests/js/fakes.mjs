// A Backbone, a bridge over the fake page, and a page of their own: the cast of most tests.

import { createBridge } from "../../js/bridge.js"
import { createScheduler } from "../../js/schedule.js"
import { createFakePage } from "./fakepage.mjs"

/** As much of Backbone as sync sees. */
export function createBackbone({ $ } = {}) {
  const network = []
  const Backbone = {
    $,
    emulateHTTP: false,
    emulateJSON: false,
    sync(method, model, options) {
      network.push({ method, model, options, self: this })
      return Backbone.returned
    },
    returned: "the network's",
  }
  return { Backbone, network, native: Backbone.sync }
}

export function createModel(attributes = { a: 1 }, url = "books/7") {
  const events = []
  return { url, events, toJSON: () => ({ ...attributes }), trigger: (...args) => events.push(args) }
}

/** A bridge to a fake page, with what it reports. */
export function createCast({ patience } = {}) {
  const errors = []
  const global = { setTimeout, clearTimeout, reportError: (error) => errors.push(error.message) }
  const scheduler = createScheduler(global)
  const fake = createFakePage()
  const faults = []
  const answered = []
  const places = []
  const bridge = createBridge({
    connect: fake.connect,
    scheduler,
    patience,
    onFault(fault) {
      faults.push(fault.message)
      places.push([fault.file, fault.line])
    },
    onAnswered: (each) => answered.push(each),
  })
  const server = { scheduler, get enabled() { return bridge.enabled }, accept: bridge.accept, hold: undefined }
  return { fake, bridge, server, scheduler, errors, faults, places, answered, global }
}

export const route = (name, urlExp, httpMethod, handler) => ({ name, urlExp, httpMethod, handler })
export const settled = (scheduler, delay = 0) => new Promise((resolve) => scheduler.later(resolve, delay))

/** One sync, straight: ["success" | "error", value, options]. */
export const ask = (Backbone, method, model, options = {}) => new Promise((resolve) => {
  Backbone.sync(method, model, Object.assign(options, {
    success: (value) => resolve(["success", value, options.faux]), error: (reason) => resolve(["error", reason, options.faux]),
  }))
})
