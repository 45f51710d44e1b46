// Keys that work everywhere on the page, before any part of it sees them.

export interface Actions {
  run(): void
  stop(): void
  format(): void
  shortcuts(): void
  editor(): void
  output(): void
  files(): void
  chat(): void
  nextProblem(): void
  problems(): void
  tabMode(isOn: boolean): void
}

function actionOf(event: KeyboardEvent): keyof Actions | null {
  const mod = event.ctrlKey || event.metaKey
  if (event.key == "Enter" && mod) return event.shiftKey ? "stop" : "run"
  if (event.key == "F1") return "shortcuts"
  if (event.key == "F8") return "nextProblem"
  if (event.code == "KeyM" && event.ctrlKey && event.shiftKey) return "problems"
  if (event.code == "KeyM" && event.ctrlKey) return "tabMode"
  if (event.code == "KeyF" && event.shiftKey && event.altKey) return "format"
  if (event.altKey && !mod && !event.shiftKey) {
    const found = ({Digit1: "editor", Digit2: "output", Digit3: "files", Digit4: "chat"} as const)[event.code]
    return found ?? null
  }
  return null
}

export function listenToKeys(actions: Actions): void {
  const root = document.documentElement
  addEventListener("keydown", event => {
    const name = event.isComposing ? null : actionOf(event)
    if (!name || document.querySelector("dialog[open]")) return
    event.preventDefault()
    event.stopPropagation()
    if (name != "tabMode") return actions[name]()
    // In this mode Tab leaves the editor and the terminal, so that nobody is caught in them.
    const isOn = root.toggleAttribute("data-tab-moves")
    actions.tabMode(isOn)
  }, {capture: true})
}
