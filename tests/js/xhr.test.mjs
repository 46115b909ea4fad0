// The door of XMLHttpRequest: put in and taken out in any order, and what is held, given up, or left to the browser.

import assert from "node:assert/strict"
import { test } from "node:test"

import * as answering from "../../js/answering.js"
import { installXHR } from "../../js/xhr.js"
import { createPage } from "./fakexhr.mjs"

/** A server that answers what begins with /api/, when it is told to. */
function createServer({ global }, more = {}) {
  const asked = []
  const due = []
  const held = []
  const server = {
    answering,
    enabled: true,
    scheduler: {
      later(task, delay) {
        const entry = { task, delay }
        due.push(entry)
        return () => { entry.task = undefined }
      },
      shield(task) {
        try {
          task()
        } catch (error) {
          global.reportError(error)
        }
      },
    },
    hold: undefined,
    accept({ method, url }) {
      if (!url.startsWith("http://page.test/api/")) return undefined
      let given
      return {
        send: (sent) => { given = sent },
        delay: () => 0,
        answer(done) {
          asked.push([method, url, given.body])
          done({ status: 200, statusText: "OK", headers: { "content-type": "text/plain", "x-a": "1" }, body: "hello" })
        },
        drop: () => asked.push("dropped"),
      }
    },
    ...more,
  }
  const tick = () => {
    while (due.length) {
      const { task, delay } = due.shift()
      if (!delay) task?.()
    }
  }
  return { server, asked, due, held, tick, global }
}

function createCast(more) {
  const page = createPage()
  return { ...page, ...createServer(page, more) }
}

function ask({ global, tick }, url = "/api/a", { method = "GET", body, async = true } = {}) {
  const xhr = new global.XMLHttpRequest()
  xhr.open(method, url, async)
  xhr.send(body)
  tick()
  return xhr
}

const seen = (xhr) => [xhr.readyState, xhr.status, xhr.responseText]
const OURS = [4, 200, "hello"]
const NATIVE = [2, 0, ""]

test("what a route wants is answered, what none wants is sent by the browser with all it was given", () => {
  const cast = createCast()
  installXHR(cast.server, cast.global)
  const xhr = ask(cast)
  assert.deepEqual(seen(xhr), OURS)
  assert.deepEqual([xhr.getResponseHeader("X-A"), xhr.responseURL], ["1", "http://page.test/api/a"])
  const other = new cast.global.XMLHttpRequest()
  other.open("post", "other")
  other.setRequestHeader("A", " b ")
  const body = new Blob([])
  other.send(body)
  assert.deepEqual(seen(other), NATIVE)
  assert.deepEqual(cast.sent, [{ method: "post", url: "other", async: true, headers: [["A", " b "]], body }])
  assert.equal(cast.sent[0].body, body)
})

test("taken out, the prototype is as it was", () => {
  const cast = createCast()
  const { prototype } = cast.XMLHttpRequest
  const uploads = cast.global.XMLHttpRequestUpload.prototype
  const all = () => [Object.getOwnPropertyDescriptors(prototype), Object.getOwnPropertyDescriptors(uploads)]
  const before = all()
  const uninstall = installXHR(cast.server, cast.global)
  assert.notDeepEqual(all(), before)
  uninstall()
  assert.deepEqual(all(), before)
  assert.deepEqual(seen(ask(cast)), NATIVE)
})

test("two installs take two uninstalls, and the same twice is one", () => {
  const cast = createCast()
  const first = installXHR(cast.server, cast.global)
  const second = installXHR(cast.server, cast.global)
  first()
  first()
  assert.deepEqual(seen(ask(cast)), OURS)
  second()
  assert.deepEqual(seen(ask(cast)), NATIVE)
  installXHR(cast.server, cast.global)
  assert.deepEqual(seen(ask(cast)), OURS)
})

/** A library that watches what is sent. */
function watch(prototype) {
  const { send } = prototype
  const watched = []
  prototype.send = function (...args) {
    watched.push(this.readyState)
    return send.apply(this, args)
  }
  const own = prototype.send
  return {
    watched,
    leave() {
      assert.equal(prototype.send, own)
      prototype.send = send
    },
  }
}

