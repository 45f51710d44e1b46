// A real daemon with a state directory of its own, which can be killed at any moment and started again on
// what it left. Ends exactly the processes that it started, and goes when we go.
import {spawn} from "node:child_process"
import fs from "node:fs"
import os from "node:os"
import path from "node:path"
import {setTimeout as sleep} from "node:timers/promises"
import {fileURLToPath} from "node:url"

const SOURCE = fileURLToPath(new URL("../..", import.meta.url))
const START_MS = 60_000

export class Daemon {
  constructor(build, config = {}) {
    this.build = path.resolve(build)
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "cloister-collab-"))
    fs.chmodSync(this.folder, 0o755) // the front is not root, and goes through it to its state
    fs.writeFileSync(path.join(this.folder, "cloister.jsonc"), JSON.stringify(config))
    this.state = path.join(this.folder, "state")
    this.port = 0
    this.starts = 0
    this.process = null
    this.isExpected = true  // that it ends
    this.onDeath = () => {} // told when it ends by itself
  }

  get log() { return path.join(this.folder, `log-${this.starts}`) }
  address() { return `ws://127.0.0.1:${this.port}` }
  text() { return fs.readFileSync(this.log, "utf8") }

  /** Starts it on the port that it had. Throws with its last words when it does not come up. */
  async start() {
    this.starts++
    const log = fs.openSync(this.log, "w")
    this.process = spawn("setpriv", ["--pdeathsig", "TERM", path.join(this.build, "cloisterd"),
      "--listen", `127.0.0.1:${this.port}`, "--state-dir", this.state, "--policies", path.join(SOURCE, "policies"),
      "--runtimes", path.join(SOURCE, "runtimes"), "--config", path.join(this.folder, "cloister.jsonc")],
    {stdio: ["ignore", log, log]})
    fs.closeSync(log)
    this.ended = new Promise(resolve => this.process.on("exit", resolve))
    this.process.on("exit", (code, signal) => {
      this.isGone = true
      if (!this.isExpected) this.onDeath(`the daemon ended by itself, ${signal ?? code}: ${this.text().slice(-1000)}`)
    })
    this.isGone = false
    for (const end = Date.now() + START_MS; ; await sleep(20)) {
      const found = /serving http:\/\/\S+:(\d+)\//.exec(this.text())
      if (found) {
        this.port = Number(found[1])
        this.isExpected = this.isGone
        return
      }
      if (this.isGone || Date.now() > end) {
        await this.stop()
        throw new Error("the daemon did not start: " + this.text().trim().split("\n").pop())
      }
    }
  }

  /** The front's process id: the keeper's child of that name. */
  front() {
    const keeper = this.process.pid
    for (const pid of fs.readFileSync(`/proc/${keeper}/task/${keeper}/children`, "utf8").trim().split(" ")) {
      try {
        if (fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith("cloisterd-front")) return Number(pid)
      } catch { /* it ended meanwhile */ }
    }
    throw new Error("no front")
  }

  /** SIGKILL to "front", "keeper" or "both"; returns when both are gone, which they must be soon. */
  async kill(whom) {
    const front = this.front(), keeper = this.process.pid
    this.isExpected = true
    if (whom != "keeper") process.kill(front, "SIGKILL")
    if (whom != "front") process.kill(keeper, "SIGKILL")
    await this.ended
    for (const end = Date.now() + 10_000; fs.existsSync(`/proc/${front}`); await sleep(5))
      if (Date.now() > end) throw new Error("the front outlives its keeper")
  }

  async stop() {
    if (!this.process || this.isGone) return
    this.isExpected = true
    this.process.kill("SIGTERM")
    const timer = setTimeout(() => this.process.kill("SIGKILL"), 20_000)
    await this.ended
    clearTimeout(timer)
  }

  /** Takes all that it wrote away, too. */
  async end() {
    await this.stop()
    fs.rmSync(this.folder, {recursive: true, force: true})
  }
}
