// What the editor can do without for the first moment: completion, search, diagnostics. Loaded after the
// first paint.
import {acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completeAnyWord, completionKeymap,
  insertCompletionText, pickedCompletion} from "@codemirror/autocomplete"
import type {Completion, CompletionContext, CompletionResult} from "@codemirror/autocomplete"
import {lintGutter, lintKeymap} from "@codemirror/lint"
import {highlightSelectionMatches, search, searchKeymap} from "@codemirror/search"
import type {Extension, Text} from "@codemirror/state"
import {keymap} from "@codemirror/view"

import {offsetOf} from "./problems"
import type {Suggestion} from "./protocol"

export {nextDiagnostic, openLintPanel, setDiagnostics} from "@codemirror/lint"

/** The server's suggestions at a place; null when it has none to give for this file. */
export type Suggest = (text: Text, position: {line: number, column: number}) => Promise<Suggestion[]> | null

const KINDS: Record<string, string> = {function: "function", method: "method", class: "class", module: "namespace",
  variable: "variable", parameter: "variable", keyword: "keyword", property: "property", field: "property",
  constant: "constant", type: "type"}

/** The server's suggestions; words of the text where it knows nothing of the language. */
function source(suggest: Suggest) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const word = context.matchBefore(/[\p{L}\p{N}_$]+/u), text = context.state.doc
    const before = context.state.sliceDoc(Math.max(0, context.pos - 1), context.pos)
    if (!context.explicit && !word && before != ".") return null
    const line = text.lineAt(context.pos)
    const asked = suggest(text, {line: line.number - 1, column: context.pos - line.from})
    if (!asked) return word || context.explicit ? completeAnyWord(context) : null
    let suggestions: Suggestion[]
    try {
      suggestions = await asked
    } catch {
      return null // the server is busy, or gone: typing goes on
    }
    const first = suggestions[0]
    if (context.aborted || !first) return null
    const from = first.range ? offsetOf(text, first.range.start) : word?.from ?? context.pos
    const options = suggestions.map((one): Completion => ({
      label: one.label, ...one.detail && {detail: one.detail}, type: KINDS[one.kind] ?? one.kind,
      apply: (view, completion, start, to) => view.dispatch({
        ...insertCompletionText(view.state, one.insert, start, to), annotations: pickedCompletion.of(completion)}),
    }))
    return {from, options, validFor: /^[\p{L}\p{N}_$]*$/u}
  }
}

export function extras(suggest: Suggest): Extension {
  return [
    lintGutter(), closeBrackets(), autocompletion({override: [source(suggest)], icons: false}),
    highlightSelectionMatches(), search({top: false}),
    keymap.of([{key: "Tab", run: acceptCompletion}, ...closeBracketsKeymap, ...searchKeymap, ...completionKeymap,
      ...lintKeymap]),
  ]
}
