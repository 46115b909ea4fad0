// EventSource, answered by the server: `installEventSource(server, global)` gives back the function that undoes it.
//
// `new EventSource` gives the native object where no route wants its url. One of ours is an EventTarget of the same prototype,
// whose members know which of the two they are asked for.

import { createConnection } from "./eventconnection.js"
import { offer } from "./http.js"
import { onNextTick } from "./schedule.js"

/** @import { Server } from "./backbone.js" */

/**
 * @typedef {object} Source  What there is to know of an event source that is ours.
 * @property {string} url
 * @property {boolean} withCredentials
 * @property {ReturnType<typeof createConnection>} connection
 * @property {Map<string, { value: any, listener: (event: any) => void }>} handlers
 *
 * @typedef {object} Installation
 * @property {any} native
 * @property {any} replacement
 * @property {Members} members
 * @property {number} users
 *
 * @typedef {object} Members  Those of a prototype, patched.
 * @property {boolean} inherited  Whether ours have them from it: a library's own EventSource may be no EventTarget.
 * @property {(installation: Pair) => void} take
 * @property {(installation: Pair) => void} restore
 * @property {(self: any) => void} adopt  One of ours has been made.
 *
 * @typedef {{ native: any, replacement: any }} Pair
 */

/** @type {WeakMap<object, WeakMap<object, Installation>>} */
const installations = new WeakMap()
/** @type {WeakMap<object, Source>} */
const sources = new WeakMap()
/** By prototype, which several servers may share. @type {WeakMap<object, Members>} */
const patched = new WeakMap()

/**
 * @param {Server} server
 * @param {any} [global]
 * @param {import("./eventconnection.js").Surroundings["http"]} [http]
 * @returns {() => void}
 */
export function installEventSource(server, global = globalThis, http = { offer, answer: (...args) => server.answering.answer(...args) }) {
  // Node has none of its own.
  if (typeof global.EventSource !== "function") return () => {}
  const known = installations.get(server) ?? new WeakMap()
  installations.set(server, known)
  const installation = known.get(global) ?? createInstallation(server, global, http)
  known.set(global, installation)

  // Who has wrapped ours meanwhile still calls it; it only has to answer again.
  if (global.EventSource === installation.native) global.EventSource = installation.replacement
  installation.users += 1
  let ended = false

  return () => {
    if (ended) return
    ended = true
    installation.users -= 1
    if (installation.users || global.EventSource !== installation.replacement) return
    global.EventSource = installation.native
    known.delete(global)
    installation.members.restore(installation)
  }
}

/**
 * @param {Server} server
 * @param {any} global
 * @param {import("./eventconnection.js").Surroundings["http"]} http
 * @returns {Installation}
 */
function createInstallation(server, global, http) {
  const native = global.EventSource
  const surroundings = { server, http, global, tasks: createTasks(server.scheduler.shield), installed: () => installation.users > 0 }
  // A proxy, so that all there is to see of it is the native one's.
  /** @type {any} */
  const replacement = new Proxy(native, {
    construct(_target, args, newTarget) {
      const goNative = (/** @type {any[]} */ args) => Reflect.construct(native, args, newTarget === replacement ? native : newTarget)
      if (!installation.users) return goNative(args)
      const read = readArguments(args, global)
      if (!read) return goNative(args)
      const source = createSource(surroundings, read, newTarget, installation.members)
      return source ?? goNative(args.length > 1 ? [read.given, { withCredentials: read.withCredentials }] : [read.given])
    },
  })
  /** @type {Installation} */
  const installation = { native, replacement, members: patchMembers(native.prototype, global.EventTarget), users: 0 }
  installation.members.take(installation)
  return installation
}

/**
 * @param {any[]} args
 * @param {any} global
 * @returns {{ given: string, url: string, withCredentials: boolean } | undefined}  Nothing for what is the native one's to refuse, or to take.
 */
function readArguments(args, global) {
  const [first, init] = args
  if (!args.length || (init !== undefined && init !== null && typeof init !== "object" && typeof init !== "function")) return undefined
  if (typeof first === "symbol") return undefined
  const given = String(first)
  const withCredentials = Boolean(init?.withCredentials)
  try {
    const { href: url, protocol } = new URL(given, global.document?.baseURI ?? global.location?.href)
    if (/^https?:$/.test(protocol)) return { given, url, withCredentials }
  } catch {
    // The native one says what is wrong with it.
  }
  args.splice(0, args.length, given, { withCredentials })
  return undefined
}

/**
 * @param {import("./eventconnection.js").Surroundings} surroundings
 * @param {{ url: string, withCredentials: boolean }} wanted
 * @param {any} newTarget
 * @param {Members} members
 */
function createSource(surroundings, { url, withCredentials }, newTarget, members) {
  const { EventTarget } = surroundings.global
  /** @type {any} */
  let self
  const connection = createConnection(surroundings, { url, withCredentials }, (event) => EventTarget.prototype.dispatchEvent.call(self, event))
  if (!connection.start()) return undefined
  self = Reflect.construct(EventTarget, [], members.inherited ? newTarget : EventTarget)
  sources.set(self, { url, withCredentials, connection, handlers: new Map() })
  members.adopt(self)
  return self
}

