import assert from "node:assert/strict"
import { test } from "node:test"
import * as answering from "../../js/answering.js"
import { installFetch } from "../../js/fetch.js"
import { createScheduler } from "../../js/schedule.js"

const BOOKS = "http://host/books"

/** A server that answers what lies at /books with its name; and a page with a network. */
function createCast({ name = "ours", hold } = {}) {
  const asked = []
  const dropped = []
  const server = {
    answering,
    enabled: true,
    scheduler: createScheduler({ setTimeout, clearTimeout, reportError: (error) => { throw error } }),
    hold,
    accept({ method, url }) {
      if (!url.startsWith(BOOKS)) return undefined
      const sent = {}
      return {
        send: (given) => Object.assign(sent, given),
        delay: () => 0,
        drop: () => dropped.push(url),
        answer(settle) {
          asked.push({ method, url, body: sent.body })
          settle({ status: 200, statusText: "OK", headers: { "content-type": "text/plain" }, body: name })
        },
      }
    },
  }
  return { server, asked, dropped }
}

function createPage() {
  const network = []
  const native = (...args) => {
    network.push(args)
    return Promise.resolve(new Response("network"))
  }
  return { global: { fetch: native, Request, Response, Headers, URL, location: new URL("http://host/page.html"), origin: "http://host" }, native, network }
}

const ask = async (global, ...args) => (await global.fetch(...(args.length ? args : [BOOKS]))).text()

/** Some library that puts its own fetch over what is there. */
function wrap(global) {
  const below = global.fetch
  const seen = []
  const above = (...args) => {
    seen.push(args)
    return below(...args)
  }
  global.fetch = above
  return { seen, above, unwrap: () => { global.fetch = below } }
}

test("installed it answers what a route wants, and uninstalled nothing", async () => {
  const { server } = createCast()
  const { global, native } = createPage()

  const uninstall = installFetch(server, global)
  const during = [await ask(global), await ask(global, "http://host/other")]
  uninstall()

  assert.deepEqual([during, await ask(global), global.fetch === native], [["ours", "network"], "network", true])
})

test("installed twice it ends with the second end, and one end counts once", async () => {
  const { server } = createCast()
  const { global, native } = createPage()

  const ends = [installFetch(server, global), installFetch(server, global)]
  ends[0]()
  ends[0]()
  const between = await ask(global)
  ends[1]()

  assert.deepEqual([between, await ask(global), global.fetch === native], ["ours", "network", true])
})

test("what others have put above it stays, and the next installation is taken up below it", async () => {
  const { server } = createCast()
  const { global, native } = createPage()
  const answers = []

  const end = installFetch(server, global)
  const above = wrap(global)
  const theirs = global.fetch
  end()
  answers.push(await ask(global))
  const again = installFetch(server, global)
  answers.push(await ask(global), global.fetch === theirs, above.seen.length)
  above.unwrap()
  again()

  assert.deepEqual([answers, await ask(global), global.fetch === native], [["network", "ours", true, 2], "network", true])
})

test("what others have put below it is asked what no route wants", async () => {
  const { server } = createCast()
  const { global } = createPage()
  const below = wrap(global)

  const end = installFetch(server, global)
  await ask(global)
  await ask(global, "http://host/other", { method: "PUT" })
  end()

  assert.deepEqual(below.seen, [["http://host/other", { method: "PUT" }]])
})

test("two servers answer one above the other, and end in any order", async () => {
  for (const order of [[0, 1], [1, 0]]) {
    const { global } = createPage()
    const ends = ["first", "second"].map((name) => installFetch(createCast({ name }).server, global))
    const answers = [await ask(global)]
    ends[order[0]]()
    answers.push(await ask(global))
    ends[order[1]]()

    assert.deepEqual([...answers, await ask(global)], ["second", order[0] ? "first" : "second", "network"])
  }
})

test("any order of installing, ending and wrapping answers exactly while it is installed", async () => {
  let random = 7
  const below = (most) => (random = (random * 48271) % 2147483647) % most
  for (let round = 0; round < 300; round += 1) {
    const { server } = createCast()
    const { global } = createPage()
    const ends = []
    const wrappers = []
    for (let step = 0; step < 15; step += 1) {
      const what = below(4)
      if (what === 0) ends.push(installFetch(server, global))
      if (what === 1) ends.splice(below(ends.length || 1), 1)[0]?.()
      if (what === 2) wrappers.push(wrap(global))
      // One that was not on top would take away what others have put above it.
      if (what === 3 && global.fetch === wrappers.at(-1)?.above) wrappers.pop().unwrap()
    }

    assert.equal(await ask(global), ends.length ? "ours" : "network", `round ${round}`)
  }
})

