import assert from "node:assert/strict"
import { test } from "node:test"
import { policyOf, refererOf } from "../../js/referrer.js"

const PAGE = "https://a.example/page?q=1#here"
const TARGETS = ["https://a.example/x", "https://b.example/x", "http://b.example/x"]
const WHOLE = "https://a.example/page?q=1"
const BARE = "https://a.example/"

for (const [policy, expected] of Object.entries({
  "": [WHOLE, BARE, undefined],
  "no-referrer": [undefined, undefined, undefined],
  "no-referrer-when-downgrade": [WHOLE, WHOLE, undefined],
  origin: [BARE, BARE, BARE],
  "origin-when-cross-origin": [WHOLE, BARE, BARE],
  "same-origin": [WHOLE, undefined, undefined],
  "strict-origin": [BARE, BARE, undefined],
  "strict-origin-when-cross-origin": [WHOLE, BARE, undefined],
  "unsafe-url": [WHOLE, WHOLE, WHOLE],
})) {
  test(`the policy ${JSON.stringify(policy)} tells the own origin, another, and one that all may hear, of the page`, () => {
    assert.deepEqual(TARGETS.map((target) => refererOf(target, PAGE, policy)), expected)
  })
}

test("an address that is too long is told as its origin", () => {
  const page = "https://a.example/".padEnd(4096, "x")
  assert.deepEqual([page, `${page}x`].map((source) => refererOf(TARGETS[0], source)), [page, BARE])
})

for (const [header, expected] of [
  [undefined, undefined],
  ["", undefined],
  ["origin", "origin"],
  [" No-Referrer ", "no-referrer"],
  ["no-referrer, unsafe-url", "unsafe-url"],
  ["origin, of tomorrow", "origin"],
  ["never", undefined],
]) {
  test(`the header ${JSON.stringify(header)} sets the policy ${expected}`, () => {
    assert.equal(policyOf(header), expected)
  })
}

test("what has no address on the web is told nobody", () => {
  assert.equal(refererOf(TARGETS[0], "about:blank"), undefined)
})
