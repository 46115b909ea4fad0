// What the doors of HTTP share: who answers, what a browser would send, and where redirects lead.

import assert from "node:assert/strict"
import { test } from "node:test"

import { baseOf, offer } from "../../js/http.js"
import { answer, lengthOf } from "../../js/httpanswer.js"

/** A server whose table is a function from method and url to a reply, and which notes what it was sent. */
function createServer(table = () => undefined, more = {}) {
  const sent = []
  const server = {
    enabled: true,
    hold: undefined,
    scheduler: {
      later: (task) => {
        let wanted = true
        queueMicrotask(() => wanted && task())
        return () => { wanted = false }
      },
      shield: (task) => task(),
    },
    accept({ method, url }) {
      const reply = table(method, url)
      if (!reply) return undefined
      return {
        send: (given) => sent.push({ method, url, ...given }),
        delay: () => 0,
        answer: (done) => done({ status: 200, statusText: "OK", headers: {}, body: undefined, ...reply }),
        drop: () => sent.push("dropped"),
      }
    },
    ...more,
  }
  return { server, sent }
}

const request = (more = {}) => ({ method: "GET", url: "http://localhost/a", headers: [], body: undefined, door: "fetch", ...more })

/** Ask, and give back the answer, or why there is none. */
function ask(server, wanted) {
  return new Promise((resolve) => {
    offer(server, wanted, (exchange) => {
      if (!exchange) return resolve(exchange)
      answer(server, exchange, wanted, { reply: resolve, fail: (reason) => resolve(`failed: ${reason}`) })
    })
  })
}

test("what no route wants is the network's, what the policy refuses nobody's", async () => {
  const { server } = createServer()
  assert.equal(await ask(server, request()), undefined)
  assert.equal(await ask(createServer(() => undefined, { unmatched: () => "fail" }).server, request()), null)
  assert.equal(await ask(createServer(() => ({}), { enabled: false }).server, request()), undefined)
  assert.equal(await ask(createServer(() => ({})).server, request({ url: "blob:http://localhost/1" })), undefined)
})

test("where the page is in its router takes no part in its address", () => {
  const at = (baseURI) => baseOf({ document: { baseURI } })
  assert.deepEqual(
    [at("http://a.test/app/#books/7"), at("http://a.test/app/page.html?from=/a/b#/c/d"), at("http://a.test/app/"), baseOf({})],
    ["http://a.test/app/", "http://a.test/app/page.html", "http://a.test/app/", "http://localhost/"],
  )
})

test("while the runtime loads a request is kept, and one that cannot wait is told what to wait for", () => {
  const kept = []
  const { server } = createServer(() => ({}), { hold: (release) => { kept.push(release); return () => kept.pop() } })
  const told = []
  offer(server, request(), (exchange) => told.push(Boolean(exchange)))
  assert.deepEqual([told, kept.length], [[], 1])
  kept[0](true)
  kept[0](false)
  assert.deepEqual(told, [true, false])
  assert.throws(() => offer(server, request({ sync: true }), () => {}), {
    message: "A synchronous request for http://localhost/a cannot wait for the runtime to load. Make it after `await fauxServer.ready`.",
  })
})

test("what was kept goes to the network if the door is gone by then", () => {
  let release
  const { server } = createServer(() => ({}), { hold: (then) => { release = then } })
  let installed = true
  const told = []
  offer(server, request(), (exchange) => told.push(exchange), () => installed)
  installed = false
  release(true)
  assert.deepEqual(told, [undefined])
})

test("what no route wants is explained for where the page was when it asked", (t) => {
  t.after(() => delete globalThis.document)
  globalThis.document = { baseURI: "http://localhost/here/" }
  let release
  const bases = []
  const { server } = createServer(() => undefined, { hold: (then) => { release = then }, unmatched: ({ base }) => void bases.push(base) })
  offer(server, request(), () => {})
  globalThis.document = { baseURI: "http://localhost/there/" }
  release(true)
  assert.deepEqual(bases, ["http://localhost/here/"])
})

