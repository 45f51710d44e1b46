// Dialogs, menus and short notices above the page.
import {h, iconButton} from "./dom"
import type {WordKey} from "./i18n"
import {icon} from "./icons"
import type {IconName} from "./icons"

/** A modal dialog with a heading; closed by Escape, its button, or a press beside it. */
export function openDialog(title: WordKey, id: string, ...content: Node[]): HTMLDialogElement {
  document.getElementById(id)?.remove()
  const dialog = h("dialog", {id, class: "dialog", "aria-labelledby": `${id}-title`},
    h("header", {class: "dialog-head"}, h("h2", {id: `${id}-title`, t: title}),
      iconButton("close", "close", {on: {click: () => dialog.close()}})), ...content)
  dialog.addEventListener("close", () => dialog.remove())
  dialog.addEventListener("pointerdown", event => { if (event.target == dialog) dialog.close() })
  document.body.append(dialog)
  dialog.showModal()
  return dialog
}

/** Asks before something is lost. */
export function confirmDialog(title: string, text: WordKey, action: WordKey): Promise<boolean> {
  return new Promise(resolve => {
    const answer = (value: boolean) => () => {
      resolve(value)
      dialog.close()
    }
    const dialog = h("dialog", {id: "confirm", class: "dialog is-small", "aria-labelledby": "confirm-title",
      on: {close: () => { resolve(false); dialog.remove() }}},
      h("h2", {id: "confirm-title"}, title), h("p", {class: "soft", t: text}),
      h("div", {class: "dialog-buttons"},
        h("button", {type: "button", class: "quiet-button", t: "cancel", on: {click: answer(false)}}),
        h("button", {type: "button", class: "danger-button", t: action, on: {click: answer(true)}})))
    document.body.append(dialog)
    dialog.showModal()
  })
}

/** A light-weight layer beside a button. */
export function openPopover(anchor: Element, id: string, label: WordKey, ...content: Node[]): HTMLElement {
  document.getElementById(id)?.remove()
  const box = h("div", {id, class: "popover", popover: "auto", role: "dialog", tLabel: label}, ...content)
  box.addEventListener("toggle", event => {
    if ((event as ToggleEvent).newState != "closed") return
    box.remove()
    anchor.setAttribute("aria-expanded", "false")
  })
  document.body.append(box)
  box.showPopover()
  anchor.setAttribute("aria-expanded", "true")
  const at = anchor.getBoundingClientRect(), {width, height} = box.getBoundingClientRect()
  box.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`
  box.style.top = `${at.bottom + height + 8 > innerHeight ? Math.max(8, at.top - height - 6) : at.bottom + 6}px`
  return box
}

export interface MenuItem { word: WordKey, icon: IconName, act: () => void, isDangerous?: boolean }

/** A menu by the ARIA practices: arrows move, Escape gives the focus back. */
export function openMenu(anchor: HTMLElement, id: string, items: MenuItem[]): void {
  const buttons = items.map(item => h("button", {type: "button", role: "menuitem", tabindex: "-1",
    class: `menu-item${item.isDangerous ? " is-dangerous" : ""}`, "data-testid": `menu-${item.word}`,
    on: {click: () => { box.hidePopover(); item.act() }}}, icon(item.icon), h("span", {t: item.word})))
  const box = openPopover(anchor, id, "more", ...buttons)
  box.setAttribute("role", "menu")
  box.classList.add("menu")
  box.addEventListener("keydown", event => {
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key]
    if (!step) return
    event.preventDefault()
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement)
    buttons[(at + step + buttons.length) % buttons.length]?.focus()
  })
  buttons[0]?.focus()
}

const NOTICE_MS = 4000, NOTICE_WITH_ACTION_MS = 20_000

/** A sentence for a while, with something to do about it perhaps. */
export function notify(text: string, action?: {word: WordKey, act: () => void}): void {
  let place = document.getElementById("notices")
  if (!place) document.body.append(place = h("div", {id: "notices", class: "notices", role: "status"}))
  for (const same of [...place.children]) if (same.textContent == text) same.remove()
  const notice = h("div", {class: "notice", "data-testid": "notice"}, h("span", {}, text))
  const remove = () => notice.remove()
  if (action)
    notice.append(h("button", {type: "button", class: "notice-button", t: action.word,
      on: {click: () => { action.act(); remove() }}}))
  place.append(notice)
  while (place.childElementCount > 3) place.firstElementChild?.remove()
  setTimeout(remove, action ? NOTICE_WITH_ACTION_MS : NOTICE_MS)
}
