// Events on a request that the page has made, or a library: who listens to its upload, and how they are told.

import * as originals from "./originals.js"
import { report } from "./schedule.js"

/** @import { Installation } from "./xhr.js" */

/** @param {Pick<Installation, "listeners" | "global">} installation @param {any} upload */
export function hasListeners({ listeners, global }, upload) {
  if (!upload) return false
  if (!global.XMLHttpRequestUpload || !(upload instanceof global.XMLHttpRequestUpload)) return true
  const known = listeners.get(upload)
  if (known) for (const all of known.values()) if (all.length) return true
  return ["loadstart", "progress", "load", "loadend", "error", "abort", "timeout"].some((type) => upload[`on${type}`])
}

/**
 * @param {any} global
 * @param {any} target
 * @param {Event} event
 */
export function dispatch(global, target, event) {
  if (originals.EventTarget && target instanceof originals.EventTarget) return void originals.dispatchEvent.call(target, event)
  // A fake may call its on… handlers by itself, or leave them to whoever dispatches.
  const name = `on${event.type}`
  const handler = target[name]
  let called = typeof handler !== "function"
  /** @this {any} */
  function noting(/** @type {any[]} */ ...args) {
    called = true
    return handler.apply(this, args)
  }
  const shielded = (/** @type {() => void} */ task) => {
    try {
      task()
    } catch (error) {
      report(error, global)
    }
  }
  if (!called) target[name] = noting
  shielded(() => target.dispatchEvent?.(event))
  if (target[name] === noting) target[name] = handler
  if (!called) shielded(() => handler.call(target, event))
}
