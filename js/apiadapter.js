// Barefoot's APIAdapter: `const api = new fauxServer.APIAdapter({ app })`, `api.get("/contacts/:id", callback)`.

import { isRegExp, missing } from "./args.js"

// Node's, as Express 3 knew them.
const VERBS = (
  "checkout connect copy delete get head lock m-search merge mkactivity mkcol move notify options patch post propfind proppatch put report search "
  + "subscribe trace unlock unsubscribe"
).split(" ")

/**
 * Call *go* with what answers, now or when it is there.
 *
 * @param {any} server
 * @param {any} options
 * @param {() => any} go
 * @returns {any}
 */
function whenReady(server, options, go) {
  if (!server.hold && server.answering) return go()
  return new Promise((resolve) => {
    const lost = { failed: true, body: "The server could not start, or is off.", status: 0, statusText: "error", headers: {} }
    const release = (/** @type {boolean} */ ours) => {
      if (ours) return resolve(go())
      resolve(lost)
      if (options?.error) options.error(lost.body, 0)
    }
    if (server.hold && server.enabled) server.hold(release)
    else release(false)
  })
}

/**
 * @param {ReturnType<typeof import("./lifecycle.js").createLifecycle>} lifecycle
 */
export function createLocalCalls({ server, call }) {
  /** @param {string} method @param {string} url @param {any} [data] @param {any} [options] */
  function dispatch(method, url, data, options) {
    return whenReady(server, options, () => server.answering.dispatch(server, { method, url, data, options }))
  }

  /**
   * @param {object} [settings]
   * @param {any} [settings.app]  `this.app` in the callbacks; without it, the adapter.
   * @param {"first" | "latest"} [settings.precedence]  Which of several routes that match answers.
   * @param {boolean} [settings.sensitive]  Whether upper and lower case differ in a url.
   * @param {boolean} [settings.strict]  Whether a slash at its end counts.
   * @param {boolean} [settings.collapse]  Give equal arguments once, as the original did.
   */
  function APIAdapter(settings = {}) {
    const api = Object.create(APIAdapter.prototype)
    const app = settings.app ?? api
    /** @type {any} */
    let adapter
    call("APIAdapter", [settings], (bridge) => {
      adapter = server.answering.createAdapter(bridge, { ...settings, app })
    })
    for (const verb of VERBS) {
      /** @param {any} url @param {any} [callbacks] */
      const add = (url, callbacks) => {
        if (url && typeof url === "object" && !isRegExp(url) && !Array.isArray(url)) {
          for (const each of Object.keys(url)) add(each, url[each])
        } else if (!url) {
          throw missing(verb)
        } else {
          call(`APIAdapter.${verb}`, [url, callbacks], () => adapter.add(verb, url, callbacks))
        }
        return api
      }
      api[verb] = add
    }
    api.del = api.delete
    /** @param {string} method @param {string} url @param {any} [data] @param {any} [options] */
    api.dispatch = (method, url, data, options) => whenReady(server, options, () =>
      server.answering.dispatch(server, { method, url, data, options, adapter: adapter.number, app }))
    api.dispatchLocalApiCall = (/** @type {[any, any, any?, any?]} */ ...[method, url, data, options = {}]) => {
      api.dispatch(method, url, data, options)
    }
    return api
  }
  APIAdapter.prototype.toString = () => "[object APIAdapter]"

  /** A handler for any route, made of one callback or of a stack of them. @param {Function[]} steps */
  const callback = (...steps) => (/** @type {any[]} */ ...args) => server.answering.createHandler(steps)(...args)

  return { dispatch, callback, APIAdapter }
}

/**
 * A kind of error that fails a request with this status.
 *
 * @param {number} httpStatusCode
 * @param {string} name
 */
function createError(httpStatusCode, name) {
  return class extends Error {
    /** @param {string} [message] */
    constructor(message) {
      super(message)
      this.name = name
      this.httpStatusCode = httpStatusCode
    }
  }
}

export const errors = { createError, NotFoundError: createError(404, "Not Found") }
