// How a request of HTTP is answered: what a browser would send, what it would make of the reply, and where redirects lead.

import { byteLength } from "./body.js"
import { isForeign, originOf } from "./fetch.js"
import { offer, passed } from "./http.js"
import { isStreamed, readable } from "./message.js"
import * as originals from "./originals.js"
import { policyOf, refererOf } from "./referrer.js"
import { nextTurn } from "./schedule.js"

/** @import { Server } from "./backbone.js" */
/** @import { Exchange } from "./exchange.js" */
/** @import { Answer, HttpRequest } from "./http.js" */
/** @import { HttpReply, Pieces } from "./message.js" */

const MOST_REDIRECTS = 20
/** How long a streamed body may come without the page having its turn, in milliseconds. */
const AT_A_STRETCH = 10
const REDIRECTS = [301, 302, 303, 307, 308]
/** Statuses whose answers have no body, whatever was sent. */
export const NULL_BODY = [101, 103, 204, 205, 304]

/**
 * Let an accepted request be answered, after its latency, redirects followed.
 *
 * @param {Server} server
 * @param {Exchange} exchange
 * @param {HttpRequest} request
 * @param {{ reply: (answer: Answer) => void, fail: (reason: string) => void }} callbacks  One of them is called, once.
 * @returns {() => void}  Drops it: neither is called any more.
 */
export function answer(server, exchange, request, { reply, fail }) {
  const { scheduler } = server
  let cancelled = false
  let drop = () => {}
  ask(exchange, request, 0)
  return () => {
    cancelled = true
    drop()
  }

  /** @param {Exchange} exchange @param {HttpRequest} request @param {number} hops */
  function ask(exchange, request, hops) {
    exchange.send({ headers: withDefaults(request), body: request.body, form: request.form }, (reason) => {
      if (cancelled) return
      cancelled = true
      drop()
      fail(reason)
    })
    if (cancelled) return
    /** @param {HttpReply} given */
    const settle = (given) => {
      if (cancelled) return
      drop = () => {
        if (isStreamed(given.body)) given.body.cancel()
      }
      // The console has been told, and whoever asked waits for what cannot come.
      if (request.sync && given.error?.asynchronous) return fail(given.error.message)
      keepCookie(given.headers, request)
      const { status, headers: { location } } = given
      if (REDIRECTS.includes(status) && (location || request.redirect === "manual")) return redirect(given, request, hops)
      reply(answerOf(given, request, hops))
    }
    if (request.sync) {
      drop = exchange.drop
      scheduler.shield(() => exchange.answer(settle, { now: true }))
      return
    }
    const delay = delayOf(exchange)
    const cancel = scheduler.later(delay === undefined ? () => giveUp(exchange) : () => exchange.answer(settle), delay ?? 0)
    drop = () => {
      cancel()
      exchange.drop()
    }
  }

  /** Nothing if the page's own function has thrown, which is reported. @param {Exchange} exchange */
  function delayOf(exchange) {
    /** @type {number | undefined} */
    let delay
    scheduler.shield(() => {
      delay = exchange.delay()
    })
    return delay
  }

  /** @param {Exchange} exchange */
  function giveUp(exchange) {
    drop = () => {}
    exchange.drop()
    fail("its latency is not known")
  }

  /** @param {HttpReply} given @param {HttpRequest} request @param {number} hops */
  function redirect(given, request, hops) {
    if (request.redirect === "manual") return reply(nothing(request))
    if (isStreamed(given.body)) given.body.cancel()
    if (request.redirect === "error") return fail("it was redirected, and redirect is \"error\"")
    if (hops === MOST_REDIRECTS) return fail(`it was redirected more than ${MOST_REDIRECTS} times`)
    if (request.streamed && given.status !== 303) return fail("it was redirected, and a streamed body can be sent once")
    const next = redirected(request, given)
    if (!next) return fail(`it was redirected to ${given.headers.location}, which is no address on the web`)
    if (next.mode === "same-origin" && isForeign(next.url, globalThis)) return fail("it was redirected to another origin")
    // Who answers is known at once: the server has answered already. Nothing is to be forgotten, and `drop` is that of the next hop.
    offer(server, next, (exchange) => {
      if (exchange === null) fail("nothing answers the address that it was redirected to")
      else if (exchange) ask(exchange, next, hops + 1)
      else drop = network(next, { reply: (answer) => cancelled || reply(answer), fail: (reason) => cancelled || fail(reason) })
    })
  }
}

