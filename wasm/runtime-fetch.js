// What the bundler puts in place of `fetch` and `import.meta.url` in Pyodide's code.

/** What the loader reads by itself: address → promise of bytes. */
export const given = new Map()

let network = globalThis.fetch

/** The page's own fetch, kept from before anybody patched it. */
export function useNetwork(fetch) {
  network = fetch
}

export function fetch(input, init) {
  return given.get(String(input))?.then(respond) ?? network(input, init)
}

/**
 * What Pyodide wants of a response, which not every test runner's document has a class for.
 *
 * @param {Uint8Array} bytes
 */
function respond(bytes) {
  return { ok: true, status: 200, arrayBuffer: async () => bytes.slice().buffer }
}

// Pyodide asks where its script lies: under Node for `createRequire`, in a page for nothing that matters. A document says
// nothing about which of them it is: test runners give Node one.
export const scriptUrl =
  typeof __filename === "string" && typeof require === "function"
    ? require("node:url").pathToFileURL(__filename).href
    : globalThis.document?.currentScript?.src ?? ""
