// One document in step with the room's: CodeMirror's collaboration extension, used one update at a time (R3),
// and beside it the text that the server has at the version up to which both are in step, which hashes are
// held against. The rules R1 to R9 are the protocol's.
import {collab, getSyncedVersion, receiveUpdates, sendableUpdates} from "@codemirror/collab"
import {ChangeSet, Text} from "@codemirror/state"
import type {EditorState, Extension, Transaction} from "@codemirror/state"

import {hashOf} from "./crc32c"
import {replacement} from "./difference"
import type {Doc} from "./doc"
import type {Received} from "./protocol"
import type {Session} from "./session"

const OWN = "own", FOREIGN = "foreign"
const PUSH_GAP_MS = 20 // a server allows so many messages a second
const RETRY_MS = 300
/** A JSON text of changes is a little longer than what it inserts. */
const PUSH_SHARE = 0.5

export const counts = {divergences: 0}

export function collabExtension(version: number): Extension {
  return collab({startVersion: version, clientID: OWN})
}

export function lines(text: string): Text { return Text.of(text.split("\n")) }

export interface SyncHost {
  /** A fresh state for a text, with `collabExtension` among its extensions. */
  createState(doc: Doc, text: Text, version: number): EditorState
  onProgress(doc: Doc): void
  /** The server will never take what is pending; the text as it was here. */
  onRejected(doc: Doc, code: string, text: string): void
}

export class DocumentSync {
  epoch = ""
  base = Text.empty
  phase: "closed" | "opening" | "open" = "closed"
  hasText = false
  readOnly = false
  #confirmed = 0 // the seq of our last update that is known to be the server's
  #openId = ""
  #flight = ""
  #clientId = ""
  #lastPush = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(readonly doc: Doc, readonly session: Session, readonly host: SyncHost) {}

