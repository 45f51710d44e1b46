#!/usr/bin/env node
// Many real clients edit one room of a real daemon at random, lose their connections, edit offline, come
// back; whole-text clients are among them, files come and go, and the daemon is killed in the middle. In
// the end all of them, two that join late, and what the daemon reads from its disk must agree on one text
// for each file, with every line that anybody added to the ledger in it once.
//
//   fuzz.mjs --build BUILD [--seed N] [--seconds N] [--clients N] [--bases N] [--kills N]
//            [--plan FILE] [--save FOLDER] [--sabotage]
//
// The same seed makes the same plan. A run that fails saves its plan and what each client saw last. With
// --sabotage one client garbles one update that it gets, and the run must fail.
import {spawnSync} from "node:child_process"
import fs from "node:fs"
import path from "node:path"
import {setTimeout as sleep} from "node:timers/promises"
import {fileURLToPath} from "node:url"
import {parseArgs} from "node:util"

import {BaseClient} from "./base_client.mjs"
import {Client} from "./client.mjs"
import {Daemon} from "./daemon.mjs"
import {replay} from "./history.mjs"
import {changed, changesOf, LEDGER, MAIN, makePlan} from "./plan.mjs"

const ROOM = "fuzz"
const SETTLE_MS = 30_000
/** As long as this before a loss, what a whole-text client sent may be lost with it: nobody tells it. */
const UNCERTAIN_MS = 1500
/** The daemon is tested here, not its patience with one machine. */
const CONFIG = {messages_per_second: 100_000, message_burst: 100_000, prepared_boxes: 0, warm_boxes: 0,
  artifact_cache: 0}

/** Clients do what the protocol leaves open in every way that it allows. */
function habits(i) {
  return {eager: i % 2 == 1, rejoins: i % 3 == 1, address: i % 4 == 2 ? `/api/v1/ws/id_${i}` : undefined}
}

class Run {
  constructor(plan, build, sabotage) {
    this.plan = plan
    this.build = build
    this.complaints = []
    this.daemon = new Daemon(build, CONFIG)
    this.daemon.onDeath = what => this.complain(what)
    this.lines = [] // of the ledger: {text, by, at}
    this.drops = 0
    this.kills = 0
    this.timers = []
    this.clients = new Map()
    for (let i = 0; i < plan.clients; i++) this.add(new Client(this.options(`c${i}`, habits(i))))
    for (let i = 0; i < plan.bases; i++) this.add(new BaseClient(this.options(`b${i}`, {byAddress: i % 2 == 1})))
    if (sabotage) garble(this.clients.get("c0"))
  }

  options(name, more) {
    return {name, room: ROOM, server: () => this.daemon.address(), stable: [MAIN, LEDGER],
      complain: what => this.complain(what), ...more}
  }
  add(client) {
    this.clients.set(client.name, client)
    return client
  }
  complain(what) {
    if (this.complaints.length < 100) this.complaints.push(what)
  }
  all() { return [...this.clients.values()] }

  async until(what, isSo, milliseconds = SETTLE_MS) {
    for (const end = Date.now() + milliseconds; ; await sleep(20)) {
      if (isSo()) return true
      if (Date.now() < end) continue
      this.complain(`not within ${milliseconds} ms: ${what}`)
      return false
    }
  }

  /** The two files that stay, and everybody in the room. */
  async begin() {
    await this.daemon.start()
    const first = this.clients.get("c0")
    first.open()
    if (!await this.until("the first client joins", () => first.joined)) return false
    first.operate("create", MAIN)
    first.operate("create", LEDGER)
    if (!await this.until("the first files", () => first.files.size == 2 && first.isQuiet())) return false
    for (const client of this.all()) client.open()
    return this.until("everybody joins", () => this.all().every(client => client.isQuiet()))
  }

  async play() {
    const begin = Date.now(), kills = []
    for (const step of this.plan.steps) {
      const wait = begin + step.at - Date.now()
      if (wait > 0) await sleep(wait)
      if (step.what == "kill") kills.push(this.kill(step).catch(error => this.complain(error.stack)))
      else this.act(step, this.clients.get(step.who))
    }
    await Promise.all(kills)
  }

  /** `meanwhile` is done while it is down. */
  async kill({whom, down}, meanwhile = async () => {}) {
    await this.killing // one at a time
    this.killing = (async () => {
      this.kills++
      await this.daemon.kill(whom)
      await sleep(down)
      await meanwhile()
      await this.daemon.start()
    })()
    await this.killing
  }

