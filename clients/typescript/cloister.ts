/**
 * A client of Cloister in one file without a dependency: browsers, Node 18 or newer, Deno, Bun.
 *
 *     import {Cloister} from "./cloister.ts"
 *     console.log((await new Cloister().execute({language: "python", code: "print(6 * 7)"})).output)
 *
 * Everything that the daemon refuses, and everything that goes wrong on the way, is a CloisterError with a `code`.
 * interactive() needs a WebSocket: browsers and Node 22 have one, older ones are given the package "ws":
 * `new Cloister(url, {WebSocket: ws})`.
 */

/** Seconds and bytes (also such as "64m"), at most what the daemon allows. */
export interface Limits {
  wall_time?: number
  cpu_time?: number
  memory?: number | string
  cpu_percent?: number
  processes?: number
  output_bytes?: number | string
  file_bytes?: number | string
  file_count?: number
  open_files?: number
  stack?: number | string
}

export interface SourceFile {
  path: string
  content: string
  encoding?: "utf8" | "base64"
}

/** A program: `code`, or `files`, or both. */
export interface Program {
  language: string
  code?: string
  files?: SourceFile[]
  file_path?: string
  entry?: string
  args?: string[]
  version?: string
  limits?: Limits
}

export interface Run extends Program {
  stdin?: string
  output_encoding?: "utf8" | "base64"
  /** Paths of files to be read back when the program has ended. */
  collect?: string[]
}

/** A file that was asked for, or why there is none. */
export interface CollectedFile {
  path: string
  content?: string
  encoding?: "utf8" | "base64"
  bytes?: number
  error?: "missing" | "not_regular" | "too_large" | "unreadable" | "not_collected"
}

export interface Compile {
  success: boolean
  cached: boolean
  output: string
  error: string
  wall_time: number
}

export type Verdict =
  | "ok" | "nonzero_exit" | "signalled" | "time_limit" | "wall_limit" | "memory_limit" | "output_limit"
  | "process_limit" | "forbidden_syscall" | "compile_error" | "cancelled" | "internal_error"

/** A program that fails is a result like any other: see `verdict`. */
export interface Result {
  success: boolean
  output: string
  error: string
  verdict: Verdict
  reason?: string
  exit_code: number | null
  signal: string | null
  cpu_time: number
  wall_time: number
  execution_time: number
  memory_peak: number
  truncated: {stdout: number, stderr: number}
  compile?: Compile
  language: string
  method: string
  queued_time: number
  setup_time: number
  start: string
  output_encoding?: "base64"
  files?: CollectedFile[]
  /** What the executor does not protect, in words. */
  unprotected?: string[]
}

export interface Test {
  name?: string
  stdin?: string
  expected?: string
  encoding?: "utf8" | "base64"
  limits?: Limits
  group?: string
}

export interface Judging extends Program {
  tests: Test[]
  groups?: {name: string, points?: number, score?: "all" | "each" | "sum" | "min"}[]
  checker?: Checker
  stop_at_first_failure?: boolean
  passes?: number
}

export type Checker =
  | {type?: "token", absolute?: number, relative?: number, case_sensitive?: boolean, space_sensitive?: boolean}
  | {type: "exact" | "lines"}
  | ({type: "program" | "interactor", keep?: string[]} & Program)

export type Word = "AC" | "WA" | "PE" | "TLE" | "MLE" | "OLE" | "RTE" | "CE" | "JE"

export interface TestVerdict {
  test: number
  name: string
  verdict: Word
  group?: string
  cause?: string
  reason?: string
  exit_code: number | null
  signal: string | null
  cpu_time: number
  wall_time: number
  memory_peak: number
  difference?: Record<string, unknown>
  stderr?: string
  checker?: Record<string, unknown>
  passes?: number
  team_message?: string
  score?: number
  score_multiplier?: number
}

export interface JudgeResult {
  verdict: Word
  cause?: string
  decided_by?: number
  language: string
  tests: number
  judged: number
  skipped: number
  verdicts: Partial<Record<Word, number>>
  points: number
  max_points: number
  groups: {name: string, points: number, max_points: number, tests: number, judged: number, passed: number}[]
  cpu_time: number
  wall_time: number
  memory_peak: number
  compile?: Compile
}

export interface Submission<R = Result | JudgeResult> {
  id: string
  kind: string
  state: "queued" | "running" | "done" | "failed"
  created: string
  ended?: string
  expires?: string
  result?: R
  error?: {code: string, message: string, retry_after_ms?: number}
}

export interface Runtime {
  id: string
  name: string
  version: string | null
  available: boolean
  packages?: string[]
  default_file: string
  extensions: string[]
}

