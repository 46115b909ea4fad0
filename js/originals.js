// What the page had before anybody replaced it: read while the script first runs, so that fake clocks,
// and mocks of fetch, ours among them, cannot reach into the runtime's own business.

/** @type {any} */
const global = globalThis

export const setTimeout = global.setTimeout
export const clearTimeout = global.clearTimeout
export const setImmediate = global.setImmediate
export const queueMicrotask = global.queueMicrotask
export const MessageChannel = global.MessageChannel

/** @type {(url: string, options?: RequestInit) => Promise<globalThis.Response>} */
export const fetch = global.fetch?.bind(global)

export const { XMLHttpRequest, Response, EventTarget } = global

export const dispatchEvent = EventTarget?.prototype.dispatchEvent

/** Milliseconds on a clock that no fake can stop. */
export const now = global.performance ? global.performance.now.bind(global.performance) : Date.now

/** The same in whole milliseconds, in a fifth of the time; it moves when the system's clock is set. */
export const roughNow = Date.now