  act(step, client) {
    switch (step.what) {
      case "edit": case "line": return this.edit(step, client)
      case "present": return client.present?.(step.path, step.place)
      case "say": return client.say(step.text)
      case "file":
        return client.operate(step.operation, step.path, step.operation == "rename" ? step.newPath : undefined)
      case "drop":
        if (step.after) this.edit({...step, what: "edit", kind: "type", path: MAIN, text: "⚡", place: 0.5}, client)
        client.drop(step.how)
        this.drops++
        this.timers.push(setTimeout(() => client.open(), step.offline))
    }
  }

  edit(step, client) {
    let {path: name} = step
    if (!name) {
      const names = [...client.files.keys()].filter(each => each != MAIN && each != LEDGER).sort()
      if (!names.length) return
      name = names[Math.floor(step.which * names.length)]
    }
    let done = false
    if (client instanceof BaseClient) {
      done = client.edit(name, text => changesOf(step, text).reduce(changed, text))
    } else {
      const text = client.files.get(name)?.document?.text()
      if (text !== undefined) for (const change of changesOf(step, text)) done = client.edit(name, change)
    }
    if (done && step.what == "line") this.lines.push({text: step.text, by: client, at: Date.now()})
  }

  texts(client) {
    return Object.fromEntries([...client.files.entries()].sort(([a], [b]) => a < b ? -1 : 1)
      .map(([name, file]) => [name, typeof file == "string" ? file : file.document?.text()]))
  }

  async agree(when) {
    const same = () => new Set(this.all().map(client => JSON.stringify(this.texts(client)))).size == 1
    const quiet = () => this.all().every(client => client.isQuiet())
    if (!await this.until(`everybody is quiet ${when}`, quiet)) return
    if (!await this.until(`one text ${when}`, () => quiet() && same())) return this.tellDifferences()
    for (const client of this.all()) if (client instanceof Client)
      for (const file of client.files.values())
        if (!file.document.isWhole()) this.complain(`${client.name}: ${file.path}: its pending updates do not fit`)
  }

  tellDifferences() {
    const kinds = new Map()
    for (const client of this.all()) {
      const text = JSON.stringify(this.texts(client))
      kinds.set(text, [...kinds.get(text) ?? [], client.name])
    }
    for (const [text, names] of kinds) this.complain(`DIVERGED: ${names.join(" ")} have ${text.slice(0, 4000)}`)
  }

  /** Every line that was added stands there once; who could not know whether it was told, may lose one. */
  checkLedger() {
    const counts = new Map()
    for (const line of this.clients.get("c0").files.get(LEDGER)?.document?.text().split("\n") ?? [])
      if (line) counts.set(line, (counts.get(line) ?? 0) + 1)
    let lost = 0
    for (const {text, by, at} of this.lines) {
      const count = counts.get(text) ?? 0
      counts.delete(text)
      const uncertain = by instanceof BaseClient &&
        by.connection.lossTimes.some(time => time >= at && time < at + UNCERTAIN_MS)
      if (count == 0 && uncertain) lost++
      else if (count != 1) this.complain(`the ledger has ${count} times what ${by.name} added once: ${text}`)
    }
    for (const line of counts.keys()) this.complain(`the ledger has what nobody added: ${line}`)
    return lost
  }

  checkChat() {
    const said = new Map()
    for (const client of this.all()) for (const [id, text] of client.chat ?? []) {
      if (said.has(id) && said.get(id) != text) this.complain(`${client.name}: chat message ${id} is another one`)
      said.set(id, text)
    }
  }

  versions() {
    return JSON.stringify([...this.clients.get("c0").files.values()].map(({path: name, document}) =>
      [name, document.epoch, document.version]).sort())
  }

  async finish() {
    for (const timer of this.timers) clearTimeout(timer)
    for (const client of this.all()) client.open()
    await this.agree("after the plan")
    this.lost = this.checkLedger()
    this.checkChat()
    const before = this.versions()
    this.add(new Client(this.options("late"))).open()
    this.add(new BaseClient(this.options("late base"))).open()
    await this.agree("with those who join late")
    // Another daemon takes the place of the one that was killed: where the front has no account of its
    // own, it has another number then, and must still find its files its own.
    this.other = new Daemon(this.build, CONFIG)
    await this.kill({whom: "both", down: 0}, () => this.other.start())
    this.add(new Client(this.options("disk"))).open()
    const saw = client => client.name == "disk" || client.connection.losses
    await this.until("everybody sees the restart", () => this.all().every(saw))
    await this.agree("after the last restart")
    if (this.versions() != before) this.complain(`the restart made ${this.versions()} of ${before}`)
    if (!this.complaints.length) await this.checkHistory()
    await this.daemon.stop()
    this.checkStore()
  }

