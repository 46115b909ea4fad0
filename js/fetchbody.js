// A fetched body that is read piece by piece, or checked before anybody reads it.

import { joined } from "./body.js"
import * as originals from "./originals.js"

/** @import { Pieces } from "./message.js" */

// What the network would have on its way: a handler's stream runs ahead of its reader by so many bytes.
const AHEAD = 16_384
// What a reader is told of a body that breaks off, where that is other than what fetch itself would be told.
/** @type {Record<string, string>} */
const BROKEN_OFF = { "Failed to fetch": "network error", "NetworkError when attempting to fetch resource.": "Error in input stream" }

/** @param {string | Uint8Array | undefined} body @returns {Pieces} */
export function onePiece(body) {
  let rest = typeof body === "string" ? new TextEncoder().encode(body) : body
  return {
    async pull() {
      const piece = rest
      rest = undefined
      return piece
    },
    cancel() {},
  }
}

/** @param {Pieces} pieces */
export async function collect(pieces) {
  const chunks = []
  for (let piece = await pieces.pull(); piece; piece = await pieces.pull()) chunks.push(piece)
  return joined(chunks)
}

/**
 * Whether bytes are those that `integrity` names: of its digests only the strongest kind counts.
 *
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {string} integrity
 */
export async function isIntact(bytes, integrity) {
  const named = integrity.split(/\s+/).map((each) => /^(sha(?:256|384|512))-([\w+/-]+={0,2})(?:\?.*)?$/.exec(each))
  const kinds = named.map((each) => each?.[1] ?? "")
  const strongest = kinds.sort().at(-1)
  if (!strongest) return true
  // Plain http from another machine: there is no other way than the browser's own check.
  if (!crypto.subtle) return originals.fetch(URL.createObjectURL(new Blob([bytes])), { integrity }).then(() => true, () => false)
  const digest = await digestOf(bytes, strongest)
  return named.some((each) => each?.[1] === strongest && each[2].replace(/-/g, "+").replace(/_/g, "/").replace(/=+$/, "") === digest)
}

/** @param {Uint8Array<ArrayBuffer>} bytes @param {string} kind */
async function digestOf(bytes, kind) {
  const digest = new Uint8Array(await crypto.subtle.digest(kind.replace("sha", "SHA-"), bytes))
  return btoa(String.fromCharCode(...digest)).replace(/=+$/, "")
}

// Should nobody ever read a body, what waits for its end goes when it is gone.
/** @type {FinalizationRegistry<() => void>} */
const unread = new FinalizationRegistry((end) => end())

/**
 * A body that arrives piece by piece, and is asked for no more than there is room for.
 *
 * @param {Pieces} pieces
 * @param {() => void} ended  It is read, cancelled or gone.
 * @param {() => Promise<Error>} networkError
 */
export function createStream(pieces, ended, networkError) {
  /** @type {{ error: any } | undefined} */
  let failure
  let over = false
  // Of all that makes a stream, its source alone is sure to live as long as it: the others are an engine's to remake.
  // It is found by `this`, because what a function names would live as long as the signal that may call `abort`.
  const source = {
    /** @type {any} */
    controller: undefined,
    /** @param {any} controller */
    start(controller) {
      this.controller = controller
    },
    /** @param {any} controller */
    async pull(controller) {
      /** @type {Uint8Array | undefined} */
      let piece
      try {
        do piece = await pieces.pull()
        while (piece && !piece.length)
      } catch {
        return breakOff(controller)
      }
      if (over) return
      // A copy, because the stream takes the bytes away from whoever has them.
      if (piece) return controller.enqueue(piece.slice())
      end()
      controller.close()
      controller.byobRequest?.respond(0)
    },
    cancel() {
      end()
      pieces.cancel()
    },
  }
  const readable = readableOf(source)
  const living = new WeakRef(source)
  unread.register(source, () => {
    ended()
    pieces.cancel()
  }, pieces)
  return { readable, abort, failure: () => failure }

  function end() {
    over = true
    unread.unregister(pieces)
    ended()
  }

  /** @param {any} given */
  async function breakOff(given) {
    if (over) return
    end()
    const error = await networkError()
    failure = { error }
    given.error(new TypeError(BROKEN_OFF[error.message] ?? error.message))
  }

  /** @param {any} reason */
  function abort(reason) {
    if (over) return
    end()
    failure = { error: reason }
    living.deref()?.controller.error(reason)
    pieces.cancel()
  }
}

/** A body of no bytes, which has ended before anybody can abort it. */
export function createEmpty() {
  return readableOf({ start: (/** @type {any} */ controller) => controller.close() })
}

/** @param {any} source */
function readableOf(source) {
  try {
    return new ReadableStream(Object.assign(source, { type: "bytes" }), { highWaterMark: AHEAD })
  } catch {
    // WebKit has no streams of bytes.
    return new ReadableStream(Object.assign(source, { type: undefined }), new ByteLengthQueuingStrategy({ highWaterMark: AHEAD }))
  }
}
