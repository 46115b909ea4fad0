// What the caller of addRoute and its kin meant.

import assert from "node:assert/strict"
import { test } from "node:test"

import { readRoute, readRoutes, readShortcut } from "../../js/args.js"

const h = () => "never called"
const value = [{ id: 1 }]

const read = ({ name, urlExp, httpMethod, handler }) => [name, String(urlExp), httpMethod, handler === h ? "h" : handler === value ? "value" : typeof handler]

for (const [args, expected] of [
  [["n", "u", "PUT", h], ["n", "u", "PUT", "h"]],
  [["n", "u", "bogus", h], ["n", "u", "BOGUS", "h"]],
  [["n", "u", undefined, h], ["n", "u", "*", "h"]],
  [["n", "u", "", h], ["n", "u", "*", "h"]],
  [["u", "PUT", h], [undefined, "u", "PUT", "h"]],
  [["u", "put", h], [undefined, "u", "PUT", "h"]],
  [["n", "u", h], ["n", "u", "*", "h"]],
  [["n", "u", "PUT"], ["n", "u", "PUT", "function"]],
  [["u", h], [undefined, "u", "*", "h"]],
  [["u", h, undefined, undefined], [undefined, "u", "*", "h"]],
  [["u", "DELETE"], [undefined, "u", "DELETE", "function"]],
  [["r", "*"], [undefined, "r", "*", "function"]],
  [["n", "u"], ["n", "u", "*", "function"]],
  [[undefined, "u"], [undefined, "u", "*", "function"]],
  [["u"], [undefined, "u", "*", "function"]],
  [[/^u$/g, h], [undefined, "/^u$/g", "*", "h"]],
  [["n", /^u$/, "GET", h], ["n", "/^u$/", "GET", "h"]],
  [["u", value], [undefined, "u", "*", "value"]],
  [["u", "GET", value], [undefined, "u", "GET", "value"]],
  [["n", "u", value], ["n", "u", "*", "value"]],
  [["n", "u", "GET", null], ["n", "u", "GET", "object"]],
]) {
  test(`addRoute(${args.map(String).join(", ")})`, () => {
    assert.deepEqual(read(readRoute(args)), expected)
  })
}

for (const [args, expected] of [
  [["n", "u", h], ["n", "u", "GET", "h"]],
  [["u", h], [undefined, "u", "GET", "h"]],
  [["u"], [undefined, "u", "GET", "function"]],
  [["n", "u"], ["n", "u", "GET", "function"]],
  [["u", "POST", h], ["u", "POST", "GET", "h"]],
  [["u", value], [undefined, "u", "GET", "value"]],
]) {
  test(`get(${args.map(String).join(", ")})`, () => {
    assert.deepEqual(read(readShortcut("get", args)), expected)
  })
}

test("addRoutes takes a hash, whose keys are the names, or an array", () => {
  const hash = readRoutes({ one: { urlExp: "a", httpMethod: "get", handler: h }, two: { name: "ignored", urlExp: "GET" } })
  const array = readRoutes([{ name: "one", urlExp: "a" }, { urlExp: /b/, handler: h }])
  assert.deepEqual([hash.map(read), array.map(read), readRoutes(undefined), readRoutes(null)], [
    [["one", "a", "GET", "h"], ["two", "GET", "*", "function"]],
    [["one", "a", "*", "function"], [undefined, "/b/", "*", "h"]],
    [],
    [],
  ])
})

test("without an expression they say so", () => {
  const message = "Missing mandatory 'urlExp' argument"
  assert.throws(() => readRoute([]), new Error(`addRoute: ${message}`))
  assert.throws(() => readRoute([undefined]), new Error(`addRoute: ${message}`))
  assert.throws(() => readRoutes({ n: {} }), new Error(`addRoute: ${message}`))
  for (const shortcut of ["get", "post", "put", "patch", "del"]) {
    assert.throws(() => readShortcut(shortcut, []), new Error(`${shortcut}: ${message}`))
  }
})

test("an expression that is neither a string nor a RegExp is a TypeError that shows one", () => {
  assert.throws(() => readRoute(["n", null, "GET", h]), { name: "TypeError", message: /'urlExp' is null.*books\/:id/ })
})
