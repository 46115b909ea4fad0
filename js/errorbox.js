// Errors in route files and handlers, shown in the page: what is wrong, in which line.

/** @import { Fault } from "./bridge.js" */

const AT_MOST = 5

const STYLE = `
  :host { all: initial; position: fixed; inset: auto 16px 16px auto; z-index: 2147483647; max-width: min(560px, calc(100vw - 32px)); }
  section { font: 14px/1.45 system-ui, sans-serif; color: #1f2328; background: #fff; border: 1px solid #d1242f; border-radius: 8px;
    box-shadow: 0 8px 24px #0003; overflow: hidden; }
  header { display: flex; align-items: center; justify-content: space-between; gap: 16px; padding: 8px 8px 8px 16px; }
  h2 { margin: 0; font-size: 13px; font-weight: 600; color: #b3141f; }
  button { font: inherit; line-height: 1; color: inherit; background: none; border: 0; border-radius: 4px; padding: 6px 8px; cursor: pointer; }
  button:hover { background: #8883; }
  button:focus-visible { outline: 2px solid #0969da; }
  ol { list-style: none; margin: 0; padding: 0; max-height: 50vh; overflow: auto; border-top: 1px solid #8884; }
  li { padding: 8px 16px 12px; }
  li + li { border-top: 1px solid #8884; }
  p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
  p.place { color: #59636e; font-size: 12px; margin-top: 4px; }
  pre { margin: 6px 0 0; padding: 6px 10px; font: 12px/1.5 ui-monospace, monospace; background: #8882; border-radius: 4px; overflow-x: auto; }
  @media (prefers-color-scheme: dark) {
    section { color: #e6edf3; background: #161b22; border-color: #f85149; }
    h2 { color: #ff7b72; }
    p.place { color: #9198a1; }
  }
`

/**
 * @param {Document} document
 * @returns {{ show: (fault: Fault) => void, close: () => void }}
 */
export function createErrorBox(document) {
  /** @type {HTMLElement | undefined} */
  let host
  /** @type {HTMLElement} */
  let list

  function open() {
    host = document.createElement("fauxserver-errors")
    const shadow = host.attachShadow({ mode: "open" })
    adopt(document, host, shadow)
    const title = element("h2", "fauxserver: an error in the page's server")
    const button = element("button", "✕")
    button.setAttribute("type", "button")
    button.setAttribute("aria-label", "Close")
    button.addEventListener("click", close)
    const header = element("header", "", title, button)
    list = element("ol", "")
    const section = element("section", "", header, list)
    section.setAttribute("role", "alert")
    shadow.append(section)
    ;(document.body ?? document.documentElement).append(host)
  }

  function close() {
    host?.remove()
    host = undefined
  }

  /** @param {Fault} fault */
  function show(fault) {
    if (!host?.isConnected) open()
    const item = element("li", "", element("p", fault.message))
    if (fault.file) {
      const place = element("p", fault.line ? `${fault.file}:${fault.line}` : fault.file)
      place.className = "place"
      item.append(place)
    }
    if (fault.source) item.append(element("pre", fault.source))
    list.append(item)
    while (list.children.length > AT_MOST) list.firstChild?.remove()
    item.scrollIntoView?.({ block: "nearest" })
  }

  /** @param {string} tag @param {string} text @param {HTMLElement[]} children */
  function element(tag, text, ...children) {
    const made = document.createElement(tag)
    // Only ever as text: what an error says may come from anywhere.
    made.textContent = text
    made.append(...children)
    return made
  }

  return { show, close }
}

// Style sheets made by script are allowed where a Content-Security-Policy refuses inline styles.
/** @param {Document} document @param {HTMLElement} host @param {ShadowRoot} shadow */
function adopt(document, host, shadow) {
  const view = /** @type {any} */ (document.defaultView ?? globalThis)
  try {
    const sheet = new view.CSSStyleSheet()
    sheet.replaceSync(STYLE)
    shadow.adoptedStyleSheets = [sheet]
  } catch {
    Object.assign(host.style, {
      position: "fixed", right: "16px", bottom: "16px", zIndex: "2147483647", maxWidth: "560px", padding: "12px",
      background: "Canvas", color: "CanvasText", border: "1px solid #d1242f", font: "14px system-ui, sans-serif",
    })
  }
}
