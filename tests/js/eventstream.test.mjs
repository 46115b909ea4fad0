// The text/event-stream format, line by line.

import assert from "node:assert/strict"
import { test } from "node:test"

import { createEventStream } from "../../js/eventstream.js"

const bytesOf = (text) => (typeof text === "string" ? new TextEncoder().encode(text) : Uint8Array.from(text))

/** What is dispatched, each as [type, data, lastEventId], when *pieces* are all that comes. */
function read(pieces, lastEventId) {
  const stream = createEventStream(lastEventId)
  const blocks = pieces.flatMap((piece) => stream.push(bytesOf(piece)))
  return { events: blocks.filter(({ data }) => data !== undefined).map(({ type, data, lastEventId }) => [type, data, lastEventId]), blocks, retry: stream.retry }
}

const message = (data, lastEventId = "") => ["message", data, lastEventId]

for (const [name, text, events] of [
  ["a line of data", "data: one\n\n", [message("one")]],
  ["several lines", "data: one\ndata: two\n\n", [message("one\ntwo")]],
  ["several events", "data: one\n\ndata: two\n\n", [message("one"), message("two")]],
  ["data without the space", "data:one\n\n", [message("one")]],
  ["one space at most is taken away", "data:  one\n\n", [message(" one")]],
  ["a tabulator is no space", "data:\tone\n\n", [message("\tone")]],
  ["what comes after the text stays", "data: one \n\n", [message("one ")]],
  ["a second colon is data", "data: a: b\n\n", [message("a: b")]],
  ["data that is empty", "data:\n\n", [message("")]],
  ["data that is a space", "data: \n\n", [message("")]],
  ["data without a colon", "data\n\n", [message("")]],
  ["two lines of it", "data\ndata\n\n", [message("\n")]],
  ["an empty line among others", "data: a\ndata:\ndata: b\n\n", [message("a\n\nb")]],
  ["without data nothing is dispatched", "event: tick\nid: 1\n\n", []],
  ["nor what its event was called", "event: tick\n\ndata: one\n\n", [message("one")]],
  ["empty lines alone", "\n\n\n\r\r\n\r\n", []],
  ["a name", "event: tick\ndata: one\n\n", [["tick", "one", ""]]],
  ["the last name counts", "event: tick\nevent: tock\ndata: one\n\n", [["tock", "one", ""]]],
  ["an empty name is none", "event: tick\nevent:\ndata: one\n\n", [message("one")]],
  ["a name without a colon is empty", "event\ndata: one\n\n", [message("one")]],
  ["a name is for one event", "event: tick\ndata: 1\n\ndata: 2\n\n", [["tick", "1", ""], message("2")]],
  ["a name with spaces in it", "event:  a b \ndata: 1\n\n", [[" a b ", "1", ""]]],
  ["an id stays", "id: 7\ndata: 1\n\ndata: 2\n\n", [message("1", "7"), message("2", "7")]],
  ["an id without data stays", "id: 7\n\ndata: 2\n\n", [message("2", "7")]],
  ["an empty id takes it away", "id: 7\ndata: 1\n\nid:\ndata: 2\n\n", [message("1", "7"), message("2")]],
  ["so does one without a colon", "id: 7\ndata: 1\n\nid\ndata: 2\n\n", [message("1", "7"), message("2")]],
  ["an id with NUL is none", "id: 7\nid: a\0b\ndata: 1\n\n", [message("1", "7")]],
  ["the last id counts", "id: 7\nid: 8\ndata: 1\n\n", [message("1", "8")]],
  ["NUL elsewhere is a character", "data: a\0b\nevent: \0\n\n", [["\0", "a\0b", ""]]],
  ["a comment", ": data: none\ndata: one\n:\n\n", [message("one")]],
  ["fields that nobody knows", "data-x: no\ndata\0: no\nDATA: no\nmessage: no\n data: no\ndata : no\ndata: yes\n\n", [message("yes")]],
  ["lines that end in CR", "data: 1\rdata: 2\r\r", [message("1\n2")]],
  ["lines that end in CRLF", "data: 1\r\ndata: 2\r\n\r\n", [message("1\n2")]],
  ["all three", "data: 1\rdata: 2\r\ndata: 3\n\r\ndata: 4\n\n", [message("1\n2\n3"), message("4")]],
  ["LF and CR are two", "data: 1\n\rdata: 2\n\n", [message("1"), message("2")]],
  ["a line that Unicode ends does not end", "data: a\u2028b\u0085c\vd\fe\n\n", [message("a\u2028b\u0085c\vd\fe")]],
  ["what is not finished is dropped", "data: 1\n\ndata: 2\n", [message("1")]],
  ["and what has no end of line", "data: 1\n\ndata: 2\n\ndata", [message("1"), message("2")]],
  ["a mark of the byte order", "\ufeffdata: 1\n\n", [message("1")]],
  ["a second one belongs to the field", "\ufeff\ufeffdata: 1\n\ndata: 2\n\n", [message("2")]],
  ["a later one too", "data: 1\n\n\ufeffdata: 2\n\ndata: 3\n\n", [message("1"), message("3")]],
  ["characters of all lengths", "event: ä€😀\nid: …\ndata: aä€😀\n\n", [["ä€😀", "aä€😀", "…"]]],
]) {
  test(name, () => assert.deepEqual(read([text]).events, events))

  test(`${name}, byte by byte`, () => {
    assert.deepEqual(read([...bytesOf(text)].map((byte) => [byte])).events, events)
  })

  test(`${name}, cut in two anywhere`, () => {
    const bytes = bytesOf(text)
    for (let at = 0; at <= bytes.length; at += 1) {
      assert.deepEqual(read([bytes.slice(0, at), [], bytes.slice(at)]).events, events, `cut at ${at}`)
    }
  })
}

