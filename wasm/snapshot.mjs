// Make the memory snapshot. Always run by the one pinned Node: what the engine that makes it can do is frozen into it.
//
// It prints a JSON line with the standard library's files that the snapshot holds, waits until stdin is closed (the build
// writes stdlib.zip without them meanwhile), and then makes the snapshot.
import { readFileSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import path from "node:path"

// Keeps Pyodide from using WasmGC and JSPI, whose additions to the function table would fail the snapshot elsewhere.
Object.defineProperty(globalThis, "navigator", {
  value: { userAgent: "iPhone", platform: "iPhone", maxTouchPoints: 5 },
  configurable: true,
  writable: true,
})

const [js, work, modules] = process.argv.slice(2)
const { startRuntime } = await import(path.join(js, "loader.js"))
createRequire(import.meta.url)(path.join(work, "runtime.js"))

const pyodideFiles = path.join(js, "node_modules", "pyodide")
const readBytes = file => new Uint8Array(readFileSync(file))
const pyodide = await startRuntime(globalThis[Symbol.for("fauxserver.runtime")], {
  base: work + "/",
  lock: { info: JSON.parse(readFileSync(path.join(pyodideFiles, "pyodide-lock.json"), "utf8")).info, packages: {} },
  compiled: WebAssembly.compile(readBytes(path.join(pyodideFiles, "pyodide.asm.wasm"))),
  stdlib: Promise.resolve(readBytes(path.join(pyodideFiles, "python_stdlib.zip"))),
  library: Promise.resolve(readBytes(path.join(work, "fauxserver.zip"))),
  makeSnapshot: true,
})

const say = value => process.stdout.write(JSON.stringify(value) + "\n")
const grown = []
for (const module of JSON.parse(modules)) {
  const bytes = pyodide._module.HEAP8.length
  const objects = pyodide.runPython("import sys; sys.getallocatedblocks()")
  pyodide.runPython(`import ${module}`)
  grown.push({
    module,
    objects: pyodide.runPython("sys.getallocatedblocks()") - objects,
    bytes: pyodide._module.HEAP8.length - bytes,
  })
}
const held = pyodide.runPython(`
import json, sys
prefix = "/lib/python%d%d.zip/" % sys.version_info[:2]
json.dumps(sorted(
    module.__spec__.origin.removeprefix(prefix)
    for module in sys.modules.values()
    if getattr(module, "__spec__", None) and (module.__spec__.origin or "").startswith(prefix)
))`)
say({ held: JSON.parse(held), grown })
for await (const _ of process.stdin) {}

// The rest of the standard library takes the whole one's place, and Python reads its directory again, so that the page
// need not.
pyodide.FS.writeFile(
  pyodide.runPython('"/lib/python%d%d.zip" % sys.version_info[:2]'),
  readBytes(path.join(work, "stdlib.zip")),
)
pyodide.runPython(`
import gc, importlib.util
importlib.invalidate_caches()
importlib.util.find_spec("fauxserver_reads_the_directory_again")
sys.path.remove("")  # Pyodide puts it back when it restores.
for name in ("json", "prefix"):
    globals().pop(name, None)
gc.collect()
`)
clearFreeMemory(pyodide._module)
const snapshot = pyodide.makeMemorySnapshot()
writeFileSync(path.join(work, "snapshot"), snapshot)
const heap = snapshot.length - new Uint32Array(snapshot.buffer, snapshot.byteOffset, 2)[1]
say({ heap, python: pyodide.runPython("sys.version.split()[0]") })

/**
 * What was freed still lies there, and would be loaded and inflated in every page: overwrite it. Blocks are taken, the
 * largest first, for as long as they come from below the heap's top, that is, from what was freed.
 */
function clearFreeMemory(module) {
  const top = module._malloc(1 << 20)
  module._free(top)
  const taken = []
  for (let size = 1 << 20; size >= 32; size >>= 1) {
    for (;;) {
      const block = module._malloc(size)
      if (block >= top) {
        module._free(block)
        break
      }
      module.HEAPU8.fill(0, block, block + size)
      taken.push(block)
    }
  }
  for (const block of taken) module._free(block)
}
