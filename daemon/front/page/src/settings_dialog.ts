// The settings, each of which holds at once.
import {h} from "./dom"
import {t} from "./i18n"
import type {WordKey} from "./i18n"
import {openDialog} from "./overlays"
import {settings} from "./settings"
import {FONT_SIZES, TAB_SIZES} from "./stored_settings"
import type {Settings} from "./stored_settings"

function choice<Name extends keyof Settings>(name: Name, word: WordKey, options: [Settings[Name], string | {t: WordKey}][]): HTMLElement {
  const select = h("select", {id: `setting-${name}`, on: {change: () => {
    const chosen = options[select.selectedIndex]
    if (chosen) settings.change({[name]: chosen[0]})
  }}}, ...options.map(([value, words]) => h("option", {value: String(value), selected: settings.current[name] === value && true,
    ...typeof words == "string" ? {} : {t: words.t}}, typeof words == "string" ? words : null)))
  return h("div", {class: "setting"}, h("label", {for: select.id, t: word}), select)
}

function toggle(name: "wrap" | "screenReader", word: WordKey, hint?: WordKey): HTMLElement {
  const input = h("input", {type: "checkbox", id: `setting-${name}`, checked: settings.current[name], role: "switch",
    ...hint && {"aria-describedby": `hint-${name}`}, on: {change: () => settings.change({[name]: input.checked})}})
  return h("div", {class: "setting"}, h("label", {for: input.id}, h("span", {t: word}),
    hint ? h("small", {id: `hint-${name}`, class: "soft", t: hint}) : null), input)
}

export function openSettings(): void {
  openDialog("settings", "settings-dialog",
    choice("theme", "theme", [["system", {t: "theme_system"}], ["light", {t: "theme_light"}], ["dark", {t: "theme_dark"}]]),
    choice("language", "page_language", [["en", "English"], ["ko", "한국어"]]),
    choice("keymap", "keymap", [["default", {t: "keymap_default"}], ["vim", "Vim"], ["emacs", "Emacs"]]),
    choice("fontSize", "font_size", FONT_SIZES.map(size => [size, `${size} px`])),
    choice("tabSize", "tab_size", TAB_SIZES.map(size => [size, String(size)])),
    toggle("wrap", "wrap"), toggle("screenReader", "screen_reader", "screen_reader_hint"),
    h("p", {class: "soft dialog-note", t: "settings_kept"}))
}

const MAC = /Mac|iP(hone|ad)/.test(navigator.platform)
const SHORTCUTS: [WordKey, string][] = [
  ["key_run", "Ctrl Enter"], ["key_stop", "Ctrl Shift Enter"], ["key_format", "Shift Alt F"],
  ["key_complete", "Ctrl Space"], ["key_find", "Ctrl F"], ["key_comment", "Ctrl /"], ["key_undo", "Ctrl Z"],
  ["key_problem", "F8"], ["key_tab", "Ctrl M"], ["key_editor", "Alt 1"], ["key_output", "Alt 2"], ["key_files", "Alt 3"],
  ["key_chat", "Alt 4"], ["key_shortcuts", "F1"],
]

export function openShortcuts(): void {
  openDialog("shortcuts", "shortcuts-dialog", h("dl", {class: "shortcut-list"}, ...SHORTCUTS.map(([word, keys]) =>
    h("div", {}, h("dt", {}, t(word)), h("dd", {}, ...keys.split(" ").map(key =>
      h("kbd", {}, MAC && key == "Ctrl" ? "⌘" : key)))))))
}
