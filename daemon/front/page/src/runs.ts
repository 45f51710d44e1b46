// Runs, ours and the room's: started, fed, ended, and what they have printed so far.
import type {Connection} from "./connection"
import {Emitter} from "./emitter"
import type {AboutRun, Outgoing, Received, RunResult} from "./protocol"
import type {Session} from "./session"

const KEPT_RUNS = 8, KEPT_OUTPUT = 1 << 20, KEPT_SAMPLES = 600

export interface Sample { time: number, cpu: number, memory: number } // seconds, part of a core, bytes

export interface Run {
  number: number
  runId: string
  isOurs: boolean
  by: string        // the name of whoever started it
  file: string
  language: string
  state: "asked" | "queued" | "compile" | "run" | "done"
  position: number  // in the queue
  hasTerminal: boolean
  output: string[]
  outputSize: number
  samples: Sample[]
  result: RunResult | null
  refusal: {code: string, message: string} | null
}

export interface Program {
  entry: string
  language: string
  files: {path: string, content: string}[]
  args: string[]
}

interface Events {
  changed: Run
  output: {run: Run, data: string}
  finished: Run
  shown: Run | null
}

function request({entry, language, files, args}: Program): Outgoing {
  const only = files.length == 1 ? files[0] : undefined
  return {type: "execute_code", language, file_path: entry, args,
    ...only ? {code: only.content} : {files, entry}}
}

/** stderr in red, as a terminal would have it. */
const red = (text: string) => `\x1b[31m${text}\x1b[39m`
const forTerminal = (text: string) => text.replace(/\r?\n/g, "\r\n")

export class Runs extends Emitter<Events> {
  readonly all: Run[] = []
  shown: Run | null = null
  readonly #byId = new Map<string, Run>()
  readonly #byRunId = new Map<string, Run>()
  #lastCpu = new Map<Run, {cpu: number, wall: number}>()
  #next = 1

