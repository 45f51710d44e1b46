// Test cases: what the program reads, what it should print, and whether it does. Each one is a run of its own
// that nobody else sees. Kept in this browser.
import {debounced, h, iconButton, replaceChildren} from "./dom"
import {icon} from "./icons"
import {sayError, seconds, t} from "./i18n"
import type {WordKey} from "./i18n"
import {Refusal} from "./protocol"
import type {Program, Runs} from "./runs"
import {settings} from "./settings"

const KEY = "cloister.tests", MAX_CASES = 100, TOGETHER = 2, SAVE_MS = 300

interface Case {
  input: string
  expected: string
  state: "new" | "running" | "passed" | "failed"
  actual: string
  note: string
}

const fresh = (input = "", expected = ""): Case => ({input, expected, state: "new", actual: "", note: ""})

/** Ends of lines and the end of the whole do not count, as judges have it. */
const comparable = (text: string) => text.replace(/\r\n?/g, "\n").replace(/[ \t]+$/gm, "").replace(/\n+$/, "")

export class TestsPanel {
  readonly #list = h("ol", {id: "tests", class: "cases"})
  readonly #empty = h("div", {class: "empty"}, icon("list_checks"), h("p", {class: "empty-title", t: "tests_empty"}),
    h("p", {t: "tests_empty_hint"}))
  readonly #sum = h("span", {id: "tests-sum", class: "soft", role: "status"})
  readonly #runAll = h("button", {type: "button", id: "run-tests", class: "quiet-button", on: {click: () => void this.runAll()}},
    icon("play"), h("span", {t: "run_all"}))
  readonly #cases: Case[] = []
  readonly #save = debounced(SAVE_MS, () => {
    try {
      localStorage.setItem(KEY, JSON.stringify(this.#cases.map(({input, expected}) => ({input, expected}))))
    } catch { /* not kept */ }
  })

  constructor(parent: HTMLElement, readonly runs: Runs, readonly program: () => Program | null) {
    const add = h("button", {type: "button", id: "add-test", class: "quiet-button",
      on: {click: () => this.add("", "")}}, icon("plus"), h("span", {t: "add_case"}))
    parent.classList.add("tests")
    parent.append(h("div", {class: "panel-head"}, add, this.#sum, h("span", {class: "space"}), this.#runAll),
      this.#empty, this.#list)
    try {
      for (const {input, expected} of JSON.parse(localStorage.getItem(KEY) ?? "[]").slice(0, MAX_CASES))
        this.#cases.push(fresh(String(input), String(expected)))
    } catch { /* none, or not ours */ }
    settings.on("change", names => { if (names.includes("language")) this.#draw() })
    this.#draw()
  }

  get cases(): readonly Readonly<Case>[] { return this.#cases }

  add(input: string, expected: string): void {
    if (this.#cases.length >= MAX_CASES) return
    this.#cases.push(fresh(input, expected))
    this.#save()
    this.#draw()
    this.#list.querySelector<HTMLElement>("li:last-child textarea")?.focus()
  }

  async runAll(): Promise<void> {
    const waiting = [...this.#cases]
    const work = async () => { for (let each = waiting.shift(); each; each = waiting.shift()) await this.#run(each) }
    await Promise.all(Array.from({length: TOGETHER}, work))
  }

  async #run(each: Case): Promise<void> {
    const program = this.program()
    if (!program || each.state == "running") return
    each.state = "running"
    this.#draw()
    try {
      const result = await this.runs.judge(program, each.input)
      each.actual = result.output
      const isRight = result.success && comparable(result.output) == comparable(each.expected)
      each.state = isRight ? "passed" : "failed"
      each.note = result.success ? seconds(result.wall_time)
        : t(`verdict_${result.verdict}` as WordKey, {signal: result.signal ?? ""})
      if (!result.success && result.error) each.actual += (each.actual && !each.actual.endsWith("\n") ? "\n" : "") + result.error
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      each.state = "failed"
      each.actual = ""
      each.note = sayError(error.code, error.message)
    }
    this.#draw()
  }

  #draw(): void {
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset["focus"] : undefined
    this.#empty.hidden = this.#cases.length > 0
    this.#runAll.hidden = this.#cases.length == 0
    const done = this.#cases.filter(({state}) => state == "passed" || state == "failed")
    this.#sum.textContent = done.length
      ? t("tests_passed", {passed: done.filter(({state}) => state == "passed").length, all: this.#cases.length}) : ""
    replaceChildren(this.#list, ...this.#cases.map((each, at) => this.#item(each, at)))
    if (focused) this.#list.querySelector<HTMLElement>(`[data-focus="${focused}"]`)?.focus()
  }

  #item(each: Case, at: number): HTMLElement {
    const field = (name: "input" | "expected") => {
      const area = h("textarea", {class: "case-text", rows: String(Math.min(8, Math.max(2, each[name].split("\n").length))),
        spellcheck: "false", autocapitalize: "off", "data-focus": `${name}-${at}`, id: `case-${name}-${at}`, on: {input: () => {
          each[name] = area.value
          this.#save()
        }}})
      area.value = each[name]
      return h("div", {class: "case-field"}, h("label", {for: area.id, t: name}), area)
    }
    const words: Record<Case["state"], WordKey> =
      {new: "not_run", running: "running", passed: "passed", failed: "failed"}
    const kinds: Record<Case["state"], string> = {new: "plain", running: "busy", passed: "good", failed: "bad"}
    return h("li", {class: `case is-${each.state}`, "data-testid": "test-case", "data-state": each.state},
      h("div", {class: "case-head"}, h("h3", {}, t("case_name", {n: at + 1})),
        h("span", {class: `chip is-${kinds[each.state]}`}, h("span", {class: "chip-dot"}), t(words[each.state])),
        each.note && h("span", {class: "fact"}, each.note), h("span", {class: "space"}),
        iconButton("play", "run_case", {"data-focus": `run-${at}`, on: {click: () => void this.#run(each)}}),
        iconButton("trash", "delete_case", {on: {click: () => {
          this.#cases.splice(this.#cases.indexOf(each), 1)
          this.#save()
          this.#draw()
        }}})),
      h("div", {class: "case-fields"}, field("input"), field("expected")),
      each.state == "failed" && h("div", {class: "case-field"}, h("span", {class: "case-label", t: "actual"}),
        h("pre", {class: "case-actual", tabindex: "0"}, each.actual || " ")))
  }
}
