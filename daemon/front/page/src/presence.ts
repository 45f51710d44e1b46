// Tells the room where our cursor is, and shows where the others are. What is told is where the cursor is in
// the text that the server has, so that what we have typed since does not move it.
import {hideCursors, showCursor} from "./cursors"
import type {Doc} from "./doc"
import {Emitter} from "./emitter"
import type {Received} from "./protocol"
import type {Session} from "./session"
import type {Workspace} from "./workspace"

const GAP_MS = 50, TYPING_MS = 1500, RANGES = 16

export interface Place { path: string, head: number, typing: boolean }

export class Presence extends Emitter<{moved: string}> {
  readonly places = new Map<string, Place>() // by connection_id
  #timer: ReturnType<typeof setTimeout> | undefined
  #last = 0
  #typed = 0
  #said = ""

  constructor(readonly session: Session, readonly workspace: Workspace) {
    super()
    const {connection} = session
    connection.on("presence", message => this.#receive(message))
    connection.on("cursor_change", message => this.#receiveCursor(message))
    session.on("members", () => this.#forget())
    session.on("joined", () => { this.#said = "" })
    workspace.on("shown", () => this.tell())
    workspace.on("progress", () => this.tell())
  }

  typed(): void {
    this.#typed = Date.now()
    this.tell()
  }

  /** Our cursor may have moved. */
  tell(): void {
    if (this.#timer !== undefined || !this.session.joined) return
    const wait = Math.max(0, this.#last + GAP_MS - Date.now())
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#send()
    }, wait)
  }

  #send(): void {
    const doc = this.workspace.shown, sync = doc?.sync
    if (!doc || !sync || sync.phase != "open" || this.session.members.size < 2) return
    const ranges = doc.state.selection.ranges.slice(0, RANGES)
      .map(({anchor, head}) => ({anchor: sync.toServer(anchor), head: sync.toServer(head)}))
    const message = {type: "presence", file_path: doc.path, epoch: sync.epoch, version: sync.version, ranges,
      typing: Date.now() - this.#typed < TYPING_MS}
    const said = JSON.stringify({...message, version: 0})
    if (said == this.#said) return
    this.#said = said
    this.#last = Date.now()
    this.session.connection.send(message)
  }

  #receive(message: Received<"presence">): void {
    const doc = this.workspace.files.get(message.file_path), sync = doc?.sync
    const {connection_id: connectionId, name, color} = message
    const head = message.ranges[0]?.head ?? 0
    this.places.set(connectionId, {path: message.file_path, head, typing: message.typing})
    if (doc && sync && sync.phase == "open" && sync.epoch == message.epoch && message.version <= sync.version) {
      const ranges = message.ranges
        .map(range => ({anchor: sync.fromServer(range.anchor), head: sync.fromServer(range.head)}))
      this.places.set(connectionId, {path: message.file_path, head: ranges[0]?.head ?? 0, typing: message.typing})
      this.#show(doc, {connectionId, name, color, ranges, at: Date.now()})
    }
    this.emit("moved", connectionId)
  }

  /** Of base clients: lines and columns. */
  #receiveCursor({connection_id: connectionId, name, file_path, position}: Received<"cursor_change">): void {
    const doc = this.workspace.files.get(file_path)
    if (!doc || !connectionId) return
    const line = doc.text.line(Math.min(position.line + 1, doc.text.lines))
    const head = Math.min(line.from + position.column, line.to)
    this.places.set(connectionId, {path: file_path, head, typing: false})
    const color = this.session.members.get(connectionId)?.color ?? 0
    this.#show(doc, {connectionId, name, color, ranges: [{anchor: head, head}], at: Date.now()})
    this.emit("moved", connectionId)
  }

  #show(doc: Doc, cursor: Parameters<typeof showCursor.of>[0]): void {
    for (const other of this.workspace.files.values())
      if (other != doc) other.dispatch({effects: hideCursors.of(id => id == cursor.connectionId)})
    doc.dispatch({effects: showCursor.of(cursor)})
  }

  #forget(): void {
    const {members} = this.session
    for (const id of this.places.keys()) if (!members.has(id)) this.places.delete(id)
    for (const doc of this.workspace.files.values())
      doc.dispatch({effects: hideCursors.of(id => !members.has(id))})
    this.#said = "" // whoever came knows nothing yet
    this.tell()
  }
}