  /** The same, from the file alone, as somebody reads it who knows its tables only. */
  checkStore() {
    const reader = fileURLToPath(new URL("store_reader.py", import.meta.url))
    const done = spawnSync("/usr/bin/python3", [reader, this.daemon.state, ROOM], {encoding: "utf8", timeout: SETTLE_MS})
    if (done.status != 0) return this.complain(`the store cannot be read: ${done.stderr.slice(-500)}`)
    const kept = Object.entries(JSON.parse(done.stdout)).map(([name, {epoch, version, text}]) =>
      [name, epoch, version, text])
    const seen = [...this.clients.get("c0").files.values()].map(({path: name, document}) =>
      [name, document.epoch, document.version, document.text()])
    if (JSON.stringify(kept.sort()) != JSON.stringify(seen.sort()))
      this.complain(`the store has ${JSON.stringify(kept).slice(0, 2000)}, not ${JSON.stringify(seen).slice(0, 2000)}`)
  }

  /** The history of a file, played back from its beginning, leads to its text. */
  async checkHistory() {
    for (const name of [MAIN, LEDGER]) {
      const file = this.clients.get("late").files.get(name)
      const text = await replay(this.daemon.address(), ROOM, name, file.document.version)
      if (text !== file.document.text())
        this.complain(`the history of ${name} leads to ${JSON.stringify(text)?.slice(0, 500)}`)
    }
  }

  async end() {
    for (const client of this.all()) client.drop("terminate")
    await this.other?.end()
    await this.daemon.end()
  }

  sum(name) { return this.all().reduce((sum, {counts}) => sum + (counts[name] ?? 0), 0) }
  summary() {
    const {clients, bases, seconds} = this.plan
    return `${clients} clients, ${bases} of whole texts, ${seconds} s: ${this.sum("edits")} edits, ` +
      `${this.sum("confirmed")} acknowledged, ${this.sum("received")} received, ${this.drops} drops, ` +
      `${this.kills} kills, ${this.sum("resumed")} resumed, ${this.sum("states")} whole states, ` +
      `${this.sum("merged")} merges, ${this.sum("hashes")} hashes compared, ${this.lines.length} ledger lines ` +
      `(${this.lost ?? "?"} unsent)`
  }

  save(folder) {
    fs.mkdirSync(folder, {recursive: true})
    const file = path.join(folder, `collab-failed-${this.plan.seed}.json`)
    const clients = Object.fromEntries(this.all().map(client =>
      [client.name, {counts: client.counts, texts: this.texts(client), history: client.connection.history}]))
    let log = ""
    try { log = this.daemon.text().slice(-20_000) } catch { /* it was never started */ }
    fs.writeFileSync(file, JSON.stringify({plan: this.plan, complaints: this.complaints, log, clients}, null, 1))
    return file
  }
}

/** The fifth line that others add to the ledger arrives with other letters. */
function garble(client) {
  const apply = client.apply
  let count = 0
  client.apply = (file, update) => {
    const spoil = file.path == LEDGER && !client.ownIds.has(update.client_id) && ++count == 5
    const changes = spoil ? update.changes.map(part => Array.isArray(part) ?
      [part[0], ...part.slice(1).map(line => "?".repeat(line.length))] : part) : update.changes
    apply.call(client, file, {...update, changes})
  }
}

async function main() {
  const kinds = {seed: 0, seconds: 0, clients: 0, bases: 0, kills: 0, build: "", plan: "", save: ""}
  const options = Object.fromEntries(Object.keys(kinds).map(name => [name, {type: "string"}]))
  const {values} = parseArgs({options: {...options, sabotage: {type: "boolean"}}})
  for (const name in kinds) if (kinds[name] === 0 && values[name] !== undefined) values[name] = Number(values[name])
  const seed = values.seed ?? Math.floor(Math.random() * 2 ** 31)
  let plan = values.plan ? JSON.parse(fs.readFileSync(values.plan, "utf8")) : makePlan(seed, values)
  plan = plan.plan ?? plan
  console.log(`seed ${plan.seed}`)
  const run = new Run(plan, values.build ?? "build", values.sabotage)
  const stop = () => run.end().finally(() => process.exit(1))
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop)
  try {
    if (await run.begin()) {
      await run.play()
      await run.finish()
    }
  } catch (error) {
    run.complain(error.stack)
  }
  console.log(run.summary())
  if (run.complaints.length) {
    const file = run.save(values.save ?? ".")
    for (const complaint of run.complaints.slice(0, 20)) console.log(complaint.slice(0, 1000))
    console.log(`${run.complaints.length} complaints; plan and messages: ${file}; again: --plan ${file}`)
  }
  await run.end()
  process.exit(run.complaints.length ? 1 : 0)
}

await main()
