// A client that edits together with others, as a page does it: hello, resume, documents with pending
// updates, at most one push in flight, everything sent again that was not acknowledged. Beside that it
// watches whether the server keeps the rules R1 to R9 of the protocol; what it finds goes to `complain`.
import {Connection} from "./connection.mjs"
import {Document} from "./document.mjs"

const PUSH_UPDATES = 64
const RETRY_MS = 50
/**
 * What can happen to a client that does nothing wrong: others were faster, the server is busy, or too
 * much was done meanwhile for the server to move this client's updates over (it opens anew and does that
 * itself; that the history is the same one is looked at there).
 */
const ORDINARY = new Set(["no_such_file", "file_exists", "bad_path", "rate_limited", "busy", "stale_epoch"])

export class Client {
  /**
   * complain(what): a rule is broken. stable: files that are never renamed or deleted. eager: after a
   * loss, what was in flight is sent again without waiting for the answer to doc_open. rejoins: it
   * comes back into its room by the hello.
   */
  constructor({name, server, room, complain = () => {}, stable = [], eager = false, rejoins = false,
    address = "/api/v1/ws/demo", opens = () => true}) {
    Object.assign(this, {name, room, complain, stable: new Set(stable), eager, rejoins, opens})
    this.files = new Map() // path to {path, document, phase, openId, flight}
    this.orphans = []      // of files that are gone from their path: renamed or deleted while we were away
    this.void = new Set()  // ids of what was asked about files that are deleted
    this.chat = new Map()  // message_id to text
    this.lastChat = 0
    this.clientId = null
    this.ownIds = new Set()
    this.token = null
    this.joined = false
    this.nextId = 1
    this.counts = {edits: 0, confirmed: 0, received: 0, resumed: 0, states: 0, presences: 0, hashes: 0}
    this.onText = null // told of every foreign update, for measurements
    this.connection = new Connection(() => server() + address,
      {onMessage: message => this.receive(message), onLost: () => this.onLost()})
  }

  open() { this.connection.open() }
  drop(how) { this.connection.drop(how) }
  isQuiet() {
    return this.joined && this.orphans.length == 0 && [...this.files.values()].every(file =>
      !this.opens(file.path) || file.phase == "open" && file.document.pending.length == 0 && !file.flight)
  }

  onLost() {
    this.joined = false
    this.void.clear()
    for (const file of this.files.values()) {
      file.phase = "closed"
      file.openId = null
    }
  }

  ask(message) {
    const id = `${this.name}.${this.nextId++}`
    this.connection.send({...message, id})
    return id
  }

  // --- What the user does
  edit(path, changes) {
    const file = this.files.get(path)
    if (!file?.document) return false
    file.document.edit(changes)
    this.counts.edits++
    this.flush(file)
    return true
  }

  present(path, part) {
    const file = this.files.get(path)
    if (file?.phase != "open" || file.document.pending.length) return
    const head = Math.floor(part * file.document.base.length), {epoch, version} = file.document
    this.ask({type: "presence", file_path: path, epoch, version, ranges: [{anchor: 0, head}], typing: true})
  }

  operate(operation, path, newPath) {
    if (!this.joined) return
    const more = newPath ? {new_path: newPath} : {}
    this.ask({type: "file_operation", operation, file_path: path, ...more})
  }

  say(text) { if (this.joined) this.ask({type: "chat_message", message: text}) }

  // --- What the server says
  receive(message) {
    const handle = this["on_" + message.type]
    if (handle) handle.call(this, message)
  }

  on_connection_established({client_id, resume_token}) {
    const rooms = this.rejoins ? {rooms: [{room_id: this.room}]} : {}
    const resume = this.token ? {resume: {resume_token: this.token, ...rooms}} : {}
    this.token ??= resume_token
    this.clientId ??= client_id
    this.ask({type: "hello", protocol: 2, name: this.name, ...resume})
  }

  on_hello_ok({client_id, resumed}) {
    if (this.clientId != client_id)
      this.complain(`${this.name}: comes back as ${client_id}, was ${this.clientId}, resumed ${resumed}`)
    this.clientId = client_id
    this.ownIds.add(client_id)
    if (!resumed || !this.rejoins) this.ask({type: "join_room", room_id: this.room})
  }