// --- Members --------------------------------------------------------------------------------------------------------------

/** @type {Record<string, { get?: (source: Source, self: any) => any, set?: (source: Source, self: any, value: any) => void, value?: (source: Source) => void }>} */
const OURS = {
  url: { get: ({ url }) => url },
  withCredentials: { get: ({ withCredentials }) => withCredentials },
  readyState: { get: ({ connection }) => connection.readyState },
  onopen: handlerOf("open"),
  onmessage: handlerOf("message"),
  onerror: handlerOf("error"),
  close: { value: ({ connection }) => connection.close() },
}

/**
 * An event handler, which has the place among the listeners that it was first given.
 *
 * @param {string} type
 */
function handlerOf(type) {
  return {
    /** @param {Source} source */
    get: ({ handlers }) => handlers.get(type)?.value ?? null,
    /** @param {Source} source @param {any} self @param {any} value */
    set({ handlers }, self, value) {
      const known = handlers.get(type)
      const callable = typeof value === "function" || (typeof value === "object" && value !== null)
      if (known && callable) known.value = value
      else if (known) {
        handlers.delete(type)
        self.removeEventListener(type, known.listener)
      } else if (callable) {
        const handler = {
          value,
          /** @param {Event} event */
          listener: (event) => (typeof handler.value === "function" ? handler.value.call(event.currentTarget, event) : undefined),
        }
        handlers.set(type, handler)
        self.addEventListener(type, handler.listener)
      }
    },
  }
}

/**
 * Let the members of *prototype* look first whether they are asked for one of ours. Where there is one, they stay.
 *
 * @param {any} prototype
 * @param {any} EventTarget
 * @returns {Members}
 */
function patchMembers(prototype, EventTarget) {
  const known = patched.get(prototype)
  if (known) return known
  /** @type {Map<string, [before: PropertyDescriptor, after: PropertyDescriptor]>} */
  const changed = new Map()
  for (const [name, ours] of Object.entries(OURS)) {
    const before = Object.getOwnPropertyDescriptor(prototype, name)
    if (!before?.configurable) continue
    const after = { ...before }
    for (const part of /** @type {("get" | "set" | "value")[]} */ (Object.keys(ours))) {
      if (typeof before[part] === "function") after[part] = passing(before[part], /** @type {any} */ (ours[part]))
    }
    Object.defineProperty(prototype, name, after)
    changed.set(name, [before, after])
  }
  let users = 0
  let used = false
  /** @type {Members} */
  const members = { inherited: prototype instanceof EventTarget, take, adopt, restore }
  patched.set(prototype, members)
  return members

  /** @param {Pair} installation */
  function take({ native, replacement }) {
    users += 1
    setConstructor(native, replacement)
  }

  /** @param {any} self */
  function adopt(self) {
    used = true
    // What a library's own EventSource does not have on its prototype.
    for (const [name, { get, set, value }] of Object.entries(OURS)) {
      if (members.inherited && changed.has(name)) continue
      const source = /** @type {Source} */ (sources.get(self))
      Object.defineProperty(self, name, value
        ? { configurable: true, writable: true, value: () => value(source) }
        : { configurable: true, get: () => get?.(source, self), set: (given) => set?.(source, self, given) })
    }
  }

  /** @param {Pair} installation */
  function restore({ native, replacement }) {
    users -= 1
    setConstructor(replacement, native)
    if (users || used) return
    patched.delete(prototype)
    for (const [name, [before, after]] of changed) {
      const now = Object.getOwnPropertyDescriptor(prototype, name)
      if (now && now.get === after.get && now.set === after.set && now.value === after.value) Object.defineProperty(prototype, name, before)
    }
  }

  /** @param {any} before @param {any} after */
  function setConstructor(before, after) {
    const found = Object.getOwnPropertyDescriptor(prototype, "constructor")
    if (found?.configurable && found.value === before) Object.defineProperty(prototype, "constructor", { ...found, value: after })
  }
}

/**
 * A function that is the native one for whatever is not ours.
 *
 * @param {any} native
 * @param {(source: Source, self: any, ...args: any[]) => any} ours
 */
function passing(native, ours) {
  return new Proxy(native, {
    apply(_target, self, args) {
      const source = sources.get(self)
      return source ? ours(source, self, ...args) : Reflect.apply(native, self, args)
    },
  })
}

/**
 * Each event comes in a task of its own, as it does natively: what a listener leaves to a promise comes before the next one.
 *
 * @param {(task: () => void) => void} shield
 */
function createTasks(shield) {
  /** @type {(() => void)[]} */
  const waiting = []
  const ask = onNextTick(() => {
    const task = waiting.shift()
    if (waiting.length) ask()
    if (task) shield(task)
  })
  return (/** @type {() => void} */ task) => {
    waiting.push(task)
    if (waiting.length === 1) ask()
  }
}