test("bytes that are no UTF-8 are replaced", () => {
  assert.deepEqual(read([[...bytesOf("data: a"), 0xff, 0xc3, ...bytesOf("(\n\n")]]).events, [message("a\ufffd\ufffd(")])
})

test("a CR at the end of a piece ends the event at once", () => {
  assert.deepEqual(read(["data: 1\r", "\r"]).events, [message("1")])
  assert.deepEqual(read(["data: 1\r", "\n", "\r", "\ndata: 2\r", "\r"]).events, [message("1"), message("2")])
})

test("the id is what the connection before had last, until there is another", () => {
  assert.deepEqual(read(["data: 1\n\nid: 8\ndata: 2\n\n"], "7").events, [message("1", "7"), message("2", "8")])
})

test("an id counts from the end of its block, with data or without", () => {
  assert.deepEqual(read(["id: 7\n\nid: 8\n"]).blocks, [{ lastEventId: "7" }])
})

for (const [text, retry] of [
  ["retry: 1500\n", 1500],
  ["retry:0\n", 0],
  ["retry: 007\n", 7],
  ["retry: 1\nretry: 2\n\n", 2],
  ["retry: 1\nretry: x\n", 1],
  ["retry: 1\nretry\n", 1],
  ["retry: 1000x\n", undefined],
  ["retry: 1.5\n", undefined],
  ["retry: -1\n", undefined],
  ["retry: +1\n", undefined],
  ["retry: 1e3\n", undefined],
  ["retry:  1\n", undefined],
  ["retry: 1 \n", undefined],
  ["retry: ١\n", undefined],
  ["retry:\n", undefined],
  ["retry: 1", undefined],
]) {
  test(`${JSON.stringify(text)} asks for ${retry} ms`, () => assert.equal(read([text]).retry, retry))
}

test("a megabyte in a line, in small pieces, is read once", () => {
  const pieces = Array.from({ length: 10_000 }, () => "x".repeat(100))
  assert.equal(read(["data: ", ...pieces, "\n\n"]).events[0][1].length, 1_000_000)
})
