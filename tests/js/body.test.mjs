// What a content-type says, and what a body given to send is.

import assert from "node:assert/strict"
import { test } from "node:test"

import { readBody } from "../../js/body.js"
import { extractMime, parseMime, serializeMime } from "../../js/mime.js"

const TYPES = [
  ["text/html", "text/html"],
  [" Text/HTML ;CharSet=UTF-8 ", "text/html;charset=UTF-8"],
  ["text/html;charset=a;charset=b", "text/html;charset=a"],
  ["text/html;charset", "text/html"],
  ["text/html;;;x=1;", "text/html;x=1"],
  ["text/html;x=", "text/html"],
  ['text/html;x=""', 'text/html;x=""'],
  ['text/html;x="a;\\"b" c;y=2', 'text/html;x="a;\\"b";y=2'],
  ['text/html;x="open', "text/html;x=open"],
  ["text/html;x=a b", 'text/html;x="a b"'],
  ["text/html;x y=1", "text/html"],
  ["application/vnd.api+json; a=b", "application/vnd.api+json;a=b"],
  ["text", undefined],
  ["/html", undefined],
  ["text/", undefined],
  ["te xt/html", undefined],
  ["", undefined],
]

for (const [text, expected] of TYPES) {
  test(`the type ${JSON.stringify(text)} is ${expected}`, () => {
    const mime = parseMime(text)
    assert.equal(mime && serializeMime(mime), expected)
  })
}

const HEADERS = [
  [null, undefined],
  ["nonsense", undefined],
  ["text/plain, text/html", "text/html"],
  ["text/html;charset=a, text/html", "text/html;charset=a"],
  ["text/html;charset=a, text/plain", "text/plain"],
  ["text/html, */*", "text/html"],
  ["text/html, nonsense", "text/html"],
  ['text/html;x=",", text/plain', "text/plain"],
]

for (const [header, expected] of HEADERS) {
  test(`of the header ${JSON.stringify(header)} the type is ${expected}`, () => {
    const mime = extractMime(header)
    assert.equal(mime && serializeMime(mime), expected)
  })
}

const form = new FormData()
form.append('a"b', "1\n2")

const BODIES = [
  ["null", null, undefined],
  ["a text", "hä\ud800", { type: "text/plain;charset=UTF-8", content: "hä\ufffd", length: 6, text: true }],
  ["a number", 7, { type: "text/plain;charset=UTF-8", content: "7", length: 1, text: true }],
  ["parameters", new URLSearchParams({ a: "b c" }), { type: "application/x-www-form-urlencoded;charset=UTF-8", content: "a=b+c", length: 5, text: true }],
  ["bytes", new Uint8Array([1, 2, 3]).subarray(1), { type: undefined, content: new Uint8Array([2, 3]), length: 2, text: false }],
  ["a buffer", new Uint8Array([1]).buffer, { type: undefined, content: new Uint8Array([1]), length: 1, text: false }],
  ["a blob", new Blob(["blob"], { type: "image/x" }), { type: "image/x", content: undefined, length: 4, text: false }],
]

for (const [what, given, expected] of BODIES) {
  test(`a body of ${what} is read at once where it can be`, async () => {
    const body = readBody(given)
    const { type, content, length, text } = body ?? {}
    assert.deepEqual(body && { type, content, length, text }, expected)
    if (given instanceof Blob) assert.deepEqual(await body.read(), new TextEncoder().encode("blob"))
  })
}

test("a form is written with a boundary, and with its files once they are read", async () => {
  const { type, content } = readBody(form)
  const boundary = type.split("boundary=")[1]
  assert.equal(content, `--${boundary}\r\nContent-Disposition: form-data; name="a%22b"\r\n\r\n1\r\n2\r\n--${boundary}--\r\n`)
  form.append("f", new File(["file"], 'f".txt', { type: "text/f" }))
  const withFile = readBody(form)
  form.delete("f")
  const read = await withFile.read()
  const sent = new Response(read, { headers: { "content-type": withFile.type } })
  const file = (await sent.formData()).get("f")
  assert.deepEqual([withFile.content, withFile.length, file.name, file.type, await file.text()], [undefined, read.length, 'f".txt', "text/f", "file"])
})
