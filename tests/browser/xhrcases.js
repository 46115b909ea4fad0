// What XMLHttpRequest is to do, case by case. Each runs twice in the same page: sent to a real server, and answered by ours.
// `await runCases()` is what was recorded: { "group: name": [...] }.
(() => {
  const cases = {}
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  const types = ["readystatechange", "loadstart", "progress", "load", "loadend", "error", "abort", "timeout"]
  const url = (name, query = {}) => {
    const pairs = Object.entries(query).flatMap(([key, value]) => [value].flat().map((one) => [key, one]))
    return `/api/${name}?${new URLSearchParams(pairs)}`
  }
  const say = (text, query = {}) => url("say", { text, ...query })
  const bytes = (text) => btoa(text)

  // What is thrown, by name: the words are the engine's.
  const thrown = (act) => {
    try {
      return act()
    } catch (error) {
      return `${error instanceof DOMException ? "DOMException " : ""}${error.name}`
    }
  }
  const own = (address) => String(address).replace(location.origin, "")

  /** A request whose events are noted. */
  const create = (log, { upload = true, Type = XMLHttpRequest } = {}) => {
    const xhr = new Type()
    const note = (who, target) => {
      for (const type of types) {
        target.addEventListener(type, (event) => {
          const { loaded, total, lengthComputable } = event
          const size = event instanceof ProgressEvent ? [loaded, total, lengthComputable] : []
          const right = event.target === target && event.bubbles === false && event.cancelable === false
          // The last one may come when it is done.
          const entry = [who, type, type === "progress" && who === "xhr" ? Math.min(xhr.readyState, 3) : xhr.readyState, xhr.status, ...size, ...(right ? [] : ["wrong"])]
          // How many pieces an answer comes in is the network's business: of those in a row, the last one's sizes are kept.
          const many = type === "progress" || (who === "xhr" && type === "readystatechange" && xhr.readyState === 3)
          if (many) {
            let at = log.length - 1
            while (at >= 0 && log[at].many && !(log[at][0] === who && log[at][1] === type)) at -= 1
            if (at >= 0 && log[at].many) {
              if (type === "readystatechange") return
              log.splice(at, 1)
            }
            Object.defineProperty(entry, "many", { value: true })
          }
          log.push(entry)
        })
      }
    }
    note("xhr", xhr)
    log.ended = ended(xhr)
    if (upload) note("upload", xhr.upload)
    return xhr
  }

  const ended = (xhr) => new Promise((resolve) => xhr.addEventListener("loadend", () => resolve()))

  const shown = (value) => {
    if (value instanceof ArrayBuffer) return ["ArrayBuffer", ...new Uint8Array(value)].join(" ").slice(0, 300)
    if (value instanceof Blob) return ["Blob", value.type, value.size]
    if (value instanceof Document) return [value.constructor.name, value.contentType, value.characterSet, own(value.URL), own(value.baseURI), new XMLSerializer().serializeToString(value).slice(0, 300)]
    return value
  }

  /** Everything that can be read. */
  const state = (xhr) => ({
    readyState: xhr.readyState, status: xhr.status, statusText: xhr.statusText, url: own(xhr.responseURL),
    // How its length is told is the network's business.
    headers: xhr.getAllResponseHeaders().replace("transfer-encoding: chunked\r\n", ""), response: shown(thrown(() => xhr.response)),
    text: thrown(() => xhr.responseText), xml: shown(thrown(() => xhr.responseXML)),
  })

  /** The usual course: open, prepare, send, wait for the end, look at everything. */
  const ask = async (address, { method = "GET", body, prepare = () => {}, log = [], sync = false, read = state, ...options } = {}) => {
    const xhr = create(log, options)
    xhr.open(method, address, !sync)
    prepare(xhr, log)
    const end = ended(xhr)
    if (sync) log.push(["send", thrown(() => xhr.send(body))])
    else {
      xhr.send(body)
      log.push(["sent", xhr.readyState])
      await end
    }
    log.push(read(xhr))
    return log
  }

  /** What the server was told. */
  const echo = async (options) => {
    const log = await ask(url("echo", options.query), options)
    const told = JSON.parse(log.pop().text || "null")
    if (told) told.body = atob(told.body)
    return [told, ...(options.events ? log : [])]
  }

  // --- Events of an answer ---------------------------------------------------------------------------------------------

  cases["events: text"] = () => ask(say("hello"))
  cases["events: empty"] = () => ask(say(""))
  cases["events: long"] = () => ask(say("0123456789", { times: 30000 }), { read: (xhr) => xhr.responseText.length })
  cases["events: POST with a body"] = () => ask(say("hello"), { method: "POST", body: "abc" })
  cases["events: POST without a body"] = () => ask(say("hello"), { method: "POST" })
  cases["events: POST with an empty body"] = () => ask(say("hello"), { method: "POST", body: "" })
  cases["events: PUT with umlauts"] = () => ask(say("hello"), { method: "PUT", body: "äöü" })
  cases["events: no listeners on upload"] = () => ask(say("hello"), { method: "POST", body: "abc", upload: false })
  cases["events: on… attributes"] = () => ask(say("hello"), {
    method: "POST", body: "abc", upload: false,
    prepare(xhr, log) {
      for (const type of types) {
        xhr[`on${type}`] = (event) => log.push([`on${type}`, event.target === xhr, event.currentTarget === xhr])
        if (type !== "readystatechange") xhr.upload[`on${type}`] = (event) => log.push([`upload.on${type}`, event.target === xhr.upload])
      }
    },
  })
  cases["events: GET ignores a body"] = () => ask(say("hello"), { body: "abc" })
  cases["events: a latency"] = () => ask(say("hello", { pause: 30 }), { method: "POST", body: "abc" })
  for (const status of [200, 201, 202, 203, 206, 400, 401, 403, 404, 409, 418, 429, 500, 502, 503]) {
    cases[`events: status ${status}`] = () => ask(say("body", { status }))
  }
  for (const status of [204, 205, 304]) cases[`events: status ${status}`] = () => ask(url("say", { status }))
  cases["events: status 205 with a body"] = () => ask(say("body", { status: 205 }))
  for (const method of ["HEAD", "OPTIONS", "DELETE", "PATCH", "PUT"]) cases[`events: ${method}`] = () => ask(say("hello"), { method })
  cases["events: once, signal and handleEvent"] = async () => {
    const log = []
    const xhr = create(log)
    const controller = new AbortController()
    xhr.addEventListener("load", { handleEvent: (event) => log.push(["object", event.type]) }, { once: true })
    xhr.addEventListener("load", () => log.push(["never"]), { signal: controller.signal })
    controller.abort()
    xhr.open("GET", say("x"))
    xhr.send()
    await ended(xhr)
    return log
  }
  cases["events: promises between them"] = async () => {
    const log = []
    const xhr = create(log)
    for (const type of types) xhr.addEventListener(type, () => Promise.resolve().then(() => {}).then(() => log.push(["after", type, xhr.readyState])))
    xhr.open("GET", say("hello"))
    xhr.send()
    await ended(xhr)
    await wait(10)
    return log.filter(([, , state]) => state === 4)
  }
  cases["events: listeners that throw stop nothing"] = async () => {
    const log = []
    const heard = (event) => {
      log.push(["window", event.error.message])
      event.preventDefault()
    }
    addEventListener("error", heard)
    const xhr = create(log)
    for (const type of types) xhr[`on${type}`] = () => { throw new Error(type) }
    xhr.open("POST", say("hello"))
    xhr.send("abc")
    await ended(xhr)
    await wait(10)
    removeEventListener("error", heard)
    return log
  }
  cases["events: of a subclass"] = async () => {
    class Mine extends XMLHttpRequest {
      get responseText() { return `mine ${super.responseText}` }
      send(...args) { this.mine = true; return super.send(...args) }
    }
    const log = []
    const xhr = create(log, { Type: Mine })
    xhr.open("GET", say("hello"))
    xhr.send()
    await ended(xhr)
    return [...log, xhr instanceof Mine, xhr instanceof XMLHttpRequest, xhr.mine, xhr.responseText, xhr.response, Object.keys(xhr)]
  }

  // --- Streams ---------------------------------------------------------------------------------------------------------

  cases["streams: pieces"] = () => ask(url("stream", { pieces: "one,two,three", pause: 80 }))
  cases["streams: with a length"] = () => ask(url("stream", { pieces: "one,two,three", pause: 80, total: 1 }))
  cases["streams: the text grows"] = async () => {
    const xhr = new XMLHttpRequest()
    const seen = []
    xhr.onprogress = ({ loaded }) => seen.push([xhr.readyState, xhr.responseText === xhr.response, xhr.responseText.length === loaded, xhr.responseText])
    xhr.open("GET", url("stream", { pieces: "ein,zwei,drei", pause: 150 }))
    xhr.send()
    await ended(xhr)
    return [seen.length > 0, seen.every(([state, same, whole, text]) => state === 3 && same && whole && "einzweidrei".startsWith(text)), xhr.responseText]
  }
  cases["streams: a character in two pieces"] = async () => {
    const xhr = new XMLHttpRequest()
    xhr.open("GET", url("stream", { pieces: ["a\xc3", "\xa4b\xf0\x9f", "\x98\x80"].map(bytes).join(), b64: 1, pause: 60 }))
    xhr.send()
    await ended(xhr)
    return xhr.responseText
  }
  for (const responseType of ["arraybuffer", "blob", "json"]) {
    cases[`streams: as ${responseType}`] = () => ask(url("stream", { pieces: '{"a":,1}', pause: 80 }), { prepare: (xhr) => { xhr.responseType = responseType } })
  }
  cases["streams: response before the end"] = async () => {
    const seen = []
    for (const responseType of ["arraybuffer", "blob", "json", "document", "text", ""]) {
      const xhr = new XMLHttpRequest()
      xhr.open("GET", url("stream", { pieces: "123,456", pause: 80 }))
      xhr.responseType = responseType
      let first = true
      xhr.onprogress = () => {
        if (first) seen.push([responseType, xhr.readyState, xhr.response?.slice(0, 3), thrown(() => xhr.responseXML)])
        first = false
      }
      xhr.send()
      await ended(xhr)
    }
    return seen
  }
  cases["streams: broken off"] = () => ask(url("stream", { pieces: "one,two", pause: 60, broken: 1 }))

  // --- Forms of a response ---------------------------------------------------------------------------------------------

  const forms = ["", "text", "json", "arraybuffer", "blob", "document"]
  const contents = {
    "a text": ["hello", "text/plain"],
    "JSON": ['{"a":[1,"ä"]}', "application/json"],
    "no JSON": ["{", "application/json"],
    "nothing": ["", "text/plain"],
    "an empty page": ["", "text/html"],
    "HTML": ["<!doctype html><title>T</title><p>Hällo<script>parent.ran = true</script>", "text/html; charset=utf-8"],
    "XML": ["<a><b>ä</b></a>", "application/xml"],
    "no XML": ["<a><b></a>", "text/xml"],
    "SVG": ['<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml"],
    "HTML with a base": ['<base href="http://elsewhere.test/there/"><a href="x">', "text/html; charset=utf-8"],
    "Atom": ["<feed/>", "application/atom+xml; charset=utf-8"],
  }
  for (const [what, [text, type]] of Object.entries(contents)) {
    for (const responseType of forms) {
      cases[`forms: ${what} as ${responseType || "default"}`] = () => ask(say(text, { type }), { prepare: (xhr) => { xhr.responseType = responseType } })
    }
  }
  cases["forms: the same object each time"] = async () => {
    const seen = []
    for (const responseType of forms) {
      const xhr = new XMLHttpRequest()
      xhr.open("GET", say('{"a":1}', { type: responseType === "document" ? "text/html" : "application/json" }))
      xhr.responseType = responseType
      xhr.send()
      await ended(xhr)
      seen.push([responseType, xhr.response === xhr.response, responseType === "document" && xhr.responseXML === xhr.response])
    }
    return seen
  }
  cases["forms: bytes stay whole"] = () => ask(url("say", { b64: bytes("\x00\x7f\x80\xff\xfe"), type: "image/png" }), { prepare: (xhr) => { xhr.responseType = "arraybuffer" } })
  for (const responseType of ["arraybuffer", "blob", "json", "text", "", "document"]) {
    cases[`forms: ${responseType || "default"} of a 204`] = () => ask(url("say", { status: 204 }), { prepare: (xhr) => { xhr.responseType = responseType } })
  }
  cases["forms: responseType may be set until it loads"] = async () => {
    const log = []
    const xhr = create(log)
    xhr.open("GET", say("hello"))
    xhr.addEventListener("readystatechange", () => log.push(["set", xhr.readyState, thrown(() => { xhr.responseType = "json" }), xhr.responseType]))
    xhr.send()
    log.push(["sent", thrown(() => { xhr.responseType = "blob" }), xhr.responseType])
    await ended(xhr)
    return log
  }
  cases["forms: what is no type is ignored"] = async () => {
    const xhr = new XMLHttpRequest()
    xhr.open("GET", say("hello"))
    xhr.responseType = "stone"
    xhr.send()
    await ended(xhr)
    return [xhr.responseType, xhr.response, thrown(() => { xhr.responseType = "stone" }), thrown(() => { xhr.responseType = "json" }), xhr.responseType]
  }

  // --- Charsets and types ----------------------------------------------------------------------------------------------

  const charsets = {
    "utf-8": ["\xc3\xa4", "text/plain; charset=utf-8"],
    "none": ["\xc3\xa4", "text/plain"],
    "latin1": ["\xe4", "text/plain; charset=iso-8859-1"],
    "windows-1252 in quotes": ["\x80", 'text/plain; charset="windows-1252"'],
    "an unknown one": ["\xc3\xa4", "text/plain; charset=klingon"],
    "utf-16le": ["h\0i\0", "text/plain; charset=utf-16"],
    "x-user-defined": ["a\x80\xff", "text/plain; charset=x-user-defined"],
    "shift_jis": ["\x83\x65", "text/plain; charset=shift_jis"],
    "a mark of utf-8": ["\xef\xbb\xbfhi", "text/plain"],
    "a mark of utf-8 against latin1": ["\xef\xbb\xbf\xc3\xa4", "text/plain; charset=latin1"],
    "a mark of utf-16le": ["\xff\xfeh\0", "text/plain"],
    "a mark of utf-16be": ["\xfe\xff\0h", "text/plain; charset=utf-8"],
    "wrong utf-8": ["a\xffb", "text/plain"],
    "XML's own": ['<?xml version="1.0" encoding="iso-8859-1"?><a>\xe4</a>', "text/xml"],
    "HTML's own": ["<meta charset=windows-1252><p>\x80", "text/html"],
  }
  for (const [what, [text, type]] of Object.entries(charsets)) {
    for (const responseType of ["", "text"]) {
      cases[`charsets: ${what} as ${responseType || "default"}`] = () => ask(url("say", { b64: bytes(text), type }), { prepare: (xhr) => { xhr.responseType = responseType } })
    }
  }
  cases["charsets: HTML's own in a document"] = () =>
    ask(url("say", { b64: bytes(charsets["HTML's own"][0]), type: "text/html" }), { prepare: (xhr) => { xhr.responseType = "document" }, read: (xhr) => xhr.response.body.textContent })
  cases["charsets: JSON is UTF-8"] = () =>
    ask(url("say", { b64: bytes('"\xc3\xa4"'), type: "application/json; charset=latin1" }), { prepare: (xhr) => { xhr.responseType = "json" } })
  cases["charsets: JSON with a mark"] = () =>
    ask(url("say", { b64: bytes("\xef\xbb\xbf[1]"), type: "application/json" }), { prepare: (xhr) => { xhr.responseType = "json" } })
  for (const mime of ["text/plain; charset=x-user-defined", "text/plain; charset=latin1", "text/xml", "text/html", "application/json", "nonsense", "text/plain;charset=nonsense"]) {
    for (const responseType of ["", "blob"]) {
      cases[`override: ${mime} as ${responseType || "default"}`] = () =>
        ask(url("say", { b64: bytes("<a>\xc3\xa4</a>"), type: "text/plain; charset=utf-8" }), {
          prepare(xhr) {
            xhr.overrideMimeType(mime)
            xhr.responseType = responseType
          },
        })
    }
  }
  cases["override: before open, and after send"] = async () => {
    const log = []
    for (const when of ["before", "after"]) {
      const xhr = new XMLHttpRequest()
      if (when === "before") xhr.overrideMimeType("text/plain; charset=latin1")
      xhr.open("GET", url("say", { b64: bytes("\xe4"), pause: 20 }))
      xhr.send()
      if (when === "after") xhr.overrideMimeType("text/plain; charset=latin1")
      await ended(xhr)
      log.push([when, xhr.responseText])
    }
    return log
  }
  cases["override: when it is too late"] = async () => {
    const log = []
    const xhr = new XMLHttpRequest()
    xhr.onreadystatechange = () => log.push([xhr.readyState, thrown(() => xhr.overrideMimeType("text/plain"))])
    xhr.open("GET", say("hello"))
    xhr.send()
    await ended(xhr)
    return log
  }
  for (const type of ["text/plain;charset=utf-8", "TEXT/HTML; Charset=UTF-8", 'text/x;a="b;c"; d=e', "image/png", "", "nonsense", "text/html;x=1;x=2"]) {
    cases[`types: a blob of ${type || "nothing"}`] = () => ask(say("x", { type }), { prepare: (xhr) => { xhr.responseType = "blob" }, read: (xhr) => xhr.response.type })
  }

  // --- Response headers ------------------------------------------------------------------------------------------------

  cases["headers: of the answer"] = () => ask(say("x", { h: ["X-B: 2", "X-a: 1", "x-c:", "ETag: \"v\"", "WWW-Thing: y", "aaa-b: 3"] }), {
    read: (xhr) => [xhr.getAllResponseHeaders(), ...["X-A", "x-b", "x-c", "x-none", "CONTENT-TYPE", "etag"].map((name) => xhr.getResponseHeader(name))],
  })
  cases["headers: set-cookie is hidden"] = () => ask(say("x", { h: ["Set-Cookie: a=b; path=/", "x-a: 1"] }), {
    read: (xhr) => [xhr.getAllResponseHeaders(), xhr.getResponseHeader("set-cookie"), xhr.getResponseHeader("Set-Cookie2"), document.cookie],
  })
  cases["headers: a name that none can have"] = () => ask(say("x"), { read: (xhr) => [thrown(() => xhr.getResponseHeader("\u0100")), xhr.getResponseHeader("ä")] })
  cases["headers: before they are there"] = async () => {
    const log = []
    const xhr = new XMLHttpRequest()
    const look = () => log.push([xhr.readyState, xhr.getAllResponseHeaders().length > 0, xhr.getResponseHeader("content-type"), xhr.status, xhr.statusText, xhr.responseURL !== ""])
    look()
    xhr.onreadystatechange = look
    xhr.open("GET", say("x"))
    xhr.send()
    look()
    await ended(xhr)
    log.push(thrown(() => xhr.getResponseHeader()))
    return log
  }

  // --- What the server is told -----------------------------------------------------------------------------------------

  cases["asking: headers combined"] = () => echo({
    prepare(xhr) {
      for (const [name, value] of [["X-A", "1"], ["x-a", "2"], ["X-B", "  b\t"], ["X-C", ""], ["Accept", "text/html"], ["accept", "text/xml"]]) xhr.setRequestHeader(name, value)
    },
  })
  cases["asking: forbidden headers"] = () => echo({
    method: "POST",
    body: "abc",
    prepare(xhr) {
      for (const name of ["Content-Length", "Origin", "Accept-Charset", "X-HTTP-Method-Override", "Sec-Foo", "Proxy-Foo", "Via", "Date", "Connection", "Cookie2"]) {
        xhr.setRequestHeader(name, name.startsWith("X-") ? "TRACE" : "7")
      }
    },
  })
  cases["asking: X-HTTP-Method-Override"] = () => echo({ prepare: (xhr) => xhr.setRequestHeader("X-HTTP-Method-Override", "PATCH") })
  for (const method of ["get", "GET", "post", "Post", "put", "delete", "options", "Patch", "PATCH", "CHICKEN"]) {
    if (method === "Patch" || method === "CHICKEN") continue
    cases[`asking: method ${method}`] = () => echo({ method })
  }
  for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
    cases[`asking: ${method} without a body`] = () => echo({ method })
    cases[`asking: ${method} with one`] = () => echo({ method, body: "a=b" })
  }
  const xml = () => new DOMParser().parseFromString("<a>ä</a>", "text/xml")
  const html = () => new DOMParser().parseFromString("<!doctype html><p>ä", "text/html")
  const form = (...entries) => {
    const data = new FormData()
    for (const entry of entries) data.append(...entry)
    return data
  }
  const bodies = {
    "a string": () => "häy",
    "an empty string": () => "",
    "half a character": () => "a\ud800b",
    "null": () => null,
    "undefined": () => undefined,
    "a number": () => 7,
    "an object": () => ({ a: 1 }),
    "an array": () => [1, 2],
    "URLSearchParams": () => new URLSearchParams({ a: "b c", d: "ä&" }),
    "empty URLSearchParams": () => new URLSearchParams(),
    "a Blob": () => new Blob(["blöb"]),
    "a Blob with a type": () => new Blob(["blob"], { type: "image/x" }),
    "an empty Blob": () => new Blob([]),
    "a File": () => new File(["file"], "a.txt", { type: "text/a" }),
    "an ArrayBuffer": () => new Uint8Array([1, 2, 255]).buffer,
    "an empty ArrayBuffer": () => new ArrayBuffer(0),
    "a view": () => new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
    "wide numbers": () => new Uint16Array([258]),
    "a DataView": () => new DataView(new Uint8Array([5, 6, 7]).buffer, 1),
    "a form": () => form(["a", "1"], ["b", "ä\n2"], ['c"d', ""]),
    "an empty form": () => form(),
    "a form with files": () => form(["a", "1"], ["f", new File(["file"], 'f"1.txt', { type: "text/f" })], ["g", new Blob(["\0"])], ["h", new Blob(["h"]), "h.bin"]),
    "an XML document": xml,
    "an HTML document": html,
  }
  for (const [what, make] of Object.entries(bodies)) {
    cases[`bodies: ${what}`] = () => echo({ method: "POST", body: make(), events: true })
  }
  for (const what of ["a string", "URLSearchParams", "a Blob with a type", "an ArrayBuffer", "an XML document", "a form"]) {
    for (const type of ["application/x", "text/plain;charset=iso-8859-1", "text/a; charset=utf-8; b=c", "nonsense; charset=x"]) {
      cases[`bodies: ${what} as ${type}`] = () => echo({ method: "POST", body: bodies[what](), prepare: (xhr) => xhr.setRequestHeader("Content-Type", type) })
    }
  }
  cases["bodies: changed after send"] = async () => {
    const log = []
    const changing = {
      array: [new Uint8Array([1, 2]), (it) => it.fill(9)],
      params: [new URLSearchParams("a=1"), (it) => it.set("a", "2")],
      form: [form(["a", "1"]), (it) => it.set("a", "2")],
      document: [xml(), (it) => it.documentElement.remove()],
    }
    for (const [what, [body, change]] of Object.entries(changing)) {
      const xhr = new XMLHttpRequest()
      xhr.open("POST", url("echo"))
      xhr.send(body)
      change(body)
      await ended(xhr)
      log.push([what, atob(JSON.parse(xhr.responseText).body)])
    }
    return log
  }
  cases["bodies: a detached buffer"] = async () => {
    const { buffer } = new Uint8Array([1, 2])
    structuredClone(buffer, { transfer: [buffer] })
    const xhr = new XMLHttpRequest()
    xhr.open("POST", url("echo"))
    const sent = thrown(() => xhr.send(buffer))
    if (sent !== undefined) return sent
    await ended(xhr)
    return [xhr.status, xhr.responseText && JSON.parse(xhr.responseText).body]
  }
  cases["bodies: a million characters"] = () => ask(url("echo"), { method: "POST", body: "x".repeat(1e6), read: (xhr) => xhr.status })
  cases["mistakes: a symbol is nothing to send"] = () => {
    const xhr = new XMLHttpRequest()
    xhr.open("GET", say("x"))
    return thrown(() => xhr.send(Symbol("s")))
  }
  cases["asking: a query and a fragment"] = () => ask(`${say("x", { q: "ä b" })}#fragment`)
  cases["asking: a relative address"] = () => ask("api/say?text=relative")
  cases["asking: an address with dots"] = () => ask("/x/../api/./say?text=dots")
  cases["asking: open with objects"] = () => ask({ toString: () => say("object") }, { method: { toString: () => "get" } })
  const secret = (realm, { how = "Basic", method = "GET", body, sync = false, address = url(`${realm}/secret`, { how, realm, text: "in" }), user = "me", prepare = () => {} } = {}) => async () => {
    const log = []
    const xhr = create(log)
    xhr.open(method, address, !sync, user, "open")
    prepare(xhr)
    const end = ended(xhr)
    xhr.send(body)
    await end
    log.push(state(xhr))
    return log
  }
  cases["names: user and password"] = secret("one")
  cases["names: in the address"] = secret("two", { address: `${location.origin.replace("//", "//me:open@")}${url("two/secret", { how: "Basic", realm: "two", text: "in" })}`, user: undefined })
  cases["names: with a body"] = secret("three", { method: "POST", body: "abc" })
  cases["names: asked in another manner"] = secret("four", { how: "Strange" })
  cases["sync: user and password"] = secret("six", { sync: true })
  cases["asking: withCredentials"] = async () => {
    const log = []
    const xhr = create(log)
    log.push(thrown(() => { xhr.withCredentials = true }))
    xhr.open("GET", say("x"))
    xhr.onreadystatechange = () => log.push([xhr.readyState, thrown(() => { xhr.withCredentials = false }), xhr.withCredentials])
    xhr.send()
    log.push(thrown(() => { xhr.withCredentials = false }))
    await ended(xhr)
    return log
  }

  // --- Redirects -------------------------------------------------------------------------------------------------------

  for (const status of [301, 302, 303, 307, 308]) {
    for (const method of ["GET", "POST", "PUT", "HEAD"]) {
      cases[`redirects: ${method} ${status}`] = () => ask(url("redirect", { status, to: "/api/echo" }), {
        method, body: "a=b", prepare: (xhr) => xhr.setRequestHeader("Content-Type", "text/x"),
        read: (xhr) => [own(xhr.responseURL), xhr.status, xhr.responseText],
      })
    }
  }
  cases["redirects: with a fragment"] = () => ask(url("redirect", { to: "/api/say?text=there#fragment" }))
  cases["redirects: three in a row"] = () => ask(url("redirect", { to: url("redirect", { status: 307, to: url("redirect", { to: "say?text=end" }) }) }))
  cases["redirects: without end"] = () => ask(url("loop"))
  cases["redirects: 300 and 304 are none"] = async () => [await ask(say("a", { status: 300, h: "Location: /api/echo" })), await ask(url("say", { status: 304, h: "Location: /api/echo" }))]
  cases["redirects: to what is no address"] = () => ask(url("redirect", { to: "http://" }))
  cases["redirects: to another scheme"] = () => ask(url("redirect", { to: "data:text/plain,x" }))

  // --- abort -----------------------------------------------------------------------------------------------------------

  const after = async (log, xhr, ms = 30) => {
    await Promise.race([log.ended, wait(400)])
    await wait(ms)
    log.push(state(xhr))
    return log
  }
  cases["abort: before open"] = async () => {
    const log = []
    const xhr = create(log)
    xhr.abort()
    return after(log, xhr)
  }
  cases["abort: before send"] = async () => {
    const log = []
    const xhr = create(log)
    xhr.open("GET", say("x"))
    xhr.abort()
    log.push(xhr.readyState)
    return after(log, xhr)
  }
  for (const [method, body] of [["GET"], ["POST", "abc"], ["POST"]]) {
    cases[`abort: after send, ${method} ${body ?? ""}`] = async () => {
      const log = []
      const xhr = create(log)
      xhr.open(method, say("x"))
      xhr.send(body)
      xhr.abort()
      log.push(["aborted", xhr.readyState])
      return after(log, xhr)
    }
  }
  cases["abort: without upload listeners"] = async () => {
    const log = []
    const xhr = create(log, { upload: false })
    xhr.open("POST", say("x"))
    xhr.send("abc")
    xhr.abort()
    return after(log, xhr)
  }
  cases["abort: when it was uploaded"] = async () => {
    const log = []
    const xhr = create(log)
    xhr.open("POST", say("x", { pause: 3000 }))
    xhr.upload.addEventListener("loadend", () => setTimeout(() => xhr.abort(), 1))
    xhr.send("abc")
    await ended(xhr)
    return after(log, xhr)
  }
  for (const at of [2, 3, 4]) {
    cases[`abort: in state ${at}`] = async () => {
      const log = []
      const xhr = create(log)
      xhr.addEventListener("readystatechange", () => {
        if (xhr.readyState !== at || log.done) return
        log.done = true
        log.push("abort")
        xhr.abort()
        log.push(["aborted", xhr.readyState])
      })
      xhr.open("GET", say("hello"))
      xhr.send()
      return after(log, xhr)
    }
  }
  for (const type of ["loadstart", "progress", "load", "loadend"]) {
    cases[`abort: in ${type}`] = async () => {
      const log = []
      const xhr = create(log)
      xhr.addEventListener(type, () => {
        if (log.done) return
        log.done = true
        log.push("abort")
        xhr.abort()
        log.push(["aborted", xhr.readyState])
      })
      xhr.open("GET", say("hello"))
      xhr.send()
      return after(log, xhr)
    }
  }
  for (const type of ["loadstart", "progress", "load"]) {
    cases[`abort: in upload's ${type}`] = async () => {
      const log = []
      const xhr = create(log)
      xhr.upload.addEventListener(type, () => {
        if (log.done) return
        log.done = true
        xhr.abort()
        log.push(["aborted", xhr.readyState])
      })
      xhr.open("POST", say("hello"))
      xhr.send("abc")
      return after(log, xhr)
    }
  }
  cases["abort: when it is done"] = async () => {
    const log = await ask(say("hello"))
    const xhr = create(log)
    xhr.open("GET", say("x"))
    xhr.send()
    await ended(xhr)
    xhr.abort()
    log.push(["aborted", thrown(() => xhr.send()), thrown(() => xhr.setRequestHeader("a", "b"))])
    return after(log, xhr)
  }
  cases["abort: of a stream"] = async () => {
    const log = []
    const xhr = create(log)
    xhr.open("GET", url("stream", { pieces: "1,2,3", pause: 100 }))
    xhr.addEventListener("progress", () => xhr.abort(), { once: true })
    xhr.send()
    return after(log, xhr, 300)
  }
  cases["abort: twice"] = async () => {
    const log = []
    const xhr = create(log)
    xhr.open("GET", say("x"))
    xhr.send()
    xhr.abort()
    xhr.abort()
    return after(log, xhr)
  }
  cases["abort: and again"] = async () => {
    const log = []
    const xhr = create(log)
    xhr.open("GET", say("x"))
    xhr.send()
    xhr.abort()
    xhr.open("GET", say("again"))
    xhr.send()
    await ended(xhr)
    return after(log, xhr)
  }

  // --- Opened again ----------------------------------------------------------------------------------------------------

  cases["open: again at once"] = async () => {
    const log = []
    const xhr = create(log)
    xhr.open("GET", say("first"))
    xhr.setRequestHeader("x-a", "1")
    xhr.open("GET", url("echo"))
    xhr.send()
    await ended(xhr)
    return after(log, xhr)
  }
  cases["open: again after send"] = async () => {
    const log = []
    const xhr = create(log)
    xhr.open("POST", say("first"))
    xhr.send("abc")
    xhr.open("GET", say("second"))
    log.push(["opened", xhr.readyState])
    xhr.send()
    await ended(xhr)
    return after(log, xhr)
  }
  cases["open: again when it is done"] = async () => {
    const log = []
    const xhr = create(log)
    for (const text of ["first", "second"]) {
      xhr.open("GET", say(text))
      log.push(state(xhr))
      const end = ended(xhr)
      xhr.send()
      await end
    }
    return after(log, xhr)
  }
  for (const [when, at] of [["readystatechange", 2], ["readystatechange", 3], ["readystatechange", 4], ["loadstart", 1], ["progress", 3], ["load", 4], ["loadend", 4]]) {
    cases[`open: again in ${when} ${at}`] = async () => {
      const log = []
      const xhr = create(log)
      let once = true
      xhr.addEventListener(when, () => {
        if (!once || xhr.readyState !== at) return
        once = false
        log.push("open")
        xhr.open("GET", say("second"))
        log.push("opened")
        xhr.send()
        log.push("sent")
      })
      xhr.open("GET", say("first"))
      xhr.send()
      for (let tries = 0; tries < 100 && (once || xhr.readyState !== 4); tries += 1) await wait(20)
      return after(log, xhr)
    }
  }
  cases["open: again in abort"] = async () => {
    const log = []
    const xhr = create(log)
    let once = true
    xhr.addEventListener("abort", () => {
      if (!once) return
      once = false
      xhr.open("GET", say("second"))
      log.push("opened")
    })
    xhr.open("GET", say("first"))
    xhr.send()
    xhr.abort()
    log.push(["aborted", xhr.readyState])
    return after(log, xhr)
  }
  cases["open: wrong, while it is under way"] = async () => {
    const log = []
    const xhr = create(log)
    xhr.open("GET", say("first"))
    xhr.send()
    log.push(thrown(() => xhr.open("GET", "http://[")), thrown(() => xhr.open("TRACE", "/")), thrown(() => xhr.open("a b", "/")), thrown(() => xhr.open("GET")))
    await ended(xhr)
    return after(log, xhr)
  }
  cases["open: send in the listener"] = async () => {
    const log = []
    const xhr = create(log)
    xhr.addEventListener("readystatechange", () => {
      if (xhr.readyState === 1) xhr.send()
    })
    xhr.open("GET", say("hello"))
    log.push("opened")
    await ended(xhr)
    return after(log, xhr)
  }

  // --- Mistakes --------------------------------------------------------------------------------------------------------

  cases["mistakes: in every state"] = async () => {
    const log = []
    const xhr = new XMLHttpRequest()
    const look = (when) => log.push([when, xhr.readyState, thrown(() => xhr.setRequestHeader("x-a", "1")), ...(xhr.readyState === 1 && when !== "sent" ? [] : [thrown(() => xhr.send())])])
    look("new")
    xhr.onreadystatechange = () => look("change")
    xhr.open("GET", say("x"))
    xhr.send()
    look("sent")
    await ended(xhr)
    look("done")
    return log
  }
  cases["mistakes: arguments"] = () => {
    const xhr = new XMLHttpRequest()
    const log = [thrown(() => xhr.open()), thrown(() => xhr.open("GET", Symbol("s"))), thrown(() => xhr.open("CONNECT", "/"))]
    xhr.open("GET", "/api/say")
    log.push(
      thrown(() => xhr.setRequestHeader("a")), thrown(() => xhr.setRequestHeader("a b", "c")), thrown(() => xhr.setRequestHeader("a", "b\nc")),
      thrown(() => xhr.setRequestHeader("", "x")), thrown(() => xhr.setRequestHeader("ä", "x")), thrown(() => xhr.setRequestHeader("a", "\u0100")),
      thrown(() => xhr.overrideMimeType()), thrown(() => XMLHttpRequest.prototype.readyState), thrown(() => XMLHttpRequest.prototype.send.call({})),
      thrown(() => XMLHttpRequest()), thrown(() => xhr.getResponseHeader("")),
    )
    return log
  }
  cases["mistakes: text of another form"] = async () => {
    const log = []
    for (const responseType of forms) {
      const xhr = new XMLHttpRequest()
      xhr.open("GET", say("x"))
      xhr.responseType = responseType
      xhr.send()
      log.push([responseType, thrown(() => xhr.responseText), thrown(() => xhr.responseXML)])
      await ended(xhr)
      log.push([responseType, thrown(() => xhr.responseText), shown(thrown(() => xhr.responseXML))])
    }
    return log
  }
  cases["mistakes: constants and names"] = () => {
    const { prototype } = XMLHttpRequest
    const names = ["open", "setRequestHeader", "send", "abort", "overrideMimeType", "getResponseHeader", "getAllResponseHeaders"]
    return [
      ...names.map((name) => [name, prototype[name].name, prototype[name].length, Object.keys(Object.getOwnPropertyDescriptor(prototype, name)).join()]),
      Object.keys(prototype), XMLHttpRequest.DONE, prototype.LOADING, String(new XMLHttpRequest()), Object.getOwnPropertyNames(new XMLHttpRequest()),
    ]
  }

  // --- timeout ---------------------------------------------------------------------------------------------------------

  const timed = (query, prepare, { method = "GET", body, name = "say" } = {}) => async () => {
    const log = []
    const xhr = create(log)
    xhr.open(method, url(name, { text: "x", ...query }))
    prepare(xhr)
    const end = ended(xhr)
    xhr.send(body)
    if (xhr.later) xhr.later()
    await end
    return after(log, xhr, 20)
  }
  cases["timeout: set before"] = timed({ pause: 3000 }, (xhr) => { xhr.timeout = 60 })
  cases["timeout: of an upload"] = timed({ pause: 3000 }, (xhr) => { xhr.timeout = 40 }, { method: "POST", body: "abc" })
  cases["timeout: long enough"] = timed({ pause: 10 }, (xhr) => { xhr.timeout = 2000 })
  cases["timeout: 0 is never"] = timed({ pause: 60 }, (xhr) => { xhr.timeout = 0 })
  cases["timeout: longer than a timer can wait"] = timed({ pause: 30 }, (xhr) => { xhr.timeout = 2 ** 32 - 1 })
  cases["timeout: set while it is under way"] = timed({ pause: 3000 }, (xhr) => { xhr.later = () => setTimeout(() => { xhr.timeout = 5 }, 40) })
  cases["timeout: made longer"] = timed({ pause: 150 }, (xhr) => {
    xhr.timeout = 50
    xhr.later = () => { xhr.timeout = 3000 }
  })
  cases["timeout: taken back"] = timed({ pause: 150 }, (xhr) => {
    xhr.timeout = 50
    xhr.later = () => { xhr.timeout = 0 }
  })
  cases["timeout: of a stream"] = timed({ pieces: "1,2,3", pause: 1000 }, (xhr) => { xhr.timeout = 200 }, { name: "stream" })
  cases["timeout: is a number"] = () => {
    const xhr = new XMLHttpRequest()
    xhr.timeout = "12.7"
    return [xhr.timeout, thrown(() => { xhr.timeout = NaN }), xhr.timeout]
  }

  // --- Synchronous -----------------------------------------------------------------------------------------------------

  const sync = (options) => ({ sync: true, ...options })
  cases["sync: text"] = () => ask(say("hello"), sync())
  cases["sync: empty"] = () => ask(say(""), sync())
  cases["sync: POST"] = () => ask(say("hello"), sync({ method: "POST", body: "abc" }))
  cases["sync: 404"] = () => ask(say("no", { status: 404 }), sync())
  cases["sync: 204"] = () => ask(url("say", { status: 204 }), sync())
  cases["sync: HEAD"] = () => ask(say("no"), sync({ method: "HEAD" }))
  cases["sync: redirected"] = () => ask(url("redirect", { to: "/api/say?text=there" }), sync())
  cases["sync: redirected without end"] = () => ask(url("loop"), sync())
  cases["sync: XML"] = () => ask(say("<a/>", { type: "text/xml" }), sync())
  cases["sync: latin1"] = () => ask(url("say", { b64: bytes("\xe4"), type: "text/plain; charset=latin1" }), sync())
  cases["sync: overridden"] = () => ask(url("say", { b64: bytes("\xe4\x00\xff") }), sync({ prepare: (xhr) => xhr.overrideMimeType("text/plain; charset=x-user-defined") }))
  for (const what of ["a string", "URLSearchParams", "a Blob with a type", "an ArrayBuffer", "a form", "a form with files", "an XML document"]) {
    cases[`sync: sending ${what}`] = () => echo(sync({ method: "POST", body: bodies[what](), events: true }))
  }
  cases["sync: what it refuses"] = () => {
    const log = []
    const one = new XMLHttpRequest()
    one.responseType = "json"
    log.push(thrown(() => one.open("GET", say("x"), false)))
    const two = new XMLHttpRequest()
    two.timeout = 10
    log.push(thrown(() => two.open("GET", say("x"), false)))
    const three = new XMLHttpRequest()
    three.open("GET", say("x"), false)
    log.push(thrown(() => { three.responseType = "json" }), thrown(() => { three.timeout = 5 }), thrown(() => { three.withCredentials = true }))
    three.send()
    log.push(three.responseText, thrown(() => three.send()), thrown(() => { three.responseType = "json" }))
    return log
  }
  cases["sync: undefined is false"] = () => {
    const xhr = new XMLHttpRequest()
    xhr.open("GET", say("hello"), undefined)
    xhr.send()
    return [xhr.readyState, xhr.responseText]
  }
  cases["sync: then async"] = async () => {
    const log = []
    const xhr = create(log)
    xhr.open("GET", say("one"), false)
    xhr.send()
    log.push(xhr.responseText)
    xhr.open("GET", say("two"))
    const end = ended(xhr)
    xhr.send()
    await end
    return after(log, xhr)
  }

  // --- Upload listeners ------------------------------------------------------------------------------------------------

  cases["upload: a listener that was taken away"] = () => ask(say("x"), {
    method: "POST", body: "abc", upload: false,
    prepare(xhr, log) {
      const hear = ({ type }) => log.push(["upload", type])
      xhr.upload.addEventListener("load", hear)
      xhr.upload.removeEventListener("load", hear)
    },
  })
  cases["upload: only one type"] = () => ask(say("x"), {
    method: "POST", body: "abc", upload: false,
    prepare: (xhr, log) => xhr.upload.addEventListener("load", ({ type, loaded, total, lengthComputable }) => log.push([type, loaded, total, lengthComputable])),
  })
  cases["upload: the object"] = () => {
    const xhr = new XMLHttpRequest()
    return [xhr.upload === xhr.upload, String(xhr.upload), xhr.upload instanceof XMLHttpRequestUpload]
  }

  window.xhrCases = Object.keys(cases)
  // Several at a time, but those that stop the page.
  const AT_ONCE = 5
  window.runCases = async (names = Object.keys(cases)) => {
    const results = {}
    const run = async (name) => {
      const over = wait(8000).then(() => "never ended")
      let result
      try {
        result = await Promise.race([cases[name](), over])
      } catch (error) {
        result = `threw ${error.name}: ${error.message}`
      }
      // As it is now: what still comes is no longer its own.
      results[name] = JSON.parse(JSON.stringify(result ?? null))
    }
    const inTurn = async (queue) => {
      while (queue.length) await run(queue.shift())
    }
    const queue = names.filter((name) => !name.startsWith("sync"))
    await Promise.all(Array.from({ length: AT_ONCE }, () => inTurn(queue)))
    await inTurn(names.filter((name) => name.startsWith("sync")))
    return results
  }
})()