/** What happens to a run. Those of a submission have a `number`, after which events() goes on. */
export type RunEvent =
  | {name: "started", data: {language: string, version: string, method: string, start?: string}, number: number}
  | {name: "stage", data: {stage: "compile" | "run"}, number: number}
  | {name: "output", data: {stream: "stdout" | "stderr" | "tty", data: string, encoding?: "base64"}, number: number}
  | {name: "usage", data: {wall_time: number, cpu_time: number, memory: number}, number: number}
  | {name: "queued", data: {position: number}, number: number}
  | {name: "gap", data: {forgotten: number}, number: number}
  | {name: "refused", data: {code: string, message: string}, number: number} // of what was sent to a running program
  | {name: "result", data: Result, number: number}

export type JudgeEvent =
  | {name: "started", data: {language: string, version: string, tests: number}, number: number}
  | {name: "compiled", data: Compile, number: number}
  | {name: "verdict", data: TestVerdict, number: number}
  | {name: "result", data: JudgeResult, number: number}

/** `code` is a word of the protocol, `status` that of HTTP, or 0 where no answer came. */
export class CloisterError extends Error {
  readonly code: string
  readonly status: number
  readonly retryAfterMs: number | undefined

  constructor(code: string, message: string, status = 0, retryAfterMs?: number) {
    super(`${code}: ${message}`)
    this.name = new.target.name
    this.code = code
    this.status = status
    this.retryAfterMs = retryAfterMs
  }
}
/** The request is wrong: a field, a language, a limit. Sending it again is of no use. */
export class RefusedError extends CloisterError {}
/** A token is needed, or it is another one; or this page may not ask. */
export class UnauthorizedError extends CloisterError {}
/** There is no such submission (any more). */
export class NotFoundError extends CloisterError {}
/** The daemon is too busy or is stopping; try again after `retryAfterMs`. */
export class BusyError extends CloisterError {}
/** No answer, or half of one. Whether the request was carried out is not known. */
export class UnreachableError extends CloisterError {}

/** As much of a WebSocket as is needed: a browser's, Node's, that of the package "ws". */
export interface SocketLike {
  send(text: string): void
  close(code?: number): void
  onopen: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
}
export type SocketMaker = new (url: string, protocols: string[]) => SocketLike

export interface Options {
  token?: string
  fetch?: typeof fetch
  WebSocket?: SocketMaker
}

export interface Waiting {
  /** Aborting ends the run. */
  signal?: AbortSignal
  /** 1 to 255 printable characters: with it the same request is safe to repeat. */
  key?: string
}

interface ErrorBody {
  code?: string
  message?: string
  retry_after_ms?: number
}

function failure(status: number, error: ErrorBody): CloisterError {
  const code = error.code ?? "unknown"
  const message = error.message ?? "no reason was given"
  if (status === 401 || status === 403) return new UnauthorizedError(code, message, status)
  if (status === 404) return new NotFoundError(code, message, status)
  const isBusy = status === 429 || status === 503 || code === "busy"
  if (isBusy) return new BusyError(code, message, status, error.retry_after_ms ?? 1000)
  return status >= 500 ? new CloisterError(code, message, status) : new RefusedError(code, message, status)
}

function unreachable(why: unknown): CloisterError {
  return why instanceof CloisterError ? why : new UnreachableError("unreachable", String(why))
}

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5000

function pause(failures: number): Promise<void> {
  const time = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS)
  return new Promise(resolve => setTimeout(resolve, time))
}

export class Cloister {
  readonly #url: URL
  readonly #token: string | undefined
  readonly #fetch: typeof fetch
  readonly #socket: SocketMaker | undefined

