// What a handler's result says: one rule in both languages, read here for handlers written in JavaScript.

import { isString } from "./args.js"

/** @import { Fault } from "./bridge.js" */

/**
 * @typedef {object} Reply
 * @property {boolean} failed
 * @property {any} value  What the callbacks get.
 * @property {number} status
 * @property {string} statusText
 * @property {Record<string, string>} headers
 * @property {Fault} [error]  What is wrong with the handler, if something is.
 */

/** @type {Record<number, string>} */
const REASONS = {
  200: "OK", 201: "Created", 202: "Accepted", 203: "Non-Authoritative Information", 204: "No Content", 205: "Reset Content",
  206: "Partial Content", 207: "Multi-Status", 300: "Multiple Choices", 301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
  307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required",
  403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required",
  408: "Request Timeout", 409: "Conflict", 410: "Gone", 411: "Length Required", 412: "Precondition Failed",
  413: "Content Too Large", 414: "URI Too Long", 415: "Unsupported Media Type", 416: "Range Not Satisfiable",
  417: "Expectation Failed", 418: "I'm a Teapot", 421: "Misdirected Request", 422: "Unprocessable Content", 423: "Locked",
  424: "Failed Dependency", 425: "Too Early", 426: "Upgrade Required", 428: "Precondition Required", 429: "Too Many Requests",
  431: "Request Header Fields Too Large", 451: "Unavailable For Legal Reasons", 500: "Internal Server Error",
  501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
  505: "HTTP Version Not Supported", 507: "Insufficient Storage", 508: "Loop Detected", 511: "Network Authentication Required",
}

/** @param {number} status */
export const reasonOf = (status) => REASONS[status] ?? ""

/** Thrown by a handler: the request fails with this status, and its callbacks get the body. */
export class HTTPError extends Error {
  /**
   * @param {number} status
   * @param {any} [body]
   * @param {Record<string, string>} [headers]
   */
  constructor(status, body = reasonOf(status), headers = {}) {
    super(typeof body === "string" ? `${status} ${body}` : `${status} ${reasonOf(status)}`)
    this.name = "HTTPError"
    this.status = status
    this.body = body
    this.headers = headers
  }
}

/** Returned by a handler: exactly this body, status and headers. */
export class Response {
  /**
   * @param {any} [body]
   * @param {number | { status?: number, headers?: Record<string, string> }} [init]
   * @param {Record<string, string>} [headers]
   */
  constructor(body = undefined, init = 200, headers = {}) {
    const given = typeof init === "number" ? { status: init, headers } : init
    this.body = body
    this.status = given.status ?? 200
    this.headers = given.headers ?? {}
  }
}

/**
 * @param {any} result  What a handler returned, awaited if need be.
 * @returns {Reply}
 */
export function readResult(result) {
  if (result instanceof Response) return reply(result.body, result.status, result.headers)
  if (isString(result)) return { ...reply(result, statusOf(String(result))), failed: true }
  return { failed: false, value: result, status: 200, statusText: "OK", headers: {} }
}

/**
 * @param {any} error  What a handler threw.
 * @returns {Reply & { unexpected: boolean }}
 */
export function readError(error) {
  if (error instanceof HTTPError) {
    return { ...reply(error.body, error.status, error.headers), failed: true, unexpected: false }
  }
  const { http_status_code, httpStatusCode } = error ?? {}
  const status = Number(http_status_code ?? httpStatusCode)
  if (status >= 400 && status <= 599) {
    const said = httpStatusCode ? String(error) : String(error.message || reasonOf(status))
    return { ...reply(said, status), unexpected: status >= 500 }
  }
  const body = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return { ...reply(body, 500), failed: true, unexpected: true }
}

/**
 * @param {any} value
 * @param {number} status
 * @param {Record<string, string>} [headers]
 * @returns {Reply}
 */
function reply(value, status, headers = {}) {
  return { failed: status >= 400, value, status, statusText: reasonOf(status), headers: { ...headers } }
}

// Three digits alone, or with their own reason phrase; any other text is a message.
/** @param {string} text */
function statusOf(text) {
  const parts = /^([45]\d\d)(?: (.+))?$/.exec(text)
  if (!parts) return 500
  const status = Number(parts[1])
  return parts[2] === undefined || parts[2].toLowerCase() === reasonOf(status).toLowerCase() ? status : 500
}
