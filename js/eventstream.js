// The text/event-stream format, as the HTML specification has it: bytes come in pieces, cut anywhere, and events go out.

/**
 * @typedef {object} Block  What an empty line has ended.
 * @property {string} lastEventId  The last id seen so far, which a reconnection sends.
 * @property {string} [type]  The event's name.
 * @property {string} [data]  Without data, nothing is to be dispatched.
 *
 * @typedef {ReturnType<typeof createEventStream>} EventStream
 */

/** @param {string} [lastEventId]  The one that the connection before this one has ended with. */
export function createEventStream(lastEventId = "") {
  // It takes one mark of the byte order away, and keeps what is left of a character for the next piece.
  const decoder = new TextDecoder()
  let line = ""
  let afterCR = false
  let type = ""
  /** @type {string[]} */
  let data = []
  let id = lastEventId
  /** @type {number | undefined} */
  let retry

  return {
    /** How long to wait before a reconnection, in milliseconds, if the stream has said so. */
    get retry() {
      return retry
    },

    /**
     * Read a piece, and give back what it has ended. An event that is not finished when the stream ends is nobody's.
     *
     * @param {Uint8Array} piece
     * @returns {Block[]}
     */
    push(piece) {
      const text = decoder.decode(piece, { stream: true })
      if (text === "") return []
      // A CR has ended its line at once; the LF that follows it may be in the next piece.
      let start = afterCR && text[0] === "\n" ? 1 : 0
      afterCR = text.endsWith("\r")
      /** @type {Block[]} */
      const blocks = []
      const ends = /\r\n?|\n/g
      ends.lastIndex = start
      for (let end = ends.exec(text); end; end = ends.exec(text)) {
        const whole = line + text.slice(start, end.index)
        start = ends.lastIndex
        line = ""
        if (whole === "") blocks.push(finish())
        else readField(whole)
      }
      line += text.slice(start)
      return blocks
    },
  }

  /** @param {string} whole */
  function readField(whole) {
    const colon = whole.indexOf(":")
    const name = colon < 0 ? whole : whole.slice(0, colon)
    const value = colon < 0 ? "" : whole.slice(whole[colon + 1] === " " ? colon + 2 : colon + 1)
    if (name === "data") data.push(value)
    else if (name === "event") type = value
    else if (name === "id") id = value.includes("\0") ? id : value
    else if (name === "retry" && /^[0-9]+$/.test(value)) retry = Number(value)
  }

  /** @returns {Block} */
  function finish() {
    const block = data.length ? { lastEventId: id, type: type || "message", data: data.join("\n") } : { lastEventId: id }
    type = ""
    data = []
    return block
  }
}
