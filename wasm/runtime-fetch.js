// What the bundler puts in place of `fetch` and `import.meta.url` in Pyodide's code.

/** What the loader reads by itself: address → promise of bytes. */
export const given = new Map()

let network = globalThis.fetch

/** The page's own fetch, kept from before anybody patched it. */
export function useNetwork(fetch) {
  network = fetch
}

export function fetch(input, init) {
  return given.get(String(input))?.then(bytes => new Response(bytes)) ?? network(input, init)
}

// Pyodide asks where its script lies: under Node for `createRequire`, in a page for nothing that matters. A document says
// nothing about which of them it is: test runners give Node one.
export const scriptUrl =
  typeof __filename === "string" && typeof require === "function"
    ? require("node:url").pathToFileURL(__filename).href
    : globalThis.document?.currentScript?.src ?? ""