  get version(): number { return this.hasText ? getSyncedVersion(this.doc.state) : 0 }
  get unsent(): number { return this.hasText ? sendableUpdates(this.doc.state).length : 0 }
  get isSettled(): boolean { return this.phase == "open" && !this.#flight && this.unsent == 0 }
  owns(id: string | undefined): boolean { return !!id && (id == this.#openId || id == this.#flight) }

  open(reason?: "hash"): void {
    this.phase = "opening"
    this.#flight = ""
    const known = this.hasText && !reason ? {epoch: this.epoch, version: this.version} : {}
    this.#openId = this.session.connection.ask(
      {type: "doc_open", file_path: this.doc.path, ...known, ...reason && {reason}})
  }

  /** The connection is gone, and with it what was under way. */
  lose(): void {
    clearTimeout(this.#timer)
    this.phase = "closed"
    this.#openId = this.#flight = ""
  }

  // --- What the server says

  onState(message: Received<"doc_state">): void {
    if (!message.id || message.id != this.#openId) return
    this.#opened()
    this.readOnly = message.read_only
    if (this.hasText) this.#replace(message)
    else {
      this.base = lines(message.content)
      this.hasText = true
      this.doc.replaceState(this.host.createState(this.doc, this.base, message.version))
    }
    this.epoch = message.epoch
    this.#confirmed = message.last_seq
    this.#clientId = this.session.clientId
    this.#check(message.hash)
    this.#go()
  }

  onUpdates(message: Received<"doc_updates">): void {
    if (message.resumed) {
      if (message.id != this.#openId) return
      this.#opened()
      if (this.#clientId != this.session.clientId) this.#confirmed = message.last_seq ?? 0
      this.#clientId = this.session.clientId
    }
    if (this.phase != "open" || message.epoch != this.epoch) return
    if (message.version < this.version) return // known (R7)
    if (message.version > this.version) return this.open()
    const transactions: Transaction[] = []
    let state = this.doc.state
    const add = (transaction: Transaction) => {
      transactions.push(transaction)
      state = transaction.state
    }
    for (const update of message.updates) {
      const pending = this.session.ownIds.has(update.client_id) ? sendableUpdates(state)[0] : undefined
      if (pending) add(this.#confirm(state, pending.changes, update.client_id))
      else {
        const changes = ChangeSet.fromJSON(update.changes)
        this.base = changes.apply(this.base)
        add(receiveUpdates(state, [{changes, clientID: FOREIGN}]))
      }
    }
    this.doc.dispatchAll(transactions)
    if (message.hash && this.#check(message.hash)) return
    this.#go()
  }

  onAck(message: Received<"doc_ack">): void {
    if (!message.id || message.id != this.#flight) return
    this.#flight = ""
    if (this.phase != "open") return
    const transactions: Transaction[] = []
    let state = this.doc.state
    while (this.#confirmed < message.last_seq) {
      const pending = sendableUpdates(state)[0]
      if (!pending) break
      const transaction = this.#confirm(state, pending.changes, this.session.clientId)
      transactions.push(transaction)
      state = transaction.state
    }
    this.doc.dispatchAll(transactions)
    if (message.version != this.version) return this.open()
    if (message.hash && this.#check(message.hash)) return
    this.#go()
  }

  onError(error: Received<"error">): void {
    const wasOpening = error.id == this.#openId
    if (wasOpening) this.#openId = ""
    else this.#flight = ""
    switch (error.code) {
    case "rate_limited": case "busy": case "internal_error":
      return this.#later(error.retry_after_ms || RETRY_MS, wasOpening)
    case "no_such_file": case "not_in_room":
      this.phase = "closed" // a file_operation says more, or the room does
      return
    case "stale_epoch": case "version_ahead": case "bad_message":
      if (!wasOpening) this.open()
      return
    default:
      if (!wasOpening) this.#reject(error.code)
    }
  }

  // --- What is typed

  flush(): void {
    if (this.phase != "open" || this.#flight || this.unsent == 0) return
    const wait = this.#lastPush + PUSH_GAP_MS - performance.now()
    if (wait > 0) return this.#later(wait, false)
    this.#lastPush = performance.now()
    this.#clientId = this.session.clientId
    const {push_updates, push_bytes} = this.session.limits
    const updates = []
    let size = 0
    for (const {changes} of sendableUpdates(this.doc.state).slice(0, push_updates)) {
      const json = changes.toJSON()
      size += JSON.stringify(json).length * 3 // of UTF-8, at worst
      if (updates.length && size > push_bytes * PUSH_SHARE) break
      updates.push({seq: this.#confirmed + 1 + updates.length, changes: json})
    }
    this.#flight = this.session.connection.ask(
      {type: "doc_push", file_path: this.doc.path, epoch: this.epoch, version: this.version, updates})
  }

  /** Where positions of the shown text are in the text that the server has. */
  toServer(position: number): number {
    const pending = sendableUpdates(this.doc.state)
    for (let i = pending.length; i--;) position = pending[i]!.changes.desc.invertedDesc.mapPos(position)
    return position
  }

  fromServer(position: number): number {
    position = Math.min(position, this.base.length)
    for (const {changes} of sendableUpdates(this.doc.state)) position = changes.mapPos(position, 1)
    return position
  }

  // --- Steps

  #opened(): void {
    this.#openId = ""
    this.phase = "open"
  }

  #go(): void {
    this.flush()
    this.host.onProgress(this.doc)
  }

  #later(ms: number, opens: boolean): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => opens ? this.open() : this.flush(), ms)
  }

  /** Our oldest pending update has become the server's next one. */
  #confirm(state: EditorState, changes: ChangeSet, clientId: string): Transaction {
    this.base = changes.apply(this.base)
    if (clientId == this.#clientId) this.#confirmed++
    return receiveUpdates(state, [{changes, clientID: OWN}])
  }

  /** True when the texts are not the same: it opens anew. */
  #check(hash: string): boolean {
    if (hashOf(this.base) == hash) return false
    counts.divergences++
    console.error(`cloister: ${this.doc.path} is not the server's text at version ${this.version}`)
    this.open("hash")
    return true
  }

  /** The server's text is another one, whatever came between; what is pending is kept. */
  #replace({epoch, content, version, last_seq}: Received<"doc_state">): void {
    let pending = [...sendableUpdates(this.doc.state)]
    if (epoch == this.epoch && this.#clientId == this.session.clientId) {
      const arrived = Math.min(pending.length, Math.max(0, last_seq - this.#confirmed))
      for (const {changes} of pending.slice(0, arrived)) this.base = changes.apply(this.base)
      pending = pending.slice(arrived)
    }
    const {from, to, insert} = replacement(this.base.toString(), content)
    let between = ChangeSet.of({from, to, insert: lines(insert)}, this.base.length)
    this.base = lines(content)
    let state = this.host.createState(this.doc, this.base, version)
    for (const {changes} of pending) {
      state = state.update({changes: changes.map(between)}).state
      between = between.map(changes, true)
    }
    this.doc.replaceState(state)
  }

  #reject(code: string): void {
    this.host.onRejected(this.doc, code, this.doc.toString())
    this.hasText = false
    this.open()
  }
}
