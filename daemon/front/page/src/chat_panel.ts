// Talk in the room, with what was said before.
import {h, replaceChildren} from "./dom"
import {icon} from "./icons"
import {clock, sayError, t} from "./i18n"
import {notify} from "./overlays"
import {Refusal} from "./protocol"
import type {ChatLine} from "./protocol"
import type {Session} from "./session"
import {settings} from "./settings"

const TOGETHER_MS = 5 * 60_000

export class ChatPanel {
  readonly #log = h("div", {id: "chat-log", class: "chat-log", role: "log", "aria-live": "polite", tLabel: "chat",
    tabindex: "0"})
  readonly #empty = h("div", {class: "empty"}, icon("chat"))
  readonly #input = h("textarea", {id: "chat-input", class: "chat-input", rows: "1", tLabel: "message", tPlaceholder: "message",
    autocomplete: "off", maxlength: "4000"})
  readonly #form: HTMLFormElement
  #last: ChatLine | null = null

  constructor(parent: HTMLElement, readonly session: Session, readonly onNews: () => void) {
    const send = h("button", {type: "submit", id: "chat-send", class: "icon-button is-send", tLabel: "send", tTitle: "send"},
      icon("send"))
    this.#form = h("form", {class: "chat-form", on: {submit: event => {
      event.preventDefault()
      void this.#send()
    }}}, this.#input, send)
    parent.classList.add("chat")
    parent.append(this.#empty, this.#log, this.#form)
    this.#input.addEventListener("keydown", event => {
      if (event.key != "Enter" || event.shiftKey || event.isComposing) return
      event.preventDefault()
      void this.#send()
    })
    this.#input.addEventListener("input", () => this.#grow())
    session.on("chat", lines => this.#add(lines))
    session.on("joined", () => this.#frame())
    settings.on("change", names => { if (names.includes("language")) this.#frame() })
    this.#frame()
  }

  focus(): void { this.#input.focus() }

  #frame(): void {
    const isShared = !!this.session.room, isEmpty = this.session.chat.length == 0
    replaceChildren(this.#empty, icon("chat"), h("p", {class: "empty-title"}, t(isShared ? "chat_empty" : "chat_solo")),
      h("p", {}, t(isShared ? "chat_empty_hint" : "chat_solo_hint")))
    this.#empty.hidden = !isEmpty
    this.#log.hidden = isEmpty
    this.#form.hidden = !isShared
  }

  #add(lines: ChatLine[]): void {
    const isAtEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 40
    for (const line of lines) {
      const isOurs = this.session.ownIds.has(line.client_id ?? "")
      const goesOn = this.#last && this.#last.client_id == line.client_id &&
        Date.parse(line.timestamp) - Date.parse(this.#last.timestamp) < TOGETHER_MS
      const color = [...this.session.members.values()].find(one => one.client_id == line.client_id)?.color
      this.#log.append(h("div", {class: `chat-line${isOurs ? " is-ours" : ""}`, "data-testid": "chat-line"},
        !goesOn && h("div", {class: "chat-head"},
          h("span", {class: `chat-name${color === undefined ? "" : ` person-${color % 8}`}`}, line.name ?? t("somebody")),
          h("time", {datetime: line.timestamp}, clock(line.timestamp))),
        h("p", {class: "chat-text"}, line.message)))
      this.#last = line
    }
    this.#frame()
    if (isAtEnd || lines.length > 1) this.#log.scrollTop = this.#log.scrollHeight
    if (lines.some(line => !this.session.ownIds.has(line.client_id ?? ""))) this.onNews()
  }

  async #send(): Promise<void> {
    const text = this.#input.value.trim()
    if (!text) return
    this.#input.value = ""
    this.#grow()
    try {
      await this.session.say(text)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (!this.#input.value) this.#input.value = text // nothing that was written is lost
      notify(sayError(error.code, error.message))
    }
    this.#log.scrollTop = this.#log.scrollHeight
  }

  #grow(): void {
    this.#input.style.height = "auto"
    this.#input.style.height = `${Math.min(160, this.#input.scrollHeight + 2)}px`
  }
}
