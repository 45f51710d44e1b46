// A mesh of WebRTC connections, one to each other member of the call, by perfect negotiation. Good for about
// six people; more would need a server that mixes.

export interface MeshHost {
  send(to: string, kind: "description" | "candidate", payload: unknown): void
  isPolite(other: string): boolean
  onChange(): void
}

interface Peer {
  connection: RTCPeerConnection
  isMakingOffer: boolean
  ignoresOffer: boolean
  audio: HTMLAudioElement
  video: HTMLVideoElement
  hasScreen: boolean
  screenSender: RTCRtpSender | null
}

export class Mesh {
  readonly #peers = new Map<string, Peer>()
  #microphone: MediaStream | null = null
  #screen: MediaStream | null = null

  constructor(readonly host: MeshHost) {}

  get isSharing(): boolean { return this.#screen !== null }
  get hasMicrophone(): boolean { return this.#microphone !== null }

  /** For looking at: connections by the other's connection_id. */
  connections(): [string, RTCPeerConnection][] { return [...this.#peers].map(([id, {connection}]) => [id, connection]) }

  async openMicrophone(): Promise<void> {
    if (this.#microphone) return
    this.#microphone = await navigator.mediaDevices.getUserMedia({audio: {echoCancellation: true, noiseSuppression: true}})
    for (const peer of this.#peers.values()) this.#addVoice(peer)
  }

  mute(isMuted: boolean): void {
    for (const track of this.#microphone?.getAudioTracks() ?? []) track.enabled = !isMuted
  }

  async openScreen(): Promise<void> {
    if (this.#screen) return
    this.#screen = await navigator.mediaDevices.getDisplayMedia({video: {frameRate: 15}, audio: false})
    // The browser has a button of its own that ends it.
    this.#screen.getVideoTracks()[0]?.addEventListener("ended", () => this.closeScreen())
  }

  offerScreen(): void { for (const peer of this.#peers.values()) this.#addScreen(peer) }

  closeScreen(): void {
    for (const track of this.#screen?.getTracks() ?? []) track.stop()
    this.#screen = null
    for (const peer of this.#peers.values()) {
      if (peer.screenSender) peer.connection.removeTrack(peer.screenSender)
      peer.screenSender = null
    }
    this.host.onChange()
  }

  /** Begins a connection; tracks that are added make the offer. */
  connect(id: string): void {
    const peer = this.#peer(id)
    // With nothing to send there is still something to hear.
    if (!this.#microphone && !this.#screen) peer.connection.addTransceiver("audio", {direction: "recvonly"})
  }

  async receive(id: string, kind: string, payload: unknown): Promise<void> {
    const peer = this.#peer(id), {connection} = peer
    try {
      if (kind == "candidate") {
        await connection.addIceCandidate(payload as RTCIceCandidateInit)
        return
      }
      const description = payload as RTCSessionDescriptionInit
      const collides = description.type == "offer" && (peer.isMakingOffer || connection.signalingState != "stable")
      peer.ignoresOffer = collides && !this.host.isPolite(id)
      if (peer.ignoresOffer) return
      await connection.setRemoteDescription(description)
      if (description.type != "offer") return
      await connection.setLocalDescription()
      this.host.send(id, "description", connection.localDescription)
    } catch (error) {
      if (!peer.ignoresOffer) console.warn("cloister: a signal of a call was of no use:", error)
    }
  }

  close(id: string): void {
    const peer = this.#peers.get(id)
    if (!peer) return
    this.#peers.delete(id)
    peer.connection.close()
    peer.audio.srcObject = peer.video.srcObject = null
    peer.audio.remove()
    this.host.onChange()
  }

  closeAll(): void { for (const id of [...this.#peers.keys()]) this.close(id) }

  end(): void {
    this.closeScreen()
    this.closeAll()
    for (const track of this.#microphone?.getTracks() ?? []) track.stop()
    this.#microphone = null
  }

  screens(): [string, HTMLVideoElement][] {
    return [...this.#peers].filter(([, peer]) => peer.hasScreen).map(([id, peer]) => [id, peer.video])
  }

  #peer(id: string): Peer {
    const known = this.#peers.get(id)
    if (known) return known
    const connection = new RTCPeerConnection({iceServers: []})
    const audio = document.createElement("audio"), video = document.createElement("video")
    audio.autoplay = video.autoplay = video.playsInline = video.muted = true
    audio.dataset["testid"] = "remote-voice"
    const peer: Peer = {connection, isMakingOffer: false, ignoresOffer: false, audio, video, hasScreen: false, screenSender: null}
    this.#peers.set(id, peer)
    document.body.append(audio)
    connection.onnegotiationneeded = () => void this.#offer(id, peer)
    connection.onicecandidate = ({candidate}) => { if (candidate) this.host.send(id, "candidate", candidate) }
    connection.ontrack = ({track, streams}) => {
      const stream = streams[0] ?? new MediaStream([track])
      if (track.kind == "audio") audio.srcObject = stream
      else this.#showScreen(peer, track, stream)
    }
    connection.onconnectionstatechange = () => {
      if (connection.connectionState == "failed") connection.restartIce()
      this.host.onChange()
    }
    this.#addVoice(peer)
    this.#addScreen(peer)
    return peer
  }

  #showScreen(peer: Peer, track: MediaStreamTrack, stream: MediaStream): void {
    peer.video.srcObject = stream
    peer.hasScreen = true
    const set = (isThere: boolean) => () => {
      peer.hasScreen = isThere
      this.host.onChange()
    }
    track.onmute = track.onended = set(false)
    track.onunmute = set(true)
    stream.onremovetrack = set(false)
    this.host.onChange()
  }

  async #offer(id: string, peer: Peer): Promise<void> {
    try {
      peer.isMakingOffer = true
      await peer.connection.setLocalDescription()
      this.host.send(id, "description", peer.connection.localDescription)
    } catch (error) {
      console.warn("cloister: no offer could be made:", error)
    } finally {
      peer.isMakingOffer = false
    }
  }

  #addVoice(peer: Peer): void {
    const track = this.#microphone?.getAudioTracks()[0]
    if (!track || peer.connection.getSenders().some(sender => sender.track == track)) return
    peer.connection.addTrack(track, this.#microphone!)
  }

  #addScreen(peer: Peer): void {
    const track = this.#screen?.getVideoTracks()[0]
    if (!track || peer.screenSender) return
    peer.screenSender = peer.connection.addTrack(track, this.#screen!)
  }
}
