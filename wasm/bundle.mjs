// Bundle JavaScript with esbuild: `runtime` makes runtime.js, `answering` the bridge's second half, `bridge` its first one
// (fauxserver.js and fauxserver.module.js), `demo` what the demo's page imports.
// Reads one JSON document from stdin, so that no path has to survive a shell.
import { readFileSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import path from "node:path"

const { what, js, wasm, out, entries = {}, defines = {} } = JSON.parse(readFileSync(0, "utf8"))
const esbuild = createRequire(path.join(js, "package.json"))("esbuild")

const define = Object.fromEntries(Object.entries(defines).map(([name, value]) => [name, JSON.stringify(value)]))
const common = {
  bundle: true,
  minify: true,
  // Node prints the line of an uncaught error.
  lineLimit: 200,
  // A page may have any encoding.
  charset: "ascii",
  legalComments: "none",
  logLevel: "warning",
  nodePaths: [path.join(js, "node_modules")],
}

if (what === "runtime") {
  await esbuild.build({
    ...common,
    entryPoints: [path.join(wasm, "runtime.js")],
    outfile: path.join(out, "runtime.js"),
    format: "iife",
    target: "es2022",
    external: ["node:*", "ws"],
    // Under Node it is required, and so can require: a test runner's sandbox, Jest's, may have no import().
    supported: { "dynamic-import": false },
    inject: [path.join(wasm, "runtime-fetch.js")],
    // The loader compiles the wasm. With this name defined, Pyodide does not ask for it too.
    define: { WasmOffsetConverter: "0", "import.meta.url": "scriptUrl" },
  })
}

if (what === "answering") {
  // What the first half has as well is not here, but handed over.
  const shared = new Set([...readFileSync(path.join(js, "shared.js"), "utf8").matchAll(/from "\.\/(.+)\.js"/g)].map(([, name]) => name))
  const handedOver = {
    name: "handed-over",
    setup(build) {
      build.onResolve({ filter: /^\.\// }, ({ path: file }) => {
        const name = path.basename(file, ".js")
        return shared.has(name) ? { path: name, namespace: "handed-over" } : undefined
      })
      build.onLoad({ filter: /.*/, namespace: "handed-over" }, ({ path: name }) => ({ contents: `module.exports = shared.${name}` }))
    },
  }
  const { outputFiles: [{ text }] } = await esbuild.build({
    ...common,
    entryPoints: [path.join(js, "answering.js")],
    format: "iife",
    globalName: "answering",
    target: "es2020",
    define,
    plugins: [handedOver],
    write: false,
  })
  // Under a symbol, because a page's globals are the page's.
  writeFileSync(path.join(out, "answering.js"), `globalThis[Symbol.for("fauxserver.answering")]=(shared)=>{${text};return answering};\n`)
}

if (what === "bridge") {
  for (const [entry, file] of Object.entries(entries)) {
    const classic = file === "fauxserver.js"
    await esbuild.build({
      ...common,
      entryPoints: [entry],
      outfile: path.join(out, file),
      format: classic ? "iife" : "esm",
      target: "es2020",
      define: { ...define, ...(classic && { "import.meta.url": "undefined" }) },
    })
  }
}

if (what === "demo") {
  for (const [entry, file] of Object.entries(entries)) {
    await esbuild.build({ ...common, entryPoints: [entry], outfile: path.join(out, file), format: "esm", target: "es2022", legalComments: "eof" })
  }
}
