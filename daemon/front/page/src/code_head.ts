// The line above the editor: which file it is, and what can be done with it.
import type {Doc} from "./doc"
import {h, iconButton} from "./dom"
import {canFormat, format} from "./format"
import type {History} from "./history"
import {t} from "./i18n"
import {LANGUAGES, languageOf} from "./languages"
import {notify} from "./overlays"
import {Refusal} from "./protocol"
import type {Runs} from "./runs"
import {settings} from "./settings"
import type {Workspace} from "./workspace"

export class CodeHead {
  readonly #name = h("span", {id: "file-path", class: "file-path"})
  readonly #language = h("select", {id: "start-language", class: "language-choice", tLabel: "start_with", tTitle: "start_with",
    on: {change: () => void this.#startWith(this.#language.value)}})
  readonly #format = iconButton("wand", "format_hint", {id: "format", on: {click: () => void this.format()}})
  readonly #history = iconButton("history", "history_hint", {id: "history", on: {click: () => void this.playBack()}})
  #available: string[] = LANGUAGES.map(({id}) => id)

  constructor(parent: HTMLElement, readonly workspace: Workspace, readonly runs: Runs, readonly history: History) {
    parent.append(this.#name, h("span", {class: "space"}), this.#language, this.#history, this.#format)
    workspace.on("shown", doc => this.#draw(doc))
    workspace.session.on("joined", () => this.#draw(workspace.shown))
    settings.on("change", names => { if (names.includes("language")) this.#draw(workspace.shown) })
    void this.#learnRuntimes()
    this.#draw(null)
  }

  async format(): Promise<void> {
    const doc = this.workspace.shown
    if (!doc || !this.workspace.session.mayEdit) return
    if (!canFormat(doc.path)) return notify(t("format_none", {language: languageOf(doc.path)?.name ?? doc.path}))
    try {
      notify(t(await format(doc, this.runs) ? "formatted" : "format_same"))
    } catch (error) {
      const why = error instanceof Error ? error.message.split("\n")[0] ?? "" : String(error)
      notify(t("format_failed", {why}))
    }
  }

  async playBack(): Promise<void> {
    const doc = this.workspace.shown
    if (this.history.isOpen) return this.history.close()
    if (!doc) return
    if (!doc.sync) return notify(t("history_solo"))
    try {
      const why = await this.history.open(doc)
      if (why) notify(t(why))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      notify(error.message)
    }
  }

  async #learnRuntimes(): Promise<void> {
    try {
      const {runtimes} = await (await fetch("/api/v1/runtimes")).json() as {runtimes: {id: string, available: boolean}[]}
      this.#available = runtimes.filter(({available}) => available).map(({id}) => id)
      this.#draw(this.workspace.shown)
    } catch { /* all that the page knows, then */ }
  }

  #draw(doc: Doc | null): void {
    this.#name.textContent = doc?.path ?? ""
    const mayEdit = this.workspace.session.mayEdit
    const current = doc ? languageOf(doc.path)?.id ?? "" : ""
    const known = LANGUAGES.filter(({id}) => this.#available.includes(id))
    this.#language.replaceChildren(
      ...current && known.some(({id}) => id == current) ? [] : [h("option", {value: ""}, "Text")],
      ...known.map(({id, name}) => h("option", {value: id}, name)))
    this.#language.value = current
    this.#language.disabled = !mayEdit
    this.#format.hidden = !mayEdit || !doc
    this.#format.classList.toggle("is-idle", !!doc && !canFormat(doc.path))
    this.#format.title = doc && !canFormat(doc.path)
      ? t("format_none", {language: languageOf(doc.path)?.name ?? doc.path}) : t("format_hint")
    this.#history.hidden = !doc
    this.#history.classList.toggle("is-idle", !doc?.sync)
    this.#history.title = t(doc && !doc.sync ? "history_solo" : "history_hint")
  }

  /** Shows the first file of that language; makes one with a small program when there is none. */
  async #startWith(id: string): Promise<void> {
    const language = LANGUAGES.find(each => each.id == id)
    if (!language) return
    const there = [...this.workspace.files.keys()].sort().find(path => languageOf(path) == language)
    if (there) return this.workspace.show(there)
    try {
      await this.workspace.create(language.file, language.example)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      notify(error.message)
      this.#draw(this.workspace.shown)
    }
  }
}