/**
 * What a browser asks for after a redirect.
 *
 * @param {HttpRequest} request
 * @param {HttpReply} given
 * @returns {HttpRequest | undefined}
 */
function redirected(request, { status, headers: { location, "referrer-policy": policy } }) {
  /** @type {URL} */
  let url
  try {
    url = new URL(location, request.url)
  } catch {
    return undefined
  }
  if (!/^https?:$/.test(url.protocol)) return undefined
  const { origin } = new URL(request.url)
  if (url.origin !== origin && (url.username || url.password)) return undefined
  url.hash = ""
  const becomesGet = status === 303 ? !["GET", "HEAD"].includes(request.method) : status < 303 && request.method === "POST"
  const kept = request.headers.filter(([name]) =>
    !(becomesGet && /^content-/.test(name)) && !(url.origin !== origin && name === "authorization"))
  return {
    ...request, url: url.href, headers: kept,
    // What one server was not told, the next one is not either.
    referrer: refererFor(request) ?? "", referrerPolicy: policyOf(policy) ?? request.referrerPolicy,
    // Where a stranger sends it, nobody is told whose it is.
    origin: url.origin !== origin && isForeign(request.url, globalThis) ? "null" : hasLeft(request) ? originFor(request) : undefined,
    ...(becomesGet ? { method: "GET", body: undefined, form: undefined } : {}),
  }
}

/**
 * Where a redirect leads out of the page.
 *
 * @param {HttpRequest} request
 * @param {{ reply: (answer: Answer) => void, fail: (reason: string) => void }} callbacks
 */
function network(request, { reply, fail }) {
  if (request.sync) {
    networkNow(request, { reply, fail })
    return () => {}
  }
  const { method, url, headers, body, credentials, cache, mode, origin, referrer, referrerPolicy } = request
  const control = new AbortController()
  const { signal } = control
  const options = { method, headers, body: /** @type {any} */ (body), credentials, cache, referrer, referrerPolicy, signal }
  originals.fetch(url, { ...options, mode: mode === "navigate" ? undefined : mode }).then(
    ({ status, statusText, headers, body, url, type }) =>
      reply({ status, statusText, headers: [...headers], body: readable(body), url, redirected: true, type: origin ? "cors" : type }),
    (error) => fail(error.message),
  )
  return () => control.abort()
}

/** @param {HttpRequest} request @param {{ reply: (answer: Answer) => void, fail: (reason: string) => void }} callbacks */
function networkNow({ method, url, headers, body, credentials }, { reply, fail }) {
  const xhr = new originals.XMLHttpRequest()
  passed.add(xhr)
  xhr.open(method, url, false)
  xhr.withCredentials = credentials === "include"
  for (const [name, value] of headers) xhr.setRequestHeader(name, value)
  // Each byte as a character: a synchronous request of a document may ask for nothing else.
  xhr.overrideMimeType("text/plain; charset=x-user-defined")
  try {
    xhr.send(/** @type {any} */ (body))
  } catch (error) {
    return fail(/** @type {Error} */ (error).message)
  }
  const lines = xhr.getAllResponseHeaders().trim().split("\r\n").filter(Boolean)
  reply({
    status: xhr.status, statusText: xhr.statusText, redirected: true, url: xhr.responseURL, type: "basic",
    headers: lines.map((/** @type {string} */ line) => /** @type {[string, string]} */ (line.split(/: ?(.*)/s, 2))),
    body: Uint8Array.from(xhr.responseText, (letter) => letter.charCodeAt(0)),
  })
}

