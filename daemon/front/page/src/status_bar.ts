// The line at the bottom: connection, place in the text, language, quality; and the banner when the
// connection is lost.
import type {Connection} from "./connection"
import {h, replaceChildren} from "./dom"
import {count, t} from "./i18n"
import type {WordKey} from "./i18n"
import {icon} from "./icons"
import {languageOf} from "./languages"
import type {Session} from "./session"
import {settings} from "./settings"
import type {Workspace} from "./workspace"

const BANNER_AFTER_MS = 700

export class StatusBar {
  readonly #connection = h("span", {id: "connection", class: "status-item connection", role: "status"})
  readonly #position = h("span", {id: "position", class: "status-item"})
  readonly #language = h("span", {id: "language", class: "status-item"})
  readonly #quality: HTMLButtonElement
  readonly #role = h("span", {id: "role", class: "status-item role", tTitle: "read_only_hint", hidden: true}, icon("lock"),
    h("span", {t: "read_only"}))
  readonly #tab = h("span", {id: "tab-mode", class: "status-item", t: "tab_moves", hidden: true, role: "status"})
  #timer: ReturnType<typeof setTimeout> | undefined
  #wasOpen = false

  constructor(parent: HTMLElement, readonly banner: HTMLElement, readonly place: HTMLElement,
    readonly connection: Connection, readonly session: Session, readonly workspace: Workspace, onQuality: () => void) {
    this.#quality = h("button", {id: "quality", type: "button", class: "status-item status-button", hidden: true,
      on: {click: onQuality}})
    parent.append(this.#connection, this.#role, h("span", {class: "space"}), this.#tab, this.#quality, this.#position,
      this.#language)
    connection.on("state", () => this.draw())
    session.on("joined", () => this.draw())
    workspace.on("progress", () => this.draw())
    workspace.on("shown", () => this.draw())
    settings.on("change", names => { if (names.includes("language")) this.draw() })
    this.draw()
  }

  draw(): void {
    const {connection, session, workspace} = this
    const words: Record<typeof connection.state, WordKey> = {connecting: this.#wasOpen ? "reconnecting" : "connecting",
      open: "connected", waiting: "reconnecting", unauthorized: "unauthorized"}
    const state = words[connection.state]
    if (this.#connection.dataset["word"] != state + settings.current.language) {
      this.#connection.dataset["word"] = state + settings.current.language
      replaceChildren(this.#connection, h("span", {class: `connection-dot is-${connection.state}`}), t(state))
    }
    const room = session.room ? t("room_place", {room: session.room}) : t("local_place")
    if (this.place.textContent != room) this.place.textContent = room
    this.#role.hidden = session.mayEdit
    this.#drawBanner()
    this.drawPosition()
    const path = workspace.shown?.path
    this.#language.textContent = path ? languageOf(path)?.name ?? "Text" : ""
    const analysis = workspace.shown?.analysis
    this.#quality.hidden = !analysis?.success
    if (analysis) this.#quality.textContent = t("quality_score", {n: Math.round(analysis.quality_score)})
  }

  drawPosition(): void {
    const state = this.workspace.shown?.state
    if (!state) return void (this.#position.textContent = "")
    const {head} = state.selection.main, line = state.doc.lineAt(head)
    this.#position.textContent = t("position", {line: line.number, column: head - line.from + 1})
  }

  showTabMode(isOn: boolean): void { this.#tab.hidden = !isOn }

  /** Short losses show nothing but the dot. */
  #drawBanner(): void {
    const {state} = this.connection
    if (state == "open") {
      this.#wasOpen = true
      clearTimeout(this.#timer)
      this.#timer = undefined
      this.banner.hidden = true
      return
    }
    if (state == "unauthorized") return this.#say(t("unauthorized"))
    if (!this.banner.hidden) return this.#sayLost()
    this.#timer ??= setTimeout(() => this.#sayLost(), BANNER_AFTER_MS)
  }

  #sayLost(): void {
    if (this.connection.isOpen) return
    const {unsent} = this.workspace
    this.#say([t("offline_banner"), ...unsent ? [count("offline_unsent", "offline_unsent_one", unsent)] : []].join(" "))
  }

  #say(words: string): void {
    this.banner.hidden = false
    if (this.banner.textContent != words) this.banner.textContent = words
  }
}
