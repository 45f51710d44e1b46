// What the reader of this browser has chosen, as it is kept: localStorage, under the address's ?hl= and
// ?theme=. Nothing else in here, since it is loaded before everything.

export type Theme = "system" | "light" | "dark"
export type Language = "en" | "ko"
export type Keymap = "default" | "vim" | "emacs"

export interface Settings {
  theme: Theme
  language: Language
  keymap: Keymap
  fontSize: number
  tabSize: number
  wrap: boolean
  screenReader: boolean
  name: string
}

export const KEY = "cloister.settings"
export const FONT_SIZES = [11, 12, 13, 14, 15, 16, 18, 20, 24]
export const TAB_SIZES = [2, 4, 8]

function defaults(): Settings {
  const korean = navigator.languages.some(tag => tag.toLowerCase().startsWith("ko"))
  return {
    theme: "system", language: korean ? "ko" : "en", keymap: "default", fontSize: 14, tabSize: 4, wrap: false,
    screenReader: false, name: "",
  }
}

function one<T>(value: unknown, allowed: readonly T[], otherwise: T): T {
  return allowed.includes(value as T) ? value as T : otherwise
}

/** What is stored may be of another version of the page, or of anybody: each field is looked at. */
export function readSettings(): Settings {
  const settings = defaults()
  let kept: Partial<Settings> = {}
  try {
    kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") ?? {}
  } catch {
    // Storage may be forbidden, or hold what we never wrote: the defaults are good.
  }
  const asked = new URLSearchParams(location.search)
  settings.theme = one(asked.get("theme") ?? kept.theme, ["system", "light", "dark"], settings.theme)
  settings.language = one(asked.get("hl") ?? kept.language, ["en", "ko"], settings.language)
  settings.keymap = one(kept.keymap, ["default", "vim", "emacs"], settings.keymap)
  settings.fontSize = one(kept.fontSize, FONT_SIZES, settings.fontSize)
  settings.tabSize = one(kept.tabSize, TAB_SIZES, settings.tabSize)
  settings.wrap = kept.wrap === true
  settings.screenReader = kept.screenReader === true
  if (typeof kept.name == "string") settings.name = kept.name.slice(0, 40)
  return settings
}
