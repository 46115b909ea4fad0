// The bar, and the last requests: what the faux server is set to, and what it has answered. It changes the server through
// the same words that anybody may use, and follows what others do with them.

const AT_MOST = 50
const LONGEST = 4000

const $ = id => document.getElementById(id)

/** An element with attributes, and children or text. */
const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(name, value)
  element.append(...children)
  return element
}

// On and off

/** What is said of each state, and what there is room for in a wide window only. */
const WHO = {
  loading: ["Python is on its way."],
  on: ["Python in this page answers.", " There is no server, and the app never knows."],
  off: ["The real server is asked.", " With `fauxserver demo` that is the same routes.py, over HTTP."],
  failed: ["Python could not be started.", " The console says why. The real server is asked."],
}

const toggle = $("enabled")

function showWho(state, [text, more = ""] = WHO[state]) {
  document.body.dataset.server = state
  $("who").replaceChildren(text, make("span", { class: "more" }, more))
  toggle.checked = state === "loading" || state === "on"
  toggle.disabled = state === "loading" || state === "failed"
}

// Of the runtime's twelve megabytes, how much is there.
document.addEventListener("fauxserver:progress", ({ detail: { loaded, total } }) => {
  if (document.body.dataset.server === "loading") showWho("loading", [`Python is on its way: ${Math.floor((100 * loaded) / total)} %`])
})

function settle() {
  const state = fauxServer.enabled ? "on" : "off"
  if (state === "off") return showWho(state)
  if (!fauxServer.boot) showWho("loading")
  return fauxServer.ready.then(
    () => showWho(fauxServer.enabled ? "on" : "off"),
    () => showWho("failed"),
  )
}

toggle.addEventListener("change", () => fauxServer.enable(toggle.checked))

fauxServer.on("enable", enabled => {
  // Or it could not be started, which is told elsewhere.
  const switched = enabled || document.body.dataset.server !== "loading"
  settle()
  if (switched) note(enabled ? "Switched on" : "Switched off: requests go to the real server")
  refresh()
})

settle()

// Latency

const radios = [...document.querySelectorAll("[name=latency]")]

function showLatency(value, text = "") {
  for (const radio of radios) radio.checked = radio.value === value
  $("other-latency").textContent = text
}

$("latency").addEventListener("change", ({ target: { value } }) => {
  if (value) fauxServer.setLatency(Number(value))
  // The route file's own applies again.
  else fauxServer.runPython("server.set_latency(None)").then(() => showLatency(""))
})

fauxServer.on("latency", (min = 0, max) => {
  if (typeof min === "function") showLatency(undefined, "a function")
  else if (max || !radios.some(({ value }) => value === String(min))) showLatency(undefined, max ? `${min}–${max} ms` : `${min} ms`)
  else showLatency(String(min))
})

// Back to the beginning

$("reset").addEventListener("click", () => fauxServer.reset())

fauxServer.on("reset", () => {
  showLatency("")
  note("Reset: the books are as they were")
  refresh()
})

/** The app shows what the server says now. */
function refresh() {
  document.dispatchEvent(new Event("refresh"))
}

// The last requests

const log = $("log")

fauxServer.on("answer", answered => add(entry(answered)))

$("clear").addEventListener("click", () => {
  log.replaceChildren()
  $("clear").disabled = true
  countFailures()
})

function add(item) {
  log.prepend(item)
  while (log.children.length > AT_MOST) log.lastChild.remove()
  $("clear").disabled = false
  countFailures()
}

function note(text) {
  add(make("li", { class: "note" }, text))
}

function countFailures() {
  const number = log.querySelectorAll("[data-kind=failed], [data-kind=error]").length
  $("failures").textContent = number || ""
  $("failures").title = number ? `${number} failed` : ""
}

function entry({ method, url, data, body, headers = {}, failed, status, duration, delay, label, location, error }) {
  const kind = error ? "error" : failed ? "failed" : "fine"
  const type = headers["content-type"] ?? ""
  // Of what never ends there is no time to tell.
  const endless = type.startsWith("text/event-stream")
  const line = make("summary", {},
    make("span", { class: "method" }, method),
    make("span", { class: "url", title: url }, asWritten(url)),
    make("span", { class: "handler" }, location || label ? `${label} ${location.replace(/^.*:/, ":")}` : ""),
    make("span", { class: "time" }, endless ? "events" : `${Math.round(duration + delay)} ms`),
    make("span", { class: "status" }, String(status)),
  )
  const details = make("details", {}, line)
  // Made when somebody looks: an answer may be long.
  details.addEventListener("toggle", () => {
    if (!details.open) return
    show({ location, error })
    if (details.children.length === 1) details.append(facts())
  })
  return make("li", { "data-kind": kind }, details)

  function facts() {
    const handler = label || "the handler"
    const where = location ? `${handler}, ${location}` : handler
    const place = location ? make("button", { class: "place", type: "button" }, where) : where
    if (location) place.addEventListener("click", () => show({ location, error, focus: true }))
    return make("div", { class: "facts" },
      make("p", {}, "Answered by ", place, ` in ${duration < 1 ? "less than 1" : Math.round(duration)} ms`, delay ? `, after ${Math.round(delay)} ms of latency` : ""),
      ...(data === undefined || data === null ? [] : [make("h3", {}, "Sent"), make("pre", { tabindex: "0" }, shortened(data))]),
      make("h3", {}, "Answer"),
      make("pre", { tabindex: "0" }, endless ? `${type}, one event after the other` : shortened(body, type)),
    )
  }
}

/** Tell whoever shows the route file (the editor) where to look. */
function show(detail) {
  document.dispatchEvent(new CustomEvent("show-line", { detail }))
}

/** What fetch and XMLHttpRequest have made absolute, as it was written. */
function asWritten(url) {
  for (const own of [new URL(".", document.baseURI).href, location.origin]) if (url.startsWith(own)) return url.slice(own.length)
  return url
}

function shortened(value, type) {
  const text = typeof value === "string" ? value : bytes(value, type) ?? JSON.stringify(value, (key, one) => bytes(one) ?? one, 2) ?? "nothing"
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}\n… ${(text.length - LONGEST).toLocaleString("en")} more characters` : text
}

/** Of a file, or of bytes that are sent as a type, how much there is of what. */
function bytes(value, type) {
  if (value instanceof Blob) return [value.name, value.type, size(value.size)].filter(Boolean).join(", ")
  if (value instanceof Uint8Array) return [type, size(value.length)].filter(Boolean).join(", ")
}

function size(number) {
  return `${number.toLocaleString("en")} ${number === 1 ? "byte" : "bytes"}`
}
