// What the tests of the page share: one daemon, one browser, pages that tell of everything that should not have
// happened in them, and waiting that says what it waited for. `test(NAME, BODY)` declares a test.
import {spawnSync} from "node:child_process"
import fs from "node:fs"
import os from "node:os"
import path from "node:path"
import {setTimeout as sleep} from "node:timers/promises"
import {chromium} from "playwright-core"

import {Daemon} from "../collab/daemon.mjs"

export const BUILD = path.resolve(process.argv[2] ?? "build")
export const SLOW = Number(process.env.CLOISTER_SLOW ?? 1) // patience only, never a promise
const BROWSER = process.env.CHROMIUM ?? "/usr/bin/chromium"
const PATIENCE_MS = 15_000 * SLOW
const TONE_HZ = 440

export const tests = []
export const test = (name, body) => tests.push({name, body})

/** Tries `question` until its answer is truthy, and returns that. */
export async function until(what, question, patience = PATIENCE_MS) {
  let trouble = ""
  for (const end = Date.now() + patience; ; await sleep(40)) {
    try {
      const answer = await question()
      if (answer) return answer
      trouble = ""
    } catch (error) { trouble = `; ${error.message.split("\n")[0]}` }
    if (Date.now() > end) throw new Error(`waited in vain until ${what}${trouble}`)
  }
}

/** Waits until `question` answers `wanted`; says what it answered instead. */
export async function becomes(what, wanted, question, patience = PATIENCE_MS) {
  const text = JSON.stringify(wanted)
  let last = ""
  await until(what, async () => (last = JSON.stringify(await question())) == text, patience)
    .catch(error => { throw new Error(`${error.message}: ${last}, not ${text}`) })
}

let fresh = 0
export const freshRoom = () => `page_${process.pid}_${++fresh}`

/** A quarter of a second of a tone, for a microphone that is none. */
function writeTone(file) {
  const rate = 48_000, samples = rate / 4, bytes = Buffer.alloc(44 + 2 * samples)
  bytes.write("RIFF", 0); bytes.writeUInt32LE(36 + 2 * samples, 4); bytes.write("WAVEfmt ", 8)
  bytes.writeUInt32LE(16, 16); bytes.writeUInt16LE(1, 20); bytes.writeUInt16LE(1, 22)
  bytes.writeUInt32LE(rate, 24); bytes.writeUInt32LE(2 * rate, 28); bytes.writeUInt16LE(2, 32); bytes.writeUInt16LE(16, 34)
  bytes.write("data", 36); bytes.writeUInt32LE(2 * samples, 40)
  for (let i = 0; i < samples; i++)
    bytes.writeInt16LE(Math.round(20_000 * Math.sin(2 * Math.PI * TONE_HZ * i / rate)), 44 + 2 * i)
  fs.writeFileSync(file, bytes)
}

export class Stage {
  #folder = fs.mkdtempSync(path.join(os.tmpdir(), "cloister-page-"))
  #people = []

  async open() {
    const tone = path.join(this.#folder, "tone.wav")
    writeTone(tone)
    this.daemon = new Daemon(BUILD)
    this.browser = await chromium.launch({
      executablePath: BROWSER, handleSIGTERM: false, handleSIGINT: false,
      args: ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
        `--use-file-for-fake-audio-capture=${tone}`, "--auto-select-desktop-capture-source=Entire screen",
        "--autoplay-policy=no-user-gesture-required", "--disable-features=WebRtcHideLocalIpsWithMdns"],
    })
    await this.daemon.start()
  }

  get origin() { return `http://127.0.0.1:${this.daemon.port}` }

  /** Somebody with a browser of their own, at `address` ("room_1", or "/api/…"). */
  async person(address, {theme = "light", language = "en", phone = false, daemon = this.daemon, ...options} = {}) {
    const context = await this.browser.newContext({
      colorScheme: theme, locale: language == "ko" ? "ko-KR" : "en-US",
      viewport: phone ? {width: 390, height: 844} : {width: 1280, height: 800},
      permissions: ["clipboard-read", "clipboard-write", "microphone", "camera"], ...options,
    })
    const person = new Person(daemon, context, await context.newPage())
    this.#people.push(person)
    await person.watch()
    if (address) await person.go(address)
    return person
  }

