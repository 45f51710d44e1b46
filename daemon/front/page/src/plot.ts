// A small picture of what a run uses: memory as an area, CPU as a line.
import {h} from "./dom"
import {bytes, t} from "./i18n"
import type {Sample} from "./runs"

const SVG = "http://www.w3.org/2000/svg"
const WIDTH = 160, HEIGHT = 28

export class Plot {
  readonly element = h("div", {id: "plot", class: "plot", role: "img", hidden: true})
  readonly #area = document.createElementNS(SVG, "path")
  readonly #line = document.createElementNS(SVG, "path")
  readonly #words = h("span", {class: "plot-words"})

  constructor() {
    const svg = document.createElementNS(SVG, "svg")
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`)
    svg.setAttribute("preserveAspectRatio", "none")
    svg.setAttribute("aria-hidden", "true")
    this.#area.setAttribute("class", "plot-memory")
    this.#line.setAttribute("class", "plot-cpu")
    svg.append(this.#area, this.#line)
    this.element.append(svg, this.#words)
  }

  show(samples: Sample[]): void {
    this.element.hidden = samples.length < 2
    if (samples.length < 2) return
    const start = samples[0]!.time, span = Math.max(samples.at(-1)!.time - start, 0.001)
    const most = Math.max(...samples.map(each => each.memory), 1), busiest = Math.max(1, ...samples.map(each => each.cpu))
    const x = (each: Sample) => (WIDTH * (each.time - start) / span).toFixed(1)
    const y = (part: number) => (HEIGHT - 1 - (HEIGHT - 3) * part).toFixed(1)
    const memory = samples.map(each => `${x(each)} ${y(each.memory / most)}`)
    this.#area.setAttribute("d", `M0 ${HEIGHT} L${memory.join(" L")} L${WIDTH} ${HEIGHT} Z`)
    this.#line.setAttribute("d", `M${samples.map(each => `${x(each)} ${y(each.cpu / busiest)}`).join(" L")}`)
    const last = samples.at(-1)!
    this.#words.textContent = `${bytes(last.memory)} · CPU ${Math.round(100 * last.cpu)} %`
    this.element.setAttribute("aria-label", `${t("plot")}: ${this.#words.textContent}`)
  }
}
