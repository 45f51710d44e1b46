// The messages of the protocol as far as the page reads them. Fields that may be missing say so.

export type ChangesJSON = (number | [number, ...string[]])[]
export type Role = "owner" | "editor" | "runner" | "viewer"

export interface Person {
  connection_id: string
  client_id: string
  user_id: string
  name: string
  color: number
  role: Role
}

export interface FileInfo {
  file_path: string
  version: number
  bytes: number
  language?: string
}

export interface ChatLine {
  message: string
  message_id: number
  connection_id?: string
  client_id?: string
  user_id?: string
  name?: string
  timestamp: string
}

export interface Update {
  client_id: string
  seq: number
  changes: ChangesJSON
  ts: number
}

export interface Limits {
  message_bytes: number
  code_bytes: number
  doc_bytes: number
  files: number
  push_updates: number
  push_bytes: number
  chat_chars: number
  files_per_run: number
}

export interface RunResult {
  success: boolean
  output: string
  error: string
  execution_time: number
  language: string
  verdict: string
  reason?: string
  exit_code: number | null
  signal: string | null
  cpu_time: number
  wall_time: number
  memory_peak: number
  truncated?: {stdout: number, stderr: number}
  compile?: {success: boolean, cached?: boolean, output: string, error: string, wall_time: number}
  queued_time?: number
  start?: string
}

/** What every message about a run says; `id` only to who started it, the person only to the others. */
export interface AboutRun {
  run_id: string
  id?: string
  connection_id?: string
  user_id?: string
  name?: string
}

export interface Issue {
  type: "error" | "warning" | "info"
  message: string
  line: number
  column?: number
  end_line?: number
  end_column?: number
  rule?: string
  suggestion?: string
  fix?: {range: Range, text: string}
}

export interface Position { line: number, column?: number, character?: number }
export interface Range { start: Position, end: Position }

export interface Analysis {
  language: string
  success: boolean
  syntax_valid: boolean
  metrics: Record<string, number>
  issues: Issue[]
  quality_score: number
  error?: string
}

export interface Suggestion {
  label: string
  insert: string
  kind: string
  detail?: string
  range?: Range
  score?: number
}

export interface Incoming {
  connection_established: {connection_id: string, client_id: string, user_id: string, resume_token: string,
    heartbeat_ms: number, limits: Limits, features: string[]}
  hello_ok: {connection_id: string, client_id: string, user_id: string, resumed: boolean, resume_token: string}
  pong: object
  room_joined: Person & {room_id: string, users: Person[], files: FileInfo[], chat: ChatLine[],
    runs?: (Incoming["execution_result"] | Incoming["execution_started"])[]}
  room_left: {room_id: string, replaced?: boolean}
  user_joined: Person
  user_left: Person
  doc_state: {file_path: string, epoch: string, version: number, content: string, language?: string, eol: string,
    last_seq: number, hash: string, read_only: boolean}
  doc_updates: {file_path: string, epoch: string, version: number, resumed?: boolean, last_seq?: number,
    updates: Update[], hash?: string}
  doc_ack: {file_path: string, epoch: string, version: number, count: number, last_seq: number, hash?: string}
  doc_history_chunk: {file_path: string, version: number, updates: Update[], more: boolean}
  presence: Person & {file_path: string, epoch: string, version: number, ranges: {anchor: number, head: number}[],
    typing: boolean}
  cursor_change: Person & {file_path: string, position: {line: number, column: number}}
  chat_message: ChatLine
  file_operation: {operation: "create" | "delete" | "rename", file_path: string, new_path?: string, name?: string}
  rtc_signal: {from: string, kind: string, payload: unknown}
  execution_queued: AboutRun & {position: number}
  execution_started: AboutRun & {language: string, version?: string, start?: string}
  execution_stage: AboutRun & {stage: string}
  execution_output: AboutRun & {stream: string, data: string, seq: number}
  execution_usage: AboutRun & {cpu_time: number, memory: number, wall_time: number}
  execution_result: AboutRun & {result: RunResult, timestamp: string}
  analysis_result: {file_path: string, analysis: Analysis, epoch?: string, version?: number}
  suggestion_result: {file_path: string, suggestions: Suggestion[]}
  error: {code: string, message: string, run_id?: string, retry_after_ms?: number}
}

export type IncomingType = keyof Incoming
export type Received<Type extends IncomingType> = Incoming[Type] & {type: Type, id?: string}
export type AnyReceived = {[Type in IncomingType]: Received<Type>}[IncomingType]
export interface Outgoing { type: string, id?: string, [field: string]: unknown }

/** What the server answers a request with when it does not do it. Code "lost": nobody knows. */
export class Refusal extends Error {
  constructor(readonly code: string, message: string, readonly retryAfterMs = 0) { super(message) }
}
