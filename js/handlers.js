// Call a handler written in JavaScript, and say where it went wrong.

import { readResult } from "./reply.js"

/** @import { Fault, Row } from "./bridge.js" */

/**
 * @param {any} handler  A function, a stack of them, or a value that is the answer.
 * @param {any[]} args
 */
export function run(handler, args) {
  if (typeof handler === "function") return handler.apply(null, args)
  if (handler === null) throw new TypeError(`The handler of route '${args[0].route.name}' is null. Give a function or a value.`)
  if (!Array.isArray(handler) || !handler.length || !handler.every((each) => typeof each === "function")) return handler
  return stack(handler, args)
}

/** @param {Function[]} handlers @param {any[]} args @param {any} [last] @returns {any} */
function stack(handlers, args, last) {
  for (let i = 0; i < handlers.length; i += 1) {
    last = handlers[i].apply(null, args)
    if (isThenable(last)) {
      const rest = handlers.slice(i + 1)
      return rest.length ? Promise.resolve(last).then((value) => stack(rest, args, value)) : last
    }
  }
  return last
}

/** @param {any} value */
export function isThenable(value) {
  return value !== null && value !== undefined && typeof value.then === "function"
}

/** @param {Row} row @param {string} what */
export function cannotWait(row, what) {
  return `The handler ${row.label || "of route " + row.name} takes its time (it returned ${what}), which a synchronous request `
    + "(async: false) cannot wait for. Make the handler synchronous, or the request asynchronous."
}

/** @param {Row} row @param {number} patience */
export function stillWaits(row, patience) {
  const where = row.location && ` (${row.location})`
  return `The handler ${row.label || "of route " + row.name}${where} has not answered within ${patience / 1000} s. `
    + "Does it wait for something that never comes?"
}

/** @param {any} error @param {Row} row @returns {Fault} */
export function faultOf(error, row) {
  const text = error instanceof Error ? error.message : String(error)
  return {
    message: `${error?.name ?? "Error"}: ${text} (in the handler ${row.label || "of route " + row.name})`,
    ...placeOf(error),
    cause: error,
  }
}

// Chromium writes "at f (app.js:3:7)", Firefox and WebKit "f@app.js:3:7".
/** @param {any} error */
function placeOf(error) {
  const found = /^(?:\s*at (?:.*\()?|.*@)(\S+?):(\d+):\d+\)?$/m.exec(typeof error?.stack === "string" ? error.stack : "")
  return found ? { file: found[1], line: Number(found[2]) } : {}
}

/** @param {string} url */
export function parseQuery(url) {
  const start = url.indexOf("?")
  return start < 0 ? {} : queryOf(new URLSearchParams(url.slice(start + 1).replace(/#.*$/s, "")))
}

/**
 * Names and values; a name that is there more than once has a list.
 *
 * @param {Iterable<[string, any]>} entries
 */
export function queryOf(entries) {
  /** @type {Record<string, any>} */
  const query = {}
  for (const [name, value] of entries) {
    const before = query[name]
    query[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value]
  }
  return query
}

// A request that Python made itself reached a route written in JavaScript.
/** @param {any} own @param {string} json */
export function callFromPython(own, json) {
  const { data, url, httpMethod, captures, route } = JSON.parse(json)
  const result = run(typeof own === "function" ? own : own.handler, [{ data, url, httpMethod, route }, ...captures])
  if (isThenable(result)) throw new Error("A JavaScript handler that returns a promise cannot be asked from Python.")
  const { value, status, headers, failed } = readResult(result)
  return JSON.stringify({ value, status, headers, failed })
}