test("an answer has the length of its body, and HEAD the length alone", async () => {
  const { server } = createServer(() => ({ headers: { "content-type": "text/plain", "set-cookie": "a=1" }, body: "grün" }))
  assert.deepEqual(await ask(server, request()), {
    status: 200, statusText: "OK", headers: [["content-type", "text/plain"], ["content-length", "5"]], body: "grün",
    url: "http://localhost/a", redirected: false, type: "basic",
  })
  const { headers, body } = await ask(server, request({ method: "HEAD" }))
  assert.deepEqual([headers, body], [[["content-type", "text/plain"], ["content-length", "5"]], undefined])
  assert.deepEqual([lengthOf(undefined), lengthOf("€"), lengthOf(new Uint8Array(3))], [0, 3, 3])
})

test("what no answer has is taken away: the space around a header's value, the body of a 205", async () => {
  const { server } = createServer((_, url) => ({ status: url.endsWith("a") ? 205 : 200, headers: { "x-a": "\t a b \t", "content-length": "3" }, body: "abc" }))
  const [empty, full] = [await ask(server, request()), await ask(server, request({ url: "http://localhost/b" }))]
  assert.deepEqual([empty.body, full.body], [undefined, "abc"])
  for (const { headers } of [empty, full]) assert.deepEqual(headers, [["x-a", "a b"], ["content-length", "3"]])
})

test("what a browser adds to a request, the handler sees; what was given stays", async () => {
  const { server, sent } = createServer(() => ({}))
  await ask(server, request({ method: "POST", headers: [["accept", "text/html"]], body: "ü" }))
  const headers = Object.fromEntries(sent[0].headers)
  assert.deepEqual([headers.host, headers.accept, headers["content-length"]], ["localhost", "text/html", "2"])
  await ask(server, request({ door: "eventsource" }))
  assert.equal(Object.fromEntries(sent[1].headers).accept, "text/event-stream")
})

const form = { headers: [["content-type", "text/plain"], ["authorization", "me"], ["x-mine", "1"]], body: "abc" }
for (const [status, method, location, expected] of [
  [301, "POST", "/b", ["GET", "http://localhost/b", undefined, ["authorization", "x-mine"]]],
  [302, "PUT", "b?c=1#d", ["PUT", "http://localhost/b?c=1", "abc", ["content-type", "authorization", "x-mine"]]],
  [303, "PUT", "/b", ["GET", "http://localhost/b", undefined, ["authorization", "x-mine"]]],
  [303, "HEAD", "/b", ["HEAD", "http://localhost/b", "abc", ["content-type", "authorization", "x-mine"]]],
  [307, "POST", "/b", ["POST", "http://localhost/b", "abc", ["content-type", "authorization", "x-mine"]]],
  [308, "POST", "http://other/b", ["POST", "http://other/b", "abc", ["content-type", "x-mine"]]],
]) {
  test(`${status} to ${location} turns ${method} into ${expected[0]}`, async () => {
    const { server, sent } = createServer((_, url) => (url === "http://localhost/a" ? { status, headers: { location } } : { body: "there" }))
    const answered = await ask(server, request({ ...form, method }))
    assert.deepEqual([answered.url, answered.redirected], [expected[1], true])
    const { headers, ...rest } = sent[1]
    const own = headers.map(([name]) => name).filter((name) => ["content-type", "authorization", "x-mine"].includes(name))
    assert.deepEqual([rest.method, rest.url, rest.body, own], expected)
  })
}

for (const [what, location, expected] of [
  ["to itself", "/a", "failed: it was redirected more than 20 times"],
  ["to no address on the web", "data:text/plain,a", "failed: it was redirected to data:text/plain,a, which is no address on the web"],
  ["to what is no address", "http://", "failed: it was redirected to http://, which is no address on the web"],
  ["elsewhere, with a password", "http://me:secret@other/", "failed: it was redirected to http://me:secret@other/, which is no address on the web"],
]) {
  test(`a redirect ${what} fails`, async () => {
    const { server } = createServer(() => ({ status: 302, headers: { location } }))
    assert.equal(await ask(server, request()), expected)
  })
}

