// Writes the golden file: what @codemirror/state answers to random questions. Each line of cases.jsonl
// is [doc, A, B, C, A.map(B), A.map(B, true) or 0 when it is the same, A.compose(C), A.apply(doc),
// positions]: A and B are changes of doc, C is one of A's result, positions are [position, assoc,
// mapped by A] flattened. Run once per version of the library (`npm ci && npm run generate`); the
// seed is fixed, so that the same version writes the same file.
import {ChangeSet, Text} from "@codemirror/state"

const CASES = 5200
let state = 0x2545f491
const random = limit => { // xorshift32
  state ^= state << 13; state ^= state >>> 17; state ^= state << 5
  return (state >>> 0) % limit
}
const pick = list => list[random(list.length)]

const LETTERS = ["a", "b", "c", "x", " ", "\n", "\n", "한", "글", "가", "é", "😀", "🏳", "\t", "\"", "\\"]
const word = most => Array.from({length: random(most + 1)}, () => pick(LETTERS)).join("")
const lines = string => Text.of(string.split("\n"))

// Positions between characters: a change may not cut one in two.
const places = string => {
  const found = [0]
  for (const character of string) found.push(found[found.length - 1] + character.length)
  return found
}

function change(string) {
  const between = places(string), specs = []
  for (let count = 1 + (random(3) ? random(2) : random(5)); count > 0; count--) {
    const begin = random(between.length)
    const end = Math.min(between.length - 1, begin + (random(2) ? 0 : random(1 + random(6))))
    specs.push({from: between[begin], to: between[end], insert: random(4) ? word(3) : ""})
  }
  if (random(12) == 0) specs.splice(0, 9, {from: 0, to: string.length, insert: word(3)})
  let set = ChangeSet.of(specs, string.length)
  // A second one on top gives shapes that one call does not: neighbours that stay apart.
  if (random(3) == 0) {
    const result = set.apply(lines(string)).toString()
    const next = places(result), at = random(next.length)
    const to = Math.min(next.length - 1, at + random(4))
    set = set.compose(ChangeSet.of({from: next[at], to: next[to], insert: word(2)}, result.length))
  }
  return set
}

for (let i = 0; i < CASES; i++) {
  const string = random(40) == 0 ? word(60) : word(i % 60 == 0 ? 0 : 10), doc = lines(string)
  const a = change(string), b = change(string)
  const after = a.apply(doc), c = change(after.toString())
  if (a.compose(b.map(a)).apply(doc).toString() != b.compose(a.map(b, true)).apply(doc).toString())
    throw new Error("the library does not keep its own promise")
  const positions = []
  for (let k = 0; k < 2; k++) {
    const position = random(string.length + 1), assoc = random(2) ? 1 : -1
    positions.push(position, assoc, a.mapPos(position, assoc))
  }
  const mapped = JSON.stringify(a.map(b)), first = JSON.stringify(a.map(b, true))
  console.log(`[${JSON.stringify(string)},${[a, b, c].map(set => JSON.stringify(set))},${mapped},` +
    `${first == mapped ? 0 : first},${JSON.stringify(a.compose(c))},` +
    `${JSON.stringify(after.toString())},${JSON.stringify(positions)}]`)
}
