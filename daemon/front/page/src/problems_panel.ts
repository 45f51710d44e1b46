// What analysis and compilers have found in the shown file, and a quiet line of numbers.
import type {Analysis} from "./analysis"
import type {Doc} from "./doc"
import {h, replaceChildren} from "./dom"
import {icon} from "./icons"
import {t} from "./i18n"
import type {WordKey} from "./i18n"
import {languageOf} from "./languages"
import type {Problem} from "./problems"
import {settings} from "./settings"

const METRICS = ["lines_of_code", "functions", "classes", "complexity", "cognitive", "maintainability"] as const

export class ProblemsPanel {
  readonly #numbers = h("dl", {id: "metrics", class: "metrics"})
  readonly #list = h("ul", {id: "problems", class: "problems"})
  readonly #empty = h("div", {class: "empty"})
  #doc: Doc | null = null

  constructor(parent: HTMLElement, readonly analysis: Analysis, readonly goTo: (doc: Doc, problem: Problem) => void,
    readonly badge: (text: string) => void) {
    parent.classList.add("problems-panel")
    parent.append(this.#numbers, this.#empty, this.#list)
    settings.on("change", names => { if (names.includes("language")) this.show(this.#doc) })
  }

  show(doc: Doc | null): void {
    this.#doc = doc
    const all = doc ? [...doc.compileProblems, ...doc.problems].sort((a, b) => a.line - b.line) : []
    replaceChildren(this.#list, ...all.map(problem => h("li", {},
      h("button", {type: "button", class: `problem is-${problem.severity}`, "data-testid": "problem",
        on: {click: () => doc && this.goTo(doc, problem)}},
      icon(problem.severity == "info" ? "info" : "alert"),
      h("span", {class: "problem-words"}, h("span", {}, problem.message),
        h("span", {class: "problem-place"}, [t("line", {n: problem.line}), problem.source].filter(Boolean).join(" · ")))))))
    this.#list.hidden = all.length == 0
    this.#empty.hidden = all.length > 0
    const language = doc ? languageOf(doc.path) : undefined
    const isKnown = !!doc && this.analysis.knows(doc.path)
    replaceChildren(this.#empty, icon("check"), h("p", {class: "empty-title"}, t("problems_none")),
      !isKnown && language ? h("p", {}, t("problems_unknown", {language: language.name})) : null)
    this.#drawNumbers(doc)
    this.badge(all.length ? String(all.length) : "")
  }

  #drawNumbers(doc: Doc | null): void {
    const found = doc?.analysis
    this.#numbers.hidden = !found?.success
    if (!found) return
    const fact = (word: WordKey, value: number) =>
      h("div", {}, h("dt", {}, t(word)), h("dd", {}, String(Math.round(value))))
    replaceChildren(this.#numbers, fact("quality", found.quality_score), ...METRICS
      .filter(name => typeof found.metrics[name] == "number").map(name => fact(`metric_${name}`, found.metrics[name]!)))
  }
}
