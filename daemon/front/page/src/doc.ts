// One file as the editor holds it. Its state lives on when another file is shown; whoever changes it does so
// through dispatch(), which knows whether an editor shows it.
import type {EditorState, Text, Transaction, TransactionSpec} from "@codemirror/state"
import type {EditorView} from "@codemirror/view"

import type {DocumentSync} from "./collab"
import type {Problem} from "./problems"
import type {Analysis} from "./protocol"

export class Doc {
  view: EditorView | null = null
  sync: DocumentSync | null = null
  analysis: Analysis | null = null
  problems: Problem[] = []        // of the analysis
  compileProblems: Problem[] = [] // of the last run, until its text changes
  scrollTop = 0

  constructor(public path: string, public state: EditorState) {}

  get text(): Text { return this.state.doc }
  toString(): string { return this.state.doc.toString() }

  dispatch(...specs: TransactionSpec[]): void {
    if (this.view) return this.view.dispatch(...specs)
    this.state = this.state.update(...specs).state
  }

  /** Transactions of which each begins where the one before ends; the editor draws once. */
  dispatchAll(transactions: Transaction[]): void {
    const last = transactions.at(-1)
    if (!last) return
    if (this.view) this.view.dispatch(transactions)
    else this.state = last.state
  }

  /** Another state altogether; what could be undone is gone. */
  replaceState(state: EditorState): void {
    this.state = state
    this.view?.setState(state)
  }
}
