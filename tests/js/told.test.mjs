// What the person in front of the page is told: the console line and the error box.

import assert from "node:assert/strict"
import { test } from "node:test"

import { createReporter, lineOf, logFault } from "../../js/console.js"
import { createErrorBox } from "../../js/errorbox.js"
import { watch } from "../../js/reload.js"

const answered = (url = "api/books/1") => ({
  method: "GET",
  url,
  reply: { failed: false, value: { id: 1 }, status: 200, statusText: "OK", headers: {} },
  duration: 2.2,
  row: { name: "n", label: "read_book", location: "routes.py:12", urlExp: /x/ },
  data: undefined,
})

function createConsole() {
  const lines = []
  const note = (kind) => (...args) => lines.push([kind, ...args])
  return { lines, groupCollapsed: note("group"), log: note("log"), groupEnd: () => {}, info: note("info"), error: note("error") }
}

test("the line says what was asked, how it was answered, and by whom", () => {
  assert.equal(lineOf(answered()), "GET api/books/1 → 200, 2 ms, read_book routes.py:12")
  assert.equal(lineOf({ ...answered(), row: { name: "n", label: "", location: "" } }), "GET api/books/1 → 200, 2 ms, n")
})

test("many at once are told of in one line, and then one by one again", () => {
  const console = createConsole()
  const waiting = []
  let time = 0
  const report = createReporter({ console, clock: () => time, wait: (task, delay) => waiting.push([task, delay]) })
  for (let i = 0; i < 3000; i += 1) report(answered())
  const before = console.lines.filter(([kind]) => kind === "group").length
  time = 1000
  waiting[0][0]()
  report(answered())
  const groups = console.lines.filter(([kind]) => kind === "group").length
  assert.deepEqual(
    [before, groups, waiting.map(([, delay]) => delay), console.lines.filter(([kind]) => kind === "info")],
    [50, 51, [1000], [["info", "fauxserver: 2950 more requests answered"]]],
  )
})

test("requests that come slowly are each told of", () => {
  const console = createConsole()
  let time = 0
  const report = createReporter({ console, clock: () => (time += 100), wait: () => {} })
  for (let i = 0; i < 200; i += 1) report(answered())
  assert.equal(console.lines.filter(([kind]) => kind === "group").length, 200)
})

test("a fault is logged with its traceback, or with the error itself", () => {
  const console = createConsole()
  const cause = new Error("no")
  logFault({ message: "KeyError: 3", traceback: "Traceback …" }, console)
  logFault({ message: "Error: no (in the handler h)", cause }, console)
  assert.deepEqual(console.lines, [
    ["error", "fauxserver: KeyError: 3\n\nTraceback …"],
    ["error", "fauxserver: Error: no (in the handler h)\n", cause],
  ])
})

// --- The box, in as much of a document as it needs -------------------------------------------------------------------

class Element {
  constructor(tag, document) {
    Object.assign(this, { tag, document, children: [], attributes: {}, style: {}, listeners: {}, own: "", parent: undefined, className: "" })
  }

  get isConnected() { return this === this.document.body || Boolean((this.parent ?? this.host)?.isConnected) }
  get firstChild() { return this.children[0] }
  get textContent() { return this.own + this.children.map((child) => child.textContent).join("|") }
  set textContent(text) { this.own = text }
  set innerHTML(_) { throw new Error("never") }
  append(...children) {
    for (const child of children) child.parent = this
    this.children.push(...children)
  }
  remove() {
    this.parent.children.splice(this.parent.children.indexOf(this), 1)
    this.parent = undefined
  }
  setAttribute(name, value) {
    if (name === "style") throw new Error("no inline styles")
    this.attributes[name] = value
  }
  addEventListener(name, listener) { this.listeners[name] = listener }
  attachShadow() { return (this.shadow = Object.assign(new Element("#shadow", this.document), { host: this })) }
  find(tag) { return [...(this.tag === tag ? [this] : []), ...this.children.flatMap((child) => child.find(tag))] }
}

function createDocument() {
  const document = {
    createElement: (tag) => new Element(tag, document),
    defaultView: { CSSStyleSheet: class { replaceSync(text) { this.text = text } } },
  }
  document.body = new Element("body", document)
  return document
}

test("the box shows message, place and source line, as text, and closes", () => {
  const document = createDocument()
  const box = createErrorBox(document)
  box.show({ message: "KeyError: '<b>missing</b>'", file: "routes.py", line: 4, source: "books['missing']" })
  const [host] = document.body.children
  const { shadow } = host
  const shown = shadow.find("li").map((item) => item.textContent)
  shadow.find("button")[0].listeners.click()
  assert.deepEqual(
    [shown, shadow.adoptedStyleSheets.length, shadow.find("section")[0].attributes.role, document.body.children.length],
    [["KeyError: '<b>missing</b>'|routes.py:4|books['missing']"], 1, "alert", 0],
  )
})

test("it keeps the latest few, and opens again after it was closed", () => {
  const document = createDocument()
  const box = createErrorBox(document)
  for (let i = 0; i < 8; i += 1) box.show({ message: String(i) })
  const shown = document.body.children[0].shadow.find("li").map((item) => item.textContent)
  box.close()
  box.show({ message: "again" })
  assert.deepEqual([shown, document.body.children[0].shadow.find("li").length], [["3", "4", "5", "6", "7"], 1])
})

test("a file is loaded again when its tag has changed, and not when the server is gone for a while", async () => {
  const tags = ['"1"', '"1"', undefined, '"1"', '"2"', '"2"']
  const changed = []
  let looks = 0
  await new Promise((resolve) => {
    const stop = watch(() => ["http://h/routes.py"], (url) => changed.push([url, looks]), (look) => {
      looks += 1
      if (looks < tags.length) return look()
      stop()
      resolve()
    }, async () => tags[looks])
  })
  assert.deepEqual(changed, [["http://h/routes.py", 4]])
})

test("a file is looked at when somebody comes back to the page, once at a time, and no more when it is over", async () => {
  const page = new EventTarget()
  const changed = []
  let tag = '"1"'
  let asked = 0
  const ask = async () => {
    asked += 1
    return tag
  }
  const moment = () => new Promise((resolve) => setTimeout(resolve))
  const stop = watch(() => ["http://h/routes.py"], (url) => changed.push(url), () => {}, ask, page)
  await moment()
  tag = '"2"'
  for (let i = 0; i < 3; i += 1) page.dispatchEvent(new Event("focus"))
  await moment()
  stop()
  tag = '"3"'
  page.dispatchEvent(new Event("focus"))
  await moment()
  assert.deepEqual([changed, asked], [["http://h/routes.py"], 2])
})
