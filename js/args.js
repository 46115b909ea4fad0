// What the caller of addRoute and its kin meant: the name, the method and the handler may each be left out.

import { WORDS } from "./unmatched.js"

/** @import { RouteSpec } from "./bridge.js" */

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

/** The shortcuts and the methods they stand for; `del`, as `delete` was a reserved word. */
export const SHORTCUTS = { get: "GET", post: "POST", put: "PUT", patch: "PATCH", del: "DELETE" }

function noOp() {}

/**
 * Read `addRoute([name,] urlExp [, httpMethod] [, handler])`.
 *
 * @param {any[]} given
 * @returns {RouteSpec}
 */
export function readRoute(given) {
  const args = withoutTail(given)
  const last = args[args.length - 1]
  if (args.length === 0) throw missing("addRoute")
  if (args.length === 1) return route(undefined, args[0])
  if (args.length === 2) {
    if (isHandler(last)) return route(undefined, args[0], "*", last)
    return isMethod(last) ? route(undefined, args[0], last) : route(args[0], last)
  }
  if (args.length > 3) return route(args[0], args[1], args[2], args[3])
  if (!isHandler(last)) return route(args[0], args[1], last)
  return isMethod(args[1]) ? route(undefined, args[0], args[1], last) : route(args[0], args[1], "*", last)
}

/**
 * Read `get([name,] urlExp [, handler])`, and `post` and the others alike.
 *
 * @param {keyof typeof SHORTCUTS} shortcut
 * @param {any[]} given
 * @returns {RouteSpec}
 */
export function readShortcut(shortcut, given) {
  const args = withoutTail(given)
  const method = SHORTCUTS[shortcut]
  if (args.length === 0) throw missing(shortcut)
  if (args.length === 1) return route(undefined, args[0], method, noOp, shortcut)
  if (args.length > 2) return route(args[0], args[1], method, args[2], shortcut)
  return isHandler(args[1])
    ? route(undefined, args[0], method, args[1], shortcut)
    : route(args[0], args[1], method, noOp, shortcut)
}

/**
 * Read `setUnmatched([prefix,] policy)`.
 *
 * @param {any[]} given
 */
export function readUnmatched(given) {
  const [prefix, policy] = given.length > 1 ? given : [undefined, given[0]]
  if (prefix !== undefined && prefix !== null && !isString(prefix)) {
    throw new TypeError(`fauxServer.setUnmatched: ${shown(prefix)} is no prefix of urls. Give a text, as in "api/".`)
  }
  if (policy !== undefined && policy !== null && typeof policy !== "function" && !WORDS.includes(policy)) {
    throw new TypeError(
      `fauxServer.setUnmatched: ${shown(policy)} is no policy. Give "bypass", "warn" or "error", or a function of the request that returns one of these.`,
    )
  }
  return { prefix: prefix ?? undefined, policy: policy ?? undefined }
}

/** @param {any} value */
function shown(value) {
  return isRegExp(value) ? String(value) : JSON.stringify(value) ?? String(value)
}

/**
 * Read `addRoutes(hash | array)`. A hash names its routes by its keys.
 *
 * @param {any} given
 * @returns {RouteSpec[]}
 */
export function readRoutes(given) {
  if (given === null || given === undefined) return []
  const entries = Array.isArray(given) ? given.map((each) => [each.name, each]) : Object.entries(given)
  return entries.map(([name, each]) => {
    if (each.urlExp === undefined) throw missing("addRoute")
    return route(name, each.urlExp, each.httpMethod, each.handler)
  })
}

/** @param {unknown} method */
export function readMethod(method) {
  return method ? String(method).toUpperCase() : "*"
}

/**
 * @param {any} name
 * @param {any} urlExp
 * @param {any} [httpMethod]
 * @param {any} [handler]
 * @param {string} [caller]
 * @returns {RouteSpec}
 */
function route(name, urlExp, httpMethod, handler = noOp, caller = "addRoute") {
  if (!isRegExp(urlExp) && !isString(urlExp)) {
    throw new TypeError(`${caller}: 'urlExp' is ${String(urlExp)}. Give a string such as "books/:id", or a RegExp.`)
  }
  return {
    name: name ? String(name) : undefined,
    urlExp: isRegExp(urlExp) ? urlExp : String(urlExp),
    httpMethod: readMethod(httpMethod),
    handler,
  }
}

// Arguments that somebody passed on without having them do not count.
/** @param {any[]} args */
function withoutTail(args) {
  let end = args.length
  while (end > 0 && args[end - 1] === undefined) end -= 1
  return args.slice(0, end)
}

/** @param {unknown} value */
function isMethod(value) {
  return value === "*" || (typeof value === "string" && METHODS.includes(value.toUpperCase()))
}

// A function, or a value that stands for its own answer. Strings may be names, expressions or methods.
/** @param {unknown} value */
function isHandler(value) {
  return value !== null && value !== undefined && !isString(value) && !isRegExp(value)
}

/** @param {unknown} value */
export function isString(value) {
  return Object.prototype.toString.call(value) === "[object String]"
}

/** @param {unknown} value */
export function isRegExp(value) {
  return Object.prototype.toString.call(value) === "[object RegExp]"
}

/** @param {string} caller */
export function missing(caller) {
  return new Error(`${caller}: Missing mandatory 'urlExp' argument`)
}