test("under another library it lets everything pass, and the next install takes it up again", () => {
  const cast = createCast()
  const uninstall = installXHR(cast.server, cast.global)
  const { watched } = watch(cast.XMLHttpRequest.prototype)
  const above = cast.XMLHttpRequest.prototype.send
  assert.deepEqual(seen(ask(cast)), OURS)
  uninstall()
  assert.equal(cast.XMLHttpRequest.prototype.send, above)
  assert.deepEqual(seen(ask(cast)), NATIVE)
  const again = installXHR(cast.server, cast.global)
  assert.equal(cast.XMLHttpRequest.prototype.send, above)
  assert.deepEqual(seen(ask(cast)), OURS)
  again()
  assert.deepEqual(watched, [1, 1, 1])
})

test("a library below stays below, and is not asked for what is ours", () => {
  const cast = createCast()
  const below = watch(cast.XMLHttpRequest.prototype)
  const uninstall = installXHR(cast.server, cast.global)
  assert.deepEqual(seen(ask(cast)), OURS)
  assert.deepEqual(seen(ask(cast, "/other")), NATIVE)
  uninstall()
  assert.deepEqual(below.watched, [1])
  below.leave()
})

test("a library that leaves between two installs takes nothing of ours along", () => {
  const cast = createCast()
  const { send } = cast.XMLHttpRequest.prototype
  const first = installXHR(cast.server, cast.global)
  const other = watch(cast.XMLHttpRequest.prototype)
  first()
  other.leave()
  const second = installXHR(cast.server, cast.global)
  assert.deepEqual(seen(ask(cast)), OURS)
  second()
  assert.equal(cast.XMLHttpRequest.prototype.send, send)
})

test("one that puts back what was there before us is followed by the next install", () => {
  const cast = createCast()
  const { prototype } = cast.XMLHttpRequest
  const { send } = prototype
  installXHR(cast.server, cast.global)
  prototype.send = send
  assert.deepEqual(seen(ask(cast)), NATIVE)
  installXHR(cast.server, cast.global)
  assert.deepEqual(seen(ask(cast)), OURS)
})

test("what was answered can be read after we are gone, and what is under way is answered", () => {
  const cast = createCast()
  const uninstall = installXHR(cast.server, cast.global)
  const done = ask(cast)
  const late = new cast.global.XMLHttpRequest()
  const heard = []
  late.onload = () => heard.push(seen(late))
  late.open("GET", "/api/late")
  late.send()
  uninstall()
  assert.deepEqual(seen(done), OURS)
  assert.equal(done.getAllResponseHeaders(), "content-length: 5\r\ncontent-type: text/plain\r\nx-a: 1\r\n")
  cast.tick()
  assert.deepEqual(heard, [OURS])
  done.open("GET", "/api/again")
  assert.deepEqual([seen(done), Object.getOwnPropertyNames(done)], [[1, 0, ""], ["timeoutValue"]])
})

test("an upload that is listened to is told what it has sent, through whoever watches its listeners", () => {
  const cast = createCast()
  installXHR(cast.server, cast.global)
  const { XMLHttpRequestUpload } = cast.global
  const EventTarget = Object.getPrototypeOf(XMLHttpRequestUpload.prototype)
  const watched = []
  EventTarget.addEventListener = function (type, ...rest) {
    watched.push(type)
    return Object.getPrototypeOf(EventTarget).addEventListener.call(this, type, ...rest)
  }
  const told = []
  for (const listen of [true, false]) {
    const xhr = new cast.global.XMLHttpRequest()
    const hear = ({ type, loaded, total }) => told.push([listen, type, loaded, total])
    xhr.upload.addEventListener("load", hear)
    if (!listen) xhr.upload.removeEventListener("load", hear)
    xhr.open("POST", "/api/a")
    xhr.send("abc")
    if (!listen) xhr.upload.addEventListener("load", hear)
    cast.tick()
  }
  assert.deepEqual([told, watched], [[[true, "load", 3, 3]], ["load", "load", "load"]])
})

