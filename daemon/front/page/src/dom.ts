// Elements made by calls. `t…` attributes name words instead of holding them, and follow the language.
import {icon} from "./icons"
import type {IconName} from "./icons"
import {t} from "./i18n"
import type {WordKey} from "./i18n"
import {settings} from "./settings"

type Child = Node | string | null | undefined | false
interface Attributes {
  t?: WordKey                 // text
  tLabel?: WordKey            // aria-label
  tTitle?: WordKey            // title
  tPlaceholder?: WordKey
  on?: {[Name in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Name]) => void}
  [name: string]: unknown
}

const WORDED = {t: "data-t", tLabel: "data-t-label", tTitle: "data-t-title", tPlaceholder: "data-t-placeholder"} as const

export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue
    if (name == "on") {
      for (const [event, listener] of Object.entries(value as Record<string, EventListener>))
        element.addEventListener(event, listener)
    } else if (name in WORDED) {
      element.setAttribute(WORDED[name as keyof typeof WORDED], String(value))
    } else if (value === true) {
      element.setAttribute(name, "")
    } else {
      element.setAttribute(name, String(value))
    }
  }
  for (const child of children) if (child) element.append(child)
  word(element)
  return element
}

function word(element: Element): void {
  const text = element.getAttribute("data-t")
  if (text) element.textContent = t(text as WordKey)
  for (const [attribute, target] of
    [["data-t-label", "aria-label"], ["data-t-title", "title"], ["data-t-placeholder", "placeholder"]] as const) {
    const key = element.getAttribute(attribute)
    if (key) element.setAttribute(target, t(key as WordKey))
  }
}

function wordAll(): void {
  document.documentElement.lang = settings.current.language
  for (const element of document.querySelectorAll("[data-t],[data-t-label],[data-t-title],[data-t-placeholder]"))
    word(element)
}
settings.on("change", names => { if (names.includes("language")) wordAll() })

/** A button that is an icon; its words are its label and its title. */
export function iconButton(name: IconName, key: WordKey, attributes: Attributes = {}): HTMLButtonElement {
  return h("button", {type: "button", class: "icon-button", tLabel: key, tTitle: key, ...attributes}, icon(name))
}

export function replaceChildren(element: Element, ...children: Child[]): void {
  element.replaceChildren(...children.filter((child): child is Node | string => !!child))
}

/** Calls after a pause. */
export function debounced(ms: number, call: () => void): {(): void, cancel(): void, now(): void} {
  let timer: ReturnType<typeof setTimeout> | undefined
  const later = () => {
    clearTimeout(timer)
    timer = setTimeout(call, ms)
  }
  return Object.assign(later, {cancel: () => clearTimeout(timer), now: () => { clearTimeout(timer); call() }})
}

export function download(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], {type: "text/plain;charset=utf-8"}))
  const link = h("a", {href: address, download: name.split("/").pop() ?? name})
  document.body.append(link)
  link.click()
  link.remove()
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}
