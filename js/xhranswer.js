// A request that we answer: its state, and its events, in the order that the specification has them.

import { encode } from "./body.js"
import { offer } from "./http.js"
import { isStreamed } from "./message.js"
import { parseMime, serializeMime } from "./mime.js"
import * as originals from "./originals.js"
import { dispatch, hasListeners } from "./xhrevents.js"

/** @import { Body } from "./body.js" */
/** @import { Received } from "./received.js" */
/** @import { Call, Installation } from "./xhr.js" */

/** @typedef {ReturnType<typeof createAnswered>} Answered */

export const UNSENT = 0
export const OPENED = 1
export const HEADERS_RECEIVED = 2
export const LOADING = 3
export const DONE = 4

/** How often a page is told of progress, in milliseconds. */
const PROGRESS_EVERY = 50

/** More than this a timer takes for nothing. */
const LONGEST_TIMER = 2 ** 31 - 1

/** When a browser has heard from its network that all was sent, if it has had no answer by then, in milliseconds. */
const UPLOADED_AFTER = 100

/**
 * One that we answer, from `send` on: its state, and its events in the order of the specification.
 *
 * @param {Installation} installation
 * @param {any} xhr
 * @param {Call} call
 * @param {string} url
 * @param {Body | undefined} body
 */
export function createAnswered({ server, global, mimes, run, listeners }, xhr, call, url, body) {
  const { scheduler } = server
  const { upload } = xhr
  let startTime = time()
  let readyState = OPENED
  let sending = true
  // Whether nothing that comes is wanted any more, and whether it was opened anew, so that nothing is told either.
  let over = false
  let left = false
  let uploaded = body === undefined
  let hears = false
  let begun = false
  /** @type {any} */
  let answered
  /** @type {Received | undefined} */
  let received
  let toldAt = -Infinity
  let told = -1
  let cancel = () => {}
  let cancelTime = () => {}
  let cancelProgress = () => {}
  let cancelUpload = () => {}
  let goToNetwork = () => {}

  return {
    start, decide, abort, leave, watchTime, answerNow, text,
    get readyState() { return readyState },
    get sending() { return sending },
    get received() { return received },
    get answer() { return answered },
    get url() { return addressTold(answered, call) },
  }

  function time() {
    return global.setTimeout === originals.setTimeout ? originals.now() : global.Date.now()
  }

  function text() {
    return readyState >= LOADING && received ? received.text(readyState === DONE, (xhr.responseType ?? "") === "") : ""
  }

  // --- Events ----------------------------------------------------------------------------------------------------------

  function changed() {
    dispatch(global, xhr, new global.Event("readystatechange"))
  }

  /** @param {any} target @param {string} type @param {number} loaded @param {number} total */
  function tell(target, type, loaded, total) {
    dispatch(global, target, new global.ProgressEvent(type, { lengthComputable: total > 0, loaded, total }))
  }

  function tellProgress() {
    const { size, total } = /** @type {Received} */ (received)
    toldAt = time()
    told = size
    tell(xhr, "progress", size, total)
  }

  // --- On its way ------------------------------------------------------------------------------------------------------

  /** @param {() => void} forget @param {() => void} network */
  function start(forget, network) {
    cancel = forget
    goToNetwork = network
    hears = body !== undefined && hasListeners({ listeners, global }, upload)
    watchTime()
    // A page that goes on being busy keeps its server from beginning.
    scheduler.later(() => {
      startTime = time()
      watchTime()
    }, 0)
  }

  // Not before it is decided: the browser would say it once more.
  function begin() {
    if (begun) return
    begun = true
    tell(xhr, "loadstart", 0, 0)
    if (!over && hears) tell(upload, "loadstart", 0, body?.length ?? 0)
  }

  /** @param {any} exchange */
  function decide(exchange) {
    if (over) return void exchange?.drop()
    if (exchange === undefined) {
      over = true
      cancelTime()
      return goToNetwork()
    }
    begin()
    if (over) {
      exchange?.drop()
    } else if (exchange === null) {
      cancel = scheduler.later(() => fail("error"), 0)
    } else if (!body || body.content !== undefined) {
      ask(exchange, body?.content)
    } else {
      cancel = exchange.drop
      body.read().then((content) => over || scheduler.shield(() => ask(exchange, content)), () => fail("error"))
    }
  }

  /** @param {any} exchange @param {string | Uint8Array | undefined} content */
  function ask(exchange, content) {
    if (hears) cancelUpload = scheduler.later(() => over || run(uploadSteps()), UPLOADED_AFTER)
    answerOnce(exchange, request(content), reply, () => fail("error"))
  }

  /**
   * @param {any} exchange
   * @param {import("./http.js").HttpRequest} request
   * @param {(answer: import("./http.js").Answer) => void} reply
   * @param {(reason: string) => void} fail
   */
  function answerOnce(exchange, request, reply, fail) {
    cancel = server.answering.answer(server, exchange, request, {
      fail,
      reply(given) {
        const name = nameFor(given, request)
        if (name === undefined) return reply(given)
        // Asked who it is, the browser asks once more and says so.
        offer(server, request, (again) => {
          if (!again) return reply(given)
          if (isStreamed(given.body)) given.body.cancel()
          answerOnce(again, { ...request, headers: [...request.headers, ["authorization", name]] }, reply, fail)
        })
      },
    })
  }

  /** @param {import("./http.js").Answer} given @param {import("./http.js").HttpRequest} request */
  function nameFor({ status, headers }, request) {
    const { user, password = "" } = call
    if (user === undefined || status !== 401 || request.headers.some(([name]) => name === "authorization")) return undefined
    if (!headers.some(([name, value]) => name === "www-authenticate" && /^basic\b/i.test(value))) return undefined
    return `Basic ${btoa(String.fromCharCode(...encode(`${user}:${password}`)))}`
  }

  /** @param {string | Uint8Array | undefined} content */
  function request(content) {
    const headers = new Map(call.headers)
    if (!headers.has("accept")) headers.set("accept", "*/*")
    if (body) {
      const given = headers.get("content-type")
      if (given === undefined) {
        if (body.type !== undefined) headers.set("content-type", body.type)
      } else if (body.text) {
        headers.set("content-type", inUTF8(given))
      }
    }
    /** @type {import("./http.js").HttpRequest} */
    const all = {
      method: call.method, url, door: "xhr", sync: !call.async, headers: [...headers], body: content, form: body?.form,
      redirect: "follow", credentials: xhr.withCredentials ? "include" : "same-origin", mode: "cors",
    }
    return all
  }

  function* uploadSteps() {
    if (uploaded || over) return
    const { length = 0 } = body ?? {}
    if (hears) {
      tell(upload, "progress", length, length)
      yield
      if (over) return
    }
    uploaded = true
    if (!hears) return
    // What is begun is ended, even if a listener has given it up.
    for (const type of ["load", "loadend"]) {
      tell(upload, type, length, length)
      yield
    }
  }

  function watchTime() {
    cancelTime()
    if (over || !call.async || readyState === DONE || !(xhr.timeout > 0)) return
    const due = Math.max(startTime + xhr.timeout, time())
    cancelTime = scheduler.later(() => {
      // What was due while the page was busy has come in time.
      const late = time() - due
      if (late > 0) cancelTime = scheduler.later(() => fail("timeout"), late)
      else fail("timeout")
    }, Math.min(due - time(), LONGEST_TIMER))
  }

  // --- The answer ------------------------------------------------------------------------------------------------------

  /** @param {import("./http.js").Answer} given */
  function reply(given) {
    cancel = () => {}
    cancelUpload()
    const { body } = given
    const pieces = isStreamed(body) ? body : undefined
    if (pieces) {
      cancel = pieces.cancel
      run(headSteps(given))
      pump(pieces)
    } else {
      run(wholeSteps(given))
    }
  }

  /** @param {import("./http.js").Answer} given */
  function* headSteps(given) {
    yield* uploadSteps()
    if (over) return
    answered = given
    received = server.answering.createReceived({ ...given, body: isStreamed(given.body) ? new Uint8Array(0) : given.body }, () => mimes.get(xhr), global)
    readyState = HEADERS_RECEIVED
    changed()
    yield
  }

  /** @param {import("./http.js").Answer} given */
  function* wholeSteps(given) {
    yield* headSteps(given)
    if (received?.size) yield* pieceSteps()
    yield* endSteps()
  }

  function* pieceSteps() {
    if (over || !received) return
    const { total } = received
    readyState = LOADING
    changed()
    yield
    // A listener has given it up, and hears of what was to come all the same, as in every browser.
    if (over) return tell(xhr, "progress", 0, left ? 0 : total)
    const wait = PROGRESS_EVERY - (time() - toldAt)
    cancelProgress()
    if (wait > 0) {
      cancelProgress = scheduler.later(() => over || tellProgress(), wait)
    } else {
      tellProgress()
      yield
    }
  }

  function* endSteps() {
    if (over) return
    cancelProgress()
    if (told !== received?.size) {
      tellProgress()
      yield
      if (over) return
    }
    over = true
    cancelTime()
    yield* doneSteps()
  }

  // Whatever a listener does meanwhile, all three come.
  function* doneSteps() {
    const { size, total } = /** @type {Received} */ (received)
    readyState = DONE
    sending = false
    changed()
    for (const type of ["load", "loadend"]) {
      yield
      tell(xhr, type, size, total)
    }
  }

  /** @param {import("./message.js").Pieces} pieces */
  async function pump(pieces) {
    try {
      for (;;) {
        const piece = await pieces.pull()
        if (over) return
        if (!piece) break
        run(addSteps(/** @type {Uint8Array<ArrayBuffer>} */ (piece)))
      }
      run(endSteps())
    } catch {
      if (!over) fail("error")
    }
  }

  /** @param {Uint8Array<ArrayBuffer>} piece */
  function* addSteps(piece) {
    if (over) return
    received?.add(piece)
    yield* pieceSteps()
  }

  // --- Its other ends --------------------------------------------------------------------------------------------------

  function stop() {
    over = true
    cancelTime()
    cancelProgress()
    cancelUpload()
    cancel()
  }

  /** @param {"error" | "timeout"} type */
  function fail(type) {
    begin()
    if (over) return
    stop()
    run(failSteps(type))
  }

  /** @param {string} type */
  function* failSteps(type) {
    if (left) return
    readyState = DONE
    sending = false
    received = undefined
    changed()
    yield
    if (!uploaded) {
      uploaded = true
      if (hears) {
        for (const each of [type, "loadend"]) {
          tell(upload, each, 0, 0)
          yield
        }
      }
    }
    for (const each of [type, "loadend"]) {
      tell(xhr, each, 0, 0)
      yield
    }
  }

  function abort() {
    if (!over) begin()
    if (!over) {
      stop()
      for (const _ of failSteps("abort"));
    }
    if (readyState !== DONE || left) return
    readyState = UNSENT
    received = undefined
  }

  /** It was opened anew. */
  function leave() {
    left = true
    if (!over) stop()
  }

  // --- At once ---------------------------------------------------------------------------------------------------------

  /** @param {any} exchange */
  function answerNow(exchange) {
    begun = true
    /** @type {import("./http.js").Answer | undefined} */
    let given
    let why = ""
    if (exchange) {
      const content = body?.readNow()
      answerOnce(exchange, request(content), (answer) => { given = answer }, (reason) => { why = `: ${reason}` })
    }
    over = true
    if (!given) {
      cancel()
      readyState = DONE
      sending = false
      throw new global.DOMException(`Failed to execute 'send' on 'XMLHttpRequest': Failed to load '${url}'${why}.`, "NetworkError")
    }
    answered = given
    received = server.answering.createReceived(given, () => mimes.get(xhr), global)
    for (const _ of doneSteps());
  }
}

/**
 * The content type that a text has, with the charset it is really sent in.
 *
 * @param {string} given
 */
function inUTF8(given) {
  const mime = parseMime(given)
  const charset = mime?.parameters.get("charset")
  if (!mime || charset === undefined || charset.toLowerCase() === "utf-8") return given
  mime.parameters.set("charset", "UTF-8")
  return serializeMime(mime)
}

/**
 * The address that has answered, as the page is told it: with the name it gave, unless it was sent elsewhere.
 *
 * @param {import("./http.js").Answer} answer
 * @param {Call} call
 */
function addressTold({ url, redirected }, { user, password }) {
  if ((!user && !password) || redirected) return url.replace(/#.*$/s, "")
  const told = new URL(url)
  told.hash = ""
  told.username = user ?? ""
  told.password = password ?? ""
  return told.href
}
