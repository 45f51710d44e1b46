// A line of arguments as a shell would part it: blanks, quotes, backslashes; nothing is expanded.

export function splitArguments(line: string): string[] {
  const out: string[] = []
  let word = "", isWord = false, quote = ""
  for (let i = 0; i < line.length; i++) {
    const character = line[i]!
    if (quote) {
      if (character == quote) quote = ""
      else if (character == "\\" && quote == '"' && i + 1 < line.length) word += line[++i]
      else word += character
    } else if (character == '"' || character == "'") {
      quote = character
      isWord = true
    } else if (character == "\\" && i + 1 < line.length) {
      word += line[++i]
      isWord = true
    } else if (/\s/.test(character)) {
      if (isWord) out.push(word)
      word = ""
      isWord = false
    } else {
      word += character
      isWord = true
    }
  }
  if (isWord) out.push(word)
  return out
}
