// The files: in this browser alone, or a room's. Which one is shown, and what is done to them. Everything
// that changes a room's files goes through the server; what comes back is what counts.
import {Text} from "@codemirror/state"
import type {EditorState} from "@codemirror/state"

import {DocumentSync, lines} from "./collab"
import type {SyncHost} from "./collab"
import {Doc} from "./doc"
import type {Editor} from "./editor"
import {Emitter} from "./emitter"
import {LANGUAGES} from "./languages"
import {loadFiles, saveFiles} from "./local_files"
import type {SavedFiles} from "./local_files"
import {debounced} from "./dom"
import {Refusal} from "./protocol"
import type {Received} from "./protocol"
import type {Session} from "./session"

const PIECE = 60_000 // UTF-16 units that are put into a document at once
const SAVE_MS = 400

interface Events {
  files: undefined             // their names, or what may be done to them
  shown: Doc | null
  edited: Doc                  // by anybody
  progress: undefined          // of what is sent
  rejected: {doc: Doc, code: string, text: string}
  orphaned: {path: string, text: string}
}

export class Workspace extends Emitter<Events> implements SyncHost {
  readonly files = new Map<string, Doc>()
  shown: Doc | null = null
  /** Being shown as soon as it is there. */
  #wanted: string | null = null
  /** What new files of a room begin with. */
  readonly #beginnings = new Map<string, string>()
  /** Moved or deleted while we were away, with edits that nobody has yet. */
  #orphans: Doc[] = []
  #bringsAlong: SavedFiles | null = null
  readonly #save = debounced(SAVE_MS, () => this.saveLocally())

  constructor(readonly session: Session, readonly editor: Editor) {
    super()
    editor.docs = () => this.files.values()
    const {connection} = session
    connection.on("state", state => { if (state != "open") this.#lose() })
    connection.on("doc_state", message => {
      this.#at(message)?.onState(message)
      this.#settleOrphans(message)
    })
    connection.on("doc_updates", message => {
      const sync = this.#at(message)
      if (!sync) return
      sync.onUpdates(message)
      if (message.updates.length) this.emit("edited", sync.doc)
    })
    connection.on("doc_ack", message => this.#at(message)?.onAck(message))
    connection.on("error", error => {
      for (const {sync} of this.files.values()) if (sync?.owns(error.id)) sync.onError(error)
    })
    connection.on("file_operation", message => this.#operated(message))
    session.on("joined", message => this.#joined(message))
  }

  get isShared(): boolean { return this.session.room !== null }
  get unsent(): number {
    let sum = 0
    for (const {sync} of [...this.files.values(), ...this.#orphans]) sum += sync?.unsent ?? 0
    return sum
  }
  get isSettled(): boolean { return [...this.files.values()].every(({sync}) => !sync || sync.isSettled) }

  // --- What people do

  show(path: string): void {
    const doc = this.files.get(path)
    if (!doc) return void (this.#wanted = path)
    this.#wanted = null
    if (doc == this.shown) return
    this.shown = doc
    this.editor.show(doc)
    this.editor.refresh(doc)
    this.emit("shown", doc)
    this.#save()
  }

  /** Rejects with a Refusal. */
  async create(path: string, text = "", shows = true): Promise<void> {
    path = path.normalize("NFC")
    if (!this.isShared) {
      this.#refuseLocally(path)
      this.#addLocal(path, text)
      this.emit("files", undefined)
      if (shows) this.show(path)
      return this.#save()
    }
    if (text) this.#beginnings.set(path, text)
    if (shows) this.#wanted = path
    try {
      await this.#operate({operation: "create", file_path: path})
    } catch (error) {
      this.#beginnings.delete(path)
      if (this.#wanted == path) this.#wanted = null
      throw error
    }
  }

  async rename(path: string, newPath: string): Promise<void> {
    newPath = newPath.normalize("NFC")
    if (path == newPath) return
    if (this.isShared) return this.#operate({operation: "rename", file_path: path, new_path: newPath})
    this.#refuseLocally(newPath)
    this.#move(path, newPath)
    this.#save()
  }

  async remove(path: string): Promise<void> {
    if (this.isShared) return this.#operate({operation: "delete", file_path: path})
    this.#drop(path)
    this.#save()
  }

  /** Whole texts of all files, for a run, a link, a room. */
  texts(): {path: string, text: string}[] {
    return [...this.files.values()].map(doc => ({path: doc.path, text: doc.toString()}))
  }

  edited(doc: Doc, isRemote: boolean): void {
    if (!isRemote) doc.sync?.flush()
    if (!this.isShared) this.#save()
    this.emit("edited", doc)
    this.emit("progress", undefined)
  }

  /** Takes what this browser has, or was given by a link. */
  openLocal(saved: SavedFiles | null = loadFiles()): void {
    const {files, shown} = saved?.files.length ? saved
      : {files: [{path: LANGUAGES[0]!.file, text: LANGUAGES[0]!.example}], shown: LANGUAGES[0]!.file}
    for (const {path, text} of files) this.#addLocal(path, text)
    this.emit("files", undefined)
    this.show(this.files.has(shown) ? shown : files[0]!.path)
  }

  /** Makes a room of what is here. */
  share(room: string): void {
    this.saveLocally()
    this.#bringsAlong = {files: this.texts(), shown: this.shown?.path ?? ""}
    this.session.enter(room)
  }

  saveLocally(): void {
    if (!this.isShared && this.files.size) saveFiles({files: this.texts(), shown: this.shown?.path ?? ""})
  }

  // --- SyncHost

  createState(doc: Doc, text: Text, version: number): EditorState {
    return this.editor.createState(doc.path, text, version)
  }

  onProgress(doc: Doc): void {
    const beginning = this.#beginnings.get(doc.path)
    if (beginning !== undefined && doc.sync?.hasText) {
      this.#beginnings.delete(doc.path)
      if (doc.text.length == 0) this.#begin(doc, beginning)
    }
    this.emit("progress", undefined)
  }

  onRejected(doc: Doc, code: string, text: string): void { this.emit("rejected", {doc, code, text}) }

  // --- Rooms

  #joined({files}: Received<"room_joined">): void {
    if ([...this.files.values()].some(doc => !doc.sync)) this.#forgetLocal()
    const there = new Set(files.map(file => file.file_path))
    for (const doc of [...this.files.values()]) if (!there.has(doc.path)) this.#setAside(doc)
    for (const path of there) this.#addShared(path)
    const {session} = this
    if (!files.length && session.mayEdit) {
      const {file, example} = LANGUAGES[0]!
      const begin = this.#bringsAlong ?? {files: [{path: file, text: example}], shown: file}
      for (const {path, text} of begin.files)
        this.create(path, text, path == begin.shown).catch(() => { /* somebody else has made it just now */ })
    }
    this.#bringsAlong = null
    for (const doc of this.files.values()) this.editor.refresh(doc)
    this.#showSomething()
    this.emit("files", undefined)
  }

  #addShared(path: string): void {
    let doc = this.files.get(path)
    if (!doc) {
      doc = new Doc(path, this.editor.createState(path, Text.empty, null, true))
      doc.sync = new DocumentSync(doc, this.session, this)
      this.files.set(path, doc)
    }
    doc.sync?.open()
  }

  #operated({operation, file_path, new_path}: Received<"file_operation">): void {
    if (!this.isShared) return
    if (operation == "create" && !this.files.has(file_path)) this.#addShared(file_path)
    if (operation == "delete") this.#drop(file_path)
    if (operation == "rename" && new_path) this.#move(file_path, new_path)
    this.#showSomething()
    this.emit("files", undefined)
  }

  async #operate(operation: Record<string, string>): Promise<void> {
    await this.session.connection.request({type: "file_operation", ...operation}, "file_operation")
  }

  #at({file_path}: {file_path: string}): DocumentSync | null | undefined { return this.files.get(file_path)?.sync }

  #lose(): void {
    for (const {sync} of this.files.values()) sync?.lose()
    this.emit("progress", undefined)
  }

  #setAside(doc: Doc): void {
    this.files.delete(doc.path)
    if (doc.sync?.unsent) this.#orphans.push(doc)
    if (this.shown == doc) this.#show(null)
  }

  /** A history that we know, at another path: the file was renamed while we were away. */
  #settleOrphans({file_path, epoch}: Received<"doc_state">): void {
    const moved = this.#orphans.find(({sync}) => sync?.epoch == epoch)
    if (moved) {
      this.#orphans = this.#orphans.filter(doc => doc != moved)
      const isShown = this.shown?.path == file_path
      moved.path = file_path
      this.files.set(file_path, moved)
      moved.sync?.open()
      if (isShown) this.#show(moved)
    }
    const everyOneIsKnown = [...this.files.values()].every(({sync}) => sync?.phase == "open")
    if (!everyOneIsKnown) return
    for (const doc of this.#orphans) this.emit("orphaned", {path: doc.path, text: doc.toString()})
    this.#orphans = []
  }

  // --- Steps

  #begin(doc: Doc, text: string): void {
    text = text.replace(/\r\n?/g, "\n")
    for (let at = 0; at < text.length;) {
      let end = Math.min(text.length, at + PIECE)
      const unit = text.charCodeAt(end)
      if (unit >= 0xdc00 && unit < 0xe000) end++
      doc.dispatch({changes: {from: at, insert: lines(text.slice(at, end))}})
      at = end
    }
    doc.sync?.flush()
  }

  #addLocal(path: string, text: string): void {
    this.files.set(path, new Doc(path, this.editor.createState(path, lines(text.replace(/\r\n?/g, "\n")), null)))
  }

  #forgetLocal(): void {
    this.files.clear()
    this.#show(null)
  }

