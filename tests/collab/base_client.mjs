// A client that knows the base messages only, and none of the fields that came later: it shows the last
// whole text that it was told, sends whole texts, and has no ids, versions or resume.
import {Connection} from "./connection.mjs"

const RETRY_MS = 200

export class BaseClient {
  constructor({name, server, room, complain = () => {}, byAddress = false}) {
    Object.assign(this, {name, room, complain, byAddress})
    this.files = new Map() // path to text
    this.joined = false
    this.counts = {edits: 0, received: 0, merged: 0}
    this.connection = new Connection(
      () => server() + (byAddress ? `/api/v1/ws/room/${room}` : "/api/v1/ws/demo"),
      {onMessage: message => this.receive(message), onLost: () => { this.joined = false }})
  }

  open() { this.connection.open() }
  drop(how) { this.connection.drop(how) }
  isQuiet() { return this.joined }
  text(path) { return this.files.get(path) }

  receive(message) {
    const handle = this["on_" + message.type]
    if (handle) handle.call(this, message)
  }

  /** What the user makes of a text. False when there is none. */
  edit(path, change) {
    if (!this.joined || !this.files.has(path)) return false
    const before = this.files.get(path), after = change(before)
    if (before == after) return false
    this.files.set(path, after)
    this.counts.edits++
    this.tell(path)
    return true
  }

  tell(path) {
    this.connection.send({type: "code_change", file_path: path, content: this.files.get(path), change_type: "edit",
      position: {line: 0, column: 0}})
  }

  /** Its own operations are not answered: it comes in anew to see what there is. */
  operate(operation, path, newPath) {
    if (!this.joined) return
    const more = newPath ? {new_path: newPath} : {}
    this.connection.send({type: "file_operation", operation, file_path: path, ...more})
    this.comeInAnew()
  }

  comeInAnew() {
    this.joined = false
    this.connection.send({type: "leave_room"})
    this.connection.send({type: "join_room", room_id: this.room})
  }

  say(text) { if (this.joined) this.connection.send({type: "chat_message", message: text}) }

  on_connection_established() {
    if (!this.byAddress) this.connection.send({type: "join_room", room_id: this.room})
  }

  on_room_joined({files}) {
    this.joined = true
    this.files = new Map(files.map(file => [file.file_path, this.files.get(file.file_path) ?? ""]))
  }

  on_code_change({file_path, content, change_type}) {
    if (typeof content != "string") this.complain(`${this.name}: code_change without content`)
    this.counts[change_type == "merge" ? "merged" : "received"]++
    this.files.set(file_path, content)
  }

  on_file_operation({operation, file_path, new_path}) {
    const touched = [...this.files.keys()].filter(path => path == file_path || path.startsWith(file_path + "/"))
    if (operation == "create" && !this.files.has(file_path)) this.files.set(file_path, "")
    if (operation == "create") return
    for (const path of touched) {
      const text = this.files.get(path)
      this.files.delete(path)
      if (operation == "rename") this.files.set(new_path + path.slice(file_path.length), text)
    }
  }

  on_error(message) {
    if (message.code == "rate_limited" || message.code == "busy") {
      // Which message it was, it cannot know: it says everything again.
      if (!this.retry && /chat/.test(message.message) == false)
        this.retry = setTimeout(() => {
          this.retry = null
          if (this.joined) for (const path of this.files.keys()) this.tell(path)
        }, RETRY_MS)
    } else if (["no_such_file", "file_exists", "bad_path"].includes(message.code)) {
      if (this.joined) this.comeInAnew()
    } else {
      this.complain(`${this.name}: ${JSON.stringify(message)}`)
    }
  }
}
