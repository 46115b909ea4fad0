// Multipart forms as bytes: what a JavaScript handler gets where there is no FormData.

import assert from "node:assert/strict"
import { test } from "node:test"

import { readData } from "../../js/message.js"
import { readForm } from "../../js/multipart.js"

const TYPE = "multipart/form-data; boundary=B"
/** One character a byte. */
const bytesOf = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0))
const textOf = (bytes) => String.fromCharCode(...bytes)
const utf8 = (text) => textOf(new TextEncoder().encode(text))
const field = (content, name = "x", more = "") => `--B\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${content}\r\n`

/** Fields as they are, files as [name, type, content]. */
async function fieldsOf(body, type = TYPE) {
  return Promise.all(readForm(bytesOf(body), type).map(async ([name, value]) =>
    typeof value === "string" ? [name, value] : [name, value.name, value.type, textOf(new Uint8Array(await value.arrayBuffer()))]))
}

for (const [what, body, expected] of [
  ["nothing", "--B--\r\n", []],
  ["one field", `${field("1")}--B--`, [["x", "1"]]],
  ["names and values in UTF-8", `${field(utf8("é\r\nü"), utf8("naïve ☃"))}--B--`, [["naïve ☃", "é\r\nü"]]],
  ["no value", `${field("")}--B--`, [["x", ""]]],
  ["an empty name", `${field("1", "")}--B--`, [["", "1"]]],
  ["lines that nearly are boundaries", `${field("\r\n--Bananas\r\n--B-\r\n --B")}--B--`, [["x", "\r\n--Bananas\r\n--B-\r\n --B"]]],
  ["preamble and epilogue", `before\r\n${field("1")}--B-- \t\r\nafter`, [["x", "1"]]],
  ["only a header", '--B\r\nContent-Disposition: form-data; name="x"\r\n\r\n--B--', [["x", ""]]],
  ["a folded header", '--B\r\ncontent-disposition: Form-Data;\r\n NAME = x ;\r\n\r\n1\r\n--B--', [["x", "1"]]],
  ["a charset for all", '--B\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\niso-8859-1\r\n--B\r\nContent-Disposition: form-data; name="x"\r\n\r\n\xe9\r\n--B--', [["_charset_", "iso-8859-1"], ["x", "é"]]],
  ["one that is none", '--B\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\n0\r\n--B\r\nContent-Disposition: form-data; name="x"\r\n\r\na\r\n--B--', [["_charset_", "0"], ["x", "a"]]],
  ["a charset", '--B\r\nContent-Disposition: form-data; name="x"\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n\xe9\r\n--B--', [["x", "é"]]],
  ["a file", `${field("\0\xff\r\n", "x", '; filename="%22a%22.bin"\r\nContent-Type: image/png')}--B--`, [["x", '"a".bin', "image/png", "\0\xff\r\n"]]],
  ["a file in a mailer's words", `${field("", "x", '; filename="the \\"cat\\".png"')}--B--`, [["x", 'the "cat".png', "text/plain", ""]]],
]) {
  test(`a form: ${what}`, async () => {
    assert.deepEqual(await fieldsOf(body), expected)
  })
}

for (const [what, body, type, message] of [
  ["without a boundary", "--B--", "multipart/form-data", /^its content type names no boundary\. /],
  ["with another boundary", "--C--", TYPE, /^no line is its boundary, --B$/],
  ["that breaks off", field("1"), TYPE, /^it breaks off: the last line, --B--, is missing$/],
  ["with a part without a name", "--B\r\nX: 1\r\n\r\n1\r\n--B--", TYPE, /^part 1 has no header Content-Disposition: form-data; name="…"$/],
  ["with a quotation mark that is not closed", '--B\r\nContent-Disposition: form-data; name="x\r\n\r\n1\r\n--B--', TYPE, /^part 1 has a Content-Disposition that cannot be read: /],
]) {
  test(`a form ${what} says so`, () => {
    assert.throws(() => readForm(bytesOf(body), type), { message })
  })
}

test("what the platform writes is read back", async () => {
  const form = new FormData()
  form.append('say "hi"; x=', "naïve ☃")
  form.append("tag", "a")
  form.append("tag", "b")
  form.append("file", new File([bytesOf("\0\r\n--x\r\n")], 'ü"\\%25.bin', { type: "image/png" }))
  const request = new Request("http://host/", { method: "POST", body: form })
  const body = new Uint8Array(await request.arrayBuffer())

  const { file, ...fields } = readData(body, request.headers.get("content-type"))

  assert.deepEqual(fields, { 'say "hi"; x=': "naïve ☃", tag: ["a", "b"] })
  assert.deepEqual([file.name, file.type, textOf(new Uint8Array(await file.arrayBuffer()))], ['ü"\\%25.bin', "image/png", "\0\r\n--x\r\n"])
})

test("a text has the charset that it was sent in, and one that is unknown is told of", () => {
  assert.equal(readData(bytesOf("\xe9"), "text/plain; charset=iso-8859-1"), "é")
  assert.throws(() => readData(bytesOf("a"), "text/plain;charset=klingon"), { message: 'its charset "klingon" is unknown. Send it as UTF-8' })
})
