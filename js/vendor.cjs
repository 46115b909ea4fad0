#!/usr/bin/env node
// The npm package's command: `npx fauxserver vendor DIR` lays fauxserver.js, and what it needs beside it, into DIR.

const fs = require("node:fs")
const path = require("node:path")

const USAGE = `Usage: fauxserver vendor DIR

Copies fauxserver.js, and what it needs beside it, into DIR, which is made if it is not there.`

const [command, ...rest] = process.argv.slice(2)

if (["--help", "-h", "help"].includes(command)) end(USAGE, 0)
if (command === "--version") end(`fauxserver ${require("./package.json").version}`, 0)
if (command === undefined) end(USAGE, 2)
if (command !== "vendor") {
  const elsewhere = ["demo", "routes"].includes(command) ? ", which the Python package has (python -m pip install fauxserver)" : ""
  end(`There is no command ${JSON.stringify(command)} here${elsewhere}. The npm package has vendor.\n\n${USAGE}`, 2)
}
const option = rest.find((word) => word.startsWith("-"))
if (["--help", "-h"].includes(option)) end(USAGE, 0)
if (option) end(`vendor has no option ${option}. Should the folder be called so, write ./${option}.\n\n${USAGE}`, 2)
if (!rest[0]) end(`vendor where? Name the folder: fauxserver vendor public/fauxserver\n\n${USAGE}`, 2)
if (rest.length > 1) end(`vendor takes one folder, not ${rest.length}: ${rest.map((word) => JSON.stringify(word)).join(", ")}.\n\n${USAGE}`, 2)

vendor(rest[0])

/** @param {string} folder */
function vendor(folder) {
  const files = listed(__dirname)
  if (!files.length) end(`The package's files are not there: ${__dirname}. This installation is damaged; install fauxserver again.`, 1)
  let size = 0
  try {
    fs.mkdirSync(folder, { recursive: true })
    // What an older version left there would only confuse.
    for (const name of listed(folder)) {
      if (!files.includes(name)) fs.rmSync(path.join(folder, name), { force: true })
    }
    for (const name of files) {
      fs.copyFileSync(path.join(__dirname, name), path.join(folder, name))
      size += fs.statSync(path.join(folder, name)).size
    }
  } catch (error) {
    end(`Cannot copy into ${folder}: ${/** @type {Error} */ (error).message}. Name a folder that can be written to.`, 1)
  }
  const name = path.basename(path.resolve(folder))
  end(`${files.length} files, ${(size / 1e6).toFixed(1)} MB. In the page:\n  <script src="${name}/fauxserver.js"></script>`, 0)
}

/**
 * The files that the manifest of a folder lists, and the manifest.
 *
 * @param {string} folder
 * @returns {string[]}
 */
function listed(folder) {
  try {
    const { files } = JSON.parse(fs.readFileSync(path.join(folder, "manifest.json"), "utf8"))
    return [...Object.keys(files).filter((name) => path.basename(name) === name), "manifest.json"]
  } catch {
    return []
  }
}

/**
 * @param {string} text
 * @param {number} code
 * @returns {never}
 */
function end(text, code) {
  fs.writeSync(code ? 2 : 1, `${text}\n`)
  return process.exit(code)
}
