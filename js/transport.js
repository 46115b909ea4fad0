// How an answer reaches who asked: callbacks first, then the promise that sync returned.

/**
 * @typedef {object} Transport
 * @property {() => any} promise
 * @property {(value: any) => void} resolve
 * @property {(reason: any) => void} reject
 *
 * @typedef {object} Surroundings  What a factory that takes a third parameter is given.
 * @property {any} $  `Backbone.$`, as it is now.
 * @property {() => void} cancel  Forget the request: a handler that has not begun is not run.
 * @property {Settleable} [promised]  The promise that was returned while the runtime was loading.
 *
 * @typedef {(options: any, context: any, surroundings: Surroundings) => Transport} TransportFactory
 *
 * @typedef {object} Settleable
 * @property {any} promise
 * @property {(...values: any[]) => void} resolve
 * @property {(...reasons: any[]) => void} reject
 */

/**
 * A promise of the kind that the page's library makes; a native one where there is none.
 *
 * @param {any} $
 * @returns {Settleable}
 */
export function createPromise($) {
  const deferred = createDeferred($)
  if (deferred) {
    return {
      promise: deferred.promise(),
      resolve: (...values) => deferred.resolve(...values),
      reject: (...reasons) => deferred.reject(...reasons),
    }
  }
  /** @type {(value?: any) => void} */
  let resolve = () => {}
  /** @type {(reason?: any) => void} */
  let reject = () => {}
  const promise = new Promise((accept, refuse) => {
    resolve = accept
    reject = refuse
  })
  // Who reads the error callback need not read the promise too.
  promise.catch(() => {})
  return { promise, resolve, reject }
}

/** @param {any} $ */
function createDeferred($) {
  if (!$ || typeof $.Deferred !== "function") return undefined
  try {
    return $.Deferred()
  } catch {
    return undefined
  }
}

/**
 * @param {any} promise  Not every library's promise is an object that one can add to.
 * @param {() => any} abort
 */
export function setAbort(promise, abort) {
  if (Object.isExtensible(promise)) promise.abort = abort
}

/** What `abort()` rejects with. */
export const aborted = () => ({ status: 0, statusText: "abort" })
/** What a request rejects with that has no network to go to. */
export const networkError = () => ({ status: 0, statusText: "error" })

/** @type {TransportFactory} */
export function defaultTransport(options, _context, { $, cancel, promised = createPromise($) }) {
  const { success, error } = options
  let settled = false

  /** @param {any} value */
  function resolve(value) {
    settled = true
    // In this order on every jQuery, and the promise settles even if the callback throws.
    try {
      if (success) success(value)
    } finally {
      promised.resolve(value)
    }
  }

  /** @param {any} reason */
  function reject(reason) {
    settled = true
    try {
      if (error) error(reason)
    } finally {
      promised.reject(reason)
    }
  }

  setAbort(promised.promise, () => {
    if (!settled) {
      cancel()
      options.faux = { ...aborted(), headers: {} }
      reject(aborted())
    }
    return promised.promise
  })
  return { promise: () => promised.promise, resolve, reject }
}

/**
 * A transport whose promise is like jQuery's jqXHR, three arguments and all, for pages that look at `options.xhr`.
 *
 * @type {TransportFactory}
 */
export function jqXHRTransport(options, _context, { $, cancel, promised = createPromise($) }) {
  const { success, error, complete } = options
  /** @type {any} */
  const xhr = promised.promise
  let settled = false

  /** @param {any} value @param {boolean} failed */
  function settle(value, failed) {
    settled = true
    const { status, statusText, headers } = options.faux
    const state = failed ? (statusText === "abort" ? "abort" : "error") : status === 204 ? "nocontent" : "success"
    Object.assign(xhr, { readyState: status ? 4 : 0, status, statusText, ...bodyOf(value, status) })
    xhr.getResponseHeader = (/** @type {string} */ name) => find(headers, name) ?? null
    xhr.getAllResponseHeaders = () => Object.entries(headers).map(([name, each]) => `${name}: ${each}\r\n`).join("")
    const failure = [xhr, state, statusText]
    const outcome = [value, state, xhr]
    try {
      if (failed && error) error(...failure)
      if (!failed && success) success(...outcome)
    } finally {
      if (failed) promised.reject(...failure)
      else promised.resolve(...outcome)
      if (complete) complete(xhr, state)
    }
  }

  if (!xhr.done) addDeferredWords(xhr)
  Object.assign(xhr, {
    readyState: 1,
    setRequestHeader: () => xhr,
    overrideMimeType: () => xhr,
    getResponseHeader: () => null,
    getAllResponseHeaders: () => null,
    abort: () => {
      if (!settled) {
        cancel()
        options.faux = { ...aborted(), headers: {} }
        settle(undefined, true)
      }
      return xhr
    },
  })
  options.xhr = xhr
  return { promise: () => xhr, resolve: (value) => settle(value, false), reject: (reason) => settle(reason, true) }
}

// A native promise has one value to give; the others are on the object itself.
/** @param {any} xhr */
function addDeferredWords(xhr) {
  const outcome = () => [xhr.responseJSON ?? xhr.responseText, "success", xhr]
  const failure = () => [xhr, xhr.statusText === "abort" ? "abort" : "error", xhr.statusText]
  const tell = (/** @type {Function[]} */ callbacks, /** @type {any[]} */ args) => callbacks.forEach((each) => each(...args))
  Object.assign(xhr, {
    done: (/** @type {Function[]} */ ...callbacks) => (xhr.then(() => tell(callbacks, outcome()), () => {}), xhr),
    fail: (/** @type {Function[]} */ ...callbacks) => (xhr.then(() => {}, () => tell(callbacks, failure())), xhr),
    always: (/** @type {Function[]} */ ...callbacks) => xhr.done(...callbacks).fail(...callbacks),
  })
}

/** @param {any} value @param {number} status */
function bodyOf(value, status) {
  if (!status || value === undefined) return { responseText: "" }
  if (typeof value === "string") return { responseText: value }
  return { responseText: JSON.stringify(value), responseJSON: value }
}

/** @param {Record<string, string>} headers @param {string} wanted */
function find(headers, wanted) {
  return Object.entries(headers).find(([name]) => name.toLowerCase() === wanted.toLowerCase())?.[1]
}
