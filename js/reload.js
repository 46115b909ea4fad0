// `data-reload`: a route file that was saved is loaded again, and keeps its data.

import { fetch, setTimeout } from "./originals.js"

const PERIOD = 1000

/**
 * Ask for the files' ETag once a second, and whenever somebody comes back to the page: from the editor, mostly.
 *
 * @param {() => Iterable<string>} urls  What to watch; it may grow.
 * @param {(url: string) => unknown} onChange
 * @param {(task: () => void, delay: number) => unknown} [wait]
 * @param {(url: string) => Promise<string | undefined>} [ask]
 * @param {any} [page]  Whose `focus` says that somebody is back.
 * @returns {() => void}
 */
export function watch(
  urls, onChange, wait = (task, delay) => setTimeout.call(globalThis, task, delay), ask = tagOf, page = globalThis,
) {
  /** @type {Map<string, string | undefined>} */
  const seen = new Map()
  let watching = true
  let looking = false

  async function look() {
    if (looking) return
    looking = true
    try {
      for (const url of [...urls()]) {
        const tag = await ask(url)
        if (!watching) return
        // A server that is just restarting says nothing about the file.
        if (tag === undefined) continue
        const before = seen.get(url)
        seen.set(url, tag)
        if (before !== undefined && before !== tag) await onChange(url)
      }
    } finally {
      looking = false
    }
  }

  async function lookOnAndOn() {
    await look()
    if (watching) wait(lookOnAndOn, PERIOD)
  }

  page.addEventListener?.("focus", look)
  void lookOnAndOn()
  return () => {
    watching = false
    page.removeEventListener?.("focus", look)
  }
}

/** @param {string} url @returns {Promise<string | undefined>} */
async function tagOf(url) {
  try {
    const response = await fetch(url, { method: "HEAD", cache: "no-store" })
    if (!response.ok) return undefined
    const { headers } = response
    return headers.get("etag") ?? `${headers.get("last-modified")} ${headers.get("content-length")}`
  } catch {
    return undefined
  }
}
