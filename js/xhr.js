// XMLHttpRequest, answered by the server: `installXHR(server, global)` gives back the function that undoes it.
//
// The page's own objects stay. `open`, `setRequestHeader` and the like are done by the browser as well, so that its own
// errors are thrown. `send` decides: what is not ours is sent by the browser, and nothing of ours is heard of it again;
// what is ours is never sent, and the object says of it, and dispatches, what it would say of a real answer.

import * as originals from "./originals.js"
import { createPatches, named } from "./patches.js"
import { pin } from "./pins.js"
import { createStepper } from "./steps.js"
import { createDoors } from "./xhrdoors.js"

/** @import { Server } from "./backbone.js" */
/** @import { Answered } from "./xhranswer.js" */

/**
 * @typedef {object} Call  What a request was opened with.
 * @property {string} method
 * @property {string} url
 * @property {string} base
 * @property {string} [user]
 * @property {string} [password]
 * @property {boolean} async
 * @property {Map<string, string>} headers  By lower-case name.
 * @property {Answered | undefined} ours  Once it is known to be ours.
 * @property {boolean} sent  By the browser.
 *
 * @typedef {object} Installation
 * @property {number} users
 * @property {Server} server
 * @property {any} global
 * @property {WeakMap<object, Call>} calls
 * @property {WeakMap<object, string>} mimes  What overrideMimeType was told.
 * @property {WeakMap<object, Map<string, any[]>>} listeners  Those of the upload objects.
 * @property {Set<WeakRef<any>>} answered  The requests whose answers can still be read.
 * @property {FinalizationRegistry<WeakRef<any>>} forgotten  Takes those out again that nobody else knows.
 * @property {ReturnType<typeof createStepper>} run
 * @property {ReturnType<typeof createPatches>} patches
 * @property {(xhr: any) => [string, PropertyDescriptor][]} ownAccessors
 * @property {boolean} pins  Whether what is ours has to stand on the object itself.
 */

/** @type {WeakMap<object, WeakMap<object, Installation>>} */
const installations = new WeakMap()

/**
 * @param {Server} server
 * @param {any} [global]
 * @returns {() => void}
 */
export function installXHR(server, global = globalThis) {
  const prototype = prototypeOf(global)
  if (!prototype) return () => {}
  const known = installations.get(server) ?? new WeakMap()
  installations.set(server, known)
  const installation = known.get(prototype) ?? createInstallation(server, global, prototype)
  known.set(prototype, installation)

  installation.users += 1
  installation.patches.place()
  let over = false
  return () => {
    if (over) return
    over = true
    installation.users -= 1
    if (!installation.users) end(installation)
  }
}

/**
 * Where the page's requests have their methods. A fake may hide the browser's, or stand on it.
 *
 * @param {any} global
 */
function prototypeOf({ XMLHttpRequest = originals.XMLHttpRequest }) {
  const prototype = XMLHttpRequest?.prototype
  // One whose objects are made by hand passes on to the browser's in the end.
  if (!prototype || !("open" in prototype)) return originals.XMLHttpRequest?.prototype
  return chain(prototype).findLast((each) => isReal(each)) ?? prototype
}

/** @param {any} object @returns {any[]} */
function chain(object) {
  return object ? [object, ...chain(Object.getPrototypeOf(object))] : []
}

/** Fakes keep their state in properties of each object, which stand before what a prototype has. @param {any} prototype */
function isReal(prototype) {
  return Object.getOwnPropertyDescriptor(prototype, "readyState")?.get !== undefined
}

/**
 * @param {Server} server
 * @param {any} global
 * @param {any} prototype
 * @returns {Installation}
 */
function createInstallation(server, global, prototype) {
  /** @type {Installation["answered"]} */
  const answered = new Set()
  /** @type {any} */
  const installation = {
    users: 0, server, global, answered,
    calls: new WeakMap(), mimes: new WeakMap(), listeners: new WeakMap(),
    forgotten: new FinalizationRegistry((ref) => answered.delete(ref)),
    run: createStepper(global),
    pins: !isReal(prototype),
  }
  const doors = createDoors(installation)
  /** @type {import("./patches.js").Patch[]} */
  const patches = []
  for (const [name, make] of Object.entries(doors.methods)) {
    const owner = chain(prototype).find((each) => Object.hasOwn(each, name))
    if (owner) patches.push({ owner, name, make: ({ value }) => ({ value: named(make(value), value) }) })
  }
  if (!installation.pins) {
    for (const [name, make] of Object.entries(doors.accessors)) {
      const owner = chain(prototype).find((each) => Object.hasOwn(each, name))
      if (owner) patches.push({ owner, name, make: (original) => make(original) })
    }
  }
  const uploads = global.XMLHttpRequestUpload?.prototype
  for (const [name, make] of Object.entries(doors.uploads)) {
    if (!uploads || !(name in uploads)) continue
    // It is inherited, from where others may replace it meanwhile.
    const native = /** @this {any} */ function (/** @type {any[]} */ ...args) {
      return Object.getPrototypeOf(uploads)[name].apply(this, args)
    }
    patches.push({ owner: uploads, name, make: ({ value }) => ({ value: named(make(Object.hasOwn(uploads, name) ? value : native), value) }) })
  }
  installation.patches = createPatches(patches)
  return installation
}

/**
 * The prototype is as it was; what has been answered, or is about to be, is to be read all the same.
 *
 * @param {Installation} installation
 */
function end(installation) {
  const { answered, calls, patches } = installation
  const own = patches.remove().filter(([name]) => !/EventListener$/.test(name))
  for (const ref of answered) {
    const xhr = ref.deref()
    if (xhr && calls.get(xhr)?.ours && !installation.pins) pin(xhr, own)
  }
  answered.clear()
}
