// What differs between two texts: as one replacement, or line by line, so that cursors stay where they are.

export interface Replacement { from: number, to: number, insert: string }

const isLow = (text: string, at: number) => {
  const unit = text.charCodeAt(at)
  return unit >= 0xdc00 && unit < 0xe000
}

/** The smallest one replacement that makes `after` of `before`; never inside of a surrogate pair. */
export function replacement(before: string, after: string): Replacement {
  const shorter = Math.min(before.length, after.length)
  let start = 0
  while (start < shorter && before[start] == after[start]) start++
  if (start > 0 && (isLow(before, start) || isLow(after, start))) start--
  let end = 0
  while (end < shorter - start && before[before.length - 1 - end] == after[after.length - 1 - end]) end++
  if (end > 0 && isLow(before, before.length - end)) end--
  return {from: start, to: before.length - end, insert: after.slice(start, after.length - end)}
}

const MAX_CELLS = 4_000_000

/** Replacements of whole lines, in order. */
export function lineReplacements(before: string, after: string): Replacement[] {
  const whole = replacement(before, after)
  if (whole.from == whole.to && !whole.insert) return []
  const a = before.split(/(?<=\n)/), b = after.split(/(?<=\n)/)
  if (a.length * b.length > MAX_CELLS) return [whole]
  const width = b.length + 1
  const common = new Uint32Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i * width + j] = a[i] == b[j] ? common[(i + 1) * width + j + 1]! + 1
        : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!)
  const out: Replacement[] = []
  let i = 0, j = 0, offset = 0
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] == b[j]) {
      offset += a[i]!.length
      i++, j++
      continue
    }
    const from = offset
    let insert = ""
    while ((i < a.length || j < b.length) && !(i < a.length && j < b.length && a[i] == b[j])) {
      const takes = i < a.length && (j >= b.length || common[(i + 1) * width + j]! >= common[i * width + j + 1]!)
      if (takes) offset += a[i++]!.length
      else insert += b[j++]!
    }
    const {from: start, to, insert: text} = replacement(before.slice(from, offset), insert)
    out.push({from: from + start, to: from + to, insert: text})
  }
  return out
}
