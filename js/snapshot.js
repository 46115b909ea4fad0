// Write a data store down, for the other side to restore.

/** @import { Registered } from "./datastore.js" */

/**
 * All of it, as JSON that may stand in a script element.
 *
 * @param {Map<string, any>} values
 * @param {Map<string, Registered>} types
 */
export function snapshot(values, types) {
  /** @type {Record<string, any>} */
  const entries = {}
  for (const [name, value] of values) {
    const type = typeOf(name, value, types)
    entries[name] = { type, data: type === null ? value : types.get(type)?.write(value) }
  }
  // Nothing in it ends the element, or begins a comment.
  return JSON.stringify(entries).replace(/[<>&\u2028\u2029]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`)
}

/**
 * @param {string} name
 * @param {any} value
 * @param {Map<string, Registered>} types
 */
function typeOf(name, value, types) {
  const all = [...types].reverse()
  const found = all.find(([, { Type }]) => value?.constructor === Type) ?? all.find(([, { Type }]) => value instanceof Type)
  if (found) return found[0]
  const prototype = value !== null && typeof value === "object" ? Object.getPrototypeOf(value) : null
  if (prototype === null || prototype === Object.prototype || Array.isArray(value)) return null
  throw new Error(`DataStore: '${name}' is of a type that is not registered. Call register("…", its constructor) first.`)
}
