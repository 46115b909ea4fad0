// The route file in an editor. Saving gives its text to the faux server, which takes it at once and keeps its data.
// The file on the disk is left alone: what was changed lives in this tab.

import {
  bracketMatching, Decoration, defaultKeymap, drawSelection, EditorState, EditorView, gutterLineClass, GutterMarker,
  gutterWidgetClass, highlightActiveLine, highlightActiveLineGutter, HighlightStyle, history, historyKeymap, indentOnInput, indentUnit, indentWithTab, keymap, LanguageSupport,
  lineNumbers, pythonLanguage, RangeSet, StateEffect, StateField, syntaxHighlighting, tags, WidgetType,
} from "./lib/codemirror.js"
import { recall, remember } from "./memory.js"

const FILE = "routes.py"

const $ = id => document.getElementById(id)

const original = await window.routeFile

// What was in the editor, and what was in force, before this tab was reloaded.
const kept = recall(FILE) ?? {}
let saved = kept.saved ?? original

// Errors, each at its line

/** Where and what: `{ pos, message, location }`; an error of a handler has its location. */
const mark = StateEffect.define({ map: (value, changes) => ({ ...value, pos: changes.mapPos(value.pos) }) })
/** Take away all marks, or those of the handler at a location. */
const unmark = StateEffect.define()

const marks = StateField.define({
  create: () => [],
  update(value, transaction) {
    let now = transaction.docChanged ? value.map(each => ({ ...each, pos: transaction.changes.mapPos(each.pos) })) : value
    for (const effect of transaction.effects) {
      if (effect.is(unmark)) now = effect.value === undefined ? [] : now.filter(({ location }) => location !== effect.value)
      if (effect.is(mark)) now = [...now.filter(({ pos }) => pos !== effect.value.pos), effect.value].sort((one, other) => one.pos - other.pos)
    }
    return now
  },
  provide: field => [
    EditorView.decorations.compute([field, "doc"], state => Decoration.set(state.field(field).flatMap(({ pos, message }) => {
      const line = state.doc.lineAt(pos)
      return [
        Decoration.line({ class: "cm-wrong" }).range(line.from),
        Decoration.widget({ widget: new Message(message), block: true, side: 1 }).range(line.to),
      ]
    }))),
    gutterLineClass.compute([field, "doc"], state =>
      RangeSet.of(state.field(field).map(({ pos }) => new WrongLine().range(state.doc.lineAt(pos).from)))),
    gutterWidgetClass.of((view, widget) => (widget instanceof Message ? new WrongLine() : null)),
  ],
})

class WrongLine extends GutterMarker {
  elementClass = "cm-wrong-number"
}

/** What is wrong, below the line. */
class Message extends WidgetType {
  constructor(text) {
    super()
    this.text = text
  }

  eq(other) {
    return other.text === this.text
  }

  toDOM() {
    const element = document.createElement("div")
    element.className = "cm-message"
    element.textContent = this.text
    return element
  }
}

// The editor

// Colours are the page's, so that they follow its scheme.
const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: [tags.comment, tags.docString], color: "var(--code-comment)", fontStyle: "italic" },
  { tag: [tags.function(tags.definition(tags.variableName)), tags.definition(tags.className)], color: "var(--code-name)", fontWeight: "600" },
  { tag: tags.meta, color: "var(--code-name)" },
])

const theme = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--card)", fontSize: ".8125rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6", overflow: "auto" },
  ".cm-content": { padding: ".5rem 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 1rem 0 .5rem" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { color: "var(--soft)", backgroundColor: "var(--card)", border: "0" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 .5rem 0 1rem", minWidth: "3.2rem" },
  ".cm-activeLine": { backgroundColor: "var(--active)" },
  ".cm-activeLineGutter": { color: "var(--ink)", backgroundColor: "var(--active)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "var(--selection)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--selection)" },
  ".cm-line.cm-wrong": { backgroundColor: "var(--wrong)" },
  ".cm-wrong-number": { color: "var(--danger)", fontWeight: "700", backgroundColor: "var(--wrong)" },
  ".cm-message": {
    padding: ".15rem 1rem .3rem .5rem", color: "var(--danger)", backgroundColor: "var(--wrong)", fontFamily: "var(--sans)", whiteSpace: "pre-wrap",
  },
})

// Inside a shadow root CodeMirror adopts its style sheets; in the document it would write style elements, which a strict
// Content-Security-Policy refuses.
const root = $("editor").attachShadow({ mode: "open" })

