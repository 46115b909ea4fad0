// What both halves of the bridge use: it is in the first one, fauxserver.js, which hands it to the second, answering.js.

export * as args from "./args.js"
export * as files from "./files.js"
export * as http from "./http.js"
export * as loader from "./loader.js"
export * as originals from "./originals.js"
export * as progress from "./progress.js"
export * as reply from "./reply.js"
export * as schedule from "./schedule.js"
