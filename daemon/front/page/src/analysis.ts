// The server's analysis of the shown file, asked for when typing pauses, and its suggestions.
import type {Connection} from "./connection"
import type {Doc} from "./doc"
import {debounced} from "./dom"
import type {Suggest} from "./editor_extras"
import {languageOf} from "./languages"
import {fromIssue} from "./problems"
import {Refusal} from "./protocol"
import {settings} from "./settings"

const PAUSE_MS = 350, RETRY_MS = 1500

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

  suggest: Suggest = (text, position) => {
    const doc = this.shown()
    if (!doc || !this.knows(doc.path) || !this.connection.isOpen) return null
    return this.connection.request({type: "request_suggestion", file_path: doc.path, content: text.toString(), position,
      lang: settings.current.language}, "suggestion_result").then(({suggestions}) => suggestions)
  }
}
