// The script tag: the `fauxServer` global, an AMD module or a CommonJS one, that starts by itself.

import { createFauxServer } from "./index.js"
import { boot, findBase, version } from "./loader.js"
import { installPackages } from "./packages.js"
import { startsEnabled } from "./toggle.js"

/* global define, exports, module, require */

/** @type {any} */
const global = globalThis
/** @type {Record<string, string | undefined>} */
const attributes = global.document?.currentScript?.dataset ?? {}
/** @type {any} */
const previous = global.fauxServer

/** @param {any} [Backbone] */
function create(Backbone) {
  // Read now, while the script runs, and only told when it is needed: a disabled page needs no runtime.
  const base = attempt(() => findBase(attributes.runtime ?? previous?.runtime))
  const { fauxServer } = createFauxServer({
    global,
    version,
    Backbone,
    runtime: base.value,
    boot: async () => boot({ base: base.get() }),
    installPackages: (pyodide, requirements, options) => installPackages(pyodide, base.get(), requirements, options),
    enabled: startsEnabled(global),
    settings: { hold: attributes.hold !== "no", quiet: isOn(attributes.quiet), reload: isOn(attributes.reload) },
  })
  return fauxServer
}

// A bare attribute is an empty string.
/** @param {string | undefined} attribute */
function isOn(attribute) {
  return attribute !== undefined && attribute !== "no"
}

/** @param {() => string} find */
function attempt(find) {
  try {
    const value = find()
    return { value, get: () => value }
  } catch (error) {
    return {
      value: undefined,
      get: () => {
        throw error
      },
    }
  }
}

// @ts-ignore: these exist where such a loader runs us.
const inCommonJS = typeof exports === "object" && typeof module === "object" && typeof require === "function"
// @ts-ignore: see above.
const inAMD = typeof define === "function" && define.amd

if (inCommonJS) {
  // @ts-ignore: see above. Under a name of its own, lest a bundler looks for Backbone.
  const demand = require
  // @ts-ignore: see above.
  module.exports = create(demand("backbone"))
} else if (inAMD) {
  // @ts-ignore: see above.
  define(["backbone"], (/** @type {any} */ Backbone) => create(Backbone))
} else {
  const fauxServer = create()
  // Once it gives the name back; ever after it is just another way to get hold of us.
  fauxServer.noConflict = () => {
    global.fauxServer = previous
    fauxServer.noConflict = () => fauxServer
    return fauxServer
  }
  global.fauxServer = fauxServer
}
