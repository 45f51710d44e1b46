// The terminal: xterm.js, loaded with the first run. It shows one run at a time and sends what is typed.
import type {FitAddon} from "@xterm/addon-fit"
import type {ITheme, Terminal} from "@xterm/xterm"

import {nonce} from "./editor"
import {settings} from "./settings"

const MIRROR_LINES = 3, MIRROR_MS = 700

/** xterm makes style elements, which the page's policy allows with the nonce alone. */
function signStyles(): void {
  const create = document.createElement.bind(document) as (tag: string, options?: ElementCreationOptions) => HTMLElement
  const signing = (tag: string, options?: ElementCreationOptions): HTMLElement => {
    const element = create(tag, options)
    if (tag.toLowerCase() == "style") element.nonce = nonce
    return element
  }
  document.createElement = signing as typeof document.createElement
}

function colours(): ITheme {
  const style = getComputedStyle(document.documentElement)
  const value = (name: string) => style.getPropertyValue(name).trim()
  const theme: Record<string, string> = {
    background: value("--surface"), foreground: value("--text"), cursor: value("--accent-strong"),
    cursorAccent: value("--surface"), scrollbarSliderBackground: value("--line"), overviewRulerBorder: value("--surface"),
    scrollbarSliderHoverBackground: value("--line-strong"), scrollbarSliderActiveBackground: value("--line-strong"),
    selectionBackground: value("--selection-solid"),
  }
  for (const name of ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"]) {
    theme[name] = value(`--ansi-${name}`)
    theme[`bright${name[0]!.toUpperCase()}${name.slice(1)}`] = value(`--ansi-${name}`)
  }
  return theme
}

export class TerminalView {
  onInput: (data: string) => void = () => {}
  onResize: (cols: number, rows: number) => void = () => {}
  #terminal: Terminal | null = null
  #fit: FitAddon | null = null
  #loading: Promise<void> | null = null
  #waiting: string[] = []
  #mirrorTimer: ReturnType<typeof setTimeout> | undefined

  /** `mirror` is read out: the last lines, a moment after they came. */
  constructor(readonly parent: HTMLElement, readonly mirror: HTMLElement) {
    settings.on("change", () => this.#configure())
    new ResizeObserver(() => this.fit()).observe(parent)
  }

  get cols(): number { return this.#terminal?.cols ?? 80 }
  get rows(): number { return this.#terminal?.rows ?? 24 }

  load(): Promise<void> { return this.#loading ??= this.#load() }

  write(data: string): void {
    if (!this.#terminal) return void this.#waiting.push(data)
    this.#terminal.write(data)
    clearTimeout(this.#mirrorTimer)
    this.#mirrorTimer = setTimeout(() => { this.mirror.textContent = this.lastLines(MIRROR_LINES) }, MIRROR_MS)
  }

  /** Begins anew with this text. */
  reset(text: string): void {
    this.#waiting = []
    this.#terminal?.reset()
    this.write(text)
  }

  setCursor(isShown: boolean): void { this.write(isShown ? "\x1b[?25h" : "\x1b[?25l") }

  focus(): void { this.#terminal?.focus() }

  fit(): void {
    if (this.parent.clientHeight > 20 && this.parent.clientWidth > 40) this.#fit?.fit()
  }

  /** What stands in the terminal, without the empty end. */
  text(): string {
    const buffer = this.#terminal?.buffer.active
    if (!buffer) return this.#waiting.join("")
    const lines: string[] = []
    for (let i = 0; i < buffer.length; i++) {
      const line = buffer.getLine(i)
      const text = line?.translateToString(true) ?? ""
      if (line?.isWrapped && lines.length) lines[lines.length - 1] += text
      else lines.push(text)
    }
    return lines.join("\n").trimEnd()
  }

  lastLines(count: number): string { return this.text().split("\n").slice(-count).join("\n") }

  async #load(): Promise<void> {
    const [{Terminal}, {FitAddon}] = await Promise.all([import("@xterm/xterm"), import("@xterm/addon-fit"),
      document.fonts.load(`${settings.current.fontSize}px "JetBrains Mono"`).catch(() => [])])
    signStyles()
    const terminal = new Terminal({
      convertEol: false, cursorBlink: false, cursorInactiveStyle: "outline", scrollback: 5000, overviewRuler: {width: 10}, lineHeight: 1.35,
      fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono").trim(),
      fontSize: settings.current.fontSize - 1, theme: colours(), minimumContrastRatio: 4.5,
      screenReaderMode: settings.current.screenReader,
    })
    this.#fit = new FitAddon()
    terminal.loadAddon(this.#fit)
    terminal.open(this.parent)
    // Tab is the program's, as in every terminal; with Ctrl+M it moves the focus instead (tab_focus.ts).
    terminal.attachCustomKeyEventHandler(event =>
      !(document.documentElement.hasAttribute("data-tab-moves") && event.key == "Tab") &&
      !((event.ctrlKey || event.metaKey) && event.key == "Enter") &&
      !(event.ctrlKey && event.key.toLowerCase() == "m" && !event.shiftKey))
    terminal.onData(data => this.onInput(data))
    terminal.onResize(({cols, rows}) => this.onResize(cols, rows))
    this.#terminal = terminal
    this.fit()
    for (const data of this.#waiting.splice(0)) this.write(data)
  }

  #configure(): void {
    const terminal = this.#terminal
    if (!terminal) return
    terminal.options.theme = colours()
    terminal.options.fontSize = settings.current.fontSize - 1
    terminal.options.screenReaderMode = settings.current.screenReader
    this.fit()
  }
}
