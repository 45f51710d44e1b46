// The editor: one view, in which the states of the files take turns. What settings change is in
// compartments, which all states share.
import {defaultKeymap, history, historyKeymap, indentWithTab} from "@codemirror/commands"
import {bracketMatching, codeFolding, foldGutter, foldKeymap, indentOnInput, indentUnit} from "@codemirror/language"
import {Compartment, EditorState} from "@codemirror/state"
import type {Extension, StateEffect, Text, TransactionSpec} from "@codemirror/state"
import {EditorView, crosshairCursor, drawSelection, dropCursor, highlightActiveLine, highlightActiveLineGutter,
  highlightSpecialChars, keymap, lineNumbers, rectangularSelection} from "@codemirror/view"
import type {ViewUpdate} from "@codemirror/view"

import {collabExtension} from "./collab"
import {remoteCursors} from "./cursors"
import type {Doc} from "./doc"
import type {Suggest} from "./editor_extras"
import {t} from "./i18n"
import {languageOf} from "./languages"
import {phrases} from "./phrases"
import {toDiagnostic} from "./problems"
import {settings} from "./settings"
import {themeExtension} from "./theme"

export const nonce = document.querySelector<HTMLMetaElement>("meta[name=csp-nonce]")?.content ?? ""

const parts = {
  keymap: new Compartment(), theme: new Compartment(), tabs: new Compartment(), wrap: new Compartment(),
  phrases: new Compartment(), language: new Compartment(), readOnly: new Compartment(), label: new Compartment(),
  extras: new Compartment(),
}

/** What the editor tells the page. */
export interface EditorHost {
  onUpdate(update: ViewUpdate): void
  suggest: Suggest
  isReadOnly(): boolean
  filter: Extension
}

let loaded: typeof import("./editor_extras") | null = null
let keys: Extension = [] // vim's or emacs', once loaded

async function loadKeys(): Promise<Extension> {
  switch (settings.current.keymap) {
  case "vim": return (await import("@replit/codemirror-vim")).vim({status: true})
  case "emacs": return (await import("@replit/codemirror-emacs")).emacs()
  default: return []
  }
}

function tabs(path: string): Extension {
  const {tabSize} = settings.current
  return [EditorState.tabSize.of(tabSize), indentUnit.of(languageOf(path)?.indent ?? " ".repeat(tabSize))]
}

const readOnly = (host: EditorHost) => host.isReadOnly() ? [EditorState.readOnly.of(true)] : []
const wrap = () => settings.current.wrap ? EditorView.lineWrapping : []
const label = (path: string) => EditorView.contentAttributes.of({
  "aria-label": t("editor", {file: path}), autocapitalize: "off", spellcheck: "false", tabindex: "0"})

export class Editor {
  readonly view: EditorView
  doc: Doc | null = null

