// What a page starts with: models and collections by name, written down on one side and restored, as what they were, on the other.

import { isString } from "./args.js"

/**
 * @typedef {new (data: any) => any} Type  A constructor: a Backbone.Model, a Backbone.Collection, a class.
 * @typedef {{ Type: Type, write: (value: any) => any, read: (data: any) => any }} Registered
 */

/** @param {any} server */
export function createDataStore(server) {
  return function DataStore() {
    /** @type {Map<string, Registered>} */
    const types = new Map()
    /** @type {Map<string, any>} */
    const values = new Map()
    const store = Object.assign(Object.create(DataStore.prototype), {
      /** @param {string} name @param {Type} Type @param {Partial<Registered>} [how] */
      register(name, Type, { write = (value) => (value.toJSON ? value.toJSON() : value), read = (data) => new Type(data) } = {}) {
        types.set(name, { Type, write, read })
        return store
      },
      /** @param {string} name @param {any} value */
      set(name, value) {
        values.set(name, value)
        return store
      },
      get: values.get.bind(values),
      /** @param {string} name */
      remove(name) {
        values.delete(name)
        return store
      },
      keys: () => [...values.keys()],
      snapshot() {
        if (!server.answering) throw new Error("DataStore: call snapshot() after `await fauxServer.ready`.")
        return server.answering.snapshot(values, types)
      },
      /** @param {string | { textContent: string | null }} [given]  A snapshot, or the element that holds one. */
      restore(given = /** @type {any} */ (document.getElementById("data-store"))) {
        /** @type {[string, { type: string | null, data: any }][]} */
        const entries = Object.entries(JSON.parse(isString(given) ? String(given) : /** @type {any} */ (given).textContent))
        for (const [name, { type }] of entries) {
          if (type !== null && !types.has(type)) {
            throw new Error(`DataStore: '${name}' is of the type '${type}', which is not registered here. Call register("${type}", …) first.`)
          }
        }
        for (const [name, { type, data }] of entries) values.set(name, type === null ? data : types.get(type)?.read(data))
        return store
      },
    })
    return store
  }
}