const PAGE = "http://a/page?q"
const HOME = "http://a/"
for (const [what, way, more, expected] of [
  ["at home", ["http://a/1"], {}, [[undefined, PAGE], "basic"]],
  ["elsewhere", ["http://b/1"], {}, [["http://a", HOME], "cors"]],
  ["elsewhere, and nobody shall know", ["http://b/1"], { mode: "no-cors" }, [[undefined, HOME], "cors"]],
  ["elsewhere, with a body, and nobody shall know", ["http://b/1"], { mode: "no-cors", method: "POST" }, [["http://a", HOME], "cors"]],
  ["elsewhere after home", ["http://a/1", "http://b/2"], {}, [[undefined, PAGE], ["http://a", HOME], "cors"]],
  ["elsewhere twice", ["http://b/1", "http://b/2"], {}, [["http://a", HOME], ["http://a", HOME], "cors"]],
  ["at a third", ["http://b/1", "http://c/2"], {}, [["http://a", HOME], ["null", HOME], "cors"]],
  ["home again", ["http://b/1", "http://a/2", "http://a/3"], {}, [["http://a", HOME], ["null", HOME], ["null", HOME], "cors"]],
  ["home again, untold", ["http://b/1", "http://a/2"], { referrerPolicy: "same-origin" }, [["http://a", undefined], ["null", undefined], "cors"]],
]) {
  test(`what is told of the page ${what}`, async (t) => {
    t.after(() => { delete globalThis.location })
    globalThis.location = new URL(PAGE)
    const { server, sent } = createServer((_, url) => {
      const next = way[way.indexOf(url) + 1]
      return next ? { status: 302, headers: { location: next } } : { body: "there" }
    })
    const { type } = await ask(server, request({ url: way[0], ...more }))
    const told = sent.map(({ headers }) => ["origin", "referer"].map((wanted) => headers.find(([name]) => name === wanted)?.[1]))
    assert.deepEqual([...told, type], expected)
  })
}

test("who stays within the origin is not led out of it, and a stream is not sent again", async () => {
  globalThis.location = new URL(PAGE)
  try {
    const { server } = createServer(() => ({ status: 307, headers: { location: "http://b/1" } }))
    assert.deepEqual(
      [await ask(server, request({ url: PAGE, mode: "same-origin" })), await ask(server, request({ url: PAGE, streamed: true }))],
      ["failed: it was redirected to another origin", "failed: it was redirected, and a streamed body can be sent once"],
    )
  } finally {
    delete globalThis.location
  }
})

for (const [cache, expected] of Object.entries({
  default: [undefined, undefined], "no-store": ["no-cache", "no-cache"], reload: ["no-cache", "no-cache"], "no-cache": ["max-age=0", undefined],
})) {
  test(`the cache mode ${cache} says to a cache what it wants`, async () => {
    const { server, sent } = createServer(() => ({}))
    await ask(server, request({ cache }))
    const headers = Object.fromEntries(sent[0].headers)
    assert.deepEqual([headers["cache-control"], headers.pragma], expected)
  })
}

test("who does not want to be redirected is not", async () => {
  const { server } = createServer(() => ({ status: 302, headers: { location: "/b" } }))
  assert.equal(await ask(server, request({ redirect: "error" })), 'failed: it was redirected, and redirect is "error"')
  assert.deepEqual(await ask(server, request({ redirect: "manual" })), {
    status: 0, statusText: "", headers: [], body: undefined, url: "http://localhost/a", redirected: false, type: "opaqueredirect",
  })
})

test("a redirect without an address is an answer like any other", async () => {
  const { server } = createServer(() => ({ status: 302 }))
  assert.equal((await ask(server, request())).status, 302)
})

test("who is dropped is told nothing, and the handler's stream is let go", async () => {
  const { server, sent } = createServer(() => ({ body: { pull: async () => undefined, cancel: () => sent.push("cancelled") } }))
  const wanted = request()
  const told = []
  offer(server, wanted, (exchange) => {
    answer(server, exchange, wanted, { reply: () => told.push("reply"), fail: () => told.push("fail") })()
  })
  await new Promise((resolve) => setTimeout(resolve))
  assert.deepEqual([told, sent.slice(1)], [[], ["dropped"]])

  await new Promise((resolve) => {
    offer(server, wanted, (exchange) => {
      const cancel = answer(server, exchange, wanted, { reply: () => queueMicrotask(() => resolve(cancel())), fail: () => {} })
    })
  })
  assert.equal(sent.at(-1), "cancelled")
})

test("who waits while the server is reset is told, once", async () => {
  let reset
  const { server } = createServer(() => ({}))
  const accept = server.accept
  server.accept = (wanted) => ({ ...accept(wanted), send: (_, whenLost) => { reset = () => whenLost("the server was reset") } })
  const wanted = request()
  const told = []
  offer(server, wanted, (exchange) => {
    answer(server, exchange, wanted, { reply: () => told.push("reply"), fail: (reason) => told.push(reason) })
  })
  reset()
  reset()
  await new Promise((resolve) => setTimeout(resolve))
  assert.deepEqual(told, ["the server was reset"])
})

