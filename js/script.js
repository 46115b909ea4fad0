// The script tag: the `fauxServer` global, an AMD module or a CommonJS one, that starts by itself.

import { createFauxServer } from "./index.js"
import { boot, findBase, version } from "./loader.js"
import { startsEnabled } from "./toggle.js"

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
    unmatched: attributes.unmatched,
    intercept: attributes.intercept?.split(/[\s,]+/).filter(Boolean),
    runtime: base.value,
    boot: async () => boot({ base: base.get() }),
    enabled: startsEnabled(global),
    // Who only requires it pays nothing: a server that renders the app's pages. A test runner waits for it, and so it has to come.
    lazy: inCommonJS && !global.document && ![global.jasmine, global.mocha, global.QUnit].some(Boolean),
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

/** What we are required beside, or who requires us: with linked packages these are two places. */
function ownBackbone() {
  // Under a name of its own, lest a bundler looks for Backbone.
  const demand = require
  for (const find of [() => demand("backbone"), () => module.parent.require("backbone")]) {
    try {
      return find()
    } catch {
      // There may be none: `install` takes one.
    }
  }
  return undefined
}

const inCommonJS = typeof exports === "object" && typeof module === "object" && typeof require === "function"
const inAMD = typeof define === "function" && define.amd

if (inCommonJS) {
  module.exports = create(ownBackbone())
} else if (inAMD) {
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
