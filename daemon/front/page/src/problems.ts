// What is wrong with a file, from the analysis or from its compiler, in one form.
import type {Text} from "@codemirror/state"
import type {Diagnostic} from "@codemirror/lint"
import type {Issue, Position, Range} from "./protocol"

export interface Problem {
  severity: "error" | "warning" | "info"
  message: string
  line: number    // from 1
  column: number  // from 0; -1: the whole line
  endLine: number
  endColumn: number
  source: string
  fix?: {range: Range, text: string} | undefined
}

export function fromIssue(issue: Issue): Problem {
  return {
    severity: issue.type, message: issue.message, line: issue.line, column: issue.column ?? -1,
    endLine: issue.end_line ?? issue.line, endColumn: issue.end_column ?? -1, source: issue.rule ?? "",
    fix: issue.fix,
  }
}

/** A place of the protocol, in this text, however far it may be beyond it. */
export function offsetOf(text: Text, {line, column, character}: Position): number {
  if (line >= text.lines) return text.length
  const found = text.line(line + 1)
  return Math.min(found.from + (column ?? character ?? 0), found.to)
}

function rangeOf(text: Text, problem: Problem): {from: number, to: number} {
  const line = text.line(Math.min(Math.max(problem.line, 1), text.lines))
  const indented = line.from + (/^\s*/.exec(line.text)?.[0].length ?? 0)
  if (problem.column < 0) return {from: Math.min(indented, line.to), to: line.to}
  const from = Math.min(line.from + problem.column, line.to)
  let to = problem.endColumn < 0 ? from
    : Math.max(from, offsetOf(text, {line: problem.endLine - 1, column: problem.endColumn}))
  if (to == from) to = from + (/^[\w$]+|^./.exec(text.sliceString(from, line.to))?.[0].length ?? 0)
  if (to == from && from > line.from) return {from: from - 1, to: from} // at the line's end
  return {from, to}
}

export function toDiagnostic(text: Text, problem: Problem, fixName: string): Diagnostic {
  const {fix} = problem
  return {
    ...rangeOf(text, problem), severity: problem.severity, message: problem.message,
    ...problem.source && {source: problem.source},
    ...fix && {actions: [{
      name: fixName,
      apply: view => {
        const {doc} = view.state
        view.dispatch({changes: {from: offsetOf(doc, fix.range.start), to: offsetOf(doc, fix.range.end),
          insert: fix.text}, userEvent: "input.fix"})
      },
    }]},
  }
}