  constructor(parent: Element, readonly host: EditorHost) {
    this.view = new EditorView({parent, state: this.#emptyState()})
    settings.on("change", names => void this.#follow(names))
  }

  /** A state for a file's text; with a version it is one of a room. Frozen: until its text has come. */
  createState(path: string, text: Text, version: number | null, isFrozen = false): EditorState {
    void this.#loadLanguage(path)
    return EditorState.create({doc: text, extensions: [
      parts.keymap.of(keys),
      EditorView.cspNonce.of(nonce),
      parts.theme.of(themeExtension(settings.isDark)),
      parts.extras.of(this.#extras()), lineNumbers(), highlightSpecialChars(), history(), codeFolding(),
      foldGutter({openText: "⌄", closedText: "›"}),
      drawSelection(), dropCursor(), EditorState.allowMultipleSelections.of(true), indentOnInput(), bracketMatching(),
      rectangularSelection(), crosshairCursor(), highlightActiveLine(), highlightActiveLineGutter(), remoteCursors(),
      this.host.filter, keymap.of([indentWithTab, ...defaultKeymap, ...historyKeymap, ...foldKeymap]),
      parts.tabs.of(tabs(path)), parts.wrap.of(wrap()), parts.phrases.of(phrases()),
      parts.language.of(grammars.get(languageOf(path)?.id ?? "") ?? []),
      parts.readOnly.of(isFrozen ? EditorState.readOnly.of(true) : readOnly(this.host)), parts.label.of(label(path)),
      version === null ? [] : collabExtension(version),
      EditorView.updateListener.of(update => this.#updated(update)),
    ]})
  }

  show(doc: Doc | null): void {
    if (doc == this.doc) return
    if (this.doc) {
      this.doc.scrollTop = this.view.scrollDOM.scrollTop
      this.doc.state = this.view.state
      this.doc.view = null
    }
    this.doc = doc
    if (doc) doc.view = this.view
    this.view.setState(doc?.state ?? this.#emptyState())
    this.view.scrollDOM.scrollTop = doc?.scrollTop ?? 0
  }

  /** Reconfigures one file after its path or what may be done to it has changed. */
  refresh(doc: Doc): void {
    void this.#loadLanguage(doc.path)
    doc.dispatch({effects: [parts.readOnly.reconfigure(readOnly(this.host)), parts.tabs.reconfigure(tabs(doc.path)),
      parts.label.reconfigure(label(doc.path)),
      parts.language.reconfigure(grammars.get(languageOf(doc.path)?.id ?? "") ?? [])]})
  }

  showProblems(doc: Doc): void {
    if (!loaded) return // shown as soon as it is
    const all = [...doc.compileProblems, ...doc.problems]
    const spec: TransactionSpec = loaded.setDiagnostics(doc.state, all.map(one => toDiagnostic(doc.text, one, t("fix"))))
    doc.dispatch(spec)
  }

  /** Those that are kept; the page tells which. */
  docs: () => Iterable<Doc> = () => []

  async #follow(names: string[]): Promise<void> {
    if (names.includes("keymap")) keys = await loadKeys()
    for (const doc of this.docs()) {
      const effects: StateEffect<unknown>[] = [
        parts.keymap.reconfigure(keys), parts.theme.reconfigure(themeExtension(settings.isDark)),
        parts.tabs.reconfigure(tabs(doc.path)), parts.wrap.reconfigure(wrap()),
        parts.phrases.reconfigure(phrases()), parts.label.reconfigure(label(doc.path)),
      ]
      doc.dispatch({effects})
      if (names.includes("language")) this.showProblems(doc)
    }
    this.view.requestMeasure()
  }

  async #loadLanguage(path: string): Promise<void> {
    const language = languageOf(path)
    if (!language || grammars.has(language.id)) return
    grammars.set(language.id, await language.load())
    for (const doc of this.docs())
      if (languageOf(doc.path) == language)
        doc.dispatch({effects: parts.language.reconfigure(grammars.get(language.id) ?? [])})
  }

  #updated(update: ViewUpdate): void {
    if (this.doc) this.doc.state = update.state
    this.host.onUpdate(update)
  }

  #emptyState(): EditorState {
    return EditorState.create({extensions: [EditorView.cspNonce.of(nonce), themeExtension(settings.isDark),
      EditorState.readOnly.of(true), EditorView.editable.of(false), EditorView.contentAttributes.of({"aria-label": t("code")})]})
  }

  /** What the first paint does not wait for. */
  async loadRest(): Promise<void> {
    loaded = await import("./editor_extras")
    for (const doc of this.docs()) {
      doc.dispatch({effects: parts.extras.reconfigure(this.#extras())})
      this.showProblems(doc)
    }
    if (settings.current.keymap != "default") await this.#follow(["keymap"])
  }

  nextProblem(): void { loaded?.nextDiagnostic(this.view) }
  listProblems(): void { loaded?.openLintPanel(this.view) }

  #extras(): Extension { return loaded?.extras(this.host.suggest) ?? [] }
}

const grammars = new Map<string, Extension>()
