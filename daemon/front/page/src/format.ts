// Formatting: JavaScript by prettier, loaded when it is asked for; Go by its own go/format, in a box of the
// server. For other languages there is nothing here that would do it well.
import type {Doc} from "./doc"
import {lineReplacements} from "./difference"
import {languageOf} from "./languages"
import type {Runs} from "./runs"
import {settings} from "./settings"

const GO_FORMATTER = `package main

import (
	"fmt"
	"go/format"
	"io"
	"os"
)

func main() {
	source, _ := io.ReadAll(os.Stdin)
	formatted, err := format.Source(source)
	if err != nil {
		fmt.Fprint(os.Stderr, err)
		os.Exit(1)
	}
	os.Stdout.Write(formatted)
}
`

export function canFormat(path: string): boolean {
  return ["javascript", "go"].includes(languageOf(path)?.id ?? "")
}

async function javascript(source: string): Promise<string> {
  const [prettier, babel, estree] =
    await Promise.all([import("prettier/standalone"), import("prettier/plugins/babel"), import("prettier/plugins/estree")])
  return prettier.format(source, {parser: "babel", plugins: [babel, estree.default], tabWidth: settings.current.tabSize})
}

async function go(source: string, runs: Runs): Promise<string> {
  const result = await runs.judge({entry: "main.go", language: "go", args: [],
    files: [{path: "main.go", content: GO_FORMATTER}]}, source)
  if (!result.success) throw new Error(result.error.trim() || result.verdict)
  return result.output
}

/** Whether anything has changed. Rejects with an Error whose first line says why not. */
export async function format(doc: Doc, runs: Runs): Promise<boolean> {
  const {text} = doc
  const before = text.toString()
  const after = languageOf(doc.path)?.id == "go" ? await go(before, runs) : await javascript(before)
  if (!doc.text.eq(text)) return format(doc, runs) // somebody went on typing
  const changes = lineReplacements(before, after)
  if (changes.length) doc.dispatch({changes, userEvent: "format"})
  return changes.length > 0
}
