// What the console is told in this page, and what nobody caught, for `engine.py`: where the driver of an engine does not say.
// The names of the types are Chromium's.
(() => {
  const told = { console: [], errors: [] }
  Object.defineProperty(window, "toldToTheTests", {
    value: () => ({ console: told.console.splice(0), errors: told.errors.splice(0) })
  })

  const text = value => {
    if (typeof value !== "object" || value === null) return String(value)
    if (value instanceof Error) return `${value.name}: ${value.message}`
    return Object.prototype.toString.call(value)
  }
  const types = {
    log: "log", info: "info", warn: "warning", error: "error", debug: "debug", trace: "trace", table: "table",
    group: "startGroup", groupCollapsed: "startGroupCollapsed"
  }
  for (const [name, type] of Object.entries(types)) {
    const own = console[name]
    console[name] = (...values) => {
      told.console.push(`${type}: ${values.map(text).join(" ")}`)
      own.apply(console, values)
    }
  }

  // As the very last of all listeners: the page may take the event for its own.
  const atLast = (name, tell) => window.addEventListener(name, event => {
    if (event.target !== window) return
    const last = event => { if (!event.defaultPrevented) told.errors.push(tell(event)) }
    window.addEventListener(name, last, { once: true })
  }, { capture: true })
  atLast("error", event => event.error instanceof Error ? text(event.error) : event.message)
  atLast("unhandledrejection", event => text(event.reason))

  // As the browser itself says of what the page's Content-Security-Policy refuses.
  document.addEventListener("securitypolicyviolation", ({ blockedURI, violatedDirective }) => {
    told.console.push(`error: Content-Security-Policy: refused ${blockedURI}, by ${violatedDirective}`)
  })
})()
