// The frame of the page: where every part sits, on a wide screen and on a narrow one. Parts fill the slots.
import {h, iconButton} from "./dom"
import {icon, mark} from "./icons"
import type {IconName} from "./icons"
import type {WordKey} from "./i18n"
import {Tabs} from "./tabs"

export type PhonePart = "files" | "code" | "output" | "tests" | "chat"

const SPLIT = "cloister.split"

export class Layout {
  readonly banner = h("div", {id: "banner", class: "banner", role: "status", hidden: true})
  readonly place = h("span", {id: "place", class: "place"})
  readonly avatars = h("div", {id: "avatars", class: "avatars"})
  readonly runOptions = iconButton("down", "run_options", {id: "run-options", class: "run-more",
    "aria-haspopup": "dialog"})
  readonly run = h("button", {id: "run", type: "button", class: "run-button", tTitle: "run_hint",
    "data-testid": "run"}, icon("play"), h("span", {t: "run"}))
  readonly stop = h("button", {id: "stop", type: "button", class: "run-button is-stop", tTitle: "stop_hint",
    "data-testid": "stop", hidden: true}, icon("stop"), h("span", {t: "stop"}))
  readonly share = h("button", {id: "share", type: "button", class: "quiet-button", "data-testid": "share", tLabel: "share"},
    icon("share"), h("span", {t: "share"}))
  readonly shortcuts = iconButton("keyboard", "shortcuts", {id: "shortcuts"})
  readonly settings = iconButton("settings", "settings", {id: "settings"})

  readonly files = h("section", {class: "files", tLabel: "files"})
  readonly people = h("section", {class: "people", tLabel: "people"})
  readonly codeHead = h("header", {class: "code-head"})
  readonly editor = h("div", {id: "editor", class: "editor"})
  readonly codeCover = h("div", {id: "cover", class: "cover", hidden: true})
  readonly status = h("footer", {id: "status-bar", class: "status-bar"})

  readonly output = h("div", {class: "panel-body"})
  readonly tests = h("div", {class: "panel-body"})
  readonly problems = h("div", {class: "panel-body"})
  readonly chat = h("div", {class: "panel-body"})
  readonly tabs = new Tabs("side-tabs", [
    {id: "output", word: "output", body: this.output}, {id: "tests", word: "tests", body: this.tests},
    {id: "problems", word: "problems", body: this.problems}, {id: "chat", word: "chat", body: this.chat},
  ])

  readonly #splitter = h("div", {class: "splitter", role: "separator", tabindex: "0", tLabel: "resize_columns",
    "aria-orientation": "vertical", "aria-valuemin": "25", "aria-valuemax": "70"})
  readonly #columns: HTMLElement
  readonly #phoneButtons = new Map<PhonePart, HTMLButtonElement>()
  readonly #app: HTMLElement

  constructor() {
    const skip = h("a", {class: "skip", href: "#editor", t: "skip_to_editor",
      on: {click: event => {
        event.preventDefault()
        this.showPart("code")
        this.editor.querySelector<HTMLElement>(".cm-content")?.focus()
      }}})
    const top = h("header", {class: "top"},
      h("a", {class: "brand", href: "/api/v1/ws/demo"}, mark(), h("h1", {class: "brand-name"}, "Cloister")),
      this.place, h("span", {class: "space"}), this.avatars,
      h("div", {class: "run-group"}, this.run, this.stop, this.runOptions),
      h("div", {class: "top-tools"}, this.share, this.shortcuts, this.settings))
    const code = h("section", {class: "code part", tLabel: "code"}, this.codeHead,
      h("div", {class: "code-body"}, this.editor, this.codeCover))
    const panel = h("section", {class: "panel part", tLabel: "output"}, this.tabs.list,
      this.output, this.tests, this.problems, this.chat)
    this.#columns = h("main", {class: "columns"},
      h("aside", {class: "side part", tLabel: "workspace"}, this.files, this.people), code, this.#splitter, panel)
    this.#app = h("div", {class: "app", "data-part": "code"}, top, this.banner, this.#columns, this.status,
      this.#phoneBar())
    document.body.append(skip, this.#app)
    this.tabs.onSelect = id => {
      if (id == "problems") return
      this.#phonePart(id as PhonePart)
    }
    this.#phonePart("code")
    this.#makeSplitter()
  }

  get part(): PhonePart { return this.#app.dataset["part"] as PhonePart }

  /** On a narrow screen one part is seen at a time; on a wide one, a tab comes to the front. */
  showPart(part: PhonePart): void {
    if (part == "output" || part == "tests" || part == "chat") this.tabs.select(part)
    this.#phonePart(part)
  }

  showProblems(): void {
    this.tabs.select("problems")
    this.#phonePart("output")
  }

  isSeen(part: PhonePart): boolean {
    const isNarrow = matchMedia("(max-width: 760px)").matches
    if (part == "files" || part == "code") return !isNarrow || this.part == part
    return this.tabs.selected == part && (!isNarrow || this.part == part)
  }

  badge(part: PhonePart, isOn: boolean): void {
    this.#phoneButtons.get(part)?.classList.toggle("has-news", isOn)
    if (part != "files" && part != "code") this.tabs.badge(part, isOn ? "•" : "")
  }

  #phonePart(part: PhonePart): void {
    this.#app.dataset["part"] = part
    for (const [name, button] of this.#phoneButtons)
      button.setAttribute("aria-pressed", String(name == part))
  }

  #phoneBar(): HTMLElement {
    const button = (part: PhonePart, name: IconName, word: WordKey) => {
      const made = h("button", {type: "button", class: "phone-button", "data-testid": `phone-${part}`,
        on: {click: () => this.showPart(part)}}, icon(name), h("span", {t: word}))
      this.#phoneButtons.set(part, made)
      return made
    }
    return h("nav", {class: "phone-bar", tLabel: "workspace"}, button("files", "folder", "files"),
      button("code", "code", "code"), button("output", "terminal", "output"),
      button("tests", "list_checks", "tests"), button("chat", "chat", "chat"))
  }

  #makeSplitter(): void {
    const splitter = this.#splitter
    const set = (share: number) => {
      share = Math.round(Math.min(70, Math.max(25, share)) * 10) / 10
      this.#columns.style.setProperty("--panel-share", `${share}%`)
      splitter.setAttribute("aria-valuenow", String(Math.round(share)))
      return share
    }
    const keep = (share: number) => { try { localStorage.setItem(SPLIT, String(share)) } catch { /* not kept */ } }
    let share = set(Number(localStorage.getItem(SPLIT)) || 40)
    splitter.addEventListener("pointerdown", event => {
      splitter.setPointerCapture(event.pointerId)
      event.preventDefault()
    })
    splitter.addEventListener("pointermove", event => {
      if (!splitter.hasPointerCapture(event.pointerId)) return
      const {right, width} = this.#columns.getBoundingClientRect()
      share = set(100 * (right - event.clientX) / width)
    })
    splitter.addEventListener("pointerup", () => keep(share))
    splitter.addEventListener("keydown", event => {
      const step = {ArrowLeft: 2, ArrowRight: -2}[event.key]
      if (!step) return
      event.preventDefault()
      keep(share = set(share + step))
    })
  }
}
