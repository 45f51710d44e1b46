// A WebSocket that comes back: what is said on it goes to `onMessage`, and after each loss it is opened
// anew, with growing pauses, until it is closed for good. The last messages are kept for the report of a
// failure.
import WebSocket from "ws"

const KEPT = 300, SHOWN = 400
const PAUSE_MS = 50, LONGEST_PAUSE_MS = 1000

export class Connection {
  /** `address()` is asked before each opening. */
  constructor(address, {onMessage, onLost}) {
    this.address = address
    this.onMessage = onMessage
    this.onLost = onLost
    this.history = []
    this.socket = null
    this.isOpen = false
    this.wanted = false
    this.pause = PAUSE_MS
    this.timer = null
    this.losses = 0
    this.lossTimes = []
  }

  note(what) {
    this.history.push(`${Date.now() % 1e6} ${what.length > SHOWN ? what.slice(0, SHOWN) + "…" : what}`)
    if (this.history.length > KEPT) this.history.shift()
  }

  open() {
    clearTimeout(this.timer)
    this.wanted = true
    if (this.socket) return
    const socket = new WebSocket(this.address(), {perMessageDeflate: false, handshakeTimeout: 10_000})
    this.socket = socket
    socket.on("open", () => {
      if (socket != this.socket) return
      this.note("-- open")
      this.isOpen = true
      this.pause = PAUSE_MS
    })
    socket.on("message", data => {
      if (socket != this.socket) return // dropped: nothing of it may arrive any more
      const text = data.toString()
      this.note("<- " + text)
      this.onMessage(JSON.parse(text))
    })
    socket.on("error", error => this.note("-- " + error.message)) // "close" follows
    socket.on("close", (code, reason) => {
      if (socket != this.socket) return
      this.lose(`closed with ${code} ${reason}`)
    })
  }

  lose(why) {
    this.note("-- " + why)
    this.socket = null
    if (this.isOpen) {
      this.losses++
      this.lossTimes.push(Date.now())
    }
    this.isOpen = false
    this.onLost?.(why)
    if (!this.wanted) return
    // Half of the pause is jitter: whoever lost the same daemon does not come back at one moment.
    const wait = this.pause * (0.5 + Math.random() / 2)
    this.pause = Math.min(LONGEST_PAUSE_MS, this.pause * 2)
    this.timer = setTimeout(() => this.open(), wait)
  }

  send(message) {
    if (!this.isOpen) return false
    const text = JSON.stringify(message)
    this.note("-> " + text)
    this.socket.send(text)
    return true
  }

  /** The cable is pulled, "reset" with a reset; nothing is read any more. Stays so until open(). */
  drop(how) {
    clearTimeout(this.timer)
    this.wanted = false
    const socket = this.socket
    if (!socket) return
    this.lose(`dropped: ${how}`)
    // While it is still connecting there is nothing to be cut but the attempt.
    if (how == "reset" && socket._socket?.resetAndDestroy) socket._socket.resetAndDestroy()
    else if (how == "close" && socket.readyState == WebSocket.OPEN) socket.close(1000)
    else socket.terminate()
  }
}