  constructor(readonly connection: Connection, readonly session: Session) {
    super()
    connection.on("execution_queued", message => this.#change(message, run => {
      run.state = "queued"
      run.position = message.position
    }))
    connection.on("execution_started", message => this.#started(message))
    connection.on("execution_stage", message => this.#change(message, run => {
      run.state = message.stage == "compile" ? "compile" : "run"
    }))
    connection.on("execution_output", message => this.#printed(message))
    connection.on("execution_usage", message => this.#change(message, run => this.#sample(run, message)))
    connection.on("execution_result", message => this.#finished(message))
    connection.on("error", error => this.#refused(error))
    connection.on("state", state => { if (state != "open") this.#lost() })
    session.on("joined", ({runs}) => {
      for (const run of runs ?? []) {
        if (run.run_id && this.#byRunId.has(run.run_id)) continue
        if ("result" in run) this.#finished(run as Received<"execution_result">, true)
        else this.#started(run as Received<"execution_started">)
      }
    })
  }

  /** Ours that is not over. */
  get running(): Run | undefined { return this.all.find(run => run.isOurs && run.state != "done") }

  start(program: Program, {cols, rows, isPrivate}: {cols: number, rows: number, isPrivate: boolean}): Run {
    const run = this.#add({isOurs: true, by: this.session.name, file: program.entry, language: program.language,
      hasTerminal: true})
    const id = this.connection.ask({...request(program), stream: true, tty: true, cols, rows, usage: true,
      ...isPrivate && {private: true}})
    if (id) this.#byId.set(id, run)
    else {
      run.state = "done"
      run.refusal = {code: "lost", message: ""}
    }
    this.show(run)
    this.emit("changed", run)
    return run
  }

  /** One that nobody sees and that is answered with its result. Rejects with a Refusal. */
  async judge(program: Program, stdin: string): Promise<RunResult> {
    const {result} = await this.connection.request({...request(program), stdin, private: true}, "execution_result")
    return result
  }

  input(run: Run, data: string): void {
    if (run.runId && run.state != "done") this.connection.send({type: "execution_input", run_id: run.runId, data})
  }

  resize(run: Run, cols: number, rows: number): void {
    if (run.runId && run.state != "done" && run.hasTerminal && run.isOurs)
      this.connection.send({type: "execution_resize", run_id: run.runId, cols, rows})
  }

  stop(run: Run): void {
    if (run.state == "done") return
    const id = [...this.#byId].find(([, each]) => each == run)?.[0]
    this.connection.send({type: "execution_cancel", ...run.runId ? {run_id: run.runId} : {id}})
  }

  show(run: Run | null): void {
    this.shown = run
    this.emit("shown", run)
  }

  // --- What the server says

  #started(message: Received<"execution_started">): void {
    const ours = message.id ? this.#byId.get(message.id) : undefined
    const run = ours ?? this.#find(message) ?? this.#add({isOurs: false, by: message.name ?? "", file: "",
      language: message.language, hasTerminal: true})
    run.runId = message.run_id
    run.language = message.language
    if (run.state != "compile") run.state = "run"
    this.#byRunId.set(message.run_id, run)
    if (!ours && !this.running) this.show(run)
    this.emit("changed", run)
  }

  #printed(message: Received<"execution_output">): void {
    const run = this.#find(message)
    if (!run) return
    const data = message.stream == "tty" ? message.data
      : message.stream == "stderr" ? red(forTerminal(message.data)) : forTerminal(message.data)
    this.#print(run, data)
  }

  #print(run: Run, data: string): void {
    run.output.push(data)
    run.outputSize += data.length
    while (run.outputSize > KEPT_OUTPUT && run.output.length > 1) run.outputSize -= run.output.shift()!.length
    this.emit("output", {run, data})
  }

  #sample(run: Run, {cpu_time, memory, wall_time}: Received<"execution_usage">): void {
    const last = this.#lastCpu.get(run) ?? {cpu: 0, wall: 0}
    this.#lastCpu.set(run, {cpu: cpu_time, wall: wall_time})
    const passed = wall_time - last.wall
    run.samples.push({time: wall_time, memory, cpu: passed > 0 ? Math.max(0, (cpu_time - last.cpu) / passed) : 0})
    // A long run keeps every other one.
    if (run.samples.length > KEPT_SAMPLES) run.samples = run.samples.filter((_, at) => at % 2 == 1)
  }

  #finished(message: Received<"execution_result">, isOld = false): void {
    const {result} = message
    let run = this.#find(message)
    if (!run) {
      if (message.id) return // a judged one
      run = this.#add({isOurs: false, by: message.name ?? "", file: "", language: result.language, hasTerminal: false})
      run.runId = message.run_id
      this.#byRunId.set(message.run_id, run)
      this.#print(run, forTerminal(result.output) + (result.error ? red(forTerminal(result.error)) : ""))
    } else if (result.verdict == "compile_error") {
      this.#print(run, forTerminal(result.compile?.error || result.error))
    }
    run.result = result
    this.#over(run)
    if (!this.running && (isOld || !run.isOurs)) this.show(run)
    if (!isOld) this.emit("finished", run)
  }

  #refused(error: Received<"error">): void {
    const run = error.id ? this.#byId.get(error.id) : undefined
    if (!run || run.state == "done") return
    run.refusal = error
    this.#over(run)
  }

  #lost(): void {
    for (const run of this.all) {
      if (run.state == "done") continue
      run.refusal = {code: "lost", message: ""}
      this.#over(run)
    }
  }

  // --- Steps

  #over(run: Run): void {
    run.state = "done"
    this.#lastCpu.delete(run)
    for (const [id, each] of this.#byId) if (each == run) this.#byId.delete(id)
    this.emit("changed", run)
  }

  #find(message: AboutRun): Run | undefined {
    return this.#byRunId.get(message.run_id) ?? (message.id ? this.#byId.get(message.id) : undefined)
  }

  #change(message: AboutRun, change: (run: Run) => void): void {
    const run = this.#find(message)
    if (!run || run.state == "done") return
    if (message.run_id && !run.runId) {
      run.runId = message.run_id
      this.#byRunId.set(message.run_id, run)
    }
    change(run)
    this.emit("changed", run)
  }

  #add(about: Pick<Run, "isOurs" | "by" | "file" | "language" | "hasTerminal">): Run {
    const run: Run = {...about, number: this.#next++, runId: "", state: "asked", position: 0, output: [],
      outputSize: 0, samples: [], result: null, refusal: null}
    this.all.push(run)
    while (this.all.length > KEPT_RUNS) {
      const old = this.all.find(each => each.state == "done" && each != this.shown)
      if (!old) break
      this.all.splice(this.all.indexOf(old), 1)
      this.#byRunId.delete(old.runId)
    }
    return run
  }
}
