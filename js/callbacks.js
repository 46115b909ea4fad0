// Handlers in Barefoot's manner: they do not return, they call `success` or `error`, at once or later.

import { isString } from "./args.js"
import { isThenable } from "./handlers.js"
import { HTTPError, Response } from "./reply.js"

/**
 * @typedef {(...args: any[]) => any} Callback  `(success, error, ...captures, data[, query])`
 *
 * @typedef {object} Scope  What `this` is in a callback.
 * @property {any} app
 * @property {any} req  The request, as Express names its parts. What else one callback of a stack puts on it, the next one finds.
 * @property {{ statusCode: number, headers: Record<string, string>, set: (name: string, value: string) => any }} res
 *
 * @typedef {{ value: any, status: any }} Success
 */

/**
 * Make a handler of one callback or of a stack of them: `success` goes on to the next one, `error` ends it, and the last one's result
 * counts.
 *
 * @param {Callback[]} steps
 * @param {{ app?: any, collapse?: boolean }} [options]
 */
export function createHandler(steps, { app, collapse = false } = {}) {
  /** @param {any} context @param {any[]} captures */
  function handler(context, ...captures) {
    const query = context.query
    const values = [...captures, context.data, ...(Object.keys(query).length ? [query] : [])]
    const scope = scopeOf(app, context)
    return run(0, undefined)

    /** @param {number} at @param {Success | undefined} last @returns {any} */
    function run(at, last) {
      for (let each = at; each < steps.length; each += 1) {
        const { outcome, later } = begin(steps[each], scope, values, collapse)
        if (later) return later.then((result) => run(each + 1, result))
        last = outcome
      }
      return respond(last, scope)
    }
  }
  // What the console and the journal call it.
  Object.defineProperty(handler, "name", { value: steps.map(({ name }) => name).filter(Boolean).join(", ") })
  return handler
}

/**
 * Call a callback. Gives what it comes to, or a promise of that if it takes its time.
 *
 * @param {Callback} step
 * @param {Scope} scope
 * @param {any[]} values
 * @param {boolean} collapse
 * @returns {{ outcome?: Success, later?: Promise<Success> }}
 */
function begin(step, scope, values, collapse) {
  /** @type {Success | undefined} */
  let outcome
  /** @type {{ reason: any } | undefined} */
  let failure
  /** @type {() => void} */
  let wake = () => {}
  const open = () => !outcome && !failure
  /** @param {any} [value] @param {any} [status] */
  const success = (value, status) => {
    // The first one counts.
    if (open()) outcome = { value, status }
    wake()
  }
  /** @param {any} [reason] */
  const error = (reason) => {
    if (open()) failure = { reason }
    wake()
  }
  const args = [success, error, ...values]
  let returned
  try {
    returned = step.apply(scope, collapse ? union(args) : args)
  } catch (thrown) {
    throw failureOf(thrown)
  }
  if (failure) throw failureOf(/** @type {any} */ (failure).reason)
  if (outcome) return { outcome }
  if (isThenable(returned)) {
    Promise.resolve(returned).catch((thrown) => {
      // What fails after its success is for the page's own handlers of such things.
      if (!open()) throw thrown
      error(thrown)
    })
  }
  return {
    later: new Promise((resolve, reject) => {
      wake = () => (failure ? reject(failureOf(failure.reason)) : resolve(/** @type {Success} */ (outcome)))
    }),
  }
}

/** @param {any} app @param {any} context @returns {Scope} */
function scopeOf(app, context) {
  const { url, httpMethod, headers = {}, route, data } = context
  // Express knows no origin, and no url has one locally.
  const local = String(url).replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*/, "")
  const res = {
    statusCode: 200,
    /** @type {Record<string, string>} */
    headers: {},
    /** @param {string} name @param {string} value */
    set(name, value) {
      res.headers[name] = value
      return res
    },
  }
  const req = {
    method: httpMethod, url: local, path: local.replace(/[?#].*$/s, ""), headers,
    params: route.params ?? { ...route.handlerParams }, query: context.query, body: data,
  }
  return { app, req, res }
}

/** @param {Success | undefined} last @param {Scope} scope */
function respond(last, { res }) {
  const { value, status } = last ?? { value: undefined, status: undefined }
  if (value instanceof Response) return new Response(value.body, value.status, { ...res.headers, ...value.headers })
  // Callbacks are handed on as they are, to who calls them with more than a status.
  const code = typeof status === "number" ? status : res.statusCode
  // A text is a success here.
  return code !== 200 || isString(value) || Object.keys(res.headers).length ? new Response(value, code, res.headers) : value
}

/** What to throw for the same. @param {any} reason */
function failureOf(reason) {
  if (reason instanceof HTTPError) return reason
  if (reason === undefined || reason === null) return new HTTPError(500)
  const given = Number(reason.httpStatusCode ?? reason.http_status_code)
  const status = given >= 400 && given <= 599 ? given : undefined
  if (isError(reason)) return status ? Object.assign(new HTTPError(status, String(reason)), { cause: reason }) : reason
  return new HTTPError(status ?? 500, isString(reason) ? String(reason) : reason)
}

/** Also one of another window. @param {any} value */
function isError(value) {
  return value instanceof Error || Object.prototype.toString.call(value) === "[object Error]"
}

/** As the original passed them: a value that was there already is left out, and a list is its values. @param {any[]} args */
function union(args) {
  return [...new Set(args.flatMap((each) => (Array.isArray(each) ? each : [each])))]
}
