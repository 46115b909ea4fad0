// What `import … from "fauxserver"` gives: nothing that begins by itself.

export type * from "./fauxserver.js"
export { HTTPError, jqXHRTransport, Response, start } from "./fauxserver.js"