test("two servers are asked in turn, the last one first", () => {
  const page = createPage()
  const one = createServer(page)
  const two = createServer(page, { accept: () => undefined })
  const ends = [installXHR(one.server, page.global), installXHR(two.server, page.global)]
  const xhr = ask({ ...page, tick: one.tick })
  assert.deepEqual(seen(xhr), OURS)
  ends[0]()
  ends[1]()
  assert.deepEqual(seen(ask({ ...page, tick: one.tick })), NATIVE)
})

test("while the runtime loads a request waits, as if it were sent", () => {
  const kept = []
  const hold = (release) => {
    kept.push(release)
    return () => kept.splice(kept.indexOf(release), 1)
  }
  const cast = createCast({ hold })
  installXHR(cast.server, cast.global)
  const heard = []
  const make = (url) => {
    const xhr = new cast.global.XMLHttpRequest()
    for (const type of ["load", "abort", "loadend"]) xhr[`on${type}`] = () => heard.push([url, type])
    xhr.open("POST", url)
    xhr.send(new Uint8Array([1]))
    return xhr
  }
  const ours = make("/api/a")
  const theirs = make("/other")
  const given = make("/api/b")
  assert.throws(() => ours.send(), { name: "InvalidStateError" })
  assert.throws(() => ours.setRequestHeader("a", "b"), { name: "InvalidStateError" })
  given.abort()
  cast.server.hold = undefined
  for (const release of [...kept]) release(true)
  cast.tick()
  assert.deepEqual([seen(ours), theirs.readyState, given.readyState], [OURS, 2, 0])
  assert.deepEqual(cast.sent.map(({ url, body }) => [url, [...body]]), [["/other", [1]]])
  assert.deepEqual(heard, [
    ["/api/b", "abort"], ["/api/b", "loadend"], ["/api/a", "load"], ["/api/a", "loadend"],
  ])
})

test("what is held when we are gone goes to the network", () => {
  const kept = []
  const cast = createCast({ hold: (release) => { kept.push(release); return () => {} } })
  const uninstall = installXHR(cast.server, cast.global)
  const xhr = new cast.global.XMLHttpRequest()
  xhr.open("GET", "/api/a")
  xhr.send()
  uninstall()
  cast.server.hold = undefined
  kept[0](true)
  assert.deepEqual([seen(xhr), cast.sent.length, cast.asked], [NATIVE, 1, []])
})

test("a synchronous one cannot wait for the runtime, and says what to wait for", () => {
  const cast = createCast({ hold: () => () => {} })
  installXHR(cast.server, cast.global)
  assert.throws(() => ask(cast, "/api/a", { async: false }), {
    message: "A synchronous request for http://page.test/api/a cannot wait for the runtime to load. Make it after `await fauxServer.ready`.",
  })
})

test("what the policy refuses fails as the network does", () => {
  const cast = createCast({ unmatched: () => "fail" })
  installXHR(cast.server, cast.global)
  const heard = []
  const xhr = new cast.global.XMLHttpRequest()
  for (const type of ["readystatechange", "loadstart", "error", "load", "loadend"]) xhr.addEventListener(type, () => heard.push([type, xhr.readyState]))
  xhr.open("GET", "/other")
  xhr.send()
  heard.push("sent")
  cast.tick()
  assert.deepEqual(heard, [["readystatechange", 1], ["loadstart", 1], "sent", ["readystatechange", 4], ["error", 4], ["loadend", 4]])
  assert.throws(() => ask(cast, "/other", { async: false }), { name: "NetworkError" })
  assert.deepEqual(cast.sent, [])
})

test("a latency that throws is reported, and the request fails", () => {
  const reported = []
  const cast = createCast()
  cast.global.reportError = (error) => reported.push(error.message)
  const { accept } = cast.server
  cast.server.accept = (request) => ({ ...accept(request), delay() { throw new Error("no latency") } })
  installXHR(cast.server, cast.global)
  const xhr = new cast.global.XMLHttpRequest()
  const heard = []
  xhr.onerror = () => heard.push("error")
  xhr.open("GET", "/api/a")
  xhr.send()
  heard.push("sent")
  cast.tick()
  assert.deepEqual([xhr.readyState, heard.sort(), reported, cast.asked], [4, ["error", "sent"], ["no latency"], ["dropped"]])
})

