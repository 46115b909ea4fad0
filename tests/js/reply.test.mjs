// What a handler's result says.

import assert from "node:assert/strict"
import { test } from "node:test"

import { HTTPError, readError, readResult, Response } from "../../js/reply.js"

const shown = ({ failed, value, status, statusText }) => [failed, value, status, statusText]

for (const [result, expected] of [
  [{ id: 1 }, [false, { id: 1 }, 200, "OK"]],
  [undefined, [false, undefined, 200, "OK"]],
  [null, [false, null, 200, "OK"]],
  [404, [false, 404, 200, "OK"]],
  ["", [true, "", 500, "Internal Server Error"]],
  ["404", [true, "404", 404, "Not Found"]],
  ["404 Not Found", [true, "404 Not Found", 404, "Not Found"]],
  ["404 not found", [true, "404 not found", 404, "Not Found"]],
  ["404 No such book", [true, "404 No such book", 500, "Internal Server Error"]],
  ["200 OK", [true, "200 OK", 500, "Internal Server Error"]],
  ["no such book", [true, "no such book", 500, "Internal Server Error"]],
  [new Response("text", 201), [false, "text", 201, "Created"]],
  [new Response({ why: 1 }, { status: 409 }), [true, { why: 1 }, 409, "Conflict"]],
]) {
  test(`a handler that returns ${JSON.stringify(result)}`, () => {
    assert.deepEqual(shown(readResult(result)), expected)
  })
}

for (const [error, expected] of [
  [new HTTPError(404), [true, "Not Found", 404, "Not Found"]],
  [new HTTPError(403, { why: "secret" }), [true, { why: "secret" }, 403, "Forbidden"]],
  [Object.assign(new Error("gone"), { http_status_code: 410 }), [true, "gone", 410, "Gone"]],
  [new TypeError("x is not a function"), [true, "TypeError: x is not a function", 500, "Internal Server Error"]],
  ["a text", [true, "a text", 500, "Internal Server Error"]],
]) {
  test(`a handler that throws ${error}`, () => {
    assert.deepEqual(shown(readError(error)), expected)
  })
}

test("headers are handed over as a copy", () => {
  const headers = { "X-Mine": "1" }
  const reply = readResult(new Response(null, { headers }))
  assert.deepEqual([reply.headers, reply.headers === headers], [headers, false])
})
