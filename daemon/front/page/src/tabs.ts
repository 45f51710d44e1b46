// A list of tabs as the ARIA practices have it: arrows move, the chosen one alone is in the Tab order.
import {h} from "./dom"
import type {WordKey} from "./i18n"

export interface Tab { id: string, word: WordKey, body: HTMLElement }

export class Tabs {
  readonly list: HTMLElement
  onSelect: (id: string) => void = () => {}
  selected = ""
  readonly #buttons = new Map<string, HTMLButtonElement>()

  constructor(id: string, readonly tabs: Tab[]) {
    this.list = h("div", {id, class: "tabs", role: "tablist"})
    for (const {id, word, body} of tabs) {
      const button = h("button", {type: "button", role: "tab", id: `tab-${id}`, class: "tab", "aria-controls": `panel-${id}`,
        on: {click: () => this.select(id)}}, h("span", {t: word}), h("span", {class: "tab-badge"}))
      body.id = `panel-${id}`
      body.setAttribute("role", "tabpanel")
      body.setAttribute("aria-labelledby", button.id)
      this.#buttons.set(id, button)
      this.list.append(button)
    }
    this.list.addEventListener("keydown", event => {
      const step = {ArrowRight: 1, ArrowLeft: -1}[event.key]
      if (!step) return
      event.preventDefault()
      const at = tabs.findIndex(tab => tab.id == this.selected)
      const next = tabs[(at + step + tabs.length) % tabs.length]!
      this.select(next.id)
      this.#buttons.get(next.id)?.focus()
    })
    this.select(tabs[0]!.id)
  }

  select(id: string): void {
    this.selected = id
    for (const tab of this.tabs) {
      const button = this.#buttons.get(tab.id)!, isSelected = tab.id == id
      button.setAttribute("aria-selected", String(isSelected))
      button.tabIndex = isSelected ? 0 : -1
      tab.body.hidden = !isSelected
    }
    this.onSelect(id)
  }

  badge(id: string, text: string): void {
    const badge = this.#buttons.get(id)?.lastElementChild
    if (badge) badge.textContent = text
  }
}
