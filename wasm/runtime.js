// The runtime as one classic script: Pyodide's loader and its Emscripten half, without a dynamic import and without a request of their own.
import createPyodideModule from "pyodide/pyodide.asm.mjs"
import { loadPyodide, version } from "pyodide/pyodide.mjs"
import { given, useNetwork } from "./runtime-fetch.js"

// Under a symbol, because a page's globals are the page's.
globalThis[Symbol.for("fauxserver.runtime")] = { loadPyodide, createPyodideModule, version, given, useNetwork }
