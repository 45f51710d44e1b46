// The tree of files: a press opens, a menu does the rest; files can be dropped on it.
import {download, h, iconButton, replaceChildren} from "./dom"
import {icon} from "./icons"
import {sayError, t} from "./i18n"
import {LANGUAGES, languageOf} from "./languages"
import {confirmDialog, notify, openMenu} from "./overlays"
import {Refusal} from "./protocol"
import type {Presence} from "./presence"
import type {Session} from "./session"
import {settings} from "./settings"
import type {Workspace} from "./workspace"

const COLORS = 8

interface Folder { name: string, folders: Map<string, Folder>, files: string[] }

export class FilesPanel {
  readonly #tree = h("ul", {id: "files", class: "tree", tLabel: "files"})
  readonly #picker = h("input", {type: "file", multiple: true, hidden: true, id: "file-picker", tLabel: "upload",
    on: {change: () => void this.#upload(this.#picker.files)}})
  readonly #new = iconButton("plus", "new_file", {id: "new-file", on: {click: () => this.#startNew()}})
  readonly #uploadButton = iconButton("upload", "upload", {id: "upload", on: {click: () => this.#picker.click()}})

  constructor(readonly parent: HTMLElement, readonly workspace: Workspace, readonly session: Session,
    readonly presence: Presence, readonly onOpen: () => void) {
    parent.append(h("header", {class: "side-head"}, h("h2", {t: "files"}), h("span", {class: "space"}),
      this.#uploadButton, this.#new), this.#tree, this.#picker)
    for (const event of ["files", "shown"] as const) workspace.on(event, () => this.#draw())
    session.on("members", () => this.#draw())
    presence.on("moved", () => this.#drawPeople())
    settings.on("change", names => { if (names.includes("language")) this.#draw() })
    parent.addEventListener("dragover", event => event.preventDefault())
    parent.addEventListener("drop", event => {
      event.preventDefault()
      void this.#upload(event.dataTransfer?.files ?? null)
    })
    this.#tree.addEventListener("keydown", event => this.#key(event))
  }

  focus(): void { this.#tree.querySelector<HTMLElement>("[aria-current=true], button")?.focus() }

  /** While a name is typed the tree stays as it is. */
  #isAsking = false

  #draw(): void {
    if (this.#isAsking) return
    const mayEdit = this.session.mayEdit
    this.#new.hidden = this.#uploadButton.hidden = !mayEdit
    const root: Folder = {name: "", folders: new Map(), files: []}
    for (const path of [...this.workspace.files.keys()].sort((a, b) => a.localeCompare(b))) {
      const parts = path.split("/")
      let folder = root
      for (const name of parts.slice(0, -1)) {
        let next = folder.folders.get(name)
        if (!next) folder.folders.set(name, next = {name, folders: new Map(), files: []})
        folder = next
      }
      folder.files.push(path)
    }
    const hadFocus = this.#tree.contains(document.activeElement)
    replaceChildren(this.#tree, ...this.#items(root, 0))
    this.#drawPeople()
    if (hadFocus) this.focus()
  }

  #items(folder: Folder, depth: number): HTMLElement[] {
    const folders = [...folder.folders.values()].map(each => h("li", {},
      h("div", {class: `tree-folder depth-${Math.min(depth, 6)}`}, icon("folder"), h("span", {}, each.name)),
      h("ul", {class: "tree"}, ...this.#items(each, depth + 1))))
    return [...folders, ...folder.files.map(path => this.#item(path, depth))]
  }

  #item(path: string, depth: number): HTMLElement {
    const isShown = this.workspace.shown?.path == path
    const open = h("button", {type: "button", class: `tree-file depth-${Math.min(depth, 6)}`, "aria-current": isShown && "true",
      "data-path": path, title: path, on: {
        click: () => {
          this.workspace.show(path)
          this.onOpen()
        },
        dblclick: () => this.#startRename(path),
      }}, h("span", {class: `file-kind kind-${languageOf(path)?.id ?? "text"}`, "aria-hidden": "true"}),
      h("span", {class: "file-name"}, path.split("/").pop() ?? path), h("span", {class: "file-people"}))
    const menu = h("button", {type: "button", class: "icon-button tree-more", "aria-haspopup": "menu",
      "aria-label": t("file_actions", {file: path}), "data-menu": path, on: {click: () => this.#menu(path, menu)}},
    icon("more"))
    return h("li", {class: "tree-item"}, open, menu)
  }

  /** Who is in which file, as dots. */
  #drawPeople(): void {
    for (const button of this.#tree.querySelectorAll<HTMLElement>(".tree-file")) {
      const here = [...this.presence.places].filter(([, place]) => place.path == button.dataset["path"])
      replaceChildren(button.querySelector(".file-people")!, ...here.slice(0, 4).map(([id]) => {
        const person = this.session.members.get(id)
        return h("span", {class: `person-dot person-${(person?.color ?? 0) % COLORS}`, title: person?.name ?? ""})
      }))
    }
  }

  #menu(path: string, anchor: HTMLElement): void {
    const mayEdit = this.session.mayEdit
    openMenu(anchor, "file-menu", [
      ...mayEdit ? [{word: "rename", icon: "pencil", act: () => this.#startRename(path)} as const] : [],
      {word: "download", icon: "download", act: () => {
        const doc = this.workspace.files.get(path)
        if (doc) download(path, doc.toString())
      }},
      ...mayEdit ? [{word: "delete", icon: "trash", isDangerous: true, act: () => void this.#delete(path)} as const] : [],
    ])
  }

  #key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement, path = target.dataset["path"]
    const buttons = [...this.#tree.querySelectorAll<HTMLElement>(".tree-file")]
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key]
    if (step && path) {
      event.preventDefault()
      buttons[buttons.indexOf(target) + step]?.focus()
    } else if (path && this.session.mayEdit && event.key == "F2") this.#startRename(path)
    else if (path && this.session.mayEdit && event.key == "Delete") void this.#delete(path)
  }

  async #delete(path: string): Promise<void> {
    const warning = this.workspace.isShared ? "delete_warning" : "delete_warning_local"
    if (!await confirmDialog(t("delete_ask", {file: path}), warning, "delete")) return
    await this.#attempt(this.workspace.remove(path))
  }

  #startNew(): void {
    const shown = this.workspace.shown ? languageOf(this.workspace.shown.path) : undefined
    const ending = (shown ?? LANGUAGES[0]!).extensions[0]!
    let name = `new${ending}`
    for (let i = 2; this.workspace.files.has(name); i++) name = `new${i}${ending}`
    const item = h("li", {class: "tree-item"})
    this.#tree.append(item)
    this.#ask(item, name, path => this.workspace.create(path))
  }

  #startRename(path: string): void {
    if (!this.session.mayEdit) return
    const item = this.#tree.querySelector(`[data-path="${CSS.escape(path)}"]`)?.closest("li")
    if (item) this.#ask(item, path, newPath => this.workspace.rename(path, newPath))
  }

  #ask(item: HTMLElement, name: string, act: (path: string) => Promise<void>): void {
    this.#isAsking = true
    const finish = async (isMeant: boolean) => {
      if (!this.#isAsking) return
      this.#isAsking = false
      const path = input.value.trim()
      if (isMeant && path) await this.#attempt(act(path))
      this.#draw()
    }
    const input = h("input", {class: "tree-input", id: "file-name", value: name, tLabel: "file_name", autocomplete: "off",
      autocapitalize: "off", spellcheck: "false", on: {
        blur: () => void finish(true),
        keydown: event => {
          event.stopPropagation()
          if (event.isComposing) return
          if (event.key == "Enter") {
            event.preventDefault() // or it presses the button that has the focus next
            void finish(true)
          }
          if (event.key == "Escape") void finish(false)
        },
      }})
    item.replaceChildren(input)
    input.focus()
    const slash = name.lastIndexOf("/") + 1, dot = name.lastIndexOf(".")
    input.setSelectionRange(slash, dot > slash ? dot : name.length)
  }

  async #attempt(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      notify(sayError(error.code, error.message))
    }
  }

  async #upload(list: FileList | null): Promise<void> {
    const given = [...list ?? []]
    this.#picker.value = ""
    for (const file of given) {
      if (file.size > this.session.limits.doc_bytes) {
        notify(t("too_large_file", {file: file.name}))
        continue
      }
      let text: string
      try {
        text = new TextDecoder("utf-8", {fatal: true}).decode(await file.arrayBuffer())
        if (text.includes("\0")) throw new TypeError("not a text")
      } catch {
        notify(t("not_text", {file: file.name}))
        continue
      }
      await this.#attempt(this.workspace.create(this.#freeName(file.name), text, file == given.at(-1)))
    }
  }

  #freeName(name: string): string {
    if (!this.workspace.files.has(name)) return name
    const dot = name.lastIndexOf(".") > 0 ? name.lastIndexOf(".") : name.length
    for (let i = 2; ; i++) {
      const other = `${name.slice(0, dot)}-${i}${name.slice(dot)}`
      if (!this.workspace.files.has(other)) return other
    }
  }
}
