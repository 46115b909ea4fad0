// What clients are told by a server, written down: by a real one, and by ours in the page (see test_clients.py).
// `ask(name)` runs the cases of one client and gives back a list of lines for each.

(() => {
  const wait = window.setTimeout.bind(window)
  const turns = async () => { for (let i = 0; i < 3; i++) await new Promise(resolve => wait(resolve, 0)) }
  // Longer than any case takes, so that one that never ends says which it is.
  const patience = () => {
    const end = {}
    return Object.assign(new Promise(resolve => wait(() => resolve(end), 8000)), { end })
  }
  const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7 + (i >> 8)) & 255)
  const file = () => new File([bytes], "Größe \"1\".bin", { type: "application/x-own" })
  const form = () => {
    const form = new FormData()
    form.append("title", "Grüße 😀")
    form.append("tag", "a")
    form.append("tag", "b")
    form.append("file", file())
    return form
  }
  const say = (say, type) => `/app/text?say=${encodeURIComponent(say)}&type=${encodeURIComponent(type)}`

  // --- Writing down ---------------------------------------------------------------------------------------------------

  const sum = bytes => bytes.reduce((all, byte) => Math.imul(all ^ byte, 16777619) >>> 0, 2166136261)
  async function describe(value) {
    if (value instanceof ArrayBuffer) return ["ArrayBuffer", value.byteLength, sum(new Uint8Array(value))]
    if (value instanceof Blob) return ["Blob", value.type, ...(await describe(await value.arrayBuffer())).slice(1)]
    if (value instanceof ReadableStream) return ["stream", ...(await describe(await new Response(value).arrayBuffer())).slice(1)]
    if (value instanceof Document) return ["Document", new XMLSerializer().serializeToString(value)]
    return value === undefined ? "undefined" : JSON.parse(JSON.stringify(value))
  }
  // What a network, and a server of Python's, adds.
  const OF_THE_NETWORK = /^(date|server|connection|transfer-encoding): /
  const lines = headers => headers.toLowerCase().split("\r\n").filter(line => line && !OF_THE_NETWORK.test(line)).sort()
  const named = error => (error instanceof Error ? `${error.name}: ${error.message}` : String(error))

  const EVENTS = ["readystatechange", "loadstart", "progress", "load", "error", "abort", "timeout", "loadend"]

  /**
   * Write down the events of an XMLHttpRequest; how often it is told of bytes depends on the network. Two departures of
   * Chromium's from the specification are left out: it tells of no progress where nothing came, and an upload that never
   * began of its failure.
   */
  function watch(xhr, log) {
    const heard = where => {
      let progress, state, begun = where === ""
      return event => {
        begun ||= event.type === "loadstart"
        if (!begun || (event.type === "progress" && !event.loaded)) return
        if (event.type === "progress") return void (progress = [event.lengthComputable, event.loaded, event.total])
        if (event.type === "readystatechange" && xhr.readyState === 3 && state === 3) return
        state = xhr.readyState
        if (event.type === "load") log.push([`${where}progress`, ...progress ?? []])
        log.push([where + event.type, xhr.readyState, event instanceof ProgressEvent ? [event.lengthComputable, event.loaded, event.total] : null])
      }
    }
    const own = heard(""), ofUpload = heard("upload ")
    for (const type of EVENTS) {
      xhr.addEventListener(type, own)
      if (type !== "readystatechange") xhr.upload.addEventListener(type, ofUpload)
    }
    return xhr
  }

  // --- jQuery ---------------------------------------------------------------------------------------------------------

  const GLOBAL = ["ajaxStart", "ajaxSend", "ajaxSuccess", "ajaxError", "ajaxComplete", "ajaxStop"]

  const ajax = (options, act = () => {}) => async log => {
    const $ = window.jQuery
    const told = jqXHR => [
      jqXHR.readyState, jqXHR.status, jqXHR.statusText, lines(jqXHR.getAllResponseHeaders() ?? ""), jqXHR.getResponseHeader("X-Count"),
      jqXHR.getResponseHeader("content-type"), jqXHR.responseText ?? null, jqXHR.responseJSON ?? null,
    ]
    $(document).on(GLOBAL.map(name => `${name}.test`).join(" "), (event, jqXHR) =>
      log.push(jqXHR && jqXHR.status !== undefined ? [event.type, jqXHR.status, jqXHR.readyState] : event.type))
    await new Promise(resolve => {
      const jqXHR = $.ajax({
        xhr: () => watch(new XMLHttpRequest(), log),
        beforeSend: (jqXHR, settings) => { log.push(["beforeSend", jqXHR.readyState, settings.type, settings.url]) },
        success: async (data, how, jqXHR) => { log.push(["success", how, ...told(jqXHR)]); log.push(await describe(data)) },
        error: (jqXHR, how, thrown) => log.push(["error", how, String(thrown), ...told(jqXHR)]),
        complete: (jqXHR, how) => { log.push(["complete", how, ...told(jqXHR)]); resolve() },
        statusCode: { 201: () => log.push("statusCode 201"), 404: () => log.push("statusCode 404") },
        ...(typeof options === "function" ? options() : options),
      })
      log.push(["returned", jqXHR.readyState, jqXHR.state()])
      jqXHR.done((data, how) => log.push(["done", how])).fail((_, how, thrown) => log.push(["fail", how, String(thrown)]))
        .always(() => log.push("always"))
      act(jqXHR)
    })
    await turns()
    $(document).off(".test")
  }

  const JQUERY = {
    "get": ajax({ url: "/app/echo", data: { a: [1, 2], b: "ü" }, headers: { "X-Asked": "yes" } }),
    "a list": ajax({ url: "/app/books", dataType: "json" }),
    "post json": ajax({ url: "/app/books", type: "POST", contentType: "application/json", data: "{\"title\":\"Zooey\"}" }),
    "post fields": ajax({ url: "/app/echo", type: "POST", data: { a: "1", b: "ü", c: ["x", "y"] }, traditional: true }),
    "post a form": ajax(() => ({ url: "/app/echo", type: "POST", data: form(), contentType: false, processData: false })),
    "put": ajax({ url: "/app/books/1", type: "PUT", contentType: "application/json", data: "{\"title\":\"Both\"}" }),
    "delete": ajax({ url: "/app/books/2", type: "DELETE" }),
    "missing": ajax({ url: "/app/books/99" }),
    "broken": ajax({ url: "/app/broken" }),
    "teapot": ajax({ url: "/app/teapot" }),
    "no json": ajax({ url: say("{no", "application/json") }),
    "xml": ajax({ url: say("<a><b>ü</b></a>", "application/xml") }),
    "moved": ajax({ url: "/app/moved" }),
    "pieces": ajax({ url: "/app/pieces" }),
    "head": ajax({ url: "/app/books", type: "HEAD" }),
    "timeout": ajax({ url: "/app/slow", timeout: 30 }),
    "aborted": ajax({ url: "/app/slow" }, jqXHR => jqXHR.abort("enough")),
    "aborted later": ajax({ url: "/app/slow" }, jqXHR => wait(() => jqXHR.abort(), 20)),
    "synchronous": ajax({ url: "/app/at-once/1", async: false }),
    "synchronous, missing": ajax({ url: "/app/at-once/99", async: false }),
    "synchronous post": ajax({ url: "/app/echo", type: "POST", data: { a: 1 }, async: false }),
    "getJSON": async log => { await window.jQuery.getJSON("/app/echo", { a: 1 }, (data, how) => log.push([data, how])) },
    "post, short": async log => { await window.jQuery.post("/app/echo", { a: 1 }, (data, how) => log.push([data, how]), "json") },
    "load": log => new Promise(resolve =>
      window.jQuery("<div>").load("/app/text?say=<p>A</p>&type=text/html", function (text, how) {
        log.push([this.innerHTML, text, how])
        resolve()
      })),
    // jQuery 1.11 reads responseText, which a Blob has none of; jQuery 4 puts scripts into the page, where the browser asks.
    ...(window.jQuery?.fn.jquery.startsWith("1.") ? {
      "a script": ajax({ url: say("window.ranAScript = true", "text/javascript"), dataType: "script", cache: true }),
      "getScript": async log => {
        await window.jQuery.getScript("/app/text?say=window.got%3Dtrue&type=text/javascript")
        log.push(window.got)
      },
    } : {
      "bytes": ajax({ url: "/app/bytes", xhrFields: { responseType: "blob" }, dataType: "binary", converters: { "* binary": value => value } }),
    }),
  }

  // --- axios ----------------------------------------------------------------------------------------------------------

  const answered = async ({ status, statusText, headers, data }) =>
    [status, statusText, lines(Object.entries(headers.toJSON ? headers.toJSON() : headers).map(pair => pair.join(": ")).join("\r\n")), await describe(data)]

  const asked = (adapter, config, act = () => {}) => async log => {
    const client = window.axios.create({ adapter, baseURL: "/app", headers: { "X-Asked": "yes" } })
    client.interceptors.request.use(config => (log.push(["request", config.method, config.url]), config))
    client.interceptors.response.use(response => (log.push(["response", response.status]), response), error => {
      log.push(["refused", error.code ?? null])
      throw error
    })
    const last = {}
    const progress = name => ({ loaded, total, progress, upload = false, download = false }) => {
      last[name] = [loaded, total ?? null, progress ?? null, upload, download]
    }
    const control = new AbortController()
    const { hears = false, ...given } = typeof config === "function" ? config() : config
    const hearing = hears ? { onDownloadProgress: progress("download"), ...(adapter === "xhr" ? { onUploadProgress: progress("upload") } : {}) } : {}
    const promise = client.request({ signal: control.signal, ...hearing, ...given })
    act(control)
    try {
      log.push(await answered(await promise))
    } catch (error) {
      log.push([named(error), error.code ?? null, error.status ?? null, error.response ? await answered(error.response) : null, Boolean(error.request)])
    }
    if (hears) await turns()
    log.push(last)
  }

  const AXIOS = adapter => ({
    "get": asked(adapter, { url: "echo", params: { a: [1, 2], b: "ü" } }),
    "a list": asked(adapter, { url: "books" }),
    "post": asked(adapter, { url: "books", method: "post", data: { title: "Seymour" } }),
    "put": asked(adapter, { url: "books/1", method: "put", data: { title: "Both" } }),
    "patch": asked(adapter, { url: "books/1", method: "patch", data: { year: 1961 } }),
    "delete": asked(adapter, { url: "books/3", method: "delete" }),
    "head": asked(adapter, { url: "books", method: "head" }),
    "a text": asked(adapter, { url: "echo", method: "post", data: "Grüße", headers: { "Content-Type": "text/plain" } }),
    "parameters": asked(adapter, () => ({ url: "echo", method: "post", data: new URLSearchParams("a=1&a=2&b=ü") })),
    "fields": asked(adapter, { url: "echo", method: "post", data: { a: 1, b: "ü" }, headers: { "Content-Type": "application/x-www-form-urlencoded" } }),
    "a form": asked(adapter, () => ({ url: "echo", method: "post", data: form() })),
    "a form, made": asked(adapter, () => ({ url: "echo", method: "post", data: { title: "x", file: file() }, headers: { "Content-Type": "multipart/form-data" } })),
    "a blob": asked(adapter, () => ({ url: "echo", method: "post", data: new Blob([bytes], { type: "application/x-own" }) })),
    "progress": asked(adapter, () => ({ url: "echo", method: "put", data: bytes.buffer, headers: { "Content-Type": "application/x-own" }, hears: true })),
    "a download": asked(adapter, { url: "bytes", responseType: "arraybuffer", hears: true }),
    "into a blob": asked(adapter, { url: "bytes", responseType: "blob" }),
    "into a text": asked(adapter, { url: "books/1", responseType: "text", transformResponse: [text => text] }),
    "into a document": asked(adapter, { url: say("<p>A", "text/html").slice(5), responseType: "document" }),
    ...(adapter === "fetch" ? { "into a stream": asked(adapter, { url: "bytes", responseType: "stream" }) } : {}),
    "pieces": asked(adapter, { url: "pieces" }),
    "moved": asked(adapter, { url: "moved" }),
    "missing": asked(adapter, { url: "books/99" }),
    "broken": asked(adapter, { url: "broken" }),
    "a teapot is fine": asked(adapter, { url: "teapot", validateStatus: status => status === 418 }),
    "timeout": asked(adapter, { url: "slow", timeout: 40 }),
    "aborted": asked(adapter, { url: "slow" }, control => wait(() => control.abort(), 100)),
    "aborted at once": asked(adapter, { url: "slow" }, control => control.abort()),
    "basic": asked(adapter, { url: "echo", auth: { username: "a", password: "b" } }),
  })

  // --- htmx -----------------------------------------------------------------------------------------------------------

  const HEARD = [
    "htmx:configRequest", "htmx:beforeRequest", "htmx:beforeSend", "htmx:xhr:loadstart", "htmx:beforeOnLoad",
    "htmx:beforeSwap", "htmx:afterSwap", "htmx:afterSettle", "htmx:afterRequest", "htmx:afterOnLoad", "htmx:responseError", "htmx:sendError",
    "htmx:timeout", "htmx:sendAbort", "htmx:abort", "told", "settled",
  ]

  /** Put this into the page, click what is `#act`, and write down what htmx tells of it, and the page at the end. */
  const clicked = (markup, { before = () => {}, ends = "htmx:afterSettle" } = {}) => log => new Promise(resolve => {
    const place = document.createElement("div")
    place.innerHTML = `<span id=spinner class=htmx-indicator>…</span>${markup}<p id=target></p><p id=other></p>`
    document.body.append(place)
    window.htmx.process(place)
    const shown = () => place.querySelector("#spinner").className.includes("htmx-request")
    const hear = event => {
      log.push([event.type, event.detail?.xhr?.readyState ?? null, event.detail?.xhr?.status ?? null, event.detail?.by ?? null, shown()])
      if (event.type === ends) wait(end)
    }
    async function end() {
      await turns()
      for (const type of HEARD) document.body.removeEventListener(type, hear)
      log.push([place.querySelector("#target")?.innerHTML ?? null, place.querySelector("#other").innerHTML, shown(), location.pathname])
      place.remove()
      resolve()
    }
    for (const type of HEARD) document.body.addEventListener(type, hear)
    before(place)
    place.querySelector("#act").click()
  })
  const fields = "<input name=title value='Grüße'><input name=tag value=a><input name=tag value=b>"

  const HTMX = {
    "get": clicked("<button id=act name=button value=v hx-get=/app/fragment hx-target=#target hx-indicator=#spinner>go</button>"),
    "post a form": clicked(`<form hx-post=/app/form hx-target=#target>${fields}<button id=act>send</button></form>`),
    "upload": clicked("<form hx-post=/app/upload hx-target=#target hx-encoding=multipart/form-data><input type=file name=file><button id=act>send</button></form>", {
      before: place => {
        const chosen = new DataTransfer()
        chosen.items.add(file())
        place.querySelector("[type=file]").files = chosen.files
      },
    }),
    "append": clicked("<button id=act hx-get=/app/fragment hx-target=#target hx-swap=beforeend>go</button>"),
    "delete": clicked("<button id=act hx-delete=/app/fragment hx-target=#target hx-swap=outerHTML>go</button>", { ends: "htmx:afterRequest" }),
    "elsewhere": clicked("<button id=act hx-get=/app/elsewhere hx-target=#target>go</button>"),
    "missing": clicked("<button id=act hx-get=/app/books/99 hx-target=#target hx-indicator=#spinner>go</button>", { ends: "htmx:afterRequest" }),
    "refused": clicked("<button id=act hx-get=/app/refused hx-target=#target>go</button>", { ends: "htmx:afterRequest" }),
    "nothing": clicked("<button id=act hx-delete=/app/books/77 hx-target=#target>go</button>", { ends: "htmx:afterRequest" }),
    "timeout": clicked("<button id=act hx-get=/app/slow hx-target=#target hx-request='{\"timeout\":40}' hx-indicator=#spinner>go</button>", { ends: "htmx:afterRequest" }),
    "aborted": clicked("<button id=act hx-get=/app/slow hx-target=#target>go</button>", {
      ends: "htmx:afterRequest", before: place => wait(() => window.htmx.trigger(place.querySelector("#act"), "htmx:abort"), 20),
    }),
  }

  // --- Backbone, through jQuery's XMLHttpRequest ----------------------------------------------------------------------

  const life = act => log => new Promise(resolve => {
    const { Backbone } = window
    const Model = Backbone.Model.extend({ urlRoot: "/app/books" })
    const Books = Backbone.Collection.extend({ model: Model, url: "/app/books" })
    const told = name => (it, answer, options) => {
      // A synchronous one has not been returned yet.
      const jqXHR = options.xhr
      log.push([name, it.toJSON(), answer?.status ?? answer ?? null, jqXHR?.status, jqXHR?.statusText, jqXHR?.getResponseHeader("x-count")])
      wait(resolve)
    }
    const options = { success: told("success"), error: told("error"), complete: (_, how) => log.push(["complete", how]) }
    const heard = it => (it.on("all", (name, it) => log.push([name, it.toJSON()])), it)
    const jqXHR = act({ Model, Books, options, heard })
    jqXHR.then(() => log.push("then"), () => log.push("rejected"))
  })

  const BACKBONE = {
    "create": life(({ Model, options, heard }) => heard(new Model({ title: "Nine" })).save(null, options)),
    "read": life(({ Model, options, heard }) => heard(new Model({ id: 1 })).fetch(options)),
    "collection": life(({ Books, options, heard }) => heard(new Books()).fetch({ ...options, data: { page: 1 } })),
    "update": life(({ Model, options, heard }) => heard(new Model({ id: 1 })).save({ title: "Both" }, { ...options, wait: true })),
    "patch": life(({ Model, options, heard }) => heard(new Model({ id: 1 })).save({ year: 1961 }, { ...options, patch: true })),
    "missing": life(({ Model, options, heard }) => heard(new Model({ id: 99 })).fetch(options)),
    "delete": life(({ Model, options, heard }) => heard(new Model({ id: 1 })).destroy({ ...options, wait: true })),
    "synchronous": life(({ Model, options, heard }) => heard(new Model({ id: 1 })).fetch({ ...options, url: "/app/at-once/1", async: false })),
  }

  const CLIENTS = { jQuery: JQUERY, "axios, xhr": AXIOS("xhr"), "axios, fetch": AXIOS("fetch"), htmx: HTMX, Backbone: BACKBONE }

  /** Run all cases of these clients, one after another. */
  window.askAll = async names => {
    const logs = {}
    for (const name of names) {
      for (const [title, run] of Object.entries(CLIENTS[name])) {
        const log = logs[`${name}: ${title}`] = []
        const forever = patience()
        const ended = await Promise.race([run(log), forever]).catch(error => { log.push(["It fails.", named(error), error?.status]) })
        if (ended === forever.end) log.push("It never ends.")
        await turns()
      }
    }
    return logs
  }
})()
