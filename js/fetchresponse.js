// A native Response that says of itself what no constructor can be told: where it comes from, and of what type it is.

/** @import { Answer } from "./http.js" */

/**
 * @typedef {object} Facts
 * @property {string} url
 * @property {boolean} redirected
 * @property {string} type
 * @property {number} [status]  One that the constructor would refuse; 0 hides everything.
 *
 * @typedef {() => { error: any } | undefined} Failure  What a streamed body has failed with, if it has.
 */

// What HTTP has for a name.
export const TOKEN = /^[!#$%&'*+.^`|~\w-]+$/
const READERS = ["arrayBuffer", "blob", "bytes", "formData", "json", "text"]

/** @param {any} global */
export function createResponses(global) {
  const { Response, Headers } = global
  /** @type {WeakMap<Response, { facts: Facts, failure?: Failure }>} */
  const known = new WeakMap()
  const immutable = withImmutable(Headers, Response.error().headers)

  // Between ours and the native prototype, so that a response has nothing of its own, as the native one. What is asked
  // of anything else the native one answers, or refuses.
  const face = Object.create(Response.prototype, {
    url: overridden("url", ({ facts }) => facts.url),
    type: overridden("type", ({ facts }) => facts.type),
    redirected: overridden("redirected", ({ facts }) => facts.redirected),
    status: overridden("status", ({ facts }, native, response) => facts.status ?? native(response)),
    ok: overridden("ok", ({ facts }, native, response) => facts.status === undefined && native(response)),
    headers: overridden("headers", (_, native, response) => {
      const headers = native(response)
      return Object.getPrototypeOf(headers) === Headers.prototype ? Object.setPrototypeOf(headers, immutable) : headers
    }),
    clone: method("clone", (clone, response) => {
      const own = known.get(response)
      const copy = clone.call(response)
      return own ? dressed(copy, own.facts, own.failure) : copy
    }),
    ...Object.fromEntries(READERS.filter((name) => name in Response.prototype).map((name) => [name, method(name, read)])),
  })

  return { create }

  /**
   * @param {Answer} answered
   * @param {Facts} facts
   * @param {any} body
   * @param {Failure} [failure]  If the body is streamed.
   * @returns {Response}
   */
  function create({ status, statusText, headers }, facts, body, failure) {
    if (facts.status === 0) return dressed(Response.error(), facts)
    const allowed = headers.filter(([name]) => !/^set-cookie2?$/i.test(name))
    // The constructor would say what a text's type is, where nobody has.
    const typed = typeof body !== "string" || allowed.some(([name]) => name.toLowerCase() === "content-type")
    const usual = status >= 200 && status <= 599
    const given = typed ? body : new TextEncoder().encode(body)
    const init = { status: usual ? status : 200, statusText, headers: allowed }
    const response = construct(given, init) ?? new Response(given, transmitted(init))
    return dressed(response, usual ? facts : { ...facts, status }, failure)
  }

  /** @param {any} body @param {ResponseInit} init @returns {Response | undefined} */
  function construct(body, init) {
    try {
      return new Response(body, init)
    } catch {
      return undefined
    }
  }

  /** @param {Response} response @param {Facts} facts @param {Failure} [failure] @returns {Response} */
  function dressed(response, facts, failure) {
    known.set(response, { facts, failure })
    Object.setPrototypeOf(response, face)
    // A document that a test runner gives Node may have a Response of its own, and that these in each.
    for (const name of /** @type {const} */ (["url", "type", "redirected"])) {
      if (Object.hasOwn(response, name)) Object.defineProperty(response, name, { value: facts[name] })
    }
    return response
  }

  /** @param {Function} reader @param {Response} response */
  function read(reader, response) {
    const failure = known.get(response)?.failure
    const usable = failure && !response.bodyUsed && !response.body?.locked
    // Of a stream that a script has made, browsers tell in words of their own why it failed, and later.
    if (usable && failure()) return Promise.reject(failure()?.error)
    return reader.call(response).catch((/** @type {any} */ error) => {
      const failed = usable ? failure() : undefined
      throw failed ? failed.error : reworded(error)
    })
  }

  /**
   * @param {string} name
   * @param {(own: { facts: Facts }, native: (response: Response) => any, response: Response) => any} value
   * @returns {PropertyDescriptor}
   */
  function overridden(name, value) {
    const native = (/** @type {Response} */ response) => Reflect.get(Response.prototype, name, response)
    return {
      /** @this {Response} */
      get() {
        const own = known.get(this)
        return own ? value(own, native, this) : native(this)
      },
      enumerable: true, configurable: true,
    }
  }

  /** @param {string} name @param {(native: Function, response: Response) => any} act @returns {PropertyDescriptor} */
  function method(name, act) {
    const native = Response.prototype[name]
    const { [name]: value } = {
      /** @this {Response} */
      [name]() {
        return act(native, this)
      },
    }
    return { value, enumerable: true, configurable: true, writable: true }
  }
}

/**
 * Headers that refuse to be changed, in the browser's own words.
 *
 * @param {typeof globalThis.Headers} Headers
 * @param {Headers} frozen  Some that the browser has made immutable.
 */
function withImmutable(Headers, frozen) {
  /** @type {PropertyDescriptorMap} */
  const refusals = {}
  for (const name of /** @type {const} */ (["append", "delete", "set"])) {
    const native = /** @type {Function} */ (Headers.prototype[name])
    const { [name]: value } = { [name]: (/** @type {any[]} */ ...args) => native.apply(frozen, args) }
    refusals[name] = { value, enumerable: true, configurable: true, writable: true }
  }
  return Object.create(Headers.prototype, refusals)
}

/**
 * Status line and headers as they would be after a network, which has no letters beyond Latin-1.
 *
 * @param {{ status: number, statusText: string, headers: [string, string][] }} init
 * @returns {ResponseInit}
 */
function transmitted({ status, statusText, headers }) {
  const latin = (/** @type {string} */ text) => text.replace(/[^\t\x20-\xff]/gu, "?")
  const named = headers.filter(([name]) => TOKEN.test(name))
  return { status, statusText: latin(statusText), headers: named.map(([name, value]) => [name, latin(value)]) }
}

/**
 * In Chromium a body that is there already fails in the same tick, and in other words than one from the network.
 *
 * @param {any} error
 */
function reworded(error) {
  if (!(error instanceof SyntaxError)) return error
  error.message = error.message.replace(/^Failed to execute '\w+' on '\w+': /, "").replace(/^(Unexpected end of) input$/, "$1 JSON input")
  return error
}