test("switched off, nothing is asked of the server", () => {
  const cast = createCast({ enabled: false })
  installXHR(cast.server, cast.global)
  assert.deepEqual(seen(ask(cast)), NATIVE)
  assert.deepEqual(cast.asked, [])
})

/** As sinon's and Pretender's: a constructor that writes each object's state on the object. */
function createFake() {
  const requests = []
  function Fake() {
    Object.assign(this, { readyState: 0, status: 0, statusText: "", responseText: "", response: "", responseXML: null, requestHeaders: {}, listeners: {} })
  }
  Object.assign(Fake.prototype, {
    open(method, url) {
      Object.assign(this, { method, url, readyState: 1, status: 0, responseText: "" })
      this.onreadystatechange?.()
    },
    setRequestHeader(name, value) { this.requestHeaders[name] = value },
    send(body) { requests.push([this.method, this.url, body]) },
    abort() {},
    getResponseHeader() { return null },
    getAllResponseHeaders() { return "" },
    addEventListener(type, listener) { (this.listeners[type] ??= []).push(listener) },
    dispatchEvent(event) {
      for (const listener of this.listeners[event.type] ?? []) listener.call(this, event)
    },
  })
  return { Fake, requests }
}

test("a fake below us gets what is not ours; what is, is read from the object as from a real one", () => {
  const cast = createCast()
  const { Fake, requests } = createFake()
  cast.global.XMLHttpRequest = Fake
  const uninstall = installXHR(cast.server, cast.global)
  const heard = []
  const xhr = new Fake()
  xhr.onreadystatechange = () => heard.push(xhr.readyState)
  xhr.onload = () => heard.push("onload")
  xhr.addEventListener("load", () => heard.push("load"))
  for (const url of ["/api/a", "/api/b"]) {
    xhr.open("GET", url)
    xhr.send()
    cast.tick()
    assert.deepEqual(seen(xhr), OURS)
  }
  assert.deepEqual(heard, [1, 2, 3, 4, "load", "onload", 1, 2, 3, 4, "load", "onload"])
  assert.deepEqual(ask(cast, "/other").readyState, 1)
  uninstall()
  assert.deepEqual(ask(cast, "/api/a").readyState, 1)
  assert.deepEqual(requests, [["GET", "/other", undefined], ["GET", "/api/a", undefined]])
})

test("a fake above us takes all, until it leaves", () => {
  const cast = createCast()
  installXHR(cast.server, cast.global)
  const { Fake, requests } = createFake()
  cast.global.XMLHttpRequest = Fake
  assert.equal(ask(cast).readyState, 1)
  assert.equal(requests.length, 1)
  cast.global.XMLHttpRequest = cast.XMLHttpRequest
  assert.deepEqual(seen(ask(cast)), OURS)
})

test("a wrapper whose objects are the browser's is seen through", () => {
  const cast = createCast()
  const Native = cast.XMLHttpRequest
  cast.global.XMLHttpRequest = function () { return new Native() }
  cast.global.XMLHttpRequest.prototype = Native.prototype
  installXHR(cast.server, cast.global)
  assert.deepEqual(seen(ask(cast)), OURS)
})

test("who gives up while the browser asks once more, with a name, gives that up as well", () => {
  const dropped = []
  const cast = createCast({
    accept: ({ url }) => ({
      send() {},
      delay: () => 0,
      answer: (done) => done({ status: 401, statusText: "", headers: { "www-authenticate": "Basic" }, body: undefined }),
      drop: () => dropped.push(url),
    }),
  })
  installXHR(cast.server, cast.global)
  const xhr = new cast.global.XMLHttpRequest()
  xhr.open("GET", "/api/a", true, "me", "secret")
  xhr.send()
  cast.due.shift().task()
  xhr.abort()
  assert.deepEqual([cast.due.map(({ task }) => task), dropped], [[undefined], ["http://page.test/api/a"]])
})
