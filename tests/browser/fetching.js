// What a page can see of fetch: a table of cases, which is run in each browser twice, against a real server and with
// interception, and has to come out the same.
//
// `await fetching.run()` gives what each case saw, by name. `differs` names engines whose own behaviour is a fault that
// we do not repeat.

(() => {
  "use strict"

  const cases = []
  let group = ""
  // In Debian's WebKit whatever ends a fetch that has begun is a new AbortError, whatever the reason was.
  const LOSES_REASON = { differs: ["webkit"] }
  // Nor does it let a script read what a Request would send that was made of a form with files.
  const UNREADABLE = { differs: ["webkit"] }
  const add = (name, run, { differs = [] } = {}) => cases.push({ name: `${group}: ${name}`, run, differs })

  const elsewhere = location.origin.replace("127.0.0.1", "localhost")
  const wait = ms => new Promise(resolve => setTimeout(resolve, ms))
  const hex = bytes => Array.from(new Uint8Array(bytes), each => each.toString(16).padStart(2, "0")).join("")
  // Of the connection, not of the answer; and what permits a page of another origin to read, which a route need not say.
  const transport = /^(access-control-.*|transfer-encoding|connection|keep-alive|date|server)$/
  const headersOf = response => [...response.headers].filter(([name]) => !transport.test(name))
  const short = text => String(text).split(location.origin).join("HERE").split(elsewhere).join("ELSEWHERE")
  const told = error => (error instanceof Error || error instanceof DOMException
    ? short(`${Object.prototype.toString.call(error)} ${error.name}: ${error.message}`) : error)
  const outcome = promise => Promise.resolve(promise).then(value => value, error => ({ thrown: told(error) }))
  const thrown = act => {
    try {
      return { result: String(act()) }
    } catch (error) {
      return { thrown: told(error) }
    }
  }

  const head = response => ({
    status: response.status, ok: response.ok, statusText: response.statusText, type: response.type,
    url: short(response.url), redirected: response.redirected, bodyUsed: response.bodyUsed,
  })
  /** All of a response. */
  const whole = async response => ({ ...head(response), headers: headersOf(response), text: await response.text(), after: response.bodyUsed })
  /** What the server was sent. */
  const seen = async (...args) => JSON.parse(short(await (await fetch(...args)).text()).split(location.host).join("HOST").split("localhost:" + location.port).join("OTHERHOST"))
  const post = (body, more = {}) => seen("api/echo", { method: "POST", body, ...more })

  // --- Arguments -----------------------------------------------------------------------------------------------------

  group = "arguments"
  add("a relative url", async () => whole(await fetch("api/answers/text")))
  add("a url from the root", async () => whole(await fetch("/api/answers/text")))
  add("a whole url", async () => whole(await fetch(`${location.origin}/api/answers/text`)))
  add("a url of the same scheme", async () => whole(await fetch(`//${location.host}/api/answers/text`)))
  add("a url with dots", async () => whole(await fetch("x/./y/../../api/answers/text")))
  add("a url with spaces about it", async () => whole(await fetch(" \n api/answers/text ")))
  add("a URL", async () => whole(await fetch(new URL("api/answers/text", location.href))))
  add("a Request", async () => whole(await fetch(new Request("api/answers/text"))))
  add("something with toString", async () => whole(await fetch({ toString: () => "api/answers/text" })))
  add("an array", async () => whole(await fetch(["api/answers/text"])))
  add("a fragment", async () => whole(await fetch("api/echo?a=1#part?b=2")))
  add("a query", () => seen("api/echo?a=1&b=%20+ü&a=2"))
  add("an empty query", async () => short((await fetch("api/echo?")).url))
  add("letters beyond ASCII", async () => whole(await fetch("api/echo/grün?ü")))
  add("a base element", async () => {
    const base = document.createElement("base")
    base.href = "/api/"
    document.head.append(base)
    return fetch("rooted").finally(() => base.remove()).then(whole)
  })
  add("a Request, and its method overridden", () => seen(new Request("api/echo"), { method: "PUT" }))
  add("a Request, and its headers overridden", () => seen(new Request("api/echo", { headers: { "x-a": "1" } }), { headers: { "x-b": "2" } }))
  add("a Request, and its body overridden", () => seen(new Request("api/echo", { method: "POST", body: "one" }), { body: "two" }))
  add("a Request with a body is used up at once", async () => {
    const request = new Request("api/echo", { method: "POST", body: "once" })
    const promise = seen(request)
    const used = request.bodyUsed
    return [used, await promise, await outcome(fetch(request)), await outcome(request.text())]
  })
  add("a clone of a Request", async () => {
    const request = new Request("api/echo", { method: "POST", body: "twice", headers: { "x-a": "1" } })
    return [await seen(request.clone()), await seen(request)]
  })
  add("a Request without a body is not used up", async () => {
    const request = new Request("api/echo", { method: "DELETE" })
    return [await seen(request), request.bodyUsed, await seen(request)]
  })
  add("a Request as init", () => seen("api/echo?init", new Request("api/other", { method: "PATCH", headers: { "x-a": "1" } })))
  add("a Request of another window", async () => {
    const frame = document.createElement("iframe")
    document.body.append(frame)
    const request = new frame.contentWindow.Request(`${location.origin}/api/echo`, { method: "POST", headers: { "x-a": "1" } })
    return seen(request).finally(() => frame.remove())
  })
  add("no arguments", () => outcome(fetch()))
  for (const init of [undefined, null, {}, []]) add(`init is ${JSON.stringify(init)}`, async () => whole(await fetch("api/answers/text", init)))
  for (const init of [1, "GET", true]) add(`init is ${JSON.stringify(init)}`, () => outcome(fetch("api/answers/text", init).then(whole)))
  for (const url of ["http://", "http://[", "//", "http://a b/", "http://user@127.0.0.1/", "http://u:p@127.0.0.1/api/answers/text"]) {
    add(`the url ${JSON.stringify(url)}`, () => outcome(fetch(url).then(response => response.status)))
  }
  for (const method of ["get", "Post", "pUt", "delete", "head", "options", "PATCH", "CHICKEN"]) {
    add(`the method ${method}`, async () => {
      const response = await fetch("api/echo", { method })
      return [response.status, (await response.text()).slice(0, 20)]
    })
  }
  for (const method of ["TRACE", "track", "CONNECT", "", "A B", "é", null, undefined, 7]) {
    add(`the method ${JSON.stringify(method)}`, () => outcome(method === 7 ? fetch("http://[", { method }) : fetch("api/answers/text", { method }).then(response => response.status, error => { throw error })))
  }
  for (const method of ["GET", "HEAD"]) add(`${method} with a body`, () => outcome(fetch("api/echo", { method, body: "x" })))
  add("a body of null", () => post(null))
  add("a Request of the method GET, and a body", () => outcome(fetch(new Request("api/echo"), { body: "x" })))
  for (const [name, init] of Object.entries({
    "mode navigate": { mode: "navigate" }, "mode unknown": { mode: "x" }, "credentials unknown": { credentials: "x" },
    "cache unknown": { cache: "x" }, "redirect unknown": { redirect: "x" }, "a signal that is none": { signal: {} },
    "only-if-cached": { cache: "only-if-cached" }, "a window": { window: {} }, "a bad header name": { headers: { "a b": "1" } },
    "a bad header value": { headers: { a: "\u0100" } }, "a referrer that is no url": { referrer: "http://[" },
    "headers that are no pairs": { headers: [["a"]] }, "no-cors and PUT": { mode: "no-cors", method: "PUT" },
  })) add(name, () => outcome(fetch("api/answers/text", init)))
  for (const [name, init] of Object.entries({
    "no-store": { cache: "no-store" }, reload: { cache: "reload" }, "no-cache": { cache: "no-cache" }, "force-cache": { cache: "force-cache" },
    omit: { credentials: "omit" }, include: { credentials: "include" }, keepalive: { keepalive: true }, "a priority": { priority: "low" },
    "same-origin": { mode: "same-origin" }, cors: { mode: "cors" }, "no-cors": { mode: "no-cors" }, "no referrer": { referrer: "" },
    "a referrer policy": { referrerPolicy: "no-referrer" }, "no signal": { signal: null }, "no window": { window: null }, "no integrity": { integrity: "" },
  })) add(`${name}, accepted`, async () => whole(await fetch("api/answers/text", init)))
  add("what throws when it is read", () => outcome(fetch("api/answers/text", { get method() { throw new RangeError("mine") } })))
  add("a url that throws", () => outcome(fetch({ toString() { throw new RangeError("mine") } })))
  add("a Symbol as url", () => outcome(fetch(Symbol("a"))))
  add("called without a this", async () => [await fetch.call(undefined, "api/answers/text").then(head), await fetch.call(null, "api/answers/text").then(head)])
  add("called on something else", () => outcome(fetch.call({}, "api/answers/text")))
  add("called on the window", async () => head(await window.fetch("api/answers/text")))
  add("as a function", () => [fetch.name, fetch.length, typeof fetch, "prototype" in fetch, thrown(() => new fetch("x")), Object.getOwnPropertyDescriptor(window, "fetch").enumerable])
  add("a promise, at once", () => [fetch("api/answers/text") instanceof Promise, Object.getPrototypeOf(fetch("http://[").catch(() => {})) === Promise.prototype])

  // --- Request headers -----------------------------------------------------------------------------------------------

  group = "request headers"
  add("from an object", () => seen("api/echo", { headers: { "X-A": " 1 ", "x-b": "", "X-c": 3 } }))
  add("from pairs", () => seen("api/echo", { headers: [["x-a", "1"], ["X-A", "2"]] }))
  add("from Headers", () => seen("api/echo", { headers: new Headers({ "x-a": "1" }) }))
  add("from a Map", () => seen("api/echo", { headers: new Map([["x-a", "1"]]) }))
  add("accept", () => seen("api/echo", { headers: { accept: "text/x" } }))
  add("authorization", () => seen("api/echo", { headers: { authorization: "Bearer x" } }))
  add("content-type without a body", () => seen("api/echo", { headers: { "content-type": "text/x" } }))
  add("forbidden ones", async () => {
    const { own, length } = await seen("api/echo", { method: "POST", body: "abc", headers: { "content-length": "99", cookie: "a=1", host: "x", "proxy-a": "1", "sec-a": "1", "x-http-method-override": "TRACE", "x-a": "1" } })
    return [own, length]
  })
  // WebKit's network process sends them as UTF-8.
  add("letters of Latin-1", () => seen("api/echo", { headers: { "x-a": "\u00e9" } }).then(({ own }) => own["x-a"].length), { differs: ["webkit"] })

  for (const referrer of ["", "about:client", "/other/page", `${elsewhere}/page`]) {
    for (const url of ["api/echo", `${elsewhere}/api/echo`]) {
      add(`the referrer ${short(referrer)} to ${short(url)}`, async () => (await seen(url, { referrer })).referer)
    }
  }
  for (const referrerPolicy of ["", "no-referrer", "no-referrer-when-downgrade", "origin", "origin-when-cross-origin", "same-origin", "strict-origin", "strict-origin-when-cross-origin", "unsafe-url"]) {
    for (const url of ["api/echo", `${elsewhere}/api/echo`, `api/redirect/302?to=${encodeURIComponent(`${elsewhere}/api/echo`)}`]) {
      // Firefox and WebKit tell other sites no more than the origin, whatever the policy.
      const open = ["no-referrer-when-downgrade", "unsafe-url"].includes(referrerPolicy) && url.includes("localhost")
      add(`the referrer policy ${referrerPolicy} to ${short(url)}`, async () => (await seen(url, { referrerPolicy })).referer, { differs: open ? ["firefox", "webkit"] : [] })
    }
  }
  for (const length of [4096, 4097]) {
    add(`a referrer of ${length} characters`, async () => (await seen("api/echo", { referrer: `${location.origin}/`.padEnd(length, "x") })).referer.length)
  }
  for (const cache of ["no-store", "reload", "no-cache"]) {
    add(`the cache mode ${cache}`, () => seen("api/echo", { cache }))
    add(`the cache mode ${cache}, and headers of one's own`, () => seen("api/echo", { cache, headers: { "cache-control": "max-age=1", pragma: "x" } }))
  }
  const withCookie = async act => {
    document.cookie = "own=1; path=/"
    try {
      return await act()
    } finally {
      for (const name of ["own", "flavour"]) document.cookie = `${name}=; path=/; max-age=0`
    }
  }
  for (const credentials of ["omit", "same-origin", "include"]) {
    add(`cookies, ${credentials}`, () => withCookie(async () => (await seen("api/echo", { credentials })).cookie))
    add(`a cookie that is set, ${credentials}`, () => withCookie(async () => {
      await fetch("api/answers/cookie", { credentials })
      return document.cookie
    }))
  }

  for (const credentials of ["omit", "same-origin"]) {
    add(`a cookie that another origin sets, ${credentials}`, () => withCookie(async () => {
      await fetch(`${elsewhere}/api/answers/cookie`, { credentials })
      return document.cookie
    }))
  }

  // --- Bodies --------------------------------------------------------------------------------------------------------

  group = "bodies"
  add("a string", () => post("hello, wörld \u{1f600}"))
  add("half a surrogate pair", () => post("a\ud800b"))
  add("an empty string", () => post(""))
  add("JSON", () => post('{"a":1}', { headers: { "Content-Type": "application/json" } }))
  add("a number", () => post(7))
  add("an object", () => post({ a: 1 }))
  add("a String object", () => post(new String("x")))
  add("URLSearchParams", () => post(new URLSearchParams([["a", "1"], ["b", "ü &"], ["a", "2"]])))
  add("empty URLSearchParams", () => post(new URLSearchParams()))
  add("a Blob", () => post(new Blob(["a", new Uint8Array([0, 255])], { type: "Image/X" })))
  add("a Blob without a type", () => post(new Blob(["a"])))
  add("an empty Blob", () => post(new Blob([])))
  add("a File", () => post(new File(["a"], "a.txt", { type: "text/x" })))
  add("an ArrayBuffer", () => post(new Uint8Array([0, 1, 254, 255]).buffer))
  add("an empty ArrayBuffer", () => post(new ArrayBuffer(0)))
  add("a typed array that is a part", () => post(new Uint8Array([1, 2, 3, 4]).subarray(1, 3)))
  add("a Float32Array", () => post(new Float32Array([1, 2])))
  add("a DataView", () => post(new DataView(new Uint8Array([1, 2, 3]).buffer, 1)))
  add("a typed array is taken at once", async () => {
    const bytes = new Uint8Array([1, 2, 3])
    const promise = post(bytes)
    bytes.fill(9)
    return promise
  })
  add("FormData", () => {
    const form = new FormData()
    form.append("a", "1")
    form.append("a", "line\nend \"quoted\"")
    form.append("ü", "ö")
    return post(form)
  })
  add("FormData with files", () => {
    const form = new FormData()
    form.append("f", new File([new Uint8Array([0, 13, 10, 255])], "a \"b\".bin", { type: "image/x" }))
    form.append("g", new Blob(["x"]))
    form.append("h", new File([], ""))
    return post(form)
  })
  add("FormData with a content-type of one's own", async () => {
    const form = new FormData()
    form.append("a", "1")
    const { type } = await post(form, { headers: { "content-type": "text/own" } })
    return type
  })
  add("a document", () => post(new DOMParser().parseFromString("<p>", "text/html")))
  add("empty FormData", () => post(new FormData()))
  add("FormData is taken at once", () => {
    const form = new FormData()
    form.append("a", "1")
    const promise = post(form)
    form.append("b", "2")
    return promise
  })
  add("a content-type of one's own for a string", () => post("x", { headers: { "content-type": "text/own" } }))
  add("a content-type of one's own for a form", () => post(new URLSearchParams("a=1"), { headers: { "content-type": "text/own" } }))
  add("a content-type of one's own for bytes", () => post(new Uint8Array([1]), { headers: { "content-type": "text/own" } }))
  add("none, with POST", () => post(undefined))
  for (const method of ["PUT", "PATCH", "DELETE", "OPTIONS"]) add(`with ${method}`, () => seen("api/echo", { method, body: "x" }))
  add("none, with DELETE", () => seen("api/echo", { method: "DELETE" }))
  add("300 kB", async () => (await post("0123456789".repeat(30_000))).body.length)
  add("of a Request: a Blob", () => seen(new Request("api/echo", { method: "POST", body: new Blob(["a"], { type: "a/b" }) })))
  add("of a Request: FormData", () => {
    const body = new FormData()
    body.append("a", new File(["x"], "x.txt"))
    return seen(new Request("api/echo", { method: "POST", body }))
  }, UNREADABLE)
  add("of a Request: empty", () => seen(new Request("api/echo", { method: "POST", body: "" })))
  // WebKit's network cannot send streams; a route can be sent one.
  add("a Response's stream without duplex", () => outcome(fetch("api/echo", { method: "POST", body: new Response("x").body }).then(response => response.json())), { differs: ["webkit"] })
  add("a locked stream", () => {
    const body = new ReadableStream()
    body.getReader()
    return outcome(fetch("api/echo", { method: "POST", body, duplex: "half" }).then(response => response.json()))
  })
  add("more than may be kept alive", () => outcome(fetch("api/echo", { method: "POST", keepalive: true, body: "x".repeat(70_000) })))

  // --- Responses -----------------------------------------------------------------------------------------------------

  group = "responses"
  for (const name of ["text", "latin", "json", "typed", "empty", "mark", "broken-utf8", "headers"]) {
    add(`${name}, whole`, async () => whole(await fetch(`api/answers/${name}`)))
  }
  add("nothing as json", () => fetch("api/answers/empty").then(response => response.json()).catch(error => error.name))
  for (const name of ["json", "bad-json", "mark", "text"]) {
    add(`${name} as json`, () => outcome(fetch(`api/answers/${name}`).then(response => response.json())))
  }
  for (const name of ["bytes", "image", "typed", "empty", "text", "multipart"]) {
    // WebKit drops the parameters of a type, unless a script has made the Response.
    add(`${name} as a blob`, async () => {
      const blob = await (await fetch(`api/answers/${name}`)).blob()
      return [blob instanceof Blob, blob.type, blob.size, hex(await blob.arrayBuffer())]
    }, { differs: ["typed", "text", "multipart"].includes(name) ? ["webkit"] : [] })
  }
  for (const name of ["bytes", "image", "text", "empty"]) {
    add(`${name} as an ArrayBuffer`, async () => {
      const buffer = await (await fetch(`api/answers/${name}`)).arrayBuffer()
      return [buffer instanceof ArrayBuffer, hex(buffer)]
    })
    add(`${name} as bytes`, async () => {
      const bytes = await (await fetch(`api/answers/${name}`)).bytes()
      return [bytes instanceof Uint8Array, hex(bytes)]
    })
  }
  for (const name of ["form", "multipart"]) {
    add(`${name} as FormData`, () => outcome(fetch(`api/answers/${name}`).then(response => response.formData()).then(form =>
      Promise.all([...form].map(async ([key, value]) => [key, value instanceof File ? [value.name, value.type, hex(await value.arrayBuffer())] : value])))))
  }
  add("text as FormData", () => fetch("api/answers/text").then(response => response.formData()).catch(error => error.name))
  add("large", async () => (await (await fetch("api/answers/large")).text()).length)
  for (const code of [200, 201, 202, 203, 206, 300, 400, 401, 403, 404, 405, 409, 410, 418, 428, 429, 500, 501, 502, 503, 504]) {
    add(`status ${code}`, async () => whole(await fetch(`api/status/${code}`)))
  }
  for (const code of [204, 205, 304]) {
    add(`status ${code}, all but the body`, async () => {
      const { after, ...rest } = await whole(await fetch(`api/status/${code}`, { headers: { "if-none-match": '"1"' } }))
      return rest
    })
  }
  add("HEAD, all but the body", async () => {
    const { after, ...rest } = await whole(await fetch("api/answers/text", { method: "HEAD" }))
    return rest
  })
  add("OPTIONS", async () => whole(await fetch("api/status/200", { method: "OPTIONS" })))
  add("what it is", async () => {
    const response = await fetch("api/answers/text")
    return [
      response instanceof Response, String(response), response.constructor === Response, Object.keys(response), JSON.stringify(response),
      response.headers instanceof Headers, String(response.headers), response.body instanceof ReadableStream, response.body.locked,
      response.headers === response.headers, response.body === response.body,
    ]
  })
  add("what a loop finds in it", async () => {
    const response = await fetch("api/answers/text")
    const found = object => {
      const names = []
      for (const name in object) names.push(name)
      return [names.sort(), Object.getOwnPropertyNames(object), Object.hasOwn(object, "url"), "url" in object, `${object}`]
    }
    return [found(response), found(response.headers), found(response.clone()), response.clone.name, response.text.length]
  })
  add("used once", async () => {
    const response = await fetch("api/answers/text")
    const first = response.text()
    return [response.bodyUsed, await outcome(response.text()), await first, thrown(() => response.clone()), await outcome(response.json())]
  })
  add("cloned", async () => {
    const response = await fetch("api/redirect/302?to=/api/answers/json")
    const copy = response.clone()
    const copies = copy.clone()
    return [await whole(response), await whole(copy), await whole(copies), copy instanceof Response, thrown(() => copy.headers.set("a", "b"))]
  })
  add("cloned when it is read", async () => {
    const response = await fetch("api/answers/text")
    response.body.getReader()
    return [thrown(() => response.clone()), await outcome(response.text()), response.bodyUsed, response.body.locked]
  })
  add("as the init of another", async () => {
    const response = await fetch("api/answers/headers")
    const other = new Response(response.body, response)
    return [other.url, other.type, other.status, headersOf(other), await other.text(), response.bodyUsed]
  })
  add("what cannot be assigned", async () => {
    const response = await fetch("api/answers/text")
    return ["url", "type", "redirected", "status", "ok", "headers", "body"].map(name => Boolean(thrown(() => { response[name] = 1 }).thrown))
  })
  add("given to createObjectURL", async () => {
    const url = URL.createObjectURL(await (await fetch("api/answers/bytes")).blob())
    return hex(await (await fetch(url)).arrayBuffer())
  })

  // --- Response headers ----------------------------------------------------------------------------------------------

  group = "headers"
  add("read by name", async () => {
    const { headers } = await fetch("api/answers/headers")
    return ["x-case", "X-CASE", "x-many", "x-empty", "set-cookie", "missing", "content-type", "content-length"].map(name => [name, headers.get(name), headers.has(name)])
  })
  add("set-cookie", async () => (await fetch("api/answers/headers")).headers.getSetCookie())
  for (const [name, args] of [["append", ["a", "b"]], ["set", ["content-type", "x"]], ["delete", ["content-type"]], ["append", ["a b", "c"]], ["append", ["a"]], ["set", []], ["delete", ["missing"]]]) {
    add(`immutable: ${name}(${args})`, async () => {
      const { headers } = await fetch("api/answers/text")
      return [thrown(() => headers[name](...args)), headers.get("content-type"), headers.has("a")]
    })
  }
  add("in order", async () => {
    const { headers } = await fetch("api/answers/headers")
    return [[...headers.keys()].filter(name => !transport.test(name)), [...headers.values()].length > 3, Object.keys(headers)]
  })
  add("copied, and changed", async () => {
    const copy = new Headers((await fetch("api/answers/headers")).headers)
    copy.set("x-case", "new")
    return copy.get("x-case")
  })

  // --- Redirects -----------------------------------------------------------------------------------------------------

  group = "redirects"
  const to = (code, where) => `api/redirect/${code}?to=${encodeURIComponent(where)}`
  for (const code of [301, 302, 303, 307, 308]) {
    add(`${code} after GET`, async () => {
      const response = await fetch(to(code, "/api/echo?a=1"), { headers: { "x-a": "1" } })
      return [head(response), await response.json()]
    })
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "HEAD"]) {
      add(`${code} after ${method}`, async () => {
        const body = method === "HEAD" || method === "DELETE" ? undefined : "sent"
        const response = await fetch(to(code, "/api/echo?a=1"), { method, body, headers: { "x-a": "1", "content-language": "x" } })
        // WebKit keeps the origin of what has become a GET.
        return [head(response), method === "HEAD" ? "" : { ...await response.json(), origin: "" }]
      })
    }
    add(`${code}, as an error`, () => outcome(fetch(to(code, "/api/answers/text"), { redirect: "error" })))
    add(`${code}, manual`, async () => {
      const response = await fetch(to(code, "/api/answers/text"), { redirect: "manual" })
      return [head(response), headersOf(response), await response.text()]
    })
  }
  add("a form after 307", () => {
    const form = new FormData()
    form.append("f", new File(["x"], "x.txt"))
    return seen(to(307, "/api/echo"), { method: "POST", body: form })
  })
  add("a Blob after 308", () => seen(to(308, "/api/echo"), { method: "POST", body: new Blob(["x"], { type: "a/b" }) }))
  add("a relative location", async () => whole(await fetch(to(302, "../answers/text"))))
  add("a location with letters beyond ASCII", async () => whole(await fetch(to(302, "/api/echo?%C3%BC"))))
  add("a location with a fragment", async () => short((await fetch(to(302, "/api/answers/text#there"))).url))
  add("a fragment of the request", async () => short((await fetch(`${to(302, "/api/answers/text")}#here`)).url))
  add("no location", async () => whole(await fetch("api/redirect/302")))
  add("no location, manual", async () => whole(await fetch("api/redirect/302", { redirect: "manual" })), { differs: ["webkit"] })
  // Firefox fails by the letter of the specification.
  add("no location, as an error", () => outcome(fetch("api/redirect/302", { redirect: "error" }).then(head)), { differs: ["firefox"] })
  add("an empty location", () => outcome(fetch("api/redirect/302?to=").then(head)))
  add("a location that is no url", () => outcome(fetch(to(302, "http://["))))
  add("a location of another scheme", () => outcome(fetch(to(302, "data:text/plain,x"))))
  add("status 300", async () => head(await fetch(to(300, "/api/answers/text"))))
  add("status 304", async () => head(await fetch(to(304, "/api/answers/text"))))
  add("several", async () => whole(await fetch("api/hops/3")))
  add("20", async () => whole(await fetch("api/hops/20")))
  add("21", () => outcome(fetch("api/hops/21")))
  add("20 and no more, manual", async () => head(await fetch("api/hops/30", { redirect: "manual" })))
  add("no error where none is", async () => whole(await fetch("api/answers/text", { redirect: "error" })))
  add("to another origin", async () => {
    const response = await fetch(to(302, `${elsewhere}/api/echo?a`), { headers: { authorization: "Basic x" } })
    return [head(response), await response.json()]
  })
  add("within the origin, authorization kept", () => seen(to(302, "/api/echo"), { headers: { authorization: "Basic x" } }))
  add("to another origin, same-origin asked", () => outcome(fetch(to(302, `${elsewhere}/api/echo`), { mode: "same-origin" })))
  add("to another origin and no-cors", async () => {
    const response = await fetch(to(302, `${elsewhere}/api/echo`), { mode: "no-cors" })
    return [head(response), await response.text()]
  })

  const there = where => `${elsewhere}/${to(302, `${location.origin}${where}`)}`
  for (const referrerPolicy of ["", "origin-when-cross-origin", "same-origin", "unsafe-url"]) {
    // See above; and Firefox forgets what it has not told the other site.
    const differs = { "unsafe-url": ["firefox", "webkit"], "origin-when-cross-origin": ["firefox"] }[referrerPolicy]
    add(`there and back, the referrer policy ${referrerPolicy}`, () => seen(there("/api/echo"), { referrerPolicy }), { differs })
  }
  add("there and back", async () => whole(await fetch(there("/api/answers/text"))))
  // WebKit does not let the page itself permit a page that is `null`.
  add("there and back, again and again", () => seen(to(302, there(`/${to(302, there("/api/echo"))}`))), { differs: ["webkit"] })
  add("there and back with 307", () => seen(there("/api/echo").replace("302", "307"), { method: "POST", body: "sent" }))
  add("there and back, no-cors", async () => head(await fetch(there("/api/answers/text"), { mode: "no-cors" })))
  add("there and back, same-origin asked on the way", () => outcome(fetch(to(302, there("/api/echo")), { mode: "same-origin" })))
  add("there and back, cookies", () => withCookie(async () => (await seen(there("/api/echo"))).cookie))
  for (const policy of ["no-referrer", "origin", "Origin, unknown", "unknown", "same-origin", "strict-origin", "unsafe-url"]) {
    for (const where of ["/api/echo", `${elsewhere}/api/echo`]) {
      const differs = policy === "unsafe-url" && where !== "/api/echo" ? ["firefox", "webkit"] : []
      add(`a referrer policy on the way to ${short(where)}: ${policy}`, async () => (await seen(`${to(302, where)}&policy=${policy}`)).referer, { differs })
    }
  }
  add("a referrer policy on the way, twice", async () => (await seen(`${to(302, `/${to(302, "/api/echo")}&policy=unsafe-url`)}&policy=origin`)).referer)
  for (const redirect of ["manual", "error"]) {
    add(`of another origin, no-cors and ${redirect}`, () => outcome(fetch(`${elsewhere}/${to(302, "/api/answers/text")}`, { mode: "no-cors", redirect }).then(head)))
  }
  add("to where the network answers, no-cors", async () => head(await fetch(to(302, `${elsewhere}/page.html`), { mode: "no-cors" })))
  add("there, and to where the network answers, no-cors", async () => head(await fetch(there("/page.html"), { mode: "no-cors" })))

  // --- Other origins -------------------------------------------------------------------------------------------------

  group = "origins"
  add("cors", async () => whole(await fetch(`${elsewhere}/api/answers/text`)))
  add("cors, sending JSON", () => seen(`${elsewhere}/api/echo`, { method: "POST", body: "{}", headers: { "content-type": "application/json" } }))
  add("cors, cloned", async () => head((await fetch(`${elsewhere}/api/answers/text`)).clone()))
  add("no-cors", async () => {
    const response = await fetch(`${elsewhere}/api/answers/text`, { mode: "no-cors" })
    return [head(response), headersOf(response), response.body === null, await response.text(), head(response.clone())]
  })
  add("no-cors, sending", async () => head(await fetch(`${elsewhere}/api/echo`, { mode: "no-cors", method: "POST", body: "x" })))
  add("same-origin", () => outcome(fetch(`${elsewhere}/api/answers/text`, { mode: "same-origin" })))
  add("a Request, same-origin", () => outcome(fetch(new Request(`${elsewhere}/api/answers/text`, { mode: "same-origin" }))))
  add("data:", async () => whole(await fetch("data:text/plain,api/answers/text")))
  add("about:", () => outcome(fetch("about:blank")))
  add("a scheme that is unknown", () => outcome(fetch("api://answers/text")))

  // --- Integrity -----------------------------------------------------------------------------------------------------

  group = "integrity"
  const digest = async (algorithm, text = "hello, wörld") =>
    btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest(algorithm, new TextEncoder().encode(text)))))
  for (const algorithm of ["SHA-256", "SHA-384", "SHA-512"]) {
    add(`${algorithm} fits`, async () => whole(await fetch("api/answers/text", { integrity: `${algorithm.replace("-", "").toLowerCase()}-${await digest(algorithm)}` })))
    add(`${algorithm} does not fit`, async () => outcome(fetch("api/answers/text", { integrity: `${algorithm.replace("-", "").toLowerCase()}-${await digest(algorithm, "x")}` })))
  }
  add("one of two fits", async () => whole(await fetch("api/answers/text", { integrity: `sha256-${await digest("SHA-256", "x")} sha256-${await digest("SHA-256")}` })))
  add("the stronger counts", async () => outcome(fetch("api/answers/text", { integrity: `sha256-${await digest("SHA-256")} sha384-${await digest("SHA-384", "x")}` })))
  add("with options", async () => whole(await fetch("api/answers/text", { integrity: `sha256-${await digest("SHA-256")}?x=y` })))
  add("nonsense", async () => whole(await fetch("api/answers/text", { integrity: "nonsense md5-abc" })))
  add("of an answer without a body", () => outcome(fetch("api/status/204", { integrity: "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }).then(head)))
  add("of an empty answer", async () => outcome(fetch("api/answers/empty", { integrity: `sha256-${await digest("SHA-256", "")}` }).then(whole)))
  add("of a HEAD", () => outcome(fetch("api/answers/text", { method: "HEAD", integrity: "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }).then(head)))
  add("of another origin, not to be read", async () => outcome(fetch(`${elsewhere}/api/answers/text`, { mode: "no-cors", integrity: `sha256-${await digest("SHA-256")}` }).then(head)))
  add("of another origin", async () => outcome(fetch(`${elsewhere}/api/answers/text`, { integrity: `sha256-${await digest("SHA-256")}` }).then(whole)))
  add("of a stream", () => outcome(fetch("api/pieces", { integrity: "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" })))

  // --- Streams -------------------------------------------------------------------------------------------------------

  group = "streams"
  // A network may join pieces.
  const readAll = async reader => {
    let text = "", bytes = true
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return [text, bytes, value]
      text += hex(value)
      bytes &&= value instanceof Uint8Array
    }
  }
  add("pieces, read one by one", async () => readAll((await fetch("api/pieces")).body.getReader()))
  add("pieces as text", async () => whole(await fetch("api/pieces")))
  add("pieces, with a signal", async () => whole(await fetch("api/pieces", { signal: new AbortController().signal })))
  add("headers before the body", async () => {
    const response = await fetch("api/halfway")
    const { value } = await response.body.getReader().read()
    return [head(response), hex(value)]
  })
  add("a plain answer, read as a stream", async () => readAll((await fetch("api/answers/json")).body.getReader()))
  add("a plain answer with a signal, read as a stream", async () => readAll((await fetch("api/answers/json", { signal: new AbortController().signal })).body.getReader()))
  add("an empty answer, read as a stream", async () => readAll((await fetch("api/answers/empty")).body.getReader()))
  add("with a view of one's own", async () => {
    const reader = (await fetch("api/answers/bytes")).body.getReader({ mode: "byob" })
    const { value } = await reader.read(new Uint8Array(4))
    return hex(value)
  }, { differs: ["webkit"] })
  add("pieces with a view of one's own, to the end", async () => {
    const reader = (await fetch("api/pieces")).body.getReader({ mode: "byob" })
    let text = ""
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(4))
      if (done) return [text, value.length]
      text += hex(value)
    }
  }, { differs: ["webkit"] })
  add("cloned", async () => {
    const response = await fetch("api/pieces")
    const copy = response.clone()
    return Promise.all([whole(response), whole(copy)])
  })
  add("cancelled", async () => {
    const response = await fetch("api/answers/text")
    return [await response.body.cancel("enough"), response.bodyUsed, (await outcome(response.text())).thrown.slice(0, 24)]
  })
  add("cancelled, and the server hears of it", async () => {
    const name = Math.random()
    const reader = (await fetch(`api/forever/${name}`)).body.getReader()
    const { value } = await reader.read()
    await reader.cancel("enough")
    let ended = false
    while (!ended) ended = await (await fetch(`api/ended/${name}`)).json()
    return [value.length > 0, await reader.read(), ended]
  })
  add("aborted, and the server hears of it", async () => {
    const name = Math.random()
    const controller = new AbortController()
    const reader = (await fetch(`api/forever/${name}`, { signal: controller.signal })).body.getReader()
    await reader.read()
    controller.abort()
    let ended = false
    while (!ended) ended = await (await fetch(`api/ended/${name}`)).json()
    return ended
  })
  add("piped", async () => {
    const response = await fetch("api/pieces")
    const text = []
    await response.body.pipeThrough(new TextDecoderStream()).pipeTo(new WritableStream({ write: piece => void text.push(piece) }))
    return [text.join(""), response.bodyUsed, response.body.locked]
  })
  add("teed", async () => {
    const [one, two] = (await fetch("api/pieces")).body.tee()
    return [await new Response(one).text(), await new Response(two).text()]
  })
  add("iterated", async () => {
    const { body } = await fetch("api/pieces")
    if (!body[Symbol.asyncIterator]) return "no"
    let text = ""
    for await (const piece of body) text += hex(piece)
    return text
  })
  add("used, once it is read", async () => {
    const response = await fetch("api/pieces")
    const reader = response.body.getReader()
    const before = response.bodyUsed
    await reader.read()
    reader.releaseLock()
    return [before, response.bodyUsed, response.body.locked, await outcome(response.text())]
  })

  // --- Aborting ------------------------------------------------------------------------------------------------------

  group = "aborting"
  const reason = new RangeError("mine")
  const aborts = promise => Promise.resolve(promise).then(value => ["not", value], error => [error === reason ? "my reason" : told(error)])
  const urls = { "in the handler": "api/slow", "at once": "api/answers/text" }
  for (const [when, url] of Object.entries(urls)) {
    add(`before, ${when}`, () => aborts(fetch(url, { signal: AbortSignal.abort() })))
    add(`before, for a reason, ${when}`, () => aborts(fetch(url, { signal: AbortSignal.abort(reason) })))
    add(`in the same tick, ${when}`, () => {
      const controller = new AbortController()
      const promise = fetch(url, { signal: controller.signal })
      controller.abort(reason)
      return aborts(promise)
    }, LOSES_REASON)
  }
  add("while the handler waits", () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 40)
    return aborts(fetch("api/slow", { signal: controller.signal }))
  }, LOSES_REASON)
  add("while the handler waits, for a reason", () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(reason), 40)
    return aborts(fetch("api/slow", { signal: controller.signal }))
  }, LOSES_REASON)
  add("for a reason that is a string", () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort("why"), 10)
    return fetch("api/slow", { signal: controller.signal }).catch(error => [error])
  }, LOSES_REASON)
  add("in time", () => aborts(fetch("api/slow", { signal: AbortSignal.timeout(30) })), LOSES_REASON)
  add("by any signal", () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(reason), 10)
    return aborts(fetch("api/slow", { signal: AbortSignal.any([controller.signal, new AbortController().signal]) }))
  }, LOSES_REASON)
  add("a Request's signal", () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(reason), 10)
    return aborts(fetch(new Request("api/slow", { signal: controller.signal })))
  }, LOSES_REASON)
  add("a Request's signal, before", () => aborts(fetch(new Request("api/slow", { signal: AbortSignal.abort(reason) }))))
  add("a Request's signal, of a clone", () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(reason), 10)
    return aborts(fetch(new Request("api/slow", { signal: controller.signal }).clone()))
  }, LOSES_REASON)
  add("a Request's signal, overridden", () => {
    const controller = new AbortController()
    controller.abort(reason)
    return aborts(fetch(new Request("api/answers/text", { signal: controller.signal }), { signal: new AbortController().signal }).then(head))
  })
  add("a Request's signal, taken away", () => {
    const controller = new AbortController()
    controller.abort(reason)
    return aborts(fetch(new Request("api/answers/text", { signal: controller.signal }), { signal: null }).then(head))
  })
  add("init's signal beside a Request", () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(reason), 10)
    return aborts(fetch(new Request("api/slow"), { signal: controller.signal }))
  }, LOSES_REASON)
  for (const how of ["text", "json", "blob", "arrayBuffer", "bytes"]) {
    add(`between headers and body, ${how}`, async () => {
      const controller = new AbortController()
      const response = await fetch("api/answers/json", { signal: controller.signal })
      controller.abort(reason)
      return aborts(response[how]())
    }, LOSES_REASON)
  }
  add("between headers and body, without a reason", async () => {
    const controller = new AbortController()
    const response = await fetch("api/answers/json", { signal: controller.signal })
    controller.abort()
    return aborts(response.text())
  }, LOSES_REASON)
  add("between headers and body, how soon", async () => {
    const controller = new AbortController()
    const response = await fetch("api/answers/json", { signal: controller.signal })
    controller.abort()
    const log = []
    const reading = response.json().catch(() => log.push("rejected"))
    const next = Promise.resolve().then(() => log.push("next"))
    await Promise.all([reading, next])
    return [log, response.bodyUsed, (await outcome(response.text())).thrown.slice(0, 30)]
  }, LOSES_REASON)
  add("between headers and body, with a reader", async () => {
    const controller = new AbortController()
    const response = await fetch("api/halfway", { signal: controller.signal })
    const reader = response.body.getReader()
    controller.abort(reason)
    return [await aborts(reader.read()), await aborts(reader.closed)]
  }, LOSES_REASON)
  add("a Request's signal, something else overridden", () => aborts(fetch(new Request("api/answers/text", { signal: AbortSignal.abort(reason) }), { method: "POST" })))
  add("between headers and body, cloned", async () => {
    const controller = new AbortController()
    const response = await fetch("api/answers/json", { signal: controller.signal })
    const copy = response.clone()
    controller.abort(reason)
    return [await aborts(response.text()), await aborts(copy.json())]
  }, LOSES_REASON)
  // Firefox has a new AbortError, too, but for readers.
  add("while a body comes, as text", async () => {
    const controller = new AbortController()
    const response = await fetch("api/halfway", { signal: controller.signal })
    setTimeout(() => controller.abort(reason), 40)
    return aborts(response.text())
  }, { differs: ["firefox", "webkit"] })
  add("while a body comes, with a reader", async () => {
    const controller = new AbortController()
    const response = await fetch("api/halfway", { signal: controller.signal })
    const reader = response.body.getReader()
    const { value } = await reader.read()
    setTimeout(() => controller.abort(reason), 20)
    return [hex(value), await aborts(reader.read()), await aborts(reader.closed), await aborts(reader.read())]
  }, LOSES_REASON)
  add("after all was read", async () => {
    const controller = new AbortController()
    const response = await fetch("api/answers/json", { signal: controller.signal })
    const text = await response.text()
    controller.abort(reason)
    return [text, response.bodyUsed]
  })
  add("after all was read of a stream", async () => {
    const controller = new AbortController()
    const response = await fetch("api/pieces", { signal: controller.signal })
    const text = await response.text()
    controller.abort(reason)
    return [text, response.bodyUsed]
  })
  add("after the answer, a body that is empty", async () => {
    const controller = new AbortController()
    const response = await fetch("api/answers/empty", { signal: controller.signal })
    await response.text()
    controller.abort(reason)
    return head(response)
  })
  add("many with one signal", async () => {
    const controller = new AbortController()
    const all = [1, 2, 3].map(() => aborts(fetch("api/slow", { signal: controller.signal })))
    setTimeout(() => controller.abort(reason), 10)
    return Promise.all(all)
  }, LOSES_REASON)
  add("what is wrong comes before what is aborted", () => aborts(fetch("http://[", { signal: AbortSignal.abort(reason) })))
  add("a Request's body is used up all the same", async () => {
    const request = new Request("api/echo", { method: "POST", body: "x", signal: AbortSignal.abort(reason) })
    return [await aborts(fetch(request)), request.bodyUsed]
  })
  add("its order with what listens", async () => {
    const log = []
    const controller = new AbortController()
    controller.signal.addEventListener("abort", () => log.push("before"))
    const promise = fetch("api/slow", { signal: controller.signal }).catch(() => log.push("fetch"))
    controller.signal.addEventListener("abort", () => log.push("after"))
    controller.abort()
    log.push("sync")
    await promise
    return log
  })

  // --- Errors --------------------------------------------------------------------------------------------------------

  group = "errors"
  // Firefox speaks of a Content-Length that there is none of; WebKit takes a body that breaks off for one that ends.
  add("a body that breaks off, as text", () => outcome(fetch("api/breaks").then(response => response.text())), { differs: ["firefox", "webkit"] })
  add("a body that breaks off, with a reader", async () => {
    const reader = (await fetch("api/breaks")).body.getReader()
    const { value } = await reader.read()
    return [hex(value), await outcome(reader.read())]
  }, { differs: ["webkit"] })
  add("a port that is forbidden", () => outcome(fetch("http://127.0.0.1:1/")))

  // --- What no route wants -------------------------------------------------------------------------------------------

  group = "the network"
  add("GET", async () => whole(await fetch("real/books/1")))
  add("POST", async () => whole(await fetch("real/books", { method: "POST", body: '{"a":1}', headers: { "content-type": "application/json" } })))
  add("a Request with a body", async () => whole(await fetch(new Request("real/books", { method: "PUT", body: "text" }))))
  add("a failure", async () => whole(await fetch("real/fail")))
  add("404", async () => whole(await fetch("missing")))
  add("aborted", () => aborts(fetch("real/books", { signal: AbortSignal.abort(reason) })))

  window.fetching = {
    cases,
    async run(wanted = () => true) {
      const results = {}
      for (const { name, run } of cases) {
        if (!wanted(name)) continue
        const late = wait(20_000).then(() => "nothing for 20 seconds")
        results[name] = await Promise.race([outcome(new Promise(resolve => resolve(run()))), late])
      }
      return results
    },
    differing: engine => cases.filter(({ differs }) => differs.includes(engine)).map(({ name }) => name),
    count: cases.length,
  }
})()
