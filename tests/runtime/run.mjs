// Boot the runtime from the built files, as a page does, and run pytest in it.
// Reads { static, folders: { path in the runtime: path here }, args } from stdin; the last line it prints is the outcome.
import { readFileSync } from "node:fs"
import { boot } from "../../js/loader.js"
import { createTimeLimit } from "../../js/timelimit.js"

const { static: base, folders, args } = JSON.parse(readFileSync(0, "utf8"))
const { pyodide, boot: how, reason } = await boot({ base })
for (const [path, here] of Object.entries(folders)) {
  pyodide.FS.mkdirTree(path)
  pyodide.mountNodeFS(path, here)
}
globalThis.timeLimit = createTimeLimit(pyodide)
const run = pyodide.runPython(`
import sys
sys.dont_write_bytecode = True
sys.path += ["/site", "/repository/tests/runtime"]
from inside import run
run`)
console.log(JSON.stringify({ boot: how, ...(reason && { reason: reason.message }), ...JSON.parse(run(JSON.stringify(args))) }))
process.exit(0)