  constructor(url: string | URL = "http://127.0.0.1:8000", options: Options = {}) {
    this.#url = new URL(url)
    if (!this.#url.pathname.endsWith("/")) this.#url.pathname += "/"
    this.#token = options.token
    this.#fetch = options.fetch ?? fetch.bind(globalThis)
    this.#socket = options.WebSocket ?? (globalThis as {WebSocket?: SocketMaker}).WebSocket
  }

  /** Runs a program and waits for its end. */
  async execute(run: Run, waiting: Waiting = {}): Promise<Result> {
    return await this.#post("api/v1/execute", run, waiting, true) as Result
  }

  /** Begins a run and comes back at once; see submission(), events(), cancel(). */
  async submit(run: Run, waiting: Waiting = {}): Promise<Submission<Result>> {
    return await this.#post("api/v1/execute", {...run, stream: true}, waiting, false) as Submission<Result>
  }

  /** What happens while it happens; the last event is the result. Leaving the loop early ends the run. */
  async *stream(run: Run): AsyncGenerator<RunEvent, void> {
    yield* this.#follow<RunEvent>((await this.submit(run)).id)
  }

  /** Runs a program on tests and waits for the end. */
  async judge(judging: Judging, waiting: Waiting = {}): Promise<JudgeResult> {
    return await this.#post("api/v1/judge", judging, waiting, true) as JudgeResult
  }

  /** A verdict for each test as it comes; the last event is the result. */
  async *judgeStream(judging: Judging): AsyncGenerator<JudgeEvent, void> {
    const submission = await this.#post("api/v1/judge", judging, {}, false) as Submission<JudgeResult>
    yield* this.#follow<JudgeEvent>(submission.id)
  }

  async submission(id: string): Promise<Submission> {
    return await this.#ask("GET", this.#of(id)) as Submission
  }

  /** Ends it. What has ended stays as it is. */
  async cancel(id: string): Promise<Submission> {
    return await this.#ask("DELETE", this.#of(id)) as Submission
  }

  async runtimes(): Promise<Runtime[]> {
    return (await this.#ask("GET", "api/v1/runtimes") as {runtimes: Runtime[]}).runtimes
  }

  /** The events that come after number `after`. A connection that breaks is made again, and nothing is lost. */
  async *events<E extends RunEvent | JudgeEvent = RunEvent>(id: string, after = 0, retries = 5): AsyncGenerator<E, void> {
    for (let failures = 0; ;) {
      try {
        for await (const event of this.#readEvents(id, after)) {
          after = Math.max(after, event.number)
          failures = 0
          if (event.name === "error") throw failure(200, event.data as ErrorBody)
          yield event as unknown as E
          if (event.name === "result") return
        }
        return // nothing comes after `after`
      } catch (why) {
        if (!(why instanceof UnreachableError) || ++failures > retries) throw why
        await pause(failures)
      }
    }
  }

  /** A run whose stdin stays open, with a terminal if `terminal` says how large. */
  async interactive(run: Run, terminal?: {cols: number, rows: number}): Promise<InteractiveRun> {
    if (!this.#socket) throw new CloisterError("no_websocket", "there is no WebSocket here: see the option WebSocket")
    const address = new URL("api/v1/ws/demo", this.#url)
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:"
    const protocols = ["cloister.v2", ...(this.#token ? ["bearer." + this.#token] : [])]
    const socket = new this.#socket(String(address), protocols)
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve()
      socket.onerror = () => reject(new UnreachableError("unreachable", "the WebSocket was not opened"))
      socket.onclose = () => reject(new UnreachableError("unreachable", "the WebSocket was closed"))
    })
    const kind = terminal ? {tty: true, ...terminal} : {interactive: true}
    return new InteractiveRun(socket, {...run, ...kind})
  }

  // -- The wire

  #of(id: string): string { return "api/v1/submissions/" + encodeURIComponent(id) }

  async *#follow<E extends RunEvent | JudgeEvent>(id: string): AsyncGenerator<E, void> {
    let ended = false
    try {
      for await (const event of this.events<E>(id)) {
        ended = event.name === "result"
        yield event
      }
    } catch (why) {
      ended = why instanceof CloisterError
      throw why
    } finally {
      if (!ended) await this.cancel(id)
    }
  }

  async #post(path: string, body: object, waiting: Waiting, wait: boolean): Promise<unknown> {
    const how = wait ? {wait: true, cancel_on_disconnect: waiting.signal !== undefined} : {}
    const fields: Record<string, string> = waiting.key === undefined ? {} : {"Idempotency-Key": waiting.key}
    return this.#ask("POST", path, {...body, ...how}, fields, waiting.signal)
  }

  #begin(method: string, path: string, body?: object, fields: Record<string, string> = {},
         signal?: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = {...fields}
    if (body) headers["Content-Type"] = "application/json"
    if (this.#token) headers["Authorization"] = "Bearer " + this.#token
    const init: RequestInit = {method, headers, redirect: "error"}
    if (body) init.body = JSON.stringify(body)
    if (signal) init.signal = signal
    return this.#fetch(new URL(path, this.#url), init)
  }

  async #ask(method: string, path: string, body?: object, fields?: Record<string, string>,
             signal?: AbortSignal): Promise<unknown> {
    let status: number, read: unknown
    try {
      const answer = await this.#begin(method, path, body, fields, signal)
      status = answer.status
      const text = await answer.text()
      read = text ? JSON.parse(text) : {}
    } catch (why) {
      if (signal?.aborted) throw signal.reason
      throw unreachable(why)
    }
    if (status >= 400) throw failure(status, (read as {error?: ErrorBody}).error ?? {})
    return read
  }

  async *#readEvents(id: string, after: number): AsyncGenerator<{name: string, data: unknown, number: number}, void> {
    const giveUp = new AbortController()
    let last = ""
    try {
      const fields: Record<string, string> = after > 0 ? {"Last-Event-ID": String(after)} : {}
      const answer = await this.#begin("GET", this.#of(id) + "/events", undefined, fields, giveUp.signal)
      if (answer.status === 204) return
      if (answer.status !== 200 || !answer.body)
        throw failure(answer.status, (await answer.json() as {error?: ErrorBody}).error ?? {})
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
      for (let held = ""; ;) {
        const {value, done} = await reader.read()
        if (done) break
        const blocks = (held + value).split("\n\n")
        held = blocks.pop() ?? ""
        for (const block of blocks) {
          const event = readBlock(block, after)
          if (!event) continue
          last = event.name
          yield event
        }
      }
    } catch (why) {
      throw unreachable(why)
    } finally {
      giveUp.abort() // so that nothing stays open for those who left early
    }
    if (last !== "result" && last !== "error") throw new UnreachableError("unreachable", "the stream broke off")
  }
}

