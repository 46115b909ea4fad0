/** Tell how far the runtime has loaded: by an event, by a callback, and by a discreet bar when it takes longer than half a second. */

import { inNode } from "./files.js"

// Kept from before a test page replaces its clock.
const { setTimeout, clearTimeout } = globalThis

const PATIENCE = 500

/**
 * @typedef {{ expect(bytes: number): void, loaded(bytes: number, stage: string): void, end(): void }} Loading
 */

/**
 * Begin to tell of a load. Whenever a hundredth of it has arrived, there is an event `fauxserver:progress` on the document,
 * with `detail: { loaded, total, stage }` in bytes.
 *
 * @param {(loaded: number, total: number, stage: string) => void} [onProgress]
 * @returns {Loading}
 */
export function startLoading(onProgress = () => {}) {
  const page = inNode() ? undefined : globalThis.document
  let loaded = 0
  let total = 0
  let told = 0
  /** @type {ReturnType<typeof showBar> | undefined} */
  let bar
  const timer = page && setTimeout(() => {
    bar = showBar(page)
    bar.set(loaded / total)
  }, PATIENCE)

  return {
    expect(bytes) {
      total += bytes
    },
    loaded(bytes, stage) {
      loaded += bytes
      if (loaded - told < total / 100 && loaded < total) return
      told = loaded
      bar?.set(loaded / total)
      page?.dispatchEvent(new CustomEvent("fauxserver:progress", { bubbles: true, detail: { loaded, total, stage } }))
      onProgress(loaded, total, stage)
    },
    end() {
      clearTimeout(timer)
      bar?.remove()
    },
  }
}

/**
 * A thin line at the top of the page. Its style is set through the CSSOM alone, which a Content-Security-Policy without
 * inline styles allows.
 *
 * @param {Document} page
 */
function showBar(page) {
  const bar = page.createElement("fauxserver-progress")
  bar.setAttribute("role", "progressbar")
  bar.setAttribute("aria-label", "Loading Python")
  bar.setAttribute("aria-valuemin", "0")
  bar.setAttribute("aria-valuemax", "100")
  Object.assign(bar.style, {
    position: "fixed",
    zIndex: "2147483647",
    insetBlockStart: "0",
    insetInlineStart: "0",
    blockSize: "3px",
    inlineSize: "0",
    background: "#3b82f6",
    transition: "inline-size 0.2s",
    pointerEvents: "none",
  })
  // Not into the body: it may not be there yet, and a test page counts what is in it.
  page.documentElement.append(bar)
  return {
    /** @param {number} share */
    set(share) {
      const percent = Math.round(100 * Math.min(share || 0, 1))
      bar.style.inlineSize = `${percent}%`
      bar.setAttribute("aria-valuenow", String(percent))
    },
    remove() {
      bar.remove()
    },
  }
}
