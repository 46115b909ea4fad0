// What a page starts with: models and collections by name, written down on one side and restored, as what they were, on the other.

import { isString } from "./args.js"

/**
 * @typedef {new (data: any) => any} Type  A constructor: a Backbone.Model, a Backbone.Collection, a class.
 * @typedef {{ Type: Type, write: (value: any) => any, read: (data: any) => any }} Registered
 */

/** `new fauxServer.DataStore()` */
export function DataStore() {
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
    /** @param {string} name */
    get: (name) => values.get(name),
    /** @param {string} name */
    remove(name) {
      values.delete(name)
      return store
    },
    keys: () => [...values.keys()],
    snapshot() {
      /** @type {Record<string, any>} */
      const entries = {}
      for (const [name, value] of values) {
        const type = typeOf(name, value)
        entries[name] = { type, data: type === null ? value : types.get(type)?.write(value) }
      }
      // Nothing in it ends a script element, or begins a comment.
      return JSON.stringify(entries).replace(/[<>&\u2028\u2029]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`)
    },
    /** @param {string | { textContent: string | null }} [given]  A snapshot, or the element that holds one. */
    restore(given = /** @type {any} */ (document.getElementById("data-store"))) {
      /** @type {[string, { type: string | null, data: any }][]} */
      const entries = Object.entries(JSON.parse(isString(given) ? String(given) : /** @type {any} */ (given).textContent))
      const unknown = entries.find(([, { type }]) => type !== null && !types.has(type))
      if (unknown) {
        const [name, { type }] = unknown
        throw new Error(`DataStore: '${name}' is of the type '${type}', which is not registered here. Call register("${type}", …) first.`)
      }
      for (const [name, { type, data }] of entries) values.set(name, type === null ? data : types.get(type)?.read(data))
      return store
    },
  })
  return store

  /** @param {string} name @param {any} value */
  function typeOf(name, value) {
    const all = [...types].reverse()
    const found = all.find(([, { Type }]) => value?.constructor === Type) ?? all.find(([, { Type }]) => value instanceof Type)
    if (found) return found[0]
    const prototype = value !== null && typeof value === "object" ? Object.getPrototypeOf(value) : null
    if (prototype === null || prototype === Object.prototype || Array.isArray(value)) return null
    throw new Error(`DataStore: '${name}' is of a type that is not registered. Call register("…", its constructor) first.`)
  }
}
