// What clients do and what they see of it, written down: run natively, and with us on the page (see test_untouched.py).
// `record(names)` runs the cases of these clients and gives back what was written down, for each. "{refused}" stands for
// an address where nobody listens.

(() => {
  const wait = window.setTimeout.bind(window)
  const turns = async () => { for (let i = 0; i < 3; i++) await new Promise(resolve => wait(resolve, 0)) }
  // Longer than any case takes, so that one that never ends says which it is.
  const patience = () => {
    const end = {}
    return Object.assign(new Promise(resolve => wait(() => resolve(end), 5000)), { end })
  }
  const live = "/live/"
  const far = `${location.origin.replace("127.0.0.1", "localhost")}/live/`
  const large = Uint8Array.from({ length: 400_000 }, (_, i) => (i * 7 + (i >> 8)) & 255)

  // --- Writing down ---------------------------------------------------------------------------------------------------

  const sum = bytes => bytes.reduce((all, byte) => Math.imul(all ^ byte, 16777619) >>> 0, 2166136261)
  const describeBytes = (kind, bytes) => `${kind} ${bytes.length} ${sum(bytes)}`

  async function describe(value) {
    if (typeof value === "string") return value.length < 2000 ? value : describeBytes("text", new TextEncoder().encode(value))
    if (value instanceof ArrayBuffer) return describeBytes("ArrayBuffer", new Uint8Array(value))
    if (value instanceof Blob) return describeBytes(`Blob ${value.type}`, new Uint8Array(await value.arrayBuffer()))
    if (value instanceof FormData) return ["FormData", ...await Promise.all([...value].map(async pair => [pair[0], await describe(pair[1])]))]
    if (value instanceof ReadableStream) return describeBytes("stream", new Uint8Array(await new Response(value).arrayBuffer()))
    if (value instanceof Document) return `Document ${value.contentType} ${new XMLSerializer().serializeToString(value)}`
    return value === undefined ? "undefined" : JSON.parse(JSON.stringify(value))
  }
  const named = error => (error instanceof Error ? `${error.constructor.name} ${error.name}: ${error.message}` : String(error))
  // What differs from one answer to the next.
  const lines = headers => headers.toLowerCase().split("\r\n").filter(line => line && !line.startsWith("date:"))
  const attempt = act => {
    try {
      return act()
    } catch (error) {
      return named(error)
    }
  }

  const EVENTS = ["readystatechange", "loadstart", "progress", "load", "error", "abort", "timeout", "loadend"]

  /**
   * Write down all events of an XMLHttpRequest. How often it is told of bytes, and whether for the last time before or
   * after readyState 4, depends on the network: what was told stands before the event that ends it.
   */
  function watch(xhr, log, { upload = true } = {}) {
    const hear = (where, target) => {
      let progress, state
      return event => {
        if (event.type === "progress") {
          progress = [event.lengthComputable, event.total, event.loaded > (progress?.[2] ?? -1) ? event.loaded : "less", event instanceof ProgressEvent]
          return
        }
        if (event.type === "readystatechange" && xhr.readyState === 3 && state === 3) return
        state = xhr.readyState
        if (event.type === "load") log.push(["progress", ...(progress ?? [])])
        if (["error", "abort", "timeout"].includes(event.type)) log.push(["progress", Boolean(progress)])
        log.push([
          where + event.type, xhr.readyState, event instanceof ProgressEvent ? [event.lengthComputable, event.loaded, event.total] : event.constructor.name,
          event.target === target, event.bubbles, event.cancelable, xhr.status, xhr.statusText,
        ])
      }
    }
    const heard = hear("", xhr)
    const heardOfUpload = upload && hear("upload ", xhr.upload)
    for (const type of EVENTS) {
      xhr.addEventListener(type, heard)
      if (upload && type !== "readystatechange") xhr.upload.addEventListener(type, heardOfUpload)
    }
    return xhr
  }

  async function ended(xhr, log) {
    log.push([
      xhr.readyState, xhr.status, xhr.statusText, xhr.responseURL, lines(xhr.getAllResponseHeaders()), xhr.getResponseHeader("X-MANY"),
      xhr.getResponseHeader("nothing"), xhr.responseType, await describe(xhr.response), attempt(() => xhr.responseText.length),
      attempt(() => xhr.responseXML && xhr.responseXML.contentType), xhr.timeout, xhr.withCredentials,
    ])
  }

  // Whatever makes an XMLHttpRequest meanwhile makes one that is watched.
  async function watching(log, act) {
    const Native = window.XMLHttpRequest
    window.XMLHttpRequest = class extends Native {
      constructor() {
        super()
        watch(this, log)
      }
    }
    try {
      return await act()
    } finally {
      await turns()
      window.XMLHttpRequest = Native
    }
  }

  // --- XMLHttpRequest -------------------------------------------------------------------------------------------------

  const xhr = (method, url, { headers = {}, body, type, timeout, mime, credentials, upload, then = () => {}, last = () => {} } = {}) => log =>
    new Promise(resolve => {
      const xhr = watch(new XMLHttpRequest(), log, { upload })
      log.push([xhr instanceof XMLHttpRequest, xhr.upload instanceof XMLHttpRequestUpload, Object.prototype.toString.call(xhr)])
      xhr.open(method, url)
      if (type) xhr.responseType = type
      if (timeout) xhr.timeout = timeout
      if (mime) xhr.overrideMimeType(mime)
      if (credentials) xhr.withCredentials = true
      for (const name in headers) xhr.setRequestHeader(name, headers[name])
      xhr.onloadend = async event => {
        log.push(["onloadend", xhr === event.target])
        await last(xhr, log)
        await ended(xhr, log)
        resolve()
      }
      xhr.send(typeof body === "function" ? body() : body)
      log.push(["sent", xhr.readyState])
      then(xhr, log)
    })
  const when = (state, act) => (xhr, log) => xhr.addEventListener("readystatechange", () => { if (xhr.readyState === state) act(xhr, log) })
  const synchronously = (method, url, { headers = {}, body, mime } = {}) => async log => {
    const xhr = watch(new XMLHttpRequest(), log)
    xhr.open(method, url, false)
    if (mime) xhr.overrideMimeType(mime)
    for (const name in headers) xhr.setRequestHeader(name, headers[name])
    log.push(attempt(() => xhr.send(body)) ?? "sent")
    await ended(xhr, log)
  }
  const form = () => {
    const form = new FormData()
    form.append("title", "Grüße 😀")
    form.append("file", new File([large], "a \"name\".bin", { type: "application/x-own" }))
    form.append("blob", new Blob(["text"]))
    return form
  }
  const say = (say, type) => `${live}text?say=${encodeURIComponent(say)}&type=${encodeURIComponent(type)}`
  const xml = say("<a><b>1</b></a>", "application/xml")

  const XHR = {
    "get": xhr("GET", `${live}echo?a=1&b=%20#fragment`, { headers: { "X-Asked": "yes", "Accept": "application/json" } }),
    "get without upload listeners": xhr("GET", `${live}echo`, { upload: false }),
    "post text": xhr("POST", `${live}echo`, { body: "Grüße 😀" }),
    "post json": xhr("POST", `${live}echo`, { body: "{\"a\": 1}", headers: { "content-type": "application/json" } }),
    "post form": xhr("POST", `${live}echo`, { body: form }),
    "post parameters": xhr("POST", `${live}echo`, { body: () => new URLSearchParams("a=1&b=ü") }),
    "post blob": xhr("POST", `${live}echo`, { body: () => new Blob([large], { type: "image/x-none" }) }),
    "post buffer": xhr("POST", `${live}echo`, { body: () => large.buffer }),
    "post view": xhr("PUT", `${live}echo`, { body: () => large.subarray(10, 20) }),
    "post document": xhr("POST", `${live}echo`, { body: () => new DOMParser().parseFromString("<a>ü</a>", "application/xml") }),
    "post nothing": xhr("POST", `${live}echo`),
    "lower-case method": xhr("delete", `${live}echo`),
    "own method": xhr("patch", `${live}echo`, { body: "x" }),
    "head": xhr("HEAD", `${live}echo`),
    "many bytes": xhr("GET", `${live}many`, { type: "arraybuffer" }),
    "many bytes as a blob": xhr("GET", `${live}many`, { type: "blob" }),
    "many bytes as a text": xhr("GET", `${live}many`, { mime: "text/plain; charset=x-user-defined" }),
    "pieces": xhr("GET", `${live}pieces`),
    "json": xhr("GET", `${live}echo`, { type: "json" }),
    "no json": xhr("GET", say("{no", "application/json"), { type: "json" }),
    "xml": xhr("GET", xml),
    "document": xhr("GET", say("<p>A page", "text/html"), { type: "document" }),
    "document by mime": xhr("GET", say("<a/>", "text/plain"), { mime: "text/xml" }),
    "404": xhr("GET", `${live}echo?status=404`),
    "500": xhr("POST", `${live}echo?status=500`, { body: "x" }),
    "204": xhr("GET", `${live}echo?status=204`),
    "redirect": xhr("GET", `${live}redirect?to=echo`, { headers: { "X-Asked": "yes" } }),
    "redirected post": xhr("POST", `${live}redirect?to=echo`, { body: "x" }),
    "redirected post, kept": xhr("POST", `${live}redirect?status=307&to=echo`, { body: "x" }),
    "broken": xhr("GET", `${live}broken`),
    "broken pieces": xhr("GET", `${live}broken-pieces`, { type: "arraybuffer" }),
    "refused": xhr("GET", "{refused}"),
    "refused upload": xhr("POST", "{refused}", { body: "x", upload: false }),
    "cors": xhr("GET", `${far}echo?cors=*`, { upload: false }),
    "cors with preflight": xhr("PUT", `${far}echo?cors=*`, { headers: { "X-Asked": "yes" }, body: "x" }),
    "cors refused": xhr("GET", `${far}echo`, { upload: false }),
    "cors refused preflight": xhr("PUT", `${far}echo`, { body: "x" }),
    "cors with credentials": xhr("GET", `${far}echo?cors=${location.origin}`, { upload: false, credentials: true }),
    "credentials": xhr("GET", `${live}echo`, { credentials: true }),
    "timeout": xhr("GET", `${live}hangs`, { timeout: 30 }),
    "timeout in the body": xhr("GET", `${live}half`, { timeout: 200 }),
    "timeout set later": xhr("GET", `${live}hangs`, { then: xhr => { xhr.timeout = 20 } }),
    "aborted at once": xhr("GET", `${live}hangs`, { then: (xhr, log) => { xhr.abort(); log.push(xhr.readyState) } }),
    "aborted upload": xhr("POST", `${live}hangs`, { body: "x", then: xhr => wait(() => xhr.abort(), 20) }),
    "aborted at headers": xhr("GET", `${live}echo`, { then: when(2, xhr => xhr.abort()) }),
    "aborted in the body": xhr("GET", `${live}half`, { then: when(3, xhr => xhr.abort()) }),
    "aborted when done": xhr("GET", `${live}echo`, { last: (xhr, log) => { xhr.abort(); log.push(xhr.readyState) } }),
    "read while it comes": xhr("GET", `${live}half`, { then: when(3, (xhr, log) => { log.push(xhr.responseText.length > 0); xhr.abort() }) }),
    "no such address": async log => { log.push(attempt(() => new XMLHttpRequest().open("GET", "http://[/"))) },
    "no such method": async log => { log.push(attempt(() => new XMLHttpRequest().open("A B", live)), attempt(() => new XMLHttpRequest().open("TRACE", live))) },
    "too early": async log => {
      const xhr = new XMLHttpRequest()
      log.push(attempt(() => xhr.send()), attempt(() => xhr.setRequestHeader("a", "b")), xhr.getAllResponseHeaders(), xhr.getResponseHeader("a"))
    },
    "sent twice": xhr("GET", `${live}echo`, {
      then: (xhr, log) => log.push(attempt(() => xhr.send()), attempt(() => xhr.setRequestHeader("a", "b")), attempt(() => { xhr.withCredentials = true })),
    }),
    "text of a buffer": xhr("GET", `${live}echo`, { type: "arraybuffer", last: (xhr, log) => log.push(attempt(() => xhr.responseText), attempt(() => { xhr.responseType = "text" })) }),
    "opened again": log => new Promise(resolve => {
      const xhr = watch(new XMLHttpRequest(), log)
      let first = true
      xhr.onload = () => {
        log.push([xhr.responseText.length > 0, xhr.responseURL])
        if (!first) return resolve()
        first = false
        xhr.open("POST", `${live}echo?again`)
        xhr.send("x")
      }
      xhr.open("GET", `${live}hangs`)
      xhr.send()
      xhr.open("GET", `${live}echo`)
      xhr.send()
    }),
    "listeners in order": log => new Promise(resolve => {
      const xhr = new XMLHttpRequest()
      xhr.addEventListener("load", () => log.push("first"))
      xhr.onload = function (event) { log.push(["onload", this === xhr, event.currentTarget === xhr]) }
      xhr.addEventListener("load", { handleEvent(event) { log.push(["object", event.eventPhase]) } })
      xhr.addEventListener("load", () => log.push("once"), { once: true })
      xhr.addEventListener("load", () => { throw new Error("in a listener") })
      const gone = () => log.push("gone")
      xhr.addEventListener("load", gone)
      xhr.removeEventListener("load", gone)
      xhr.onload = () => log.push("onload, replaced")
      window.addEventListener("error", event => { log.push(event.message); event.preventDefault() }, { once: true })
      xhr.onloadend = resolve
      xhr.open("GET", `${live}echo`)
      xhr.send()
    }),
    "several at once": async log => {
      await Promise.all([1, 2, 3, 4].map(number => new Promise(resolve => {
        const xhr = new XMLHttpRequest()
        xhr.open("GET", `${live}echo?number=${number}`)
        xhr.onload = () => resolve(JSON.parse(xhr.responseText).path)
        xhr.send()
      }))).then(paths => log.push(paths))
    },
    "synchronous": synchronously("GET", `${live}echo`, { headers: { "X-Asked": "yes" } }),
    "synchronous post": synchronously("POST", `${live}echo`, { body: "Grüße" }),
    "synchronous bytes": synchronously("GET", `${live}many`, { mime: "text/plain; charset=x-user-defined" }),
    "synchronous 404": synchronously("GET", `${live}echo?status=404`),
    "synchronous redirect": synchronously("GET", `${live}redirect?to=echo`),
    "synchronous, refused": synchronously("GET", "{refused}"),
    "synchronous, broken": synchronously("GET", `${live}broken`),
    "synchronous, of a type": async log => {
      const xhr = new XMLHttpRequest()
      xhr.open("GET", live, false)
      log.push(attempt(() => { xhr.responseType = "json" }), attempt(() => { xhr.timeout = 1 }))
    },
  }

  // --- fetch ----------------------------------------------------------------------------------------------------------

  /** Write down what a promise of a Response comes to. */
  async function follow(log, promise, read = "text") {
    log.push([promise instanceof Promise])
    try {
      const response = await promise
      const { status, statusText, ok, type, url, redirected, bodyUsed, body } = response
      const headers = lines([...response.headers].map(pair => pair.join(": ")).join("\r\n"))
      log.push([response instanceof Response, status, statusText, ok, type, url.replace(/^blob:.*/, "blob"), redirected, bodyUsed, body && body.constructor.name, headers])
      log.push(await describe(read === "stream" ? response.body : await response[read]()), response.bodyUsed)
    } catch (error) {
      log.push(named(error))
    }
  }
  const ask = (url, init, read) => log => follow(log, fetch(url, typeof init === "function" ? init() : init), read)
  const abortable = (url, act, init) => async log => {
    const control = new AbortController()
    const asked = fetch(url, { signal: control.signal, ...init })
    act(control, asked)
    await follow(log, asked)
  }

  const FETCH = {
    "get": ask(`${live}echo?a=1&b=%20#fragment`, { headers: { "X-Asked": "yes" } }),
    "post text": ask(`${live}echo`, { method: "POST", body: "Grüße 😀" }, "json"),
    "post json": ask(`${live}echo`, { method: "post", body: "{}", headers: new Headers({ "Content-Type": "application/json" }) }),
    "post form": ask(`${live}echo`, () => ({ method: "POST", body: form() })),
    "post parameters": ask(`${live}echo`, () => ({ method: "POST", body: new URLSearchParams("a=1&b=ü") })),
    "post blob": ask(`${live}echo`, () => ({ method: "POST", body: new Blob([large], { type: "image/x-none" }) })),
    "post buffer": ask(`${live}echo`, () => ({ method: "PUT", body: large.buffer })),
    "post nothing": ask(`${live}echo`, { method: "POST" }),
    "lower-case patch": ask(`${live}echo`, { method: "patch", body: "x" }),
    "a stream": ask(`${live}echo`, () => ({ method: "POST", body: new Blob(["x"]).stream(), duplex: "half" })),
    "a Request": async log => {
      const request = new Request(`${live}echo`, { method: "POST", body: "x", headers: { "X-Asked": "yes" } })
      await follow(log, fetch(request))
      log.push(request.bodyUsed)
      await follow(log, fetch(request))
    },
    "a Request and more": async log => {
      const request = new Request(`${live}echo`, { headers: { "X-Asked": "yes" } })
      await follow(log, fetch(request, { method: "PUT", body: "y" }))
      await follow(log, fetch(request, { headers: {} }))
    },
    "a URL": log => follow(log, fetch(new URL(`${live}echo`, location))),
    "an object": log => follow(log, fetch({ toString: () => `${live}echo` })),
    "head": ask(`${live}echo`, { method: "HEAD" }),
    "many bytes": ask(`${live}many`, {}, "arrayBuffer"),
    "many bytes as a blob": ask(`${live}many`, {}, "blob"),
    "many bytes as a stream": ask(`${live}many`, {}, "stream"),
    "pieces": ask(`${live}pieces`),
    "cloned": async log => {
      const response = await fetch(`${live}echo`)
      const clone = response.clone()
      log.push([await response.text() === await clone.text(), clone.url])
    },
    "read twice": async log => {
      const response = await fetch(`${live}echo`)
      await response.text()
      log.push(await response.text().catch(named))
    },
    "form data": ask(say("a=1&b=2", "application/x-www-form-urlencoded"), {}, "formData"),
    "no json": ask(say("{no", "application/json"), {}, "json"),
    "404": ask(`${live}echo?status=404`),
    "500": ask(`${live}echo?status=500`, { method: "POST", body: "x" }),
    "204": ask(`${live}echo?status=204`),
    "redirect": ask(`${live}redirect?to=echo`),
    "redirected post": ask(`${live}redirect?to=echo`, { method: "POST", body: "x" }),
    "redirected, not followed": ask(`${live}redirect?to=echo`, { redirect: "manual" }),
    "redirected, an error": ask(`${live}redirect?to=echo`, { redirect: "error" }),
    "redirected in circles": ask(`${live}redirect`),
    "broken": ask(`${live}broken`),
    "broken pieces": ask(`${live}broken-pieces`, {}, "arrayBuffer"),
    "refused": ask("{refused}"),
    "cors": ask(`${far}echo?cors=*`),
    "cors with preflight": ask(`${far}echo?cors=*`, { method: "PUT", headers: { "X-Asked": "yes" }, body: "x" }),
    "cors refused": ask(`${far}echo`),
    "cors refused preflight": ask(`${far}echo`, { method: "PUT" }),
    "no-cors": ask(`${far}echo`, { mode: "no-cors" }),
    "same-origin": ask(`${far}echo`, { mode: "same-origin" }),
    "credentials": ask(`${far}echo?cors=${location.origin}`, { credentials: "include" }),
    "no referrer": ask(`${live}echo`, { referrerPolicy: "no-referrer" }),
    "integrity": ask(`${live}echo`, { integrity: "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" }),
    "keepalive": ask(`${live}echo`, { method: "POST", body: "x", keepalive: true }),
    "cache": ask(`${live}echo`, { cache: "only-if-cached", mode: "same-origin" }),
    "data": ask("data:text/plain,hello"),
    "blob": log => follow(log, fetch(URL.createObjectURL(new Blob(["hello"], { type: "text/x-own" })))),
    "about": ask("about:blank"),
    "no such address": ask("http://[/"),
    "with a password": ask(`http://user:password@${location.host}${live}echo`),
    "get with a body": ask(`${live}echo`, { body: "x" }),
    "no such method": ask(`${live}echo`, { method: "A B" }),
    "a forbidden method": ask(`${live}echo`, { method: "TRACE" }),
    "no such header": ask(`${live}echo`, { headers: { "a b": "c" } }),
    "no such mode": ask(`${live}echo`, { mode: "navigate" }),
    "nothing at all": log => follow(log, fetch()),
    "aborted before": log => follow(log, fetch(`${live}echo`, { signal: AbortSignal.abort() })),
    "aborted before, with a reason": log => follow(log, fetch(`${live}echo`, { signal: AbortSignal.abort(new RangeError("mine")) })),
    "aborted at once": abortable(`${live}hangs`, control => control.abort()),
    "aborted later, with a reason": abortable(`${live}hangs`, control => wait(() => control.abort("because"), 20)),
    "aborted upload": abortable(`${live}hangs`, control => wait(() => control.abort(), 20), { method: "POST", body: "x" }),
    "aborted in the body": abortable(`${live}half`, (control, asked) => asked.then(() => control.abort())),
    "aborted Request": async log => {
      const control = new AbortController()
      const asked = fetch(new Request(`${live}hangs`, { signal: control.signal }))
      control.abort()
      await follow(log, asked)
    },
    "timeout": log => follow(log, fetch(`${live}hangs`, { signal: AbortSignal.timeout(20) })),
    "aborted when done": async log => {
      const control = new AbortController()
      const response = await fetch(`${live}echo`, { signal: control.signal })
      const text = await response.text()
      control.abort()
      log.push(text, named(control.signal.reason))
    },
    "cancelled": async log => {
      const reader = (await fetch(`${live}half`)).body.getReader()
      log.push((await reader.read()).value.length > 0, await reader.cancel() ?? "cancelled", (await reader.read()).done)
    },
    "several at once": async log => {
      const asked = [1, 2, 3, 4].map(number => fetch(`${live}echo?number=${number}`).then(response => response.json()))
      log.push((await Promise.all(asked)).map(({ path }) => path))
    },
  }

  // --- jQuery ---------------------------------------------------------------------------------------------------------

  const GLOBAL = ["ajaxStart", "ajaxSend", "ajaxSuccess", "ajaxError", "ajaxComplete", "ajaxStop"]

  /** What $.ajax tells, by whatever way. */
  const ajax = (options, act = () => {}) => async log => {
    const $ = window.jQuery
    const told = (name, jqXHR) => [
      name, jqXHR.readyState, jqXHR.status, jqXHR.statusText, lines(jqXHR.getAllResponseHeaders() ?? ""), jqXHR.getResponseHeader("x-many"),
      jqXHR.responseText ?? null, jqXHR.responseJSON ?? null,
    ]
    $(document).on(GLOBAL.map(name => `${name}.test`).join(" "), (event, jqXHR) =>
      log.push(jqXHR && jqXHR.status !== undefined ? [event.type, jqXHR.status, jqXHR.readyState] : event.type))
    await new Promise(async resolve => {
      const jqXHR = $.ajax({
        xhr: () => watch(new XMLHttpRequest(), log),
        beforeSend: (jqXHR, settings) => { log.push(["beforeSend", jqXHR.readyState, settings.type, settings.url]) },
        dataFilter: (data, type) => (log.push(["dataFilter", typeof data, type ?? null]), data),
        success: async (data, how, jqXHR) => { log.push(["success", how, ...told("", jqXHR)]); log.push(await describe(data)) },
        error: (jqXHR, how, thrown) => log.push(["error", how, String(thrown), ...told("", jqXHR)]),
        complete: (jqXHR, how) => { log.push(["complete", how, ...told("", jqXHR)]); resolve() },
        statusCode: { 200: () => log.push("statusCode 200"), 404: () => log.push("statusCode 404") },
        ...(typeof options === "function" ? options() : options),
      })
      log.push(["returned", jqXHR.readyState, jqXHR.state()])
      jqXHR.done((data, how) => log.push(["done", how])).fail((_, how, thrown) => log.push(["fail", how, String(thrown)]))
        .always(() => log.push("always"))
      act(jqXHR, log, resolve)
    })
    await turns()
    $(document).off(".test")
  }

  const JQUERY = {
    "get": ajax({ url: `${live}echo`, data: { a: [1, 2], b: "ü" } }),
    "get json": ajax({ url: `${live}echo`, dataType: "json", headers: { "X-Asked": "yes" } }),
    "no json": ajax({ url: say("{no", "application/json") }),
    "xml": ajax({ url: xml }),
    "post": ajax({ url: `${live}echo`, type: "POST", data: { a: 1, b: { c: "ü" } } }),
    "post json": ajax({ url: `${live}echo`, type: "POST", data: "{\"a\":1}", contentType: "application/json", processData: false }),
    "post form": ajax(() => ({ url: `${live}echo`, type: "POST", data: form(), contentType: false, processData: false })),
    "put nothing": ajax({ url: `${live}echo`, type: "PUT" }),
    binary: ajax({ url: `${live}many`, xhrFields: { responseType: "arraybuffer" }, dataType: "binary", converters: { "* binary": value => value } }),
    "404": ajax({ url: `${live}echo?status=404` }),
    "500": ajax({ url: `${live}echo?status=500` }),
    "204": ajax({ url: `${live}echo?status=204`, dataType: "json" }),
    "304": ajax({ url: `${live}echo?status=304`, ifModified: true }),
    "redirect": ajax({ url: `${live}redirect?to=echo` }),
    "refused": ajax({ url: "{refused}", crossDomain: true }),
    "broken": ajax({ url: `${live}broken` }),
    "cors": ajax({ url: `${far}echo?cors=*` , xhr: () => new XMLHttpRequest() }),
    "cors refused": ajax({ url: `${far}echo`, xhr: () => new XMLHttpRequest() }),
    "timeout": ajax({ url: `${live}hangs`, timeout: 30 }),
    "aborted": ajax({ url: `${live}hangs` }, jqXHR => jqXHR.abort("enough")),
    "aborted later": ajax({ url: `${live}hangs` }, jqXHR => wait(() => jqXHR.abort(), 20)),
    "cancelled": ajax({ url: `${live}echo`, beforeSend: () => false }, (jqXHR, log, resolve) => resolve()),
    "synchronous": ajax({ url: `${live}echo`, async: false }),
    "synchronous 404": ajax({ url: `${live}echo?status=404`, async: false }),
    "synchronous, refused": ajax({ url: "{refused}", async: false }),
    "without events": ajax({ url: `${live}echo`, global: false }),
    "getJSON": async log => { await window.jQuery.getJSON(`${live}echo`, { a: 1 }, (data, how) => log.push([data, how])) },
    "post, short": async log => { await window.jQuery.post(`${live}echo`, { a: 1 }, (data, how) => log.push([data, how]), "json") },
    "load": log => new Promise(resolve =>
      window.jQuery("<div>").load(`${say("<p class=a>A</p><p>B</p>", "text/html")} .a`, function (text, how, { status }) {
        log.push([this.innerHTML, text, how, status])
        resolve()
      })),
    "a script": ajax({ url: say("window.ranAScript = (window.ranAScript || 0) + 1", "text/javascript"), dataType: "script", cache: true }),
  }
  // It reads responseText, which an ArrayBuffer has none of.
  if (window.jQuery?.fn.jquery.startsWith("1.")) delete JQUERY.binary

  // --- axios ----------------------------------------------------------------------------------------------------------

  const told = async ({ status, statusText, headers, data, request }) =>
    [status, statusText, lines(Object.entries(headers.toJSON ? headers.toJSON() : headers).map(pair => pair.join(": ")).join("\r\n")),
      await describe(data), request && request.constructor.name]

  /** What axios tells, by this adapter. */
  const asked = (adapter, config, act = () => {}) => log => watching(log, async () => {
    const client = window.axios.create({ adapter, headers: { "X-Asked": "yes" } })
    client.interceptors.request.use(config => (log.push(["request", config.method, config.url]), config))
    client.interceptors.response.use(response => (log.push(["response", response.status]), response), error => {
      log.push(["refused", error.code ?? null])
      throw error
    })
    const seen = new Set()
    const progress = name => ({ total, lengthComputable, upload = false, download = false }) => {
      const line = [name, total ?? null, lengthComputable, upload, download]
      if (!seen.has(String(line))) log.push(line)
      seen.add(String(line))
    }
    const control = new AbortController()
    const given = typeof config === "function" ? config() : config
    const withProgress = {
      ...(given.progress === false ? {} : { onDownloadProgress: progress("download") }),
      // To tell of an upload, it sends a stream, which no browser does over HTTP 1.
      ...(given.progress === false || adapter === "fetch" ? {} : { onUploadProgress: progress("upload") }),
    }
    const promise = client.request({ signal: control.signal, ...withProgress, ...given })
    act(control)
    try {
      log.push(await told(await promise))
    } catch (error) {
      log.push([named(error), error.code ?? null, error.status ?? null, error.response ? await told(error.response) : null, String(error.cause ?? null)])
    }
  })

  const AXIOS = adapter => ({
    "get": asked(adapter, { url: `${live}echo`, params: { a: [1, 2], b: "ü" } }),
    "post": asked(adapter, { url: `${live}echo`, method: "post", data: { a: 1 } }),
    "put text": asked(adapter, { url: `${live}echo`, method: "put", data: "text" }),
    "delete": asked(adapter, { url: `${live}echo`, method: "delete" }),
    "form": asked(adapter, () => ({ url: `${live}echo`, method: "post", data: form() })),
    "parameters": asked(adapter, () => ({ url: `${live}echo`, method: "post", data: new URLSearchParams("a=1") })),
    "bytes": asked(adapter, () => ({ url: `${live}echo`, method: "post", data: large.buffer })),
    "many bytes": asked(adapter, { url: `${live}many`, responseType: "arraybuffer" }),
    "a blob": asked(adapter, { url: `${live}many`, responseType: "blob" }),
    "pieces": asked(adapter, { url: `${live}pieces` }),
    "404": asked(adapter, { url: `${live}echo?status=404` }),
    "500, valid": asked(adapter, { url: `${live}echo?status=500`, validateStatus: status => status === 500 }),
    "204": asked(adapter, { url: `${live}echo?status=204` }),
    "redirect": asked(adapter, { url: `${live}redirect?to=echo` }),
    "refused": asked(adapter, { url: "{refused}", headers: { "X-Asked": null } }),
    "broken": asked(adapter, { url: `${live}broken`, progress: false }),
    "cors refused": asked(adapter, { url: `${far}echo`, headers: { "X-Asked": null }, progress: false }),
    "timeout": asked(adapter, { url: `${live}hangs`, timeout: 40 }),
    "aborted": asked(adapter, { url: `${live}hangs` }, control => wait(() => control.abort(), 100)),
    "aborted at once": asked(adapter, { url: `${live}hangs` }, control => control.abort()),
    "basic": asked(adapter, { url: `${live}echo`, auth: { username: "a", password: "b" } }),
  })

  // --- Backbone -------------------------------------------------------------------------------------------------------

  const life = act => log => watching(log, () => new Promise(resolve => {
    const { Backbone } = window
    const Model = Backbone.Model.extend({ urlRoot: `${live}echo`, parse: answer => (answer && answer.path ? { path: answer.path, body: answer.body } : {}) })
    const Books = Backbone.Collection.extend({ model: Backbone.Model, url: `${live}echo`, parse: answer => [{ path: answer.path }] })
    const told = name => (it, answer, options) => {
      // A synchronous one has not been returned yet.
      const jqXHR = options.xhr
      log.push([name, it.toJSON(), jqXHR?.status, jqXHR?.statusText, jqXHR?.readyState])
      wait(resolve)
    }
    const options = { success: told("success"), error: told("error"), complete: (_, how) => log.push(["complete", how]) }
    const heard = it => (it.on("all", (name, it) => log.push([name, it.toJSON()])), it)
    const jqXHR = act({ Model, Books, options, heard, log })
    log.push(["returned", jqXHR.readyState])
    jqXHR.then(() => log.push("then"), () => log.push("rejected"))
  }))

  const BACKBONE = {
    "create": life(({ Model, options, heard }) => heard(new Model({ a: 1 })).save({ b: "ü" }, options)),
    "read": life(({ Model, options, heard }) => heard(new Model({ id: 1 })).fetch({ ...options, data: { q: "x y" } })),
    "update": life(({ Model, options, heard }) => heard(new Model({ id: 1 })).save({ b: 2 }, { ...options, wait: true })),
    "patch": life(({ Model, options, heard }) => heard(new Model({ id: 1 })).save({ c: 3 }, { ...options, patch: true })),
    "delete": life(({ Model, options, heard }) => heard(new Model({ id: 1 })).destroy({ ...options, wait: true })),
    "collection": life(({ Books, options, heard }) => heard(new Books()).fetch(options)),
    "404": life(({ Model, options, heard }) => heard(new Model({ id: 1 })).fetch({ ...options, url: `${live}echo?status=404` })),
    "refused": life(({ Model, options, heard }) => heard(new Model({ id: 1 })).fetch({ ...options, url: "{refused}" })),
    "aborted": life(({ Model, options, heard }) => {
      const jqXHR = heard(new Model({ id: 1 })).fetch({ ...options, url: `${live}hangs` })
      wait(() => jqXHR.abort(), 20)
      return jqXHR
    }),
    "synchronous": life(({ Model, options, heard }) => heard(new Model({ id: 1 })).fetch({ ...options, async: false })),
  }

  const CLIENTS = {
    XMLHttpRequest: XHR, fetch: FETCH, jQuery: JQUERY, "axios, xhr": AXIOS("xhr"), "axios, fetch": AXIOS("fetch"), Backbone: BACKBONE,
  }

  /** Run the cases of these clients, one after another. */
  window.record = async names => {
    const logs = {}
    for (const name of names) {
      for (const [title, run] of Object.entries(CLIENTS[name])) {
        const log = logs[`${name}: ${title}`] = []
        const forever = patience()
        if (await Promise.race([run(log), forever]) === forever.end) log.push("It never ends.")
        await turns()
      }
    }
    return logs
  }
})()
