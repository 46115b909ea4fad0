// The local call: `fauxServer.dispatch(method, url, data, { success, error })`, without latency, the url matched as it is given.

/**
 * @typedef {object} LocalCall
 * @property {string} method
 * @property {string} url
 * @property {any} data
 * @property {any} options  `success` and `error`, each called with body and status; `this` is `{ app, req, res }`.
 * @property {number} [adapter]  Whose routes; otherwise all.
 * @property {any} [app]
 *
 * @typedef {object} LocalAnswer
 * @property {boolean} failed
 * @property {any} body
 * @property {number} status
 * @property {string} statusText
 * @property {Record<string, string>} headers
 */

/**
 * Answer a call: before it returns, if the handler does.
 *
 * @param {any} server
 * @param {LocalCall} call
 * @returns {Promise<LocalAnswer>}
 */
export function dispatch(server, { method: given, url, data, options, adapter, app }) {
  const method = String(given).toUpperCase()
  return new Promise((resolve) => {
    /** @param {LocalAnswer} answer */
    const tell = (answer) => {
      resolve(answer)
      if (!options) return
      const { failed, body, status, headers } = answer
      const callback = failed ? options.error : options.success
      if (typeof callback !== "function") {
        const word = failed ? "error" : "success"
        return console.warn(`fauxserver: dispatch: ${method} ${url} → ${status}, and no ${word} callback was given to be told so.`, body)
      }
      const scope = { app, req: { method, url, body: data }, res: { statusCode: status, headers } }
      server.scheduler.shield(() => callback.call(scope, body, status))
    }
    const exchange = server.enabled ? server.accept({ method, url, adapter }) : undefined
    if (!exchange) {
      const body = { error: `Could not resolve API route: ${server.explain({ method, url })}` }
      return tell({ failed: true, body, status: 404, statusText: "Not Found", headers: {} })
    }
    exchange.take(data)
    exchange.answer((/** @type {any} */ { failed, value: body, status, statusText, headers }) =>
      tell({ failed, body, status, statusText, headers }))
  })
}