const view = new EditorView({
  root,
  parent: root,
  state: EditorState.create({
    doc: kept.text ?? saved,
    extensions: [
      keymap.of([
        { key: "Mod-Enter", run: save, preventDefault: true },
        // Escape, and then Tab leaves the editor.
        indentWithTab,
        ...defaultKeymap,
        ...historyKeymap,
      ]),
      lineNumbers(),
      history(),
      drawSelection(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      indentOnInput(),
      indentUnit.of("    "),
      bracketMatching(),
      new LanguageSupport(pythonLanguage),
      syntaxHighlighting(colours),
      marks,
      theme,
      EditorView.contentAttributes.of({ "aria-label": `${FILE}. Escape, then Tab leaves the editor.` }),
      EditorView.updateListener.of(({ docChanged, changes }) => {
        if (!docChanged) return
        inForce = inForce.map(pos => changes.mapPos(pos))
        given = given.map(pos => changes.mapPos(pos))
        changed()
      }),
    ],
  }),
})

/** Where the lines begin; moved along while somebody types: of the text in force, and of the one that was given last. */
let inForce = beginnings()
let given = inForce

function beginnings() {
  return Array.from({ length: view.state.doc.lines }, (_, i) => view.state.doc.line(i + 1).from)
}

// Saving

const apple = /Mac|iP(hone|ad|od)/.test(navigator.platform)
if (apple) document.querySelector("#save kbd").textContent = "⌘S"

document.addEventListener("keydown", event => {
  if (event.key.toLowerCase() !== "s" || !(apple ? event.metaKey : event.ctrlKey) || event.altKey || event.shiftKey) return
  event.preventDefault()
  save()
})
$("save").addEventListener("click", save)
$("restore").addEventListener("click", () => {
  replace(0, view.state.doc.length, original)
  save()
})

/** One save after the other, as the last one is to count. */
let saving = Promise.resolve()

function save() {
  const text = view.state.doc.toString()
  saving = saving.then(() => take(text, beginnings()))
  return true
}

/** Give the text to the server. */
async function take(text, lines) {
  if (document.body.dataset.server === "failed") return tell("There is no Python in this page to run it.", "wrong")
  tell(fauxServer.enabled || fauxServer.boot ? "Loading…" : "It is run once fauxserver is switched on.")
  given = lines
  try {
    await fauxServer.load(FILE, text)
  } catch (error) {
    const { line, message } = error.fault ?? error
    view.dispatch({ effects: unmark.of(undefined) })
    markAt(given[line - 1], message)
    tell(`${message} The routes stay as they were.`.replace(/([^.])( The routes)/, "$1.$2"), "wrong")
    if (line) reveal(given[line - 1])
    return
  }
  saved = text
  inForce = given
  view.dispatch({ effects: unmark.of(undefined) })
  changed()
  tell("In force, and its data is kept.", "fine")
  document.dispatchEvent(new Event("refresh"))
}

function changed() {
  const text = view.state.doc.toString()
  const unsaved = text !== saved
  $("unsaved").hidden = !unsaved
  $("save").disabled = !unsaved
  $("restore").disabled = text === original && saved === original
  remember(FILE, { saved, text })
}

function tell(text, kind = "") {
  $("state").textContent = text
  $("state").dataset.kind = kind
}

// Lines

function markAt(pos, message, location) {
  if (pos === undefined) return
  // Where it is the line says itself.
  const brief = message.replace(/^\S+, line \d+: | \(in [^()]*\)$/g, "")
  view.dispatch({ effects: mark.of({ pos: view.state.doc.lineAt(pos).from, message: brief, location }) })
}

function reveal(pos, y = "center") {
  view.dispatch({ selection: { anchor: pos }, effects: EditorView.scrollIntoView(pos, { y }) })
}

function replace(from, to, insert) {
  view.dispatch({ changes: { from, to, insert } })
}

// A handler's error is marked until it has answered well, or the file has changed.
fauxServer.on("answer", ({ location, error }) => {
  if (error && isOurs(error.file)) {
    markAt(inForce[error.line - 1], error.message, location)
    tell(error.message, "wrong")
  } else if (!error) view.dispatch({ effects: unmark.of(location) })
})

document.addEventListener("show-line", ({ detail: { location, error, focus } }) => {
  const [, file, line] = /^(.*):(\d+)$/.exec(location) ?? []
  const pos = inForce[(error && isOurs(error.file) ? error.line : isOurs(file) ? Number(line) : 0) - 1]
  if (pos === undefined) return
  reveal(pos)
  if (!focus) return
  document.dispatchEvent(new CustomEvent("open-pane", { detail: "code" }))
  view.focus()
})

function isOurs(file) {
  return file?.split("/").pop() === FILE
}

// Things to try: each puts other last lines into list_books.

const EXAMPLES = {
  newest: `    return sorted(found, key=lambda book: -book["year"])\n`,
  missing: `    raise HTTPError(404, {"message": "The library is closed on Mondays."})\n`,
  raise: `    return sorted(found, key=lambda book: book["pages"])\n`,
  typo: `    return sorted(found, key=by_title\n`,
}

$("examples").addEventListener("click", ({ target }) => {
  const lines = EXAMPLES[target.closest("button")?.dataset.example]
  if (!lines) return
  const find = () => /(    found = .*\n)((?: {4}.*\n)*)/.exec(view.state.doc.toString())
  // Where list_books is no more, in the file as it was.
  if (!find()) replace(0, view.state.doc.length, original)
  const [, before, after] = find()
  const from = find().index + before.length
  replace(from, from + after.length, lines)
  reveal(from)
  view.dispatch({ selection: { anchor: from + 4, head: from + lines.length - 1 } })
  view.focus()
  tell("Save it, and look at the app.")
})

// Before the tab was reloaded this was in force, and so it shall be again.
changed()
if (saved !== original) take(saved, inForce)
else tell(`Kept in this tab: ${FILE} on the disk stays as it is.`)
