// The server's analysis of the shown file, asked for when typing pauses, and its suggestions.
import {completeAnyWord, insertCompletionText, pickedCompletion} from "@codemirror/autocomplete"
import type {Completion, CompletionContext, CompletionResult} from "@codemirror/autocomplete"

import type {Connection} from "./connection"
import type {Doc} from "./doc"
import {debounced} from "./dom"
import {languageOf} from "./languages"
import {fromIssue, offsetOf} from "./problems"
import {Refusal} from "./protocol"
import {settings} from "./settings"

const PAUSE_MS = 350, RETRY_MS = 1500

const KINDS: Record<string, string> = {function: "function", method: "method", class: "class", module: "namespace",
  variable: "variable", parameter: "variable", keyword: "keyword", property: "property", field: "property",
  constant: "constant", type: "type"}

export class Analysis {
  /** Languages that the server says it does not know. */
  readonly #unknown = new Set<string>()
  readonly #ask = debounced(PAUSE_MS, () => void this.#request())

  constructor(readonly connection: Connection, readonly shown: () => Doc | null,
    readonly onResult: (doc: Doc) => void) {
    connection.on("connection_established", () => this.#ask())
    settings.on("change", names => { if (names.includes("language")) this.#ask() })
  }

  /** Its text has changed, or it is shown now. */
  touch(): void { this.#ask() }

  knows(path: string): boolean {
    const language = languageOf(path)
    return !!language?.isAnalysed && !this.#unknown.has(language.id)
  }

  async #request(): Promise<void> {
    const doc = this.shown()
    if (!doc || !this.connection.isOpen) return
    if (!this.knows(doc.path)) {
      doc.analysis = null
      doc.problems = []
      return this.onResult(doc)
    }
    const {text} = doc
    try {
      const {analysis} = await this.connection.request({type: "request_analysis", file_path: doc.path,
        content: text.toString(), lang: settings.current.language}, "analysis_result")
      if (!doc.text.eq(text)) return
      doc.analysis = analysis
      doc.problems = analysis.issues.map(fromIssue)
      this.onResult(doc)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const language = languageOf(doc.path)
      if (error.code == "unknown_language" && language) this.#unknown.add(language.id)
      else if (error.code == "busy" || error.code == "rate_limited")
        setTimeout(() => this.#ask(), error.retryAfterMs || RETRY_MS)
    }
  }

  /** The server's suggestions; words of the text where there are none. */
  complete = async (context: CompletionContext): Promise<CompletionResult | null> => {
    const word = context.matchBefore(/[\p{L}\p{N}_$]+/u)
    const before = context.state.sliceDoc(Math.max(0, context.pos - 1), context.pos)
    if (!context.explicit && !word && before != ".") return null
    const doc = this.shown()
    if (!doc || !this.knows(doc.path) || !this.connection.isOpen)
      return word || context.explicit ? completeAnyWord(context) : null
    const line = context.state.doc.lineAt(context.pos)
    const text = context.state.doc
    try {
      const {suggestions} = await this.connection.request({type: "request_suggestion", file_path: doc.path,
        content: text.toString(), position: {line: line.number - 1, column: context.pos - line.from},
        lang: settings.current.language}, "suggestion_result")
      if (context.aborted || !suggestions.length) return null
      const from = suggestions[0]!.range ? offsetOf(text, suggestions[0]!.range.start) : word?.from ?? context.pos
      const options = suggestions.map((one): Completion => ({
        label: one.label, ...one.detail && {detail: one.detail}, type: KINDS[one.kind] ?? one.kind,
        apply: (view, completion, start, to) => view.dispatch({
          ...insertCompletionText(view.state, one.insert, start, to), annotations: pickedCompletion.of(completion)}),
      }))
      return {from, options, validFor: /^[\p{L}\p{N}_$]*$/u}
    } catch {
      return null // the server is busy, or gone: typing goes on
    }
  }
}
