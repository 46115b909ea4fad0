// The ES module: importing it does nothing, `start()` boots, and gives back the function that ends it.

import { createFauxServer } from "./index.js"
import { boot, findBase, version } from "./loader.js"
import { startsEnabled } from "./toggle.js"

export { HTTPError, Response } from "./reply.js"
export { jqXHRTransport } from "./transport.js"

/** Runtimes by where they came from: stopping and starting again needs no second one. @type {Map<string, Promise<any>>} */
const runtimes = new Map()

/**
 * Answer the page's requests.
 *
 * @param {object} [options]
 * @param {string | URL | (string | URL)[]} [options.routes]  Addresses of route files, in Node their paths; by default the page's Python script tags.
 * @param {string | string[] | { Backbone?: any, sync?: boolean, fetch?: boolean, xhr?: boolean, eventsource?: boolean }} [options.intercept]
 *   What to answer: `["fetch", "xhr"]`, or `{ Backbone, fetch: true }`; by default what the global Backbone syncs.
 * @param {"bypass" | "warn" | "error" | ((request: any) => any)} [options.unmatched]  What becomes of requests that no route answers; see `setUnmatched`.
 * @param {string} [options.runtime]  The folder of the runtime's files; a bundler's output has to name it.
 * @param {string} [options.base]  The address that the page's server stands for.
 * @param {boolean} [options.quiet]  Errors on the console only.
 * @param {boolean} [options.reload]  Load a route file again when it was saved.
 * @param {boolean} [options.hold]  Whether test runners wait for the server.
 * @returns {Promise<(() => void) & { fauxServer: any }>}
 */
export async function start({ routes, intercept, unmatched, runtime, base, quiet, reload, hold } = {}) {
  const folder = findBase(runtime)
  const { fauxServer, stop } = createFauxServer({
    base,
    unmatched,
    version,
    ...doorsOf(intercept),
    runtime: folder,
    boot: () => bootOnce(folder),
    enabled: startsEnabled(globalThis),
    settings: { quiet, reload, hold, routes: routes === undefined ? undefined : [routes].flat() },
  })
  await fauxServer.ready
  return Object.assign(stop, { fauxServer })
}

/** @param {any} given */
function doorsOf(given = {}) {
  if (typeof given === "string") return { intercept: given.split(/[\s,]+/).filter(Boolean) }
  if (Array.isArray(given)) return { intercept: given }
  const { Backbone, ...words } = given
  return { Backbone, intercept: Object.entries({ sync: true, ...words }).filter(([, on]) => on).map(([word]) => word) }
}

/** @param {string} base */
function bootOnce(base) {
  const known = runtimes.get(base)
  if (known) return known
  const booting = boot({ base })
  runtimes.set(base, booting)
  booting.catch(() => runtimes.delete(base))
  return booting
}
