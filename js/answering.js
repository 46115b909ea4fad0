// The second half of the bridge: what nobody needs before Python is there. It is loaded beside the runtime, so that a page waits
// for the first half alone.

export { createAdapter } from "./adapter.js"
export { connect, createBridge } from "./bridge.js"
export { createReporter, logFault } from "./console.js"
export { dispatch } from "./dispatch.js"
export { createHandler } from "./callbacks.js"
export { createResponder } from "./fetchanswer.js"
export { answer } from "./httpanswer.js"
export { installPackages } from "./packages.js"
export { runScript } from "./pagescripts.js"
export { deadExchange, protect } from "./protect.js"
export { watch } from "./reload.js"
export { createReceived } from "./received.js"
export { snapshot } from "./snapshot.js"
export { createUnmatched } from "./unmatched.js"
