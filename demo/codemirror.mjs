// What the editor takes of CodeMirror. The build bundles it into lib/codemirror.js.

/*! CodeMirror 6 and Lezer, (c) 2018-2024 Marijn Haverbeke and others, MIT: https://codemirror.net */

export { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands"
export { pythonLanguage } from "@codemirror/lang-python"
export { bracketMatching, HighlightStyle, indentOnInput, indentUnit, LanguageSupport, syntaxHighlighting } from "@codemirror/language"
export { EditorState, RangeSet, StateEffect, StateField } from "@codemirror/state"
export {
  Decoration, drawSelection, EditorView, gutterLineClass, GutterMarker, gutterWidgetClass, highlightActiveLine,
  highlightActiveLineGutter, keymap, lineNumbers, WidgetType,
} from "@codemirror/view"
export { tags } from "@lezer/highlight"
