// What an APIAdapter is once Python is there: a table of its own, with Express's expressions, inside the page's.

import { isRegExp } from "./args.js"
import { createHandler } from "./callbacks.js"

/**
 * @param {import("./bridge.js").Bridge} bridge
 * @param {{ app: any, precedence?: string, sensitive?: boolean, strict?: boolean, collapse?: boolean }} settings
 */
export function createAdapter(bridge, { app, precedence = "first", sensitive = false, strict = false, collapse = false }) {
  const number = bridge.addAdapter({ precedence, sensitive, strict })
  return {
    number,

    /** @param {string} verb @param {any} url @param {any} callbacks */
    add(verb, url, callbacks) {
      const steps = typeof callbacks === "function" ? [callbacks] : callbacks
      const stacked = Array.isArray(steps) && steps.every((each) => typeof each === "function")
      const httpMethod = verb.toUpperCase()
      bridge.addRoute({
        // The same url again replaces the route, in its place.
        name: `${httpMethod} ${isRegExp(url) ? url : [url].flat().join("|")}`,
        urlExp: url,
        httpMethod,
        handler: stacked ? createHandler(steps, { app, collapse }) : callbacks,
      }, number)
    },
  }
}