  /** Ends what a test began; what went wrong in its pages unseen is thrown. */
  async leave({look = true} = {}) {
    const people = this.#people.splice(0)
    const problems = []
    for (const person of people) {
      if (look && !person.page.isClosed()) problems.push(...await person.problems().catch(error => [error.message.split("\n")[0]]))
      await person.context.close()
    }
    if (problems.length) throw new Error(`in the page: ${[...new Set(problems)].join("; ")}`)
  }

  async close() {
    await this.browser?.close()
    await this.daemon?.end()
    fs.rmSync(this.#folder, {recursive: true, force: true})
  }

  /** The address of one file of each kind that the page names. */
  async assets(...endings) {
    const text = await (await fetch(this.origin + "/api/v1/ws/demo")).text()
    const all = text.match(/\/assets\/[\w.-]+/g)
    return endings.map(ending => all.find(name => name.endsWith(ending)))
  }

  /** A token for a room, as root makes it. */
  roomToken(room, role) {
    const done = spawnSync(path.join(BUILD, "cloister"),
      ["room-token", room, role, "--state-dir", this.daemon.state], {encoding: "utf8"})
    if (done.status !== 0) throw new Error(`cloister room-token: ${done.stderr}`)
    return done.stdout.trim()
  }
}

export class Person {
  #heard = []
  requests = []
  /** What a test expects in the console, as patterns. */
  expected = []

  constructor(daemon, context, page) {
    this.daemon = daemon
    this.context = context
    this.page = page
    page.setDefaultTimeout(PATIENCE_MS)
  }

  async watch() {
    await this.context.addInitScript(() => {
      window.__violations = []
      addEventListener("securitypolicyviolation", event =>
        window.__violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`))
    })
    this.page.on("console", message => {
      if (message.type() == "error") this.#heard.push(`console: ${message.text()} (${message.location().url})`)
    })
    this.page.on("pageerror", error => this.#heard.push(`thrown: ${error.message}`))
    this.context.on("request", request => this.requests.push(request.url()))
  }

  async go(address) {
    const where = address.startsWith("/") ? address : `/api/v1/ws/room/${address}`
    return this.page.goto(`http://127.0.0.1:${this.daemon.port}${where}`)
  }

  /** Polled from here: the page's policy forbids eval, and with it waitForFunction. */
  ask(body, argument) { return this.page.evaluate(body, argument) }

  /** Connected, in the room if it is one, and every file in step with the server. */
  async isIn() {
    await until("everything is in step", async () => {
      const {settled, shown} = await this.state()
      return settled && shown
    })
    return this
  }

  state() { return this.ask(() => window.cloister.state()) }

  /** The text of the file that is shown, or of that one. */
  text(path) { return this.ask(path => window.cloister.text(path), path) }

  /** Replaces the text in one step: typed, brackets would close themselves. */
  write(text) { return this.ask(text => window.cloister.setText(text), text) }

  /** Puts the cursor there, and the focus. Counted from the end when negative: -1 is behind the last character. */
  goTo(position) {
    return this.ask(position => {
      window.cloister.focus()
      window.cloister.select(position < 0 ? window.cloister.text().length + 1 + position : position)
    }, position)
  }

  type(text) { return this.page.keyboard.type(text) }

  press(keys) { return this.page.keyboard.press(keys) }

  /** What stands in the terminal. */
  terminal() { return this.ask(() => window.cloister.terminal()) }

  violations() { return this.ask(() => window.__violations) }

  elsewhere() {
    return this.requests.filter(url => !/^(data|blob):/.test(url) && new URL(url).host != `127.0.0.1:${this.daemon.port}`)
  }

  async problems() {
    const known = text => this.expected.some(pattern => pattern.test(text))
    return [...this.#heard.filter(text => !known(text)), ...(await this.violations()).map(text => `policy: ${text}`),
      ...this.elsewhere().map(url => `request: ${url}`)]
  }
}
