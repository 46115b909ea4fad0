// As much of a browser's XMLHttpRequest as the door of ours touches: it opens, keeps what it is told, and sends to a list.

export function createPage() {
  const sent = []

  class ProgressEvent extends Event {
    constructor(type, { lengthComputable, loaded, total } = {}) {
      super(type)
      Object.assign(this, { lengthComputable, loaded, total })
    }
  }
  class XMLHttpRequestEventTarget extends EventTarget {}
  for (const type of ["readystatechange", "loadstart", "progress", "load", "loadend", "error", "abort", "timeout"]) {
    const handlers = new WeakMap()
    Object.defineProperty(XMLHttpRequestEventTarget.prototype, `on${type}`, {
      get() { return handlers.get(this)?.handler ?? null },
      set(handler) {
        if (!handlers.has(this)) {
          const entry = { handler }
          handlers.set(this, entry)
          this.addEventListener(type, (event) => entry.handler?.call(this, event))
        }
        handlers.get(this).handler = handler
      },
      configurable: true,
    })
  }
  class XMLHttpRequestUpload extends XMLHttpRequestEventTarget {}
  class XMLHttpRequest extends XMLHttpRequestEventTarget {
    #state = 0
    #opened
    #type = ""
    #upload = new XMLHttpRequestUpload()
    timeoutValue = 0
    open(method, url, async = true) {
      if (String(url) === "http://[") throw new DOMException("Invalid URL", "SyntaxError")
      this.#opened = { method, url, async, headers: [] }
      if (this.#state === 1) return
      this.#state = 1
      this.dispatchEvent(new Event("readystatechange"))
    }
    setRequestHeader(name, value) {
      this.#check()
      this.#opened.headers.push([name, value])
    }
    send(body) {
      this.#check()
      this.#state = 2
      sent.push({ ...this.#opened, body })
      this.dispatchEvent(new ProgressEvent("loadstart", { loaded: 0, total: 0, lengthComputable: false }))
    }
    #check() {
      if (this.#state !== 1) throw new DOMException("The object's state must be OPENED.", "InvalidStateError")
    }
    abort() {}
    overrideMimeType() {}
    getResponseHeader() { return null }
    getAllResponseHeaders() { return "" }
    get upload() { return this.#upload }
    get readyState() { return this.#state }
    get status() { return 0 }
    get statusText() { return "" }
    get responseURL() { return "" }
    get response() { return "" }
    get responseText() { return "" }
    get responseXML() { return null }
    get responseType() { return this.#type }
    set responseType(type) { this.#type = type }
    get timeout() { return this.timeoutValue }
    set timeout(value) { this.timeoutValue = value }
    get withCredentials() { return false }
    set withCredentials(_) {}
  }
  const global = {
    XMLHttpRequest, XMLHttpRequestUpload, ProgressEvent, Event, DOMException, Blob, URL, setTimeout, clearTimeout,
    location: { href: "http://page.test/app/" },
  }
  return { global, sent, XMLHttpRequest }
}
