// How the app and its server share the window: side by side with a splitter between them, or one at a time.

import { recall, remember } from "./memory.js"

const body = document.body

// One at a time

/** Bring a part of the page to the front, where there is room for one only. */
function open(pane) {
  body.dataset.pane = pane
  for (const button of document.querySelectorAll("#panes button")) {
    button.setAttribute("aria-current", String(button.dataset.pane === pane))
  }
}

document.getElementById("panes").addEventListener("click", event => {
  const pane = event.target.closest("button")?.dataset.pane
  if (pane) open(pane)
})
document.addEventListener("open-pane", ({ detail }) => open(detail))
open(body.dataset.pane)

// Side by side

const KEY = "width of the app"
const splitter = document.getElementById("splitter")

function setWidth(percent) {
  const width = Math.min(Math.max(percent, 30), 75)
  body.style.setProperty("--app-width", `${width}%`)
  splitter.setAttribute("aria-valuenow", String(Math.round(width)))
  remember(KEY, width)
}

splitter.setAttribute("aria-valuemin", "30")
splitter.setAttribute("aria-valuemax", "75")
setWidth(recall(KEY) ?? 55)

splitter.addEventListener("pointerdown", event => {
  splitter.setPointerCapture(event.pointerId)
  event.preventDefault()
})
splitter.addEventListener("pointermove", event => {
  if (splitter.hasPointerCapture(event.pointerId)) setWidth((100 * event.clientX) / innerWidth)
})
splitter.addEventListener("keydown", event => {
  const step = { ArrowLeft: -2, ArrowRight: 2 }[event.key]
  if (!step) return
  event.preventDefault()
  setWidth(Number(splitter.getAttribute("aria-valuenow")) + step)
})
