// Boot from a folder and do a list of steps: { python: code } or { install: [requirements, options] }.
// Reads { static, steps } from stdin and prints, as one JSON line, how it booted and what each step gave.
import { readFileSync } from "node:fs"
import { boot } from "../../js/loader.js"
import { installPackages } from "../../js/packages.js"

const { static: base, steps } = JSON.parse(readFileSync(0, "utf8"))
const warnings = []
console.warn = (...words) => warnings.push(words.join(" "))
const progress = []

/** @param {any} step */
async function take(step) {
  if (step.python) return pyodide.runPython(step.python)
  return (await installPackages(pyodide, base, ...step.install)) ?? null
}

let pyodide
const said = { results: [], warnings, progress }
try {
  const booted = await boot({ base, onProgress: (...told) => progress.push(told) })
  pyodide = booted.pyodide
  said.boot = booted.boot
  for (const step of steps) said.results.push(await take(step).catch(error => `${error.name}: ${error.message}`))
} catch (error) {
  said.error = { name: error.name, stage: error.stage, file: error.file, message: error.message }
}
console.log(JSON.stringify(said))
process.exit(0)