/** @param {HttpReply} given @param {HttpRequest} request @param {number} hops @returns {Answer} */
function answerOf({ status, statusText, headers, body }, request, hops) {
  const { method, url } = request
  /** @type {[string, string][]} */
  const named = []
  for (const [name, value] of Object.entries(headers)) if (name !== "set-cookie") named.push([name, value.replace(/^[\t ]+|[\t ]+$/g, "")])
  if (!isStreamed(body) && headers["content-length"] === undefined && status !== 204 && status !== 304) {
    named.push(["content-length", String(lengthOf(body))])
  }
  const none = method === "HEAD" || NULL_BODY.includes(status)
  if (none && isStreamed(body)) body.cancel()
  const told = none ? undefined : isStreamed(body) ? paced(body) : body ?? ""
  const type = hasLeft(request) ? "cors" : "basic"
  return { status, statusText, headers: named, body: told, url, redirected: hops > 0, type }
}

/** A generator that never waits would have the page until its end, if there is one. @param {Pieces} pieces @returns {Pieces} */
function paced(pieces) {
  let since = originals.now()
  return {
    async pull() {
      if (originals.now() - since > AT_A_STRETCH) {
        await nextTurn()
        since = originals.now()
      }
      return pieces.pull()
    },
    cancel: () => pieces.cancel(),
  }
}

/** @param {HttpRequest} request @returns {Answer} */
function nothing({ url }) {
  return { status: 0, statusText: "", headers: [], body: undefined, url, redirected: false, type: "opaqueredirect" }
}

/**
 * In bytes.
 *
 * @param {string | Uint8Array | undefined} body
 */
export function lengthOf(body) {
  if (body === undefined) return 0
  return typeof body === "string" ? byteLength(body) : body.length
}

/**
 * The headers that a browser would send.
 *
 * @param {HttpRequest} request
 */
function withDefaults(request) {
  const { headers, body, method, url, cache, mode, door } = request
  const { navigator, document } = globalThis
  /** @type {[string, string][]} */
  const all = [...headers]
  /** @param {string} name @param {string | undefined} value */
  const add = (name, value) => {
    if (value && !headers.some(([given]) => given === name)) all.push([name, value])
  }
  add("host", url.split("/", 3)[2])
  add("accept", door === "eventsource" ? "text/event-stream" : "*/*")
  add("accept-language", navigator?.language)
  add("user-agent", navigator?.userAgent)
  if (body !== undefined || method === "POST" || method === "PUT") add("content-length", String(lengthOf(body)))
  if ((mode !== "no-cors" && hasLeft(request)) || !["GET", "HEAD"].includes(method)) add("origin", originFor(request))
  add("referer", refererFor(request))
  if (cache === "no-cache") add("cache-control", "max-age=0")
  if (cache === "no-store" || cache === "reload") {
    add("cache-control", "no-cache")
    add("pragma", "no-cache")
  }
  if (sharesCookies(request)) add("cookie", document.cookie)
  return all
}

/** @param {HttpRequest} request */
function refererFor({ url, referrer = "about:client", referrerPolicy }) {
  const { location } = globalThis
  if (referrer === "" || !location) return undefined
  return refererOf(url, referrer === "about:client" ? location.href : referrer, referrerPolicy)
}

/** @param {HttpRequest} request */
const originFor = ({ origin }) => origin ?? originOf(globalThis)

/** Whether it is at another origin, or has been. @param {HttpRequest} request */
function hasLeft({ url, origin }) {
  return origin !== undefined || isForeign(url, globalThis)
}

/**
 * Whether a request has the page's cookies: those of other hosts no script may see, or set.
 *
 * @param {HttpRequest} request
 */
function sharesCookies(request) {
  const { url, credentials = "same-origin" } = request
  const { document, location } = globalThis
  if (credentials === "omit" || !document || !location) return false
  return credentials === "include" ? new URL(url).hostname === location.hostname : !hasLeft(request)
}

/**
 * A cookie that a script may see is one that we can set.
 *
 * @param {Record<string, string>} headers
 * @param {HttpRequest} request
 */
function keepCookie(headers, request) {
  const cookie = headers["set-cookie"]
  if (cookie === undefined || !sharesCookies(request)) return
  // Of several each has a line.
  for (const each of cookie.split("\n")) if (!/;\s*httponly/i.test(each)) globalThis.document.cookie = each
}
