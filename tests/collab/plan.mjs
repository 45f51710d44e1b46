// What happens in one run of the fuzzer, made from a seed alone: who types what where, who loses the
// connection when, what becomes of files, when the daemon is killed. Places are parts of a text, since how
// long it is at that moment depends on the others; so a plan can be repeated, though not its every
// interleaving.
import {between, Random, text} from "./random.mjs"

export const MAIN = "main.py"      // everybody edits it in every way
export const LEDGER = "ledger.txt" // everybody adds lines to it, nobody takes one away
const LONG = 6000                  // units: from here on texts are made shorter

/** Steps: {at (ms), who, what, …}, in order. */
export function makePlan(seed, {seconds = 15, clients, bases, kills} = {}) {
  const random = new Random(seed)
  clients ??= 5 + random.below(8)
  bases ??= 1 + random.below(3)
  kills ??= 1 + random.below(2)
  const steps = []
  const names = Array.from({length: clients}, (_, i) => `c${i}`).concat(Array.from({length: bases}, (_, i) => `b${i}`))
  for (const who of names) {
    const isBase = who[0] == "b", usual = isBase ? 500 : 240
    for (let at = random.below(400); at < seconds * 1000; at += 10 + random.below(usual))
      steps.push({at, who, ...step(random, who, steps.length, isBase)})
  }
  for (let i = 1; i <= kills; i++)
    steps.push({at: Math.floor(seconds * 1000 * i / (kills + 1)) + random.below(500), what: "kill",
      whom: random.pick(["front", "keeper", "both"]), down: random.below(1000)})
  steps.sort((a, b) => a.at - b.at)
  return {seed, seconds, clients, bases, kills, steps}
}

function step(random, who, number, isBase) {
  const chance = random.below(100)
  if (chance < 55) return {what: "edit", path: MAIN, ...edit(random)}
  if (chance < 72) return {what: "line", path: LEDGER, place: random.part(), text: `${who}.${number}`}
  if (chance < 80) return {what: "edit", path: null, which: random.part(), ...edit(random)}
  if (chance < 84) return {what: "present", path: MAIN, place: random.part()}
  if (chance < 86) return {what: "say", text: text(random, 5)}
  if (chance < 90) return fileStep(random)
  if (chance < 95 || isBase) return {what: "edit", path: MAIN, ...edit(random)}
  return {what: "drop", how: random.pick(["terminate", "reset", "close"]), after: random.once(2),
    offline: random.once(3) ? 500 + random.below(1500) : random.below(200)}
}

function fileStep(random) {
  const name = () => random.pick(["a", "b", "c", "deep/a", "deep/b", "가"]) + random.pick([".py", ".txt"])
  return {what: "file", operation: random.pick(["create", "create", "rename", "delete"]), path: name(), newPath: name()}
}

function edit(random) {
  const kind = random.pick(["type", "type", "type", "burst", "delete", "replace", "two", "cut", "paste"])
  return {kind, place: random.part(), other: random.part(), text: text(random, kind == "paste" ? 60 : 3)}
}

/** The changes {from, to, insert} that a step makes to `string`, each one to be typed after the other. */
export function changesOf(step, string) {
  const at = part => between(string, Math.floor(part * (string.length + 1)))
  const some = (from, most) => between(string, Math.min(string.length, from + most))
  if (step.what == "line") {
    const place = string.lastIndexOf("\n", Math.floor(step.place * string.length) - 1) + 1
    return [{from: place, to: place, insert: step.text + "\n"}]
  }
  const from = at(step.place)
  if (string.length > LONG && step.kind != "delete")
    return [{from: at(step.place / 2), to: at(0.5 + step.place / 2), insert: ""}]
  switch (step.kind) {
    case "burst": { // letter by letter; when offline, more than one push holds
      const out = []
      let place = from
      for (let i = 0; i < 4; i++) for (const character of step.text) {
        out.push({from: place, to: place, insert: character})
        place += character.length
      }
      return out
    }
    case "delete": return [{from, to: some(from, 8), insert: ""}]
    case "replace": return [{from, to: some(from, 5), insert: step.text}]
    case "two": { // at two places at one time
      const [first, second] = [from, at(step.other)].sort((a, b) => a - b)
      return [[{from: first, to: first, insert: step.text}, {from: second, to: second, insert: step.text}]]
    }
    case "cut": {
      const [first, second] = [from, at(step.other)].sort((a, b) => a - b)
      return [{from: first, to: second, insert: ""}]
    }
    default: return [{from, to: from, insert: step.text}]
  }
}

/** `string` after one of these changes. */
export function changed(string, change) {
  return [].concat(change).reverse().reduce((text, {from, to, insert}) =>
    text.slice(0, from) + insert + text.slice(to), string)
}