  on_room_joined({files}) {
    this.joined = true
    const there = new Set(files.map(file => file.file_path))
    for (const file of [...this.files.values()]) if (!there.has(file.path)) this.setAside(file)
    for (const path of there) this.openFile(path)
    this.forgetOrphans()
  }

  openFile(path) {
    if (!this.opens(path)) return
    let file = this.files.get(path)
    if (!file) this.files.set(path, file = {path, document: null, phase: "closed", openId: null, flight: null})
    file.phase = "opening"
    const {epoch, version} = file.document ?? {}
    file.openId = this.ask({type: "doc_open", file_path: path, ...file.document && {epoch, version}})
    const flight = file.flight
    file.flight = null
    if (this.eager && flight && file.document && path == flight.path) this.push(file)
  }

  setAside(file) {
    this.files.delete(file.path)
    if (!file.document) return
    if (this.stable.has(file.path)) this.complain(`${this.name}: ${file.path} is gone`)
    if (file.document.pending.length) this.orphans.push(file)
  }

  /** When every file has said which history it is, whatever has found none was deleted. */
  forgetOrphans() {
    if ([...this.files.values()].every(file => !this.opens(file.path) || file.phase == "open")) this.orphans = []
  }

  /** The file that an answer to doc_open is for; nobody when it was asked anew since. */
  opening(message) {
    const file = [...this.files.values()].find(each => each.openId && each.openId == message.id)
    if (file) {
      file.openId = null
      file.phase = "open"
    }
    return file
  }

  on_doc_state(message) {
    const file = this.opening(message)
    if (!file) return
    this.counts.states++
    const document = file.document
    if (!document) {
      file.document = new Document(message)
      const orphan = this.orphans.find(each => each.document.epoch == message.epoch)
      if (orphan) { // renamed while we were away
        this.orphans.splice(this.orphans.indexOf(orphan), 1)
        file.document = orphan.document
        return this.openFile(file.path)
      }
    } else if (document.epoch == message.epoch) {
      if (message.version < document.version || message.last_seq < document.confirmed)
        this.complain(`${this.name}: ${file.path} went back from version ${document.version}, seq ` +
          `${document.confirmed} to version ${message.version}, seq ${message.last_seq}`)
      document.replace(message)
    } else { // another file at the same path, or a history that is lost
      if (this.stable.has(file.path)) this.complain(`${this.name}: ${file.path} has lost its history`)
      if (document.pending.length) this.orphans.push({...file})
      file.document = new Document(message)
    }
    this.check(file, message.hash)
    this.forgetOrphans()
    this.flush(file)
  }

  on_doc_updates(message) {
    const file = message.resumed ? this.opening(message) : this.files.get(message.file_path)
    if (file && file.phase != "open") { // another path may have been opened for a file that was there before
      if (this.stable.has(file.path)) this.complain(`${this.name}: R2: updates of ${file.path} before its opening`)
      return
    }
    if (!file?.document || file.document.epoch != message.epoch) return
    const document = file.document
    if (message.version < document.version) return this.complainOnce(file, "R7: updates that are known", message)
    if (message.version > document.version) {
      this.complainOnce(file, `R7: updates from ${message.version}, known up to ${document.version}`, message)
      return this.openFile(file.path)
    }
    if (message.resumed) {
      this.counts.resumed++
      file.catchUp = message.last_seq // own updates up to here may come along, also in the pieces that follow
      if (message.last_seq < document.confirmed)
        this.complain(`${this.name}: ${file.path}: acknowledged up to ${document.confirmed}, ` +
          `now only ${message.last_seq} are there`)
    }
    if (message.updates.length == 0 && message.hash) this.check(file, message.hash)
    for (const update of message.updates) this.apply(file, update)
    this.forgetOrphans()
    this.flush(file)
  }

  apply(file, {client_id, seq, changes}) {
    const document = file.document
    if (!this.ownIds.has(client_id)) {
      this.counts.received++
      document.receive(changes)
      this.onText?.(file.path, document)
      return
    }
    if (seq > (file.catchUp ?? 0)) this.complain(`${this.name}: ${file.path}: own update ${seq} echoed`)
    if (seq != document.confirmed + 1 || !document.pending.length)
      return this.complain(`${this.name}: ${file.path}: own update ${seq} after ${document.confirmed}, ` +
        `${document.pending.length} pending`)
    this.counts.confirmed++
    if (!document.confirmAs(changes))
      this.complain(`${this.name}: ${file.path}: own update ${seq} came back with another effect`)
  }