  #refuseLocally(path: string): void {
    const bad = !path || path.length > 200 || /^[/\-@]|\\|[\u0000-\u001f\u007f]|(^|\/)(\.{0,2})(\/|$)/.test(path)
    if (bad) throw new Refusal("bad_path", path)
    for (const there of this.files.keys())
      if (there == path || there.startsWith(path + "/") || path.startsWith(there + "/"))
        throw new Refusal("file_exists", there)
    if (this.files.size >= this.session.limits.files) throw new Refusal("too_large", path)
  }

  #beneath(path: string): Doc[] {
    return [...this.files.values()].filter(doc => doc.path == path || doc.path.startsWith(path + "/"))
  }

  #move(path: string, newPath: string): void {
    for (const doc of this.#beneath(path)) {
      this.files.delete(doc.path)
      doc.path = newPath + doc.path.slice(path.length)
      this.files.set(doc.path, doc)
      this.editor.refresh(doc)
    }
    this.emit("files", undefined)
    if (this.shown) this.emit("shown", this.shown)
  }

  #drop(path: string): void {
    for (const doc of this.#beneath(path)) {
      this.files.delete(doc.path)
      if (this.shown == doc) this.#show(null)
    }
    this.#showSomething()
    this.emit("files", undefined)
  }

  #showSomething(): void {
    if (this.#wanted && this.files.has(this.#wanted)) return this.show(this.#wanted)
    if (this.shown) return
    const first = [...this.files.keys()].sort()[0]
    if (first) this.show(first)
  }

  #show(doc: Doc | null): void {
    this.shown = doc
    this.editor.show(doc)
    this.emit("shown", doc)
  }
}