test("who is dropped after a redirect is dropped where it has led", async () => {
  const { server, sent } = createServer((_, url) => ({ status: url === "http://localhost/a" ? 302 : 200, headers: { location: "/b" } }))
  const due = []
  server.scheduler.later = (task) => {
    const entry = { task }
    due.push(entry)
    return () => { entry.task = undefined }
  }
  const wanted = request()
  const told = []
  offer(server, wanted, (exchange) => {
    const cancel = answer(server, exchange, wanted, { reply: () => told.push("reply"), fail: () => told.push("fail") })
    due.shift().task()
    cancel()
  })
  assert.deepEqual([due.map(({ task }) => task), sent.map((each) => each.url ?? each), told], [[undefined], ["http://localhost/a", "http://localhost/b", "dropped"], []])
})

test("a latency that throws is reported, and the request fails after who asked has gone on", async () => {
  const { server, sent } = createServer(() => ({}))
  const { accept } = server
  const told = []
  server.accept = (wanted) => ({ ...accept(wanted), delay() { throw new Error("no latency") } })
  server.scheduler.shield = (task) => {
    try {
      task()
    } catch (error) {
      told.push(error.message)
    }
  }
  const failed = ask(server, request())
  told.push("gone on")
  assert.deepEqual([await failed, told, sent.at(-1)], ["failed: its latency is not known", ["no latency", "gone on"], "dropped"])
})

test("a synchronous request fails where the handler would have to be waited for, and has any other failure's answer", async () => {
  const told = []
  for (const error of [{ message: "It cannot wait for us.", asynchronous: true }, { message: "It cannot wait for us." }]) {
    const { server } = createServer(() => ({ status: 500, body: "no", error }))
    const answered = await ask(server, request({ sync: true }))
    told.push(answered.status ?? answered)
  }
  assert.deepEqual(told, ["failed: It cannot wait for us.", 500])
})

for (const [url, credentials, shared] of [
  ["http://localhost/a", undefined, true],
  ["http://localhost/a", "omit", false],
  ["http://localhost:8080/a", undefined, false],
  ["http://localhost:8080/a", "include", true],
  ["http://localhost.other/a", "include", false],
]) {
  test(`a request for ${url} ${shared ? "shares" : "does not share"} the page's cookies, credentials: ${credentials}`, async (t) => {
    t.after(() => {
      delete globalThis.document
      delete globalThis.location
    })
    globalThis.location = new URL("http://localhost/page")
    globalThis.document = { baseURI: "http://localhost/page", cookie: "a=1" }
    const { server, sent } = createServer(() => ({ headers: { "set-cookie": "b=2" } }))
    await ask(server, request({ url, credentials }))
    assert.deepEqual([Object.fromEntries(sent[0].headers).cookie, globalThis.document.cookie], shared ? ["a=1", "b=2"] : [undefined, "a=1"])
  })
}

test("of several cookies each is set, but for those that scripts may not see", async (t) => {
  t.after(() => {
    delete globalThis.document
    delete globalThis.location
  })
  const set = []
  globalThis.location = new URL("http://localhost/page")
  globalThis.document = { baseURI: "http://localhost/page", set cookie(cookie) { set.push(cookie) } }
  const { server } = createServer(() => ({ headers: { "set-cookie": "a=1\nb=2; HttpOnly\nc=3; Path=/" } }))
  await ask(server, request({ url: "http://localhost/a" }))
  assert.deepEqual(set, ["a=1", "c=3; Path=/"])
})

test("a stream without end leaves the page its turns, to whoever reads it", async () => {
  let cancelled = false
  const { server } = createServer(() => ({ body: { pull: async () => new Uint8Array(1), cancel: () => { cancelled = true } } }))
  const { body } = await ask(server, request())
  let had = false
  setTimeout(() => { had = true })
  let pieces = 0
  for (const start = performance.now(); !had && performance.now() - start < 2_000; pieces += 1) await body.pull()
  body.cancel()
  assert.deepEqual([had, cancelled, pieces > 0], [true, true, true])
})
