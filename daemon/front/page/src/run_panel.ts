// The output: the terminal, which run it shows, how that one goes or how it ended.
import {h, iconButton, replaceChildren} from "./dom"
import {icon} from "./icons"
import {bytes, sayError, seconds, t} from "./i18n"
import type {WordKey} from "./i18n"
import {languageNamed} from "./languages"
import {Plot} from "./plot"
import type {RunResult} from "./protocol"
import type {Run, Runs} from "./runs"
import {settings} from "./settings"
import {TerminalView} from "./terminal"

export class RunPanel {
  readonly terminal: TerminalView
  readonly #choice = h("select", {id: "run-choice", class: "run-choice", tLabel: "earlier_runs",
    on: {change: () => this.runs.show(this.runs.all.find(run => String(run.number) == this.#choice.value) ?? null)}})
  readonly #clear = iconButton("trash", "clear", {id: "clear", on: {click: () => this.#shown && this.terminal.reset("")}})
  /** For the runs of others; ours has the button above. */
  readonly #stop = iconButton("stop", "stop", {id: "stop-theirs", on: {click: () => this.#shown && this.runs.stop(this.#shown)}})
  readonly #head: HTMLElement
  readonly #empty = h("div", {class: "empty"}, icon("terminal"), h("p", {class: "empty-title", t: "output_empty"}),
    h("p", {t: "output_empty_hint"}), h("p", {}, h("kbd", {}, "Ctrl"), " ", h("kbd", {}, "Enter")))
  readonly #box = h("div", {id: "terminal", class: "terminal", role: "group", tLabel: "terminal"})
  readonly #state = h("div", {id: "run-state", class: "run-state", role: "status"})
  readonly #plot = new Plot()
  #shown: Run | null = null

  constructor(parent: HTMLElement, readonly runs: Runs) {
    const mirror = h("div", {id: "terminal-mirror", class: "visually-hidden", "aria-live": "polite", tLabel: "last_lines", role: "log"})
    this.#head = h("div", {class: "panel-head"}, this.#choice, h("span", {class: "space"}), this.#stop, this.#clear)
    parent.classList.add("output")
    parent.append(this.#head, this.#empty, this.#box, h("div", {class: "run-foot"}, this.#state, this.#plot.element), mirror)
    this.terminal = new TerminalView(this.#box, mirror)
    this.terminal.onInput = data => { if (this.#shown) runs.input(this.#shown, data) }
    this.terminal.onResize = (cols, rows) => { if (this.#shown) runs.resize(this.#shown, cols, rows) }
    runs.on("shown", run => this.#show(run))
    runs.on("changed", () => this.#draw())
    runs.on("output", ({run, data}) => { if (run == this.#shown) this.terminal.write(data) })
    settings.on("change", names => { if (names.includes("language")) this.#draw() })
    this.#draw()
  }

  focus(): void { this.terminal.focus() }

  /** The terminal is there and has its size, which a program is told when it starts. */
  async prepare(): Promise<void> {
    this.#empty.hidden = true
    this.#box.hidden = false
    await this.terminal.load()
    this.terminal.fit()
  }

  #show(run: Run | null): void {
    if (run == this.#shown) return this.#draw()
    this.#shown = run
    this.#draw()
    void this.terminal.load().then(() => this.terminal.fit())
    this.terminal.reset(run ? run.output.join("") : "")
  }

  #draw(): void {
    const run = this.#shown
    this.#empty.hidden = !!run
    this.#box.hidden = !run
    this.#head.hidden = !run
    const title = (each: Run) => {
      const what = each.file || (languageNamed(each.language)?.name ?? each.language)
      return each.isOurs || !each.by ? what : t("run_by", {name: each.by, file: what})
    }
    replaceChildren(this.#choice, ...[...this.runs.all].reverse().map(each =>
      h("option", {value: each.number}, `${title(each)}${each.state == "done" ? "" : " …"}`)))
    if (run) this.#choice.value = String(run.number)
    this.#stop.hidden = !run || run.isOurs || run.state == "done" || !this.runs.session.mayRun
    this.#choice.disabled = this.runs.all.length < 2
    replaceChildren(this.#state, ...run ? stateOf(run) : [])
    this.#plot.show(run?.samples ?? [])
    if (run) this.terminal.setCursor(run.state != "done")
  }
}

function stateOf(run: Run): HTMLElement[] {
  if (run.refusal) {
    const {code, message} = run.refusal
    return [chip(code == "lost" ? t("verdict_cancelled") : sayError(code, message), "bad", code),
      ...code == "lost" ? [h("span", {class: "soft"}, t("error_lost"))] : []]
  }
  if (run.result) return resultOf(run.result)
  switch (run.state) {
  case "queued": return [chip(run.position > 1 ? t("waiting_place", {n: run.position - 1}) : t("waiting"), "busy", "queued")]
  case "compile": return [chip(t("compiling"), "busy", "compile")]
  case "run": return [chip(t("running"), "busy", "run")]
  default: return [chip(t("waiting"), "busy", "asked")]
  }
}

const chip = (words: string, kind: string, verdict: string) =>
  h("span", {class: `chip is-${kind}`, "data-verdict": verdict}, h("span", {class: "chip-dot"}), words)

function resultOf(result: RunResult): HTMLElement[] {
  const isGood = result.verdict == "ok", isOurs = result.verdict == "cancelled"
  const out = [chip(t(`verdict_${result.verdict}` as WordKey, {signal: result.signal ?? ""}),
    isGood ? "good" : isOurs ? "plain" : "bad", result.verdict)]
  const fact = (name: string, value: string) => out.push(h("span", {class: "fact"}, `${name} `, h("b", {}, value)))
  if (result.exit_code !== null && result.exit_code !== undefined && result.verdict != "compile_error")
    out.push(h("span", {class: "fact", id: "exit-code"}, t("exit_code", {code: result.exit_code})))
  if (result.verdict != "compile_error") {
    fact(t("wall_time"), seconds(result.wall_time ?? result.execution_time))
    fact(t("cpu_time"), seconds(result.cpu_time))
    fact(t("memory"), bytes(result.memory_peak))
  }
  const dropped = (result.truncated?.stdout ?? 0) + (result.truncated?.stderr ?? 0)
  if (dropped) out.push(h("span", {class: "fact"}, t("truncated", {n: bytes(dropped)})))
  return out
}
