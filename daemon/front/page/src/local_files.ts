// The files of somebody who is in no room: kept in this browser.

export interface SavedFiles {
  files: {path: string, text: string}[]
  shown: string
}

const KEY = "cloister.files"

export function readFiles(value: unknown): SavedFiles | null {
  if (typeof value != "object" || value === null) return null
  const {files, shown} = value as Partial<SavedFiles>
  if (!Array.isArray(files)) return null
  const good = files.filter(file => typeof file?.path == "string" && typeof file?.text == "string")
  return good.length ? {files: good.slice(0, 64), shown: String(shown ?? "")} : null
}

export function loadFiles(): SavedFiles | null {
  try {
    return readFiles(JSON.parse(localStorage.getItem(KEY) ?? "null"))
  } catch {
    return null // forbidden, or not ours
  }
}

export function saveFiles(saved: SavedFiles): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(saved))
  } catch {
    // Storage is full or forbidden: the page itself still has them.
  }
}
