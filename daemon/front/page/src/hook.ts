// window.cloister: for tests and for the curious. Documented in README.md; nothing of the page uses it.
import {isolateHistory} from "@codemirror/commands"

import type {Call} from "./call"
import {counts} from "./collab"
import type {ChatLine} from "./protocol"
import type {RunPanel} from "./run_panel"
import type {Runs} from "./runs"
import type {TestsPanel} from "./tests_panel"
import type {Workspace} from "./workspace"

interface Parts { workspace: Workspace, runs: Runs, runPanel: RunPanel, tests: TestsPanel, call: Call, run: () => void }

export function exposeHook({workspace, runs, runPanel, tests, call, run}: Parts): void {
  const {session} = workspace
  const at = (path?: string) => path === undefined ? workspace.shown : workspace.files.get(path) ?? null
  const hook = {
    text: (path?: string) => at(path)?.toString() ?? null,
    setText(text: string, path?: string) {
      const doc = at(path)
      doc?.dispatch({changes: {from: 0, to: doc.text.length, insert: text}, annotations: isolateHistory.of("full")})
      doc?.sync?.flush()
    },
    /** One edit, as if it was typed there. */
    insert(at_: number, text: string, path?: string) {
      const doc = at(path)
      doc?.dispatch({changes: {from: at_, insert: text}, userEvent: "input.type", selection: {anchor: at_ + text.length}})
      doc?.sync?.flush()
    },
    select(anchor: number, head = anchor) { workspace.shown?.dispatch({selection: {anchor, head}}) },
    show: (path: string) => workspace.show(path),
    focus: () => workspace.editor.view.focus(),
    run,
    terminal: () => runPanel.terminal.text(),
    drop: () => session.connection.drop(),
    chat: (): ChatLine[] => [...session.chat],
    problems: (path?: string) => { const doc = at(path); return doc ? [...doc.compileProblems, ...doc.problems] : [] },
    tests: () => tests.cases.map(each => ({...each})),
    connections: () => call.mesh?.connections() ?? [],
    state: () => ({
      connection: session.connection.state, room: session.room, joined: session.joined, role: session.role,
      clientId: session.clientId, connectionId: session.connectionId, members: [...session.members.values()],
      files: [...workspace.files.keys()].sort(), shown: workspace.shown?.path ?? null, unsent: workspace.unsent,
      settled: session.connection.isOpen && (!session.room || session.joined) && workspace.isSettled,
      version: workspace.shown?.sync?.version ?? null, divergences: counts.divergences,
      run: runs.shown && {...runs.shown, output: runs.shown.output.join("")},
      call: {on: call.isOn, others: call.others, sharing: call.isSharing},
    }),
  }
  Object.assign(window, {cloister: hook})
}
