// Voice and screens, off until asked for. What the page always has: who is in the call, and the buttons'
// state. The machinery (rtc.ts) is loaded with the first call.
//
// Signals are relayed as they are. Beside WebRTC's own descriptions and candidates, `description` carries
// {call: "join"} (I am in the call, answer me) and {call: "here"} (so am I); `bye` leaves it.
import {h, replaceChildren} from "./dom"
import {Emitter} from "./emitter"
import {t} from "./i18n"
import {notify} from "./overlays"
import type {Received} from "./protocol"
import type {Mesh} from "./rtc"
import type {Session} from "./session"

interface Note { call?: "join" | "here" }

export class Call extends Emitter<{changed: undefined}> {
  isOn = false
  isMuted = false
  #mesh: Mesh | null = null
  readonly #inCall = new Set<string>() // connections of others
  readonly #stage = h("div", {id: "call-stage", class: "call-stage"})

  constructor(readonly session: Session) {
    super()
    document.body.append(this.#stage)
    session.connection.on("rtc_signal", message => void this.#receive(message))
    session.on("members", () => this.#followMembers())
    session.connection.on("state", state => {
      if (state == "open") return
      this.#inCall.clear()
      this.#mesh?.closeAll()
      this.emit("changed", undefined)
    })
    session.on("joined", () => { if (this.isOn) this.#tellAll("join") })
  }

  get others(): number { return this.#inCall.size }
  get isSharing(): boolean { return this.#mesh?.isSharing ?? false }
  get mesh(): Mesh | null { return this.#mesh }
  isInCall(connectionId: string): boolean {
    return this.#inCall.has(connectionId) || this.isOn && connectionId == this.session.connectionId
  }

  async join(withVoice = true): Promise<void> {
    if (this.isOn || !this.session.joined) return
    const mesh = await this.#load()
    if (withVoice) {
      try {
        await mesh.openMicrophone()
      } catch {
        return notify(t("call_failed"))
      }
    }
    this.isOn = true
    this.isMuted = !withVoice
    this.#tellAll("join")
    this.emit("changed", undefined)
  }

  leave(): void {
    if (!this.isOn) return
    this.isOn = false
    for (const id of this.session.members.keys())
      if (id != this.session.connectionId) this.#send(id, "bye", {})
    this.#mesh?.end()
    this.#draw()
    this.emit("changed", undefined)
  }

  mute(isMuted: boolean): void {
    if (!isMuted && this.#mesh && !this.#mesh.hasMicrophone) {
      void this.#mesh.openMicrophone().then(() => this.mute(false), () => notify(t("call_failed")))
      return
    }
    this.isMuted = isMuted
    this.#mesh?.mute(isMuted)
    this.emit("changed", undefined)
  }

  async shareScreen(): Promise<void> {
    const mesh = await this.#load()
    try {
      await mesh.openScreen()
    } catch {
      return notify(t("call_screen_failed"))
    }
    if (!this.isOn) await this.join(false)
    mesh.offerScreen()
    this.emit("changed", undefined)
  }

  stopScreen(): void {
    this.#mesh?.closeScreen()
    this.emit("changed", undefined)
  }

  async #load(): Promise<Mesh> {
    if (this.#mesh) return this.#mesh
    const {Mesh} = await import("./rtc")
    return this.#mesh ??= new Mesh({
      send: (to, kind, payload) => this.#send(to, kind, payload),
      // Of two that offer at once, one gives way: both must agree on which.
      isPolite: other => this.session.connectionId < other,
      onChange: () => { this.#draw(); this.emit("changed", undefined) },
    })
  }

  async #receive({from, kind, payload}: Received<"rtc_signal">): Promise<void> {
    const note = (payload ?? {}) as Note
    if (kind == "bye") {
      this.#inCall.delete(from)
      this.#mesh?.close(from)
      return this.emit("changed", undefined)
    }
    if (kind == "description" && note.call) {
      this.#inCall.add(from)
      if (note.call == "join" && this.isOn) this.#send(from, "description", {call: "here"})
      // Whoever was there already begins, so that not both do.
      if (note.call == "join" && this.isOn) this.#mesh?.connect(from)
      return this.emit("changed", undefined)
    }
    if (this.isOn && this.#inCall.has(from)) await this.#mesh?.receive(from, kind, payload)
  }

  #followMembers(): void {
    const {members, connectionId} = this.session
    for (const id of this.#inCall) {
      if (members.has(id)) continue
      this.#inCall.delete(id)
      this.#mesh?.close(id)
    }
    // Whoever has just come does not know that there is a call.
    if (this.isOn)
      for (const id of members.keys())
        if (id != connectionId && !this.#inCall.has(id)) this.#send(id, "description", {call: "here"})
    this.emit("changed", undefined)
  }

  #tellAll(call: "join" | "here"): void {
    for (const id of this.session.members.keys())
      if (id != this.session.connectionId) this.#send(id, "description", {call})
  }

  #send(to: string, kind: string, payload: unknown): void {
    this.session.connection.send({type: "rtc_signal", to, kind, payload})
  }

  #draw(): void {
    const screens = this.#mesh?.screens() ?? []
    replaceChildren(this.#stage, ...screens.map(([id, video]) => {
      const name = this.session.members.get(id)?.name ?? t("somebody")
      video.setAttribute("aria-label", t("call_of", {name}))
      return h("figure", {class: "screen", "data-testid": "remote-screen"}, video, h("figcaption", {}, t("call_of", {name})))
    }))
    this.#stage.hidden = screens.length == 0
  }
}