  on_doc_ack(message) {
    const file = [...this.files.values()].find(each => each.flight?.id == message.id)
    if (!file) return
    file.flight = null
    const document = file.document
    const fresh = message.last_seq - document.confirmed
    // R1: what others did before these is here already.
    if (fresh < 0 || fresh > document.pending.length || message.version < document.version + fresh)
      return this.complain(`${this.name}: R1: ${file.path} at ${document.version}, seq ${document.confirmed}, ` +
        `${document.pending.length} pending: ${JSON.stringify(message)}`)
    // Sent again while the answer to doc_open is under way: that one says what is confirmed.
    if (file.phase != "open") return
    if (message.version != document.version + fresh)
      this.complainOnce(file, `R1: ack of ${message.version} at ${document.version} + ${fresh}`, message)
    for (let i = 0; i < fresh; i++) {
      document.confirm()
      this.counts.confirmed++
    }
    if (message.hash) this.check(file, message.hash)
    this.flush(file)
  }

  check(file, hash) {
    this.counts.hashes++
    const document = file.document
    if (document.hash() == hash) return
    this.complain(`${this.name}: R9: ${file.path} differs at version ${document.version}: ${document.hash()} here, ` +
      `${hash} there: ${JSON.stringify(document.base.toString().slice(0, 500))}`)
    file.openId = this.ask({type: "doc_open", file_path: file.path, reason: "hash"})
  }

  complainOnce(file, rule, message) {
    this.complain(`${this.name}: ${rule}: ${file.path}: ${JSON.stringify(message).slice(0, 300)}`)
  }

  flush(file) {
    if (file.phase == "open" && !file.flight && file.document?.pending.length) this.push(file)
  }

  push(file) {
    const {epoch, version} = file.document, updates = file.document.updates(PUSH_UPDATES)
    file.flight = {path: file.path}
    file.flight.id = this.ask({type: "doc_push", file_path: file.path, epoch, version, updates})
  }

  on_file_operation({operation, file_path, new_path}) {
    if (operation == "create") this.openFile(file_path)
    const beneath = path => path == file_path || path.startsWith(file_path + "/")
    const touched = [...this.files.values()].filter(file => beneath(file.path))
    if (operation == "delete") for (const file of touched) {
      this.files.delete(file.path)
      for (const id of [file.flight?.id, file.openId]) if (id) this.void.add(id)
    }
    if (operation == "rename") for (const file of touched) {
      this.files.delete(file.path)
      file.path = new_path + file.path.slice(file_path.length)
      this.files.set(file.path, file)
    }
  }

  on_presence({file_path, epoch, version, ranges}) {
    const file = this.files.get(file_path)
    this.counts.presences++
    if (file?.phase != "open" || file.document.epoch != epoch) return
    const {base, version: known} = file.document
    const beyond = version == known && ranges.some(({anchor, head}) => Math.max(anchor, head) > base.length)
    if (version > known || beyond)
      this.complain(`${this.name}: presence at ${version}, ${JSON.stringify(ranges)}; here ${known}, ${base.length}`)
  }

  on_chat_message({message_id, message}) {
    if (message_id <= this.lastChat)
      this.complain(`${this.name}: chat message ${message_id} after ${this.lastChat}`)
    this.lastChat = message_id
    this.chat.set(message_id, message)
  }

  on_error(message) {
    const {code, id} = message
    const file = [...this.files.values()].find(each => id && (each.flight?.id == id || each.openId == id))
    const stale = file && file.flight?.id == id && file.flight.path != file.path // it was renamed meanwhile
    if (!ORDINARY.has(code) && !stale && !this.void.has(id)) this.complain(`${this.name}: ${JSON.stringify(message)}`)
    if (!file) return
    const opening = file.openId == id
    if (opening) file.openId = null
    else file.flight = null
    if (code == "rate_limited" || code == "busy")
      return void setTimeout(() => opening ? this.joined && this.openFile(file.path) : this.flush(file),
        message.retry_after_ms ?? RETRY_MS)
    if (stale) return this.flush(file)
    if (code == "no_such_file") return opening || this.stable.has(file.path) ? this.setAside(file) : undefined
    this.openFile(file.path) // and with its state what is pending is rebased
  }
}
