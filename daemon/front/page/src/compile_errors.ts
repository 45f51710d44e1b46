// What compilers and interpreters say about a line, from their text: gcc, go, javac, Python, Node.
import type {Problem} from "./problems"

export interface Located { path: string, problem: Problem }

const MAX = 100
// eslint-disable-next-line no-control-regex
const ESCAPES = /\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07/g

const plain = (path: string) => path.replace(/^(\.\/|\/box\/|\/app\/|file:\/\/\/box\/)+/, "")

function located(path: string, line: number, column: number, message: string,
  severity: Problem["severity"], source: string): Located {
  return {path: plain(path), problem: {severity, message, line, column, endLine: line, endColumn: -1, source}}
}

/** main.c:3:5: error: …   ./main.go:3:5: …   Main.java:3: error: … with a caret below */
function compilers(lines: string[], language: string): Located[] {
  const out: Located[] = []
  for (let i = 0; i < lines.length && out.length < MAX; i++) {
    const found = /^(\S[^:]*):(\d+):(?:(\d+):)?\s*(?:(fatal error|error|warning|note):\s*)?(.+)$/.exec(lines[i]!)
    if (!found) continue
    const [, path, line, column, kind, message] = found
    if (kind == "note") continue
    let at = column ? Number(column) - 1 : -1
    if (!column) { // javac: a caret two lines below
      const caret = lines.slice(i + 1, i + 5).find(text => /^\s*\^\s*$/.test(text))
      if (caret) at = caret.indexOf("^")
    }
    out.push(located(path!, Number(line), at, message!, kind == "warning" ? "warning" : "error", language))
  }
  return out
}

/** The last frame in a file of ours, and the last line's words. */
function python(lines: string[], isOurs: (path: string) => boolean): Located[] {
  const start = lines.findLastIndex(line => /^(Traceback|  File ")/.test(line))
  if (start < 0) return []
  const words = lines.slice(start).find(line => /^[\w.]+(Error|Exception|Interrupt|Exit|Warning|Iteration)\b/.test(line))
  if (!words) return []
  for (let i = lines.length - 1; i >= 0; i--) {
    const frame = /^\s+File "([^"]+)", line (\d+)/.exec(lines[i]!)
    if (!frame || !isOurs(plain(frame[1]!))) continue
    const source = lines[i + 1] ?? "", caret = lines[i + 2] ?? ""
    // Of a syntax error the caret tells the column, beneath a line whose indentation is Python's own.
    const column = /^\s*\^/.test(caret) && words.startsWith("SyntaxError") ? caret.indexOf("^") - 4 : -1
    return [located(frame[1]!, Number(frame[2]), source.trim() && column >= 0 ? column : -1, words, "error", "Python")]
  }
  return []
}

function node(lines: string[], isOurs: (path: string) => boolean): Located[] {
  const words = lines.find(line => /^(Uncaught )?\w*Error\b.*/.test(line))
  if (!words) return []
  for (const line of lines) {
    const place = /(?:^|\(|at )((?:file:\/\/)?\/box\/[^\s():]+):(\d+)(?::(\d+))?\)?$/.exec(line)
    if (place && isOurs(plain(place[1]!)))
      return [located(place[1]!, Number(place[2]), place[3] ? Number(place[3]) - 1 : -1, words, "error", "Node.js")]
  }
  return []
}

export function readErrors(output: string, language: string, paths: Iterable<string>): Located[] {
  const known = new Set(paths)
  const lines = output.replace(ESCAPES, "").split(/\r*\n/)
  const isOurs = (path: string) => known.has(path)
  const found = language == "python" ? python(lines, isOurs)
    : language == "javascript" ? node(lines, isOurs)
    : compilers(lines, {c: "gcc", cpp: "g++", go: "go", java: "javac"}[language] ?? language)
  return found.filter(({path}) => known.has(path))
}
