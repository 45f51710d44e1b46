// The settings in use, and who wants to know when they change.
import {Emitter} from "./emitter"
import {KEY, readSettings} from "./stored_settings"
import type {Settings} from "./stored_settings"

class SettingsStore extends Emitter<{change: (keyof Settings)[]}> {
  current: Settings = readSettings()

  change(part: Partial<Settings>): void {
    const before = this.current
    this.current = {...before, ...part}
    try {
      localStorage.setItem(KEY, JSON.stringify(this.current))
    } catch {
      // Kept for this page only, then.
    }
    const names = (Object.keys(part) as (keyof Settings)[]).filter(name => before[name] != this.current[name])
    if (names.includes("theme")) this.#showTheme()
    if (names.length) this.emit("change", names)
  }

  get isDark(): boolean {
    const {theme} = this.current
    return theme == "dark" || theme == "system" && matchMedia("(prefers-color-scheme: dark)").matches
  }

  #showTheme(): void {
    const {theme} = this.current, {dataset} = document.documentElement
    if (theme == "system") delete dataset["theme"]
    else dataset["theme"] = theme
  }
}

export const settings = new SettingsStore()
// The system's own change of mind counts as one of ours.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (settings.current.theme == "system") settings.emit("change", ["theme"])
})
