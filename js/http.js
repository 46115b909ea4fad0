// What the doors of HTTP share, `fetch`, `XMLHttpRequest` and `EventSource`: who answers a request. How is `httpanswer.js`.

/** @import { Exchange } from "./exchange.js" */
/** @import { Body } from "./message.js" */
/** @import { Server } from "./backbone.js" */

/**
 * @typedef {object} Wanted  What somebody wants; enough to say who answers it.
 * @property {string} method
 * @property {string} url  Absolute, without fragment.
 * @property {"fetch" | "xhr" | "eventsource"} door
 * @property {boolean} [sync]  Who asks waits, and with them the page.
 *
 * @typedef {Wanted & {
 *   headers: [string, string][],
 *   body?: string | Uint8Array,
 *   form?: FormData,
 *   redirect?: RequestRedirect,
 *   credentials?: RequestCredentials,
 *   cache?: RequestCache,
 *   mode?: RequestMode,
 *   streamed?: boolean,
 *   origin?: string,
 *   referrer?: string,
 *   referrerPolicy?: ReferrerPolicy,
 * }} HttpRequest  Header names are in lower case, each is there once. A text is sent as UTF-8; `form` is what the body was made of.
 *   `referrer` is as a Request has it: empty for none, and without it, or as `about:client`, it is the page. A body that is
 *   `streamed` can be sent once. `origin` is what it says of its own once a redirect has led it elsewhere.
 *
 * @typedef {object} Answer
 * @property {number} status
 * @property {string} statusText
 * @property {[string, string][]} headers  Names are in lower case.
 * @property {Body} body
 * @property {string} url
 * @property {boolean} redirected
 * @property {ResponseType} type  Before what it may not see is hidden from a page: of another origin, it is `cors`.
 */

/** Requests of our own, which go to the network whoever could answer them. @type {WeakSet<object>} */
export const passed = new WeakSet()

/**
 * Find out who answers: `then` is told the exchange if we do, nothing if the network does, and `null` if nobody shall.
 * That happens at once, unless the runtime is still loading.
 *
 * @param {Server} server
 * @param {Wanted} wanted
 * @param {(exchange: Exchange | null | undefined) => void} then
 * @param {() => boolean} [installed]  Whether the door still is, that it came by: the network has what it leaves behind.
 * @returns {() => void}  Forgets a request that was not decided yet.
 */
export function offer(server, wanted, then, installed = () => true) {
  const { method, url, sync } = wanted
  // Where the page is when it asks; it may go elsewhere while the runtime loads.
  const base = baseOf(globalThis)
  const decide = () => {
    const exchange = server.accept({ method, url, base })
    if (exchange) return then(exchange)
    then(server.unmatched?.({ ...wanted, base }) === "fail" ? null : undefined)
  }
  const ours = () => server.enabled && installed()
  if (!ours() || !/^https?:/.test(url)) {
    then(undefined)
  } else if (!server.hold) {
    decide()
  } else if (sync) {
    throw new Error(`A synchronous request for ${url} cannot wait for the runtime to load. Make it after \`await fauxServer.ready\`.`)
  } else {
    return server.hold((answered) => (answered && ours() ? decide() : then(undefined)))
  }
  return () => {}
}

/**
 * What urls are relative to. A query or a fragment, as a router writes it, is no part of that.
 *
 * @param {any} global
 * @returns {string}
 */
export function baseOf(global) {
  return (global.document?.baseURI ?? global.location?.href ?? "http://localhost/").replace(/[?#].*$/s, "")
}