function readBlock(block: string, after: number): {name: string, data: unknown, number: number} | undefined {
  let name = "", data = "", number = after
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7)
    else if (line.startsWith("data: ")) data += line.slice(6)
    else if (line.startsWith("id: ")) number = Number(line.slice(4))
  }
  return data ? {name, data: JSON.parse(data), number} : undefined
}

const RUN = "run"

/** Yields what happens; `result` is there as well for those who do not care. One reader at a time. */
export class InteractiveRun implements AsyncIterable<RunEvent> {
  readonly result: Promise<Result>
  readonly #socket: SocketLike
  readonly #events: RunEvent[] = []
  #wake: () => void = () => {}
  #failure: CloisterError | undefined
  #accepted = false
  #ended = false

  constructor(socket: SocketLike, run: object) {
    this.#socket = socket
    this.result = new Promise((resolve, reject) => {
      const fail = (why: CloisterError) => {
        if (this.#ended) return
        this.#failure = why
        this.#end()
        reject(why)
      }
      socket.onmessage = (event: unknown) => {
        const message = JSON.parse((event as {data: string}).data) as Record<string, unknown>
        if (message["id"] !== RUN) return
        if (message["type"] === "error") {
          const {code, message: words} = message as {code: string, message: string}
          const isOfInput = this.#accepted && ["bad_message", "too_large"].includes(code)
          if (isOfInput) this.#push({name: "refused", data: {code, message: words}, number: 0})
          else fail(failure(0, message as ErrorBody))
          return
        }
        this.#accepted = true
        if (message["type"] === "execution_result") {
          this.#push({name: "result", data: message["result"] as Result, number: 0})
          this.#end()
          resolve(message["result"] as Result)
        } else {
          const {type, id: _, run_id: __, timestamp: ___, ...data} = message
          this.#push({name: String(type).replace("execution_", ""), data, number: 0} as unknown as RunEvent)
        }
      }
      socket.onclose = () => fail(new UnreachableError("unreachable", "the WebSocket was closed"))
      socket.onerror = () => fail(new UnreachableError("unreachable", "the WebSocket broke"))
    })
    this.result.catch(() => {}) // whoever reads the events hears of it there
    this.#send("execute_code", {...run, stream: true})
  }

  /** Input for the program. */
  write(data: string): void { this.#send("execution_input", {data}) }
  /** Nothing more will be written. */
  end(): void { this.#send("execution_input", {eof: true}) }
  signal(signal: string): void { this.#send("execution_signal", {signal}) }
  resize(cols: number, rows: number): void { this.#send("execution_resize", {cols, rows}) }
  cancel(): void { this.#send("execution_cancel", {}) }

  async *[Symbol.asyncIterator](): AsyncGenerator<RunEvent, void> {
    try {
      for (;;) {
        const event = this.#events.shift()
        if (event) yield event
        else if (this.#failure) throw this.#failure
        else if (this.#ended) return
        else await new Promise<void>(resolve => { this.#wake = resolve })
      }
    } finally {
      if (!this.#ended) this.cancel()
    }
  }

  #send(type: string, fields: object): void {
    if (!this.#ended) this.#socket.send(JSON.stringify({type, id: RUN, ...fields}))
  }

  #push(event: RunEvent): void {
    this.#events.push(event)
    this.#wake()
  }

  #end(): void {
    this.#ended = true
    this.#socket.close(1000)
    this.#wake()
  }
}
