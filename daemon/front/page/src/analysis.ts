// The server's analysis of the shown file: of a room's document it is subscribed to, of others asked for when
// typing pauses. And its suggestions.
import type {Connection} from "./connection"
import type {Doc} from "./doc"
import {debounced} from "./dom"
import type {Suggest} from "./editor_extras"
import {languageOf} from "./languages"
import {fromIssue} from "./problems"
import {Refusal} from "./protocol"
import type {Analysis as Result, Received} from "./protocol"
import {settings} from "./settings"

const PAUSE_MS = 350, RETRY_MS = 1500

export class Analysis {
  /** Languages that the server says it does not know. */
  readonly #unknown = new Set<string>()
  readonly #ask = debounced(PAUSE_MS, () => void this.#request())

  /** What is subscribed to, and the request's id. */
  #subscription = {path: "", lang: "", id: ""}

  constructor(readonly connection: Connection, readonly shown: () => Doc | null,
    readonly onResult: (doc: Doc) => void) {
    connection.on("connection_established", () => {
      this.#subscription = {path: "", lang: "", id: ""}
      this.#ask()
    })
    connection.on("analysis_result", message => this.#hear(message))
    connection.on("error", error => {
      if (!error.id || error.id != this.#subscription.id) return
      this.#subscription = {path: "", lang: "", id: ""}
      const doc = this.shown()
      if (doc) this.#refused(doc, new Refusal(error.code, error.message, error.retry_after_ms))
    })
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
    if (doc.sync?.phase == "open") return this.#subscribe(doc)
    const {text} = doc
    try {
      const {analysis} = await this.connection.request({type: "request_analysis", file_path: doc.path,
        content: text.toString(), lang: settings.current.language}, "analysis_result")
      if (doc.text.eq(text)) this.#show(doc, analysis)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.#refused(doc, error)
    }
  }

  #subscribe({path}: Doc): void {
    const lang = settings.current.language, before = this.#subscription
    if (before.path == path && before.lang == lang) return
    if (before.path && before.path != path)
      this.connection.send({type: "analysis_unsubscribe", file_path: before.path})
    this.#subscription = {path, lang, id: this.connection.ask({type: "analysis_subscribe", file_path: path, lang})}
  }

  /** Another version is followed by its own result. */
  #hear({file_path, analysis, epoch, version}: Received<"analysis_result">): void {
    const doc = this.shown(), sync = doc?.sync
    if (version === undefined || doc?.path != file_path || sync?.epoch != epoch) return
    if (sync!.version == version && sync!.unsent == 0) this.#show(doc!, analysis)
  }

  #show(doc: Doc, analysis: Result): void {
    doc.analysis = analysis
    doc.problems = analysis.issues.map(fromIssue)
    this.onResult(doc)
  }

  #refused(doc: Doc, {code, retryAfterMs}: Refusal): void {
    const language = languageOf(doc.path)
    if (code == "unknown_language" && language) this.#unknown.add(language.id)
    else if (code == "busy" || code == "rate_limited") setTimeout(() => this.#ask(), retryAfterMs || RETRY_MS)
  }

  suggest: Suggest = (text, position) => {
    const doc = this.shown()
    if (!doc || !this.knows(doc.path) || !this.connection.isOpen) return null
    return this.connection.request({type: "request_suggestion", file_path: doc.path, content: text.toString(), position,
      lang: settings.current.language}, "suggestion_result").then(({suggestions}) => suggestions)
  }
}
