// What was sent, as a JavaScript handler sees it, and its result as HTTP has it.

import assert from "node:assert/strict"
import { test } from "node:test"

import { httpOf, isStreamed, readData } from "../../js/message.js"
import { HTTPError, readError, readResult, Response } from "../../js/reply.js"

const form = new FormData()
form.append("title", "Nine Stories")
form.append("tag", "a")
form.append("tag", "b")

for (const [type, body, expected, given] of [
  ["application/json; charset=utf-8", '{"a":[1]}', { a: [1] }],
  ["application/problem+json", new TextEncoder().encode('"ü"'), "ü"],
  ["application/x-www-form-urlencoded", "a=1&b=2&b=%C3%BC", { a: "1", b: ["2", "ü"] }],
  ["multipart/form-data; boundary=x", "--x…", { title: "Nine Stories", tag: ["a", "b"] }, form],
  ["text/plain", "abc", "abc"],
  ["image/png", new Uint8Array([1]), undefined],
  ["", "abc", undefined],
  ["application/json", "", undefined],
]) {
  test(`${type || "nothing"} is read as ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(readData(body, type, given), expected)
  })
}

/** Status, content type and body, a streamed one read to its end. */
async function told(result) {
  const { status, headers, body } = httpOf(result)
  if (!isStreamed(body)) return [status, headers["content-type"], body]
  const pieces = []
  for (let piece; (piece = await body.pull());) pieces.push(new TextDecoder().decode(piece))
  return [status, headers["content-type"], pieces]
}

const TEXT = "text/plain; charset=utf-8"
for (const [what, result, expected] of [
  ["a value", { a: 1 }, [200, "application/json", '{"a":1}']],
  ["nothing", undefined, [204, undefined, undefined]],
  ["null", null, [204, undefined, undefined]],
  ["false", false, [200, "application/json", "false"]],
  ["a string", "404", [404, TEXT, "404"]],
  ["a response with a text", new Response("made", 201), [201, TEXT, "made"]],
  ["a response with its own type", new Response("<b>", { headers: { "Content-Type": "text/html" } }), [200, "text/html", "<b>"]],
  ["a response without a body", new Response(undefined, 201), [201, undefined, undefined]],
  ["a status that has no body", new Response("gone", 304), [304, undefined, undefined]],
  ["bytes", new Response(new Uint8Array([1, 2]).subarray(1)), [200, "application/octet-stream", new Uint8Array([2])]],
  ["a buffer", new Uint8Array([3]).buffer, [200, "application/octet-stream", new Uint8Array([3])]],
  ["a blob", new Blob(["ab"], { type: "image/png" }), [200, "image/png", ["ab"]]],
  ["a stream", new Blob(["ab"]).stream(), [200, "application/octet-stream", ["ab"]]],
  ["a generator", (function* () { yield "a"; yield ""; yield new Uint8Array([98]) })(), [200, TEXT, ["a", "b"]]],
  ["an asynchronous generator", (async function* () { yield "a" })(), [200, TEXT, ["a"]]],
  ["the platform's response", new globalThis.Response("hi", { status: 202 }), [202, "text/plain;charset=UTF-8", ["hi"]]],
]) {
  test(`${what} is answered as HTTP has it`, async () => {
    assert.deepEqual(await told(readResult(result)), expected)
  })
}

test("what a handler throws is answered with its status", async () => {
  assert.deepEqual(await told(readError(new HTTPError(409, { taken: true }))), [409, "application/json", '{"taken":true}'])
  assert.deepEqual(await told(readError(new Error("broken"))), [500, TEXT, "Error: broken"])
})

test("what JSON cannot hold is said", () => {
  const circle = {}
  circle.self = circle
  assert.throws(() => httpOf(readResult(circle)), /^TypeError: Converting circular structure to JSON/)
})

test("a stream of what is no text and no bytes breaks off with what to do", async () => {
  const { body } = httpOf(readResult((function* () { yield { a: 1 } })()))
  await assert.rejects(body.pull(), {
    message: "A streamed body gave [object Object]. Give texts or bytes; to send JSON, give JSON.stringify(…).",
  })
})
