// The page, put together: each part is made here and told what happens in the others.
import {EditorState, Transaction} from "@codemirror/state"
import {EditorView} from "@codemirror/view"

import "./style/main.css"
import {Analysis} from "./analysis"
import {splitArguments} from "./arguments"
import {Call} from "./call"
import {ChatPanel} from "./chat_panel"
import {CodeHead} from "./code_head"
import {readErrors} from "./compile_errors"
import {Connection} from "./connection"
import {download, h} from "./dom"
import {Editor} from "./editor"
import {FilesPanel} from "./files_panel"
import {History} from "./history"
import {exposeHook} from "./hook"
import {sayError, t} from "./i18n"
import {languageOf} from "./languages"
import {Layout} from "./layout"
import {notify, openPopover} from "./overlays"
import {PeoplePanel} from "./people_panel"
import {Presence} from "./presence"
import {ProblemsPanel} from "./problems_panel"
import {RunPanel} from "./run_panel"
import {Runs} from "./runs"
import type {Program, Run} from "./runs"
import {Session} from "./session"
import {settings} from "./settings"
import {openSettings, openShortcuts} from "./settings_dialog"
import {openShare, roomOfAddress} from "./share"
import {listenToKeys} from "./shortcuts"
import {fromFragment} from "./snippet"
import {StatusBar} from "./status_bar"
import {TestsPanel} from "./tests_panel"
import {Workspace} from "./workspace"

const MAX_PASTE = 200_000 // UTF-16 units; more would not fit into one push

/** #token=… lets us in on a server beyond this machine; it is kept for this tab, and off the address. */
function takeFragment(): {bearer: string | null, roomToken: string | null, snippet: string | null} {
  const given = new URLSearchParams(location.hash.slice(1))
  for (const name of ["token", "room-token"]) {
    const value = given.get(name)
    if (value) sessionStorage.setItem(`cloister.${name}`, value)
  }
  const snippet = given.get("s")
  if (location.hash) history.replaceState(null, "", location.pathname + location.search)
  return {bearer: sessionStorage.getItem("cloister.token"), roomToken: sessionStorage.getItem("cloister.room-token"), snippet}
}

