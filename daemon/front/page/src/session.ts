// Who we are for the server, which room we are in, and who else is there. Comes back as the same client
// after a loss by its resume token, which is kept for this tab alone.
import type {Connection} from "./connection"
import {Emitter} from "./emitter"
import type {ChatLine, Limits, Person, Received, Role} from "./protocol"
import {settings} from "./settings"

const TOKEN = "cloister.resume"
const CHAT_KEPT = 500

export const DEFAULT_LIMITS: Limits = {
  message_bytes: 1 << 20, code_bytes: 1 << 18, doc_bytes: 1 << 20, files: 64, push_updates: 64, push_bytes: 1 << 18,
  chat_chars: 4000, files_per_run: 64,
}

interface Events {
  established: undefined
  joined: Received<"room_joined">
  members: undefined
  chat: ChatLine[] // the new ones
  refused: {code: string, message: string} // the room does not let us in
}

export class Session extends Emitter<Events> {
  connectionId = ""
  clientId = ""
  readonly ownIds = new Set<string>()
  room: string | null = null
  joined = false
  role: Role = "owner"
  limits = DEFAULT_LIMITS
  readonly members = new Map<string, Person>() // by connection_id, ourselves included
  readonly chat: ChatLine[] = []
  roomToken: string | undefined
  /** What is told now was said before we came. */
  isEntering = false
  #joinId = ""

  constructor(readonly connection: Connection) {
    super()
    connection.on("connection_established", message => this.#greet(message))
    connection.on("hello_ok", message => this.#recognised(message))
    connection.on("room_joined", message => this.#enter(message))
    connection.on("room_left", ({replaced}) => { if (replaced) this.#replaced() })
    connection.on("user_joined", person => {
      this.members.set(person.connection_id, person)
      this.emit("members", undefined)
    })
    connection.on("user_left", person => {
      this.members.delete(person.connection_id)
      this.emit("members", undefined)
    })
    connection.on("chat_message", line => this.#hear([line]))
    connection.on("error", error => {
      if (error.id && error.id == this.#joinId) this.emit("refused", error)
    })
    connection.on("state", state => { if (state != "open") this.joined = false })
  }

  get mayEdit(): boolean { return !this.room || this.role != "viewer" }
  get mayRun(): boolean { return !this.room || this.role == "owner" || this.role == "runner" }
  get self(): Person | undefined { return this.members.get(this.connectionId) }
  get name(): string { return settings.current.name || this.#guestName() }

  #guestName(): string {
    let number = sessionStorage.getItem("cloister.guest")
    if (!number) sessionStorage.setItem("cloister.guest", number = String(100 + Math.floor(Math.random() * 900)))
    return `${settings.current.language == "ko" ? "손님" : "Guest"} ${number}`
  }

  /** Is in that room from now on, also after a loss. */
  enter(room: string): void {
    this.room = room
    if (this.connection.isOpen) this.#join()
  }

  say(message: string): Promise<unknown> {
    return this.connection.request({type: "chat_message", message}, "chat_message")
  }

  /** The name goes along with the hello, of which there is one for each connection. */
  rename(name: string): void {
    settings.change({name})
    this.connection.drop()
  }

  #join(): void {
    this.#joinId = this.connection.ask(
      {type: "join_room", room_id: this.room, name: this.name, token: this.roomToken})
  }

  #greet({connection_id, client_id, limits, resume_token}: Received<"connection_established">): void {
    this.connectionId = connection_id
    this.limits = {...DEFAULT_LIMITS, ...limits}
    const token = sessionStorage.getItem(TOKEN)
    if (!token) {
      this.clientId = client_id
      sessionStorage.setItem(TOKEN, resume_token)
    }
    this.connection.ask({type: "hello", protocol: 2, name: this.name, lang: settings.current.language,
      ...token && {resume: {resume_token: token}}})
    if (this.room) this.#join()
  }

  #recognised({connection_id, client_id, resume_token}: Received<"hello_ok">): void {
    this.connectionId = connection_id ?? this.connectionId
    this.clientId = client_id
    this.ownIds.add(client_id)
    if (resume_token) sessionStorage.setItem(TOKEN, resume_token)
    this.emit("established", undefined)
  }

  #enter(message: Received<"room_joined">): void {
    this.connectionId = message.connection_id
    this.role = message.role
    this.joined = true
    this.members.clear()
    for (const person of message.users) this.members.set(person.connection_id, person)
    this.emit("joined", message)
    this.emit("members", undefined)
    this.isEntering = this.chat.length == 0
    this.#hear(message.chat)
    this.isEntering = false
  }

  #hear(lines: ChatLine[]): void {
    const last = this.chat.at(-1)?.message_id ?? 0
    const fresh = lines.filter(line => line.message_id > last)
    this.chat.push(...fresh)
    this.chat.splice(0, this.chat.length - CHAT_KEPT)
    if (fresh.length) this.emit("chat", fresh)
  }

  /** Another tab has come back as us, since a copied tab copies the token: we go on as somebody new. */
  #replaced(): void {
    sessionStorage.removeItem(TOKEN)
    this.connection.drop()
  }
}
