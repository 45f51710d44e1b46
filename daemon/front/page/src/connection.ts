// One WebSocket that comes back by itself: 250 ms to 10 s between attempts, with jitter. Messages are told
// in their order, synchronously; what is asked with an id can be waited for.
import {Emitter} from "./emitter"
import {Refusal} from "./protocol"
import type {AnyReceived, Incoming, IncomingType, Outgoing, Received} from "./protocol"

const FIRST_DELAY_MS = 250, LAST_DELAY_MS = 10_000
const UNAUTHORIZED = 4401

export type ConnectionState = "connecting" | "open" | "waiting" | "unauthorized"

type Events = {[Type in IncomingType]: Received<Type>} & {state: ConnectionState}

export class Connection extends Emitter<Events> {
  state: ConnectionState = "connecting"
  #socket: WebSocket | null = null
  #delay = FIRST_DELAY_MS
  #timer: ReturnType<typeof setTimeout> | undefined
  #heartbeat: ReturnType<typeof setInterval> | undefined
  #waiting = new Map<string, {answer: IncomingType, resolve: (message: AnyReceived) => void,
    reject: (why: Refusal) => void}>()
  #nextId = 1
  #lastHeard = 0

  constructor(readonly address: string, readonly bearer: string | null) {
    super()
    addEventListener("online", () => this.#hurry())
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.#hurry() })
  }

  open(): void {
    clearTimeout(this.#timer)
    this.#set("connecting")
    const protocols = this.bearer ? ["cloister.v2", `bearer.${this.bearer}`] : []
    const socket = this.#socket = new WebSocket(this.address, protocols)
    socket.onmessage = ({data}) => { if (socket == this.#socket) this.#receive(JSON.parse(data)) }
    socket.onclose = ({code}) => { if (socket == this.#socket) this.#lost(code) }
  }

  /** Cuts the line, as a bad network would; it comes back by itself. */
  drop(): void {
    const socket = this.#socket
    if (!socket) return
    this.#lost(0)
    socket.close()
  }

  get isOpen(): boolean { return this.state == "open" }

  send(message: Outgoing): boolean {
    if (!this.isOpen || this.#socket?.readyState != WebSocket.OPEN) return false
    this.#socket.send(JSON.stringify(message))
    return true
  }

  /** Sends with a fresh id, which is returned; "" when there is no connection. */
  ask(message: Outgoing): string {
    const id = `p${this.#nextId++}`
    return this.send({...message, id}) ? id : ""
  }

  /** The message of that type that repeats the request's id; rejects with a Refusal. */
  request<Type extends IncomingType>(message: Outgoing, answer: Type): Promise<Received<Type>> {
    const id = this.ask(message)
    return new Promise((resolve, reject) => {
      if (!id) return reject(new Refusal("lost", "There is no connection."))
      this.#waiting.set(id, {answer, reject, resolve: message => resolve(message as Received<Type>)})
    })
  }

  #receive(message: AnyReceived): void {
    this.#lastHeard = Date.now()
    if (message.type == "connection_established") {
      this.#delay = FIRST_DELAY_MS
      this.#beat(message.heartbeat_ms ?? 25_000)
      this.#set("open")
    }
    const waiting = message.id ? this.#waiting.get(message.id) : undefined
    if (waiting && (message.type == waiting.answer || message.type == "error")) {
      this.#waiting.delete(message.id!)
      if (message.type == "error")
        waiting.reject(new Refusal(message.code, message.message, message.retry_after_ms))
      else waiting.resolve(message)
    }
    this.emit(message.type, message as never as Events[keyof Incoming])
  }

  #lost(code: number): void {
    this.#socket = null
    clearInterval(this.#heartbeat)
    const lost = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const {reject} of lost) reject(new Refusal("lost", "The connection was lost."))
    if (code == UNAUTHORIZED) return this.#set("unauthorized")
    this.#set("waiting")
    this.#timer = setTimeout(() => this.open(), this.#delay * (0.5 + Math.random()))
    this.#delay = Math.min(2 * this.#delay, LAST_DELAY_MS)
  }

  /** A peer that is gone without a word is found out by its silence. */
  #beat(everyMs: number): void {
    clearInterval(this.#heartbeat)
    this.#heartbeat = setInterval(() => {
      if (Date.now() - this.#lastHeard > 2.5 * everyMs) this.drop()
      else this.send({type: "ping"})
    }, everyMs)
  }

  #hurry(): void {
    if (this.state != "waiting") return
    this.#delay = FIRST_DELAY_MS
    this.open()
  }

  #set(state: ConnectionState): void {
    if (state == this.state) return
    this.state = state
    this.emit("state", state)
  }
}