function start(): void {
  document.documentElement.lang = settings.current.language
  const {bearer, roomToken, snippet} = takeFragment()
  const layout = new Layout()
  const scheme = location.protocol == "https:" ? "wss" : "ws"
  const connection = new Connection(`${scheme}://${location.host}/api/v1/ws/demo`, bearer)
  const session = new Session(connection)
  session.roomToken = roomToken ?? undefined
  session.room = roomOfAddress()

  // --- Editor and files
  const notTooMuch = EditorState.transactionFilter.of(transaction => {
    let most = 0
    transaction.changes.iterChanges((_from, _to, _start, _end, inserted) => { most = Math.max(most, inserted.length) })
    if (most <= MAX_PASTE || !session.room || !transaction.isUserEvent("input")) return transaction
    queueMicrotask(() => notify(t("paste_too_large")))
    return []
  })
  const editor = new Editor(layout.editor, {
    suggest: (text, position) => analysis.suggest(text, position),
    isReadOnly: () => !session.mayEdit,
    filter: notTooMuch,
    onUpdate: update => {
      const doc = workspace.shown
      if (!doc) return
      if (update.docChanged) {
        const isRemote = update.transactions.every(each => !each.docChanged || each.annotation(Transaction.remote))
        if (doc.compileProblems.length) {
          doc.compileProblems = []
          queueMicrotask(() => editor.showProblems(doc))
        }
        workspace.edited(doc, isRemote)
        if (!isRemote) presence.typed()
      }
      if (update.selectionSet || update.docChanged) {
        statusBar.drawPosition()
        presence.tell()
      }
    },
  })
  const workspace = new Workspace(session, editor)
  const presence = new Presence(session, workspace)
  const goTo = (path: string, head: number) => {
    workspace.show(path)
    layout.showPart("code")
    const doc = workspace.files.get(path)
    if (!doc) return
    head = Math.min(head, doc.text.length)
    doc.dispatch({selection: {anchor: head}, effects: EditorView.scrollIntoView(head, {y: "center"})})
    editor.view.focus()
  }

  // --- Analysis
  const analysis: Analysis = new Analysis(connection, () => workspace.shown, doc => {
    editor.showProblems(doc)
    showFindings()
  })
  const problems = new ProblemsPanel(layout.problems, analysis, (doc, problem) => {
    const line = doc.text.line(Math.min(Math.max(1, problem.line), doc.text.lines))
    goTo(doc.path, Math.min(line.to, line.from + Math.max(0, problem.column)))
  }, text => layout.tabs.badge("problems", text))
  const showFindings = () => {
    problems.show(workspace.shown)
    statusBar.draw()
  }
  workspace.on("edited", doc => { if (doc == workspace.shown) analysis.touch() })
  workspace.on("shown", doc => {
    document.title = doc ? `${doc.path} · Cloister` : "Cloister"
    layout.codeCover.hidden = !!doc
    layout.codeCover.textContent = t(session.room && !session.joined ? "opening_room" : "no_file")
    showFindings()
    if (doc) analysis.touch()
  })

  // --- Runs
  const runs = new Runs(connection, session)
  const runPanel = new RunPanel(layout.output, runs)
  const options = {args: "", alone: false, isPrivate: false}
  const program = (): Program | null => {
    const doc = workspace.shown
    if (!doc) return null
    const language = languageOf(doc.path)
    if (!language) {
      notify(t("no_language", {file: doc.path}))
      return null
    }
    const texts = options.alone ? [{path: doc.path, text: doc.toString()}] : workspace.texts()
    return {entry: doc.path, language: language.id, args: splitArguments(options.args),
      files: texts.map(({path, text}) => ({path, content: text}))}
  }
  const run = () => {
    if (runs.running) return
    if (!session.mayRun) return notify(t("may_not_run"))
    const asked = program()
    if (!asked) return
    layout.showPart("output")
    void runPanel.prepare().then(() => {
      if (runs.running) return // pressed twice
      const {cols, rows} = runPanel.terminal
      runs.start(asked, {cols, rows, isPrivate: options.isPrivate})
      drawRun()
      runPanel.focus()
    })
  }
  const stop = () => { const run = runs.running ?? runs.shown; if (run) runs.stop(run) }
  const drawRun = () => {
    const isRunning = !!runs.running
    const hadFocus = document.activeElement == layout.run || document.activeElement == layout.stop
    layout.run.hidden = isRunning
    layout.stop.hidden = !isRunning
    layout.run.disabled = !connection.isOpen || !session.mayRun
    if (hadFocus) (isRunning ? layout.stop : layout.run).focus()
  }
  const showCompilerWords = (run: Run) => {
    for (const doc of workspace.files.values()) doc.compileProblems = []
    if (run.result && !run.result.success) {
      const words = run.result.compile?.error || run.output.join("")
      for (const {path, problem} of readErrors(words, run.language, workspace.files.keys()))
        workspace.files.get(path)?.compileProblems.push(problem)
    }
    for (const doc of workspace.files.values()) editor.showProblems(doc)
    showFindings()
  }
  runs.on("changed", drawRun)
  runs.on("finished", run => {
    if (run.isOurs) showCompilerWords(run)
    if (run.isOurs && runPanel.terminal.parent.contains(document.activeElement)) editor.view.focus()
  })
  runs.on("output", ({run}) => { if (run == runs.shown && !layout.isSeen("output")) layout.badge("output", true) })
  connection.on("state", drawRun)
  session.on("joined", drawRun)
  layout.run.addEventListener("click", run)
  layout.stop.addEventListener("click", stop)
  layout.runOptions.addEventListener("click", () => openRunOptions(layout.runOptions, options, !!session.room))
  const tests = new TestsPanel(layout.tests, runs, program)

  // --- People
  const call = new Call(session)
  new PeoplePanel(layout.people, layout.avatars, session, presence, call, goTo)
  const chat = new ChatPanel(layout.chat, session, () => { if (!layout.isSeen("chat") && !session.isEntering) layout.badge("chat", true) })
  const files = new FilesPanel(layout.files, workspace, session, presence, () => {
    if (layout.part == "files") layout.showPart("code")
  })
  const history = new History(session)
  layout.codeCover.after(history.element)
  const codeHead = new CodeHead(layout.codeHead, workspace, runs, history)
  const statusBar: StatusBar = new StatusBar(layout.status, layout.banner, layout.place, connection, session, workspace,
    () => layout.showProblems())
  const onTab = layout.tabs.onSelect
  layout.tabs.onSelect = id => {
    onTab(id)
    if (id == "output" || id == "chat") layout.badge(id, false)
    if (id == "output") runPanel.terminal.fit()
  }
  layout.badge("chat", false)

  // --- What goes wrong
  workspace.on("rejected", ({doc, code, text}) =>
    notify(`${t("edit_refused", {file: doc.path})} ${sayError(code, "")}`, {word: "keep_copy", act: () => download(doc.path, text)}))
  workspace.on("orphaned", ({path, text}) => notify(t("file_gone", {file: path}), {word: "bring_back",
    act: () => void workspace.create(path, text).catch((error: Error) => notify(error.message))}))
  session.on("refused", ({code, message}) => {
    layout.codeCover.hidden = false
    layout.codeCover.textContent = sayError(code, message)
  })
  addEventListener("beforeunload", event => {
    workspace.saveLocally()
    if (workspace.unsent > 0) event.preventDefault()
  })
  addEventListener("popstate", () => location.reload())

  // --- Keys and settings
  layout.share.addEventListener("click", () => openShare(workspace))
  layout.settings.addEventListener("click", openSettings)
  layout.shortcuts.addEventListener("click", openShortcuts)
  listenToKeys({
    run, stop, format: () => void codeHead.format(), shortcuts: openShortcuts,
    editor: () => { layout.showPart("code"); editor.view.focus() },
    output: () => { layout.showPart("output"); runPanel.focus() },
    files: () => { layout.showPart("files"); files.focus() },
    chat: () => { layout.showPart("chat"); chat.focus() },
    nextProblem: () => { editor.nextProblem(); editor.view.focus() },
    problems: () => editor.listProblems(),
    tabMode: isOn => { editor.view.setTabFocusMode(isOn); statusBar.showTabMode(isOn) },
  })
  const setSize = () => document.documentElement.style.setProperty("--code-size", `${settings.current.fontSize}px`)
  settings.on("change", setSize)
  setSize()
  void editor.loadRest()
  void document.fonts.load("14px 'JetBrains Mono'").then(() => editor.view.requestMeasure())

  exposeHook({workspace, runs, runPanel, tests, call, run})
  connection.open()
  if (session.room) {
    layout.codeCover.hidden = false
    layout.codeCover.textContent = t("opening_room")
  } else if (snippet) {
    void fromFragment(snippet).catch(() => null).then(saved => {
      if (!saved) notify(t("snippet_bad"))
      workspace.openLocal(saved ?? undefined)
    })
  } else workspace.openLocal()
  // The terminal is wanted soon: fetched when there is nothing else to do.
  const idle = (call: () => void) => "requestIdleCallback" in window ? requestIdleCallback(call) : setTimeout(call, 500)
  idle(() => void import("@xterm/xterm"))
}

function openRunOptions(anchor: Element, options: {args: string, alone: boolean, isPrivate: boolean}, isShared: boolean): void {
  const args = h("input", {id: "arguments", class: "text-input", value: options.args, tPlaceholder: "arguments_hint",
    autocomplete: "off", spellcheck: "false", on: {input: () => { options.args = args.value }}})
  const check = (name: "alone" | "isPrivate", word: "only_this_file" | "private_run") => {
    const box = h("input", {type: "checkbox", id: `option-${name}`, checked: options[name],
      on: {change: () => { options[name] = box.checked }}})
    return h("label", {class: "check"}, box, h("span", {t: word}))
  }
  openPopover(anchor, "run-options-box", "run_options", h("label", {for: "arguments", class: "field-label", t: "arguments"}), args,
    check("alone", "only_this_file"), isShared ? check("isPrivate", "private_run") : h("span"))
  args.focus()
}

start()