test("who puts the browser's own fetch back has taken ours away, and it can be installed again", async () => {
  const { server } = createCast()
  const page = Object.assign(Object.create(globalThis), { fetch: globalThis.fetch })
  const below = wrap(page)
  const ends = [installFetch(server, page)]
  below.unwrap()

  ends.push(installFetch(server, page))
  const answer = await ask(page)
  ends.forEach((end) => end())

  assert.deepEqual([answer, page.fetch === globalThis.fetch], ["ours", true])
})

test("a page without fetch has none afterwards", () => {
  const global = {}

  installFetch(createCast().server, global)()

  assert.deepEqual(global, {})
})

test("ours looks like the native one", () => {
  const { global } = createPage()
  installFetch(createCast().server, global)

  const { fetch } = global

  assert.deepEqual([fetch.name, fetch.length, "prototype" in fetch], ["fetch", 1, false])
  assert.throws(() => new fetch(BOOKS), TypeError)
})

test("a Response whose properties are its own says the same", async () => {
  class OtherResponse extends Response {
    url = ""
    type = "default"
    redirected = true
  }
  const { global } = createPage()
  global.Response = OtherResponse
  installFetch(createCast().server, global)

  const response = await global.fetch(BOOKS)

  const { url, type, redirected, status, ok } = response
  assert.deepEqual([url, type, redirected, status, ok, await response.text()], [BOOKS, "basic", false, 200, true, "ours"])
})

test("a held request is answered when it is let go, and goes to the network if it is not ours", async () => {
  const held = []
  const { server, asked } = createCast({ hold: (release) => {
    held.push(release)
    return () => {}
  } })
  const { global, network } = createPage()
  installFetch(server, global)

  const bytes = new Uint8Array([1])
  const requests = [ask(global, BOOKS, { method: "POST", body: bytes }), ask(global, BOOKS), ask(global, "http://host/other")]
  bytes[0] = 2
  held[0](true)
  held[1](false)
  held[2](true)

  assert.deepEqual(await Promise.all(requests), ["ours", "network", "network"])
  assert.deepEqual(asked, [{ method: "POST", url: BOOKS, body: new Uint8Array([1]) }])
  assert.deepEqual(network, [[BOOKS], ["http://host/other"]])
})

test("a held request goes to the network if ours is gone by then", async () => {
  let release
  const { server, asked } = createCast({ hold: (then) => {
    release = then
    return () => {}
  } })
  const { global } = createPage()
  const uninstall = installFetch(server, global)

  const answer = ask(global)
  uninstall()
  release(true)

  assert.deepEqual([await answer, asked], ["network", []])
})

test("a held request that is aborted is forgotten", async () => {
  let forgotten = 0
  const { server } = createCast({ hold: () => () => { forgotten += 1 } })
  const { global } = createPage()
  installFetch(server, global)
  const controller = new AbortController()

  const promise = global.fetch(BOOKS, { signal: controller.signal })
  controller.abort("enough")

  assert.equal(await promise.catch((reason) => reason), "enough")
  assert.equal(forgotten, 1)
})

test("what the constructor refuses is refused by the native fetch, and dropped by us", async () => {
  const { server, dropped, asked } = createCast()
  const { global, network } = createPage()
  installFetch(server, global)
  const init = { method: "GET", body: "x" }

  await global.fetch(BOOKS, init)

  assert.deepEqual([dropped, asked, network], [[BOOKS], [], [[BOOKS, init]]])
})

test("a fetch fails whose body was being read while the server was reset, or whose latency throws", async () => {
  for (const broken of [{ send: (_, whenLost) => whenLost("the server was reset") }, { delay() { throw new Error("no latency") } }]) {
    const reported = []
    const { server } = createCast()
    server.scheduler = createScheduler({ setTimeout, clearTimeout, reportError: (error) => reported.push(error.message) })
    const { accept } = server
    server.accept = (wanted) => ({ ...accept(wanted), ...broken })
    const { global } = createPage()
    installFetch(server, global)

    const asked = global.fetch(BOOKS, { method: "POST", body: new Blob(["a"]) })

    await assert.rejects(asked, TypeError)
    assert.deepEqual(reported, broken.delay ? ["no latency"] : [])
  }
})
