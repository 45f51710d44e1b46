// What the browser itself makes of how the page is served: its policy, its cache, and who else gets in.
import assert from "node:assert/strict"
import http from "node:http"

import {test, until} from "./harness.mjs"

test("the page asks nobody else, and its policy is never violated", async stage => {
  for (const theme of ["light", "dark"]) {
    const person = await stage.person("/api/v1/ws/demo", {theme})
    await until("the page has settled", () => person.ask(() => document.readyState == "complete"))
    assert.ok(person.requests.length > 3, `${person.requests}`)
  }
}) // what leave() finds is the test

test("what is hashed is kept by the browser, the page is asked for again", async stage => {
  const person = await stage.person("/api/v1/ws/demo")
  await person.isIn()
  // What it had no time to load yet, it will load later.
  const loaded = new Set(await person.ask(() => performance.getEntriesByType("resource").map(each => new URL(each.name).pathname)))
  await person.page.goto("about:blank")
  const line = await person.context.newCDPSession(person.page)
  const kept = new Map()
  await line.send("Network.enable")
  line.on("Network.responseReceived", ({response}) => kept.set(new URL(response.url).pathname, response.fromDiskCache))
  line.on("Network.requestServedFromCache", ({requestId}) => kept.set(requestId, true))
  await person.go("/api/v1/ws/demo")
  await until("the page has settled", () => person.ask(() => document.readyState == "complete"))
  const assets = [...kept].filter(([name]) => /^\/assets\/.*\.(js|css)$/.test(name) && loaded.has(name))
  assert.ok(assets.length > 4 && assets.every(([, cached]) => cached), JSON.stringify([...kept]))
  assert.equal(kept.get("/api/v1/ws/demo"), false)
})

test("what the page needs to begin is small, and the browser takes it compressed", async stage => {
  const person = await stage.person()
  const line = await person.context.newCDPSession(person.page)
  const codings = new Map(), sizes = new Map()
  await line.send("Network.enable")
  line.on("Network.responseReceived", ({requestId, response}) => codings.set(requestId, [response.url, response.headers]))
  line.on("Network.loadingFinished", ({requestId, encodedDataLength}) => sizes.set(requestId, encodedDataLength))
  await person.go("/api/v1/ws/demo")
  await person.isIn()
  const named = new Set((await (await fetch(`${stage.origin}/api/v1/ws/demo`)).text()).match(/\/assets\/[\w.-]+\.(?:js|css)/g))
  let total = 0
  for (const [id, [url, headers]] of codings) {
    if (!named.delete(new URL(url).pathname)) continue
    const coding = Object.entries(headers).find(([name]) => name.toLowerCase() == "content-encoding")?.[1]
    assert.equal(coding, "br", url)
    total += sizes.get(id)
  }
  assert.deepEqual([...named], [])
  assert.ok(total < 190_000, `${total} bytes`)
})

test("an injected script does nothing, and is reported", async stage => {
  const person = await stage.person("/api/v1/ws/demo")
  person.expected = [/Content Security Policy/i]
  const done = await person.ask(async () => {
    const script = document.createElement("script")
    script.textContent = "window.__injected = 1"
    const picture = new Image()
    picture.src = "http://127.0.0.1:9/picture.png"
    document.head.append(script)
    // In a task of its own: what a debugger runs may evaluate, whatever the policy says.
    const evaluated = await new Promise(resolve => setTimeout(() => {
      try { resolve((0, eval)("true")) } catch { resolve(false) }
    }))
    await new Promise(resolve => setTimeout(resolve, 200))
    return {script: window.__injected, evaluated, violations: window.__violations.length}
  })
  assert.equal(done.script, undefined)
  assert.equal(done.evaluated, false)
  assert.ok(done.violations >= 3, `${done.violations} violations`)
  await person.ask(() => { window.__violations = [] })
  person.requests = person.requests.filter(url => !url.endsWith("/picture.png")) // told of, and not sent
})

test("a page of another origin gets nothing", async stage => {
  const other = http.createServer((_, answer) => {
    answer.setHeader("Content-Type", "text/html")
    answer.end("<!doctype html><title>elsewhere</title>")
  })
  await new Promise(resolve => other.listen(0, "127.0.0.1", resolve))
  try {
    const [icon, script] = await stage.assets(".svg", ".js")
    const person = await stage.person()
    await person.page.goto(`http://127.0.0.1:${other.address().port}/`)
    const ours = `127.0.0.1:${stage.daemon.port}`
    const got = await person.ask(async ({ours, icon, script}) => {
      const socket = address => new Promise(resolve => {
        const opened = new WebSocket(address)
        opened.onopen = () => resolve("open")
        opened.onerror = () => resolve("refused")
      })
      const load = (kind, address) => new Promise(resolve => {
        const element = document.createElement(kind)
        element.onload = () => resolve("loaded")
        element.onerror = () => resolve("refused")
        element.src = address
        document.head.append(element)
      })
      const read = address => fetch(address).then(() => "read", () => "refused")
      const opaque = await fetch(`http://${ours}/api/v1/ws/demo`, {mode: "no-cors"}).then(() => "read", () => "refused")
      const frame = document.createElement("iframe")
      frame.src = `http://${ours}/api/v1/ws/demo`
      await new Promise(resolve => {
        frame.onload = frame.onerror = resolve
        document.body.append(frame)
      })
      return {socket: await socket(`ws://${ours}/api/v1/ws/demo`), room: await socket(`ws://${ours}/api/v1/ws/room/abc`),
        read: await read(`http://${ours}/api/v1/runtimes`), opaque, picture: await load("img", `http://${ours}${icon}`),
        script: await load("script", `http://${ours}${script}`)}
    }, {ours, icon, script})
    assert.deepEqual(got, {socket: "refused", room: "refused", read: "refused", opaque: "refused", picture: "refused",
      script: "refused"})
    const framed = person.page.frames()[1]
    assert.notEqual(framed.url(), `http://${ours}/api/v1/ws/demo`) // the browser shows an error in its place
    person.requests = [] // of the other page
    person.expected = [/./]
  } finally {
    other.close()
  }
})
