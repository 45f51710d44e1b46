// Chance that can be repeated: the same seed gives the same numbers, and with them the same plan, texts
// and edits.

export class Random {
  constructor(seed) {
    this.state = (seed ^ 0x9e3779b9) >>> 0 || 1
    for (let i = 0; i < 8; i++) this.below(2)
  }

  /** A whole number from 0 to limit - 1. */
  below(limit) { // xorshift32
    this.state ^= this.state << 13; this.state ^= this.state >>> 17; this.state ^= this.state << 5
    this.state >>>= 0
    return this.state % limit
  }

  /** From 0 to just below 1. */
  part() { return this.below(1 << 24) / (1 << 24) }
  pick(list) { return list[this.below(list.length)] }
  /** True once in `times`. */
  once(times) { return this.below(times) == 0 }
}

const WORDS = ["한글", "나는 ", "가", "힣", "def f(x):", "return ", "é", "e\u0301", "😀", "👩‍👩‍👧‍👦", "🏳️‍🌈", "日本",
  "\n", "\n    ", "\n\n", "\t", "x", "y = 1", " ", "\"", "\\", "{}", "\u2028", "𝒳", "한"]

export function text(random, most) {
  let out = ""
  for (let left = 1 + random.below(most); left > 0; left--) out += random.pick(WORDS)
  return out
}

/** The nearest place at or before `at` that is not between the halves of a character. */
export function between(string, at) {
  const inside = at > 0 && at < string.length && (string.charCodeAt(at) & 0xfc00) == 0xdc00 &&
    (string.charCodeAt(at - 1) & 0xfc00) == 0xd800
  return inside ? at - 1 : at
}

/**
 * The smallest single replacement {from, to, insert} that makes `after` of `before`, never inside a
 * character.
 */
export function difference(before, after) {
  const most = Math.min(before.length, after.length)
  let begin = 0
  while (begin < most && before.charCodeAt(begin) == after.charCodeAt(begin)) begin++
  begin = Math.min(between(before, begin), between(after, begin))
  let end = 0
  while (end < most - begin &&
         before.charCodeAt(before.length - 1 - end) == after.charCodeAt(after.length - 1 - end)) end++
  while (end > 0 && (between(before, before.length - end) != before.length - end ||
                     between(after, after.length - end) != after.length - end)) end--
  return {from: begin, to: before.length - end, insert: after.slice(begin, after.length - end)}
}
