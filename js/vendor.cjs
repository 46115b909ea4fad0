#!/usr/bin/env node
// The npm package's command: `npx fauxserver vendor DIR` lays fauxserver.js, and what it needs beside it, into DIR.

const fs = require("node:fs")
const path = require("node:path")

const [command, folder, ...more] = process.argv.slice(2)

if (command !== "vendor" || !folder || more.length) {
  console.error("Usage: fauxserver vendor DIR")
  process.exit(2)
}

const files = names(__dirname)

try {
  fs.mkdirSync(folder, { recursive: true })
  // What an older version left there would only confuse.
  for (const name of names(folder)) {
    if (!files.includes(name)) fs.rmSync(path.join(folder, name), { force: true })
  }
  for (const name of files) fs.copyFileSync(path.join(__dirname, name), path.join(folder, name))
} catch (error) {
  console.error(`Cannot copy into ${folder}: ${error.message}. Name a folder that can be written to.`)
  process.exit(1)
}
console.log(`${files.length} files. In the page:\n  <script src="${path.basename(path.resolve(folder))}/fauxserver.js"></script>`)

/** The files that the manifest of a folder lists, and the manifest. */
function names(folder) {
  try {
    const { files } = JSON.parse(fs.readFileSync(path.join(folder, "manifest.json"), "utf8"))
    return [...Object.keys(files).filter(name => path.basename(name) === name), "manifest.json"]
  } catch {
    return []
  }
}
