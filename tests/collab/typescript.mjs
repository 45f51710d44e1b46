// The TypeScript client (clients/typescript) against a daemon: typescript.mjs URL [TOKEN]. Prints one line for each
// thing that held, and ends with 1 at the first that does not.
import assert from "node:assert/strict"
import fs from "node:fs"
import http from "node:http"
import os from "node:os"
import path from "node:path"
import {fileURLToPath, pathToFileURL} from "node:url"

import esbuild from "esbuild"
import WebSocket from "ws"

const FOLDER = fileURLToPath(new URL("../../clients/typescript", import.meta.url))
const [url, token] = process.argv.slice(2)

/** A module of the folder without its types. */
async function load(folder, name) {
  const outfile = path.join(folder, name + ".mjs")
  await esbuild.build({entryPoints: [path.join(FOLDER, name + ".ts")], outfile, bundle: true, format: "esm",
    external: name === "cloister" ? [] : ["./cloister.ts"], alias: {}, logLevel: "silent", target: "node18"})
  fs.writeFileSync(outfile, fs.readFileSync(outfile, "utf8").replaceAll("./cloister.ts", "./cloister.mjs"))
  return import(pathToFileURL(outfile))
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cloister-client-"))
process.on("exit", () => fs.rmSync(folder, {recursive: true, force: true}))
const {BusyError, Cloister, CloisterError, NotFoundError, RefusedError, UnauthorizedError, UnreachableError} =
  await load(folder, "cloister")
const {example} = await load(folder, "example")

const cloister = new Cloister(url, {token, WebSocket})
function held(what) { console.log("held: " + what) }
async function all(events) {
  const found = []
  for await (const event of events) found.push(event)
  return found
}
const python = code => ({language: "python", code})

const said = []
await example(cloister, line => said.push(line))
assert.deepEqual(said, ["it printed hello", "it ended ok, having printed \"0\\n1\\n2\\n\"", "WA: 1 of 2",
  "refused: unknown_language", "it says hello you", "it says hello you again"])
held("the example")

const result = await cloister.execute({...python("import sys; print(input(), sys.argv[1:])"), stdin: "in", args: ["a"]})
assert.deepEqual([result.output, result.verdict, result.exit_code], ["in ['a']\n", "ok", 0])
const key = "key-" + Math.random()
const random = python("import os; print(os.urandom(8).hex())")
assert.deepEqual(await cloister.execute(random, {key}), await cloister.execute(random, {key}))
held("execute, keys")

const events = await all(cloister.stream(python(
  "import time\nfor i in range(3): print(i, flush=True); time.sleep(0.1)")))
assert.deepEqual(events.map(one => one.number), events.map((_, i) => i + 1))
assert.equal(events.filter(one => one.name === "output").map(one => one.data.data).join(""), "0\n1\n2\n")
const submission = await cloister.submit(python("print(1)"))
assert.equal(submission.kind, "execute")
const own = await all(cloister.events(submission.id))
assert.deepEqual(await all(cloister.events(submission.id, 1)), own.slice(1))
assert.deepEqual(await all(cloister.events(submission.id, own.at(-1).number)), [])
assert.equal((await cloister.submission(submission.id)).result.output, "1\n")
held("events")

async function isCancelled(id) {
  for await (const event of cloister.events(id)) if (event.name === "result") return event.data.verdict === "cancelled"
}
let left
const spy = new Cloister(url, {token, fetch: async (address, init) => {
  const answer = await fetch(address, init)
  if (String(address).endsWith("/execute")) left = (await answer.clone().json()).id
  return answer
}})
for await (const event of spy.stream(python("import time\nprint('up', flush=True); time.sleep(60)")))
  if (event.name === "output") break
assert.ok(await isCancelled(left))
const giveUp = new AbortController()
const waiting = cloister.execute(python("import time; time.sleep(60)"), {signal: giveUp.signal})
setTimeout(() => giveUp.abort(new Error("enough")), 300)
await assert.rejects(waiting, /enough/)
held("who leaves ends the run")

const tests = [{stdin: "1", expected: "1"}, {stdin: "2", expected: "5"}]
const judging = {...python("print(int(input()) ** 2)"), tests}
assert.deepEqual((await cloister.judge(judging)).verdicts, {AC: 1, WA: 1})
const judged = await all(cloister.judgeStream(judging))
assert.deepEqual(judged.filter(one => one.name === "verdict").map(one => one.data.verdict), ["AC", "WA"])
assert.equal(judged.at(-1).data.verdict, "WA")
held("judging")

assert.ok((await cloister.runtimes()).some(one => one.id === "python" && one.available))
for (const [kind, code, act] of [
  [RefusedError, "unknown_language", () => cloister.execute({language: "pyton", code: ""})],
  [RefusedError, "bad_message", () => cloister.execute({language: "python"})],
  [RefusedError, "limit_too_high", () => cloister.execute({...python(""), limits: {cpu_time: 1e6}})],
  [NotFoundError, "no_such_submission", () => cloister.submission("no/such one?")],
  [NotFoundError, "no_such_submission", () => all(cloister.events("none"))],
  [UnreachableError, "unreachable", () => new Cloister("http://127.0.0.1:1").runtimes()],
  [UnreachableError, "unreachable", () => new Cloister("http://127.0.0.1:1", {WebSocket}).interactive(python(""))],
]) {
  await assert.rejects(act, why => why instanceof kind && why instanceof CloisterError && why.code === code)
}
if (token)
  for (const wrong of [undefined, "another"])
    await assert.rejects(new Cloister(url, {token: wrong}).execute(python("")), UnauthorizedError)
held("errors have kinds")

const run = await cloister.interactive(python("print(input()); print(input())"), {cols: 60, rows: 20})
run.write("one\r")
run.write("two\r")
const shown = (await all(run)).filter(one => one.name === "output")
assert.ok(shown.every(one => one.data.stream === "tty"))
assert.match(shown.map(one => one.data.data).join(""), /one[^]*two/)
assert.equal((await run.result).verdict, "ok")
const deaf = await cloister.interactive(python("import sys, time\nprint('up', flush=True); time.sleep(1); sys.stdin.read()"))
let filled = false // a line may come in two pieces
for await (const event of deaf) {
  if (event.name === "output" && !filled) { filled = true; deaf.write("x".repeat(300_000)); deaf.end() }
  if (event.name === "refused") assert.equal(event.data.code, "too_large")
}
assert.equal((await deaf.result).verdict, "ok")
const interrupted = await cloister.interactive(python("import time\nprint('up', flush=True); time.sleep(60)"))
for await (const event of interrupted)
  if (event.name === "output" && event.data.data.startsWith("up")) interrupted.signal("SIGINT")
assert.equal((await interrupted.result).success, false)
const wrong = await cloister.interactive({language: "pyton", code: ""})
await assert.rejects(all(wrong), why => why.code === "unknown_language")
await assert.rejects(wrong.result, RefusedError)
await assert.rejects(new Cloister(url, {WebSocket: null}).interactive(python("")), /no_websocket/)
held("interactive runs")

// A server that breaks every stream off behind one event.
const asked = []
const broken = http.createServer((request, response) => {
  const after = Number(request.headers["last-event-id"] ?? 0)
  asked.push(after)
  if (asked.length < 3) return request.socket.destroy()
  response.writeHead(200, {"Content-Type": "text/event-stream"})
  response.write(`: a comment\n\nid: ${after + 1}\nevent: ${after === 2 ? "result" : "output"}\ndata: {"n":${after}}\n\nid: 9\nda`)
  setTimeout(() => request.socket.destroy(), 20)
}).listen(0, "127.0.0.1")
await new Promise(resolve => broken.once("listening", resolve))
const shaky = new Cloister(`http://127.0.0.1:${broken.address().port}`)
assert.deepEqual((await all(shaky.events("x"))).map(one => [one.number, one.data.n]), [[1, 0], [2, 1], [3, 2]])
assert.deepEqual(asked, [0, 0, 0, 1, 2])
broken.close()
held("a stream that breaks off is taken up where it was")
assert.ok(BusyError.prototype instanceof CloisterError)
process.exit(0)
