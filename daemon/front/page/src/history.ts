// Playback: how the shown file came to be, edit by edit, from what the room remembers. The editor stays
// beneath and goes on receiving; what is looked at is a copy.
import {ChangeSet, EditorState, Text} from "@codemirror/state"
import {EditorView, lineNumbers} from "@codemirror/view"

import {lineReplacements, replacement} from "./difference"
import type {Doc} from "./doc"
import {h, iconButton, replaceChildren} from "./dom"
import {nonce} from "./editor"
import {icon} from "./icons"
import {t} from "./i18n"
import {languageOf} from "./languages"
import type {Update} from "./protocol"
import type {Session} from "./session"
import {settings} from "./settings"
import {themeExtension} from "./theme"

const PLAY_MS = 20_000, STEP_MS = 50 // a whole playback takes no longer, however much there is

export class History {
  readonly element = h("section", {id: "history-view", class: "history", tLabel: "history", hidden: true})
  #view: EditorView | null = null
  #texts: Text[] = []
  #updates: Update[] = []
  #timer: ReturnType<typeof setInterval> | undefined
  #doc: Doc | null = null
  readonly #box = h("div", {class: "history-editor"})
  readonly #slider = h("input", {type: "range", id: "history-slider", min: "0", value: "0", tLabel: "history",
    on: {input: () => { this.#pause(); this.#draw() }}})
  readonly #words = h("span", {id: "history-words", class: "history-words", role: "status"})
  readonly #play = iconButton("play", "play", {id: "history-play", on: {click: () => this.#timer ? this.#pause() : this.#start()}})
  readonly #restore = h("button", {type: "button", id: "history-restore", class: "quiet-button", t: "history_restore",
    on: {click: () => this.#bringBack()}})

  constructor(readonly session: Session) {
    this.element.append(this.#box, h("div", {class: "history-bar"}, this.#play, this.#slider,
      iconButton("close", "close", {id: "history-close", on: {click: () => this.close()}}),
      h("div", {class: "history-foot"}, this.#words, this.#restore)))
    this.element.addEventListener("keydown", event => { if (event.key == "Escape") this.close() })
  }

  get isOpen(): boolean { return !this.element.hidden }

  /** Null, or why there is nothing to see. */
  async open(doc: Doc): Promise<"history_empty" | "history_cut" | null> {
    const updates = await this.#fetch(doc)
    if (updates === null) return "history_cut"
    if (updates.length == 0) return "history_empty"
    this.#doc = doc
    this.#updates = updates
    this.#texts = [Text.empty]
    for (const {changes} of updates) this.#texts.push(ChangeSet.fromJSON(changes).apply(this.#texts.at(-1)!))
    const grammar = await languageOf(doc.path)?.load() ?? []
    this.#view?.destroy()
    this.#view = new EditorView({parent: this.#box, state: EditorState.create({extensions: [
      EditorView.cspNonce.of(nonce), themeExtension(settings.isDark), lineNumbers(), grammar, EditorState.readOnly.of(true),
      EditorView.editable.of(false), EditorView.contentAttributes.of({"aria-label": t("history"), tabindex: "0"})]})})
    this.element.hidden = false
    this.#restore.hidden = !this.session.mayEdit
    this.#slider.max = String(updates.length)
    this.#slider.value = String(updates.length)
    this.#draw()
    this.#slider.focus()
    return null
  }

  close(): void {
    this.#pause()
    this.element.hidden = true
    this.#view?.destroy()
    this.#view = null
    this.#doc?.view?.focus()
  }

  async #fetch(doc: Doc): Promise<Update[] | null> {
    const to = doc.sync?.version ?? 0
    const updates: Update[] = []
    for (let from = 0; from < to;) {
      const chunk = await this.session.connection.request(
        {type: "doc_history", file_path: doc.path, from, to}, "doc_history_chunk")
      if (chunk.version != from) return null
      updates.push(...chunk.updates)
      from += chunk.updates.length
      if (!chunk.more || !chunk.updates.length) break
    }
    return updates
  }

  #draw(): void {
    const view = this.#view, at = Number(this.#slider.value)
    if (!view) return
    const text = this.#texts[at] ?? Text.empty, update = this.#updates[at - 1]
    const change = replacement(view.state.doc.toString(), text.toString())
    if (change.to > change.from || change.insert)
      view.dispatch({changes: change, effects: EditorView.scrollIntoView(change.from + change.insert.length, {y: "center"})})
    const who = update && [...this.session.members.values()].find(one => one.client_id == update.client_id)?.name
    const when = update && new Date(update.ts).toLocaleString(settings.current.language, {dateStyle: "medium", timeStyle: "medium"})
    this.#words.textContent = [t("history_version", {n: at, all: this.#updates.length}), who ?? (update && t("somebody")), when]
      .filter(Boolean).join(" · ")
  }

  #start(): void {
    const last = this.#updates.length
    if (Number(this.#slider.value) >= last) this.#slider.value = "0"
    const step = Math.max(1, Math.ceil(last / (PLAY_MS / STEP_MS)))
    replaceChildren(this.#play, icon("pause"))
    this.#timer = setInterval(() => {
      const next = Math.min(last, Number(this.#slider.value) + step)
      this.#slider.value = String(next)
      this.#draw()
      if (next == last) this.#pause()
    }, STEP_MS)
  }

  #pause(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    replaceChildren(this.#play, icon("play"))
  }

  #bringBack(): void {
    const text = this.#texts[Number(this.#slider.value)], doc = this.#doc
    if (!text || !doc) return
    doc.dispatch({changes: lineReplacements(doc.toString(), text.toString()), userEvent: "input.restore"})
    this.close()
  }
}
