// What an agent's own client makes of /mcp: the public TypeScript SDK of the Model Context Protocol drives a
// daemon. mcp.mjs URL [TOKEN]; prints one line for each thing that held, and ends with 1 at the first that does not.
import assert from "node:assert/strict"
import {setTimeout as sleep} from "node:timers/promises"

import {Client} from "@modelcontextprotocol/sdk/client/index.js"
import {StreamableHTTPClientTransport} from "@modelcontextprotocol/sdk/client/streamableHttp.js"

const [url, token] = process.argv.slice(2)

async function connect() {
  const headers = token ? {Authorization: `Bearer ${token}`} : {}
  const transport = new StreamableHTTPClientTransport(new URL("/mcp", url), {requestInit: {headers}})
  const client = new Client({name: "an agent", version: "1.0.0"})
  client.faults = []
  client.onerror = error => client.faults.push(String(error))
  await client.connect(transport)
  return {client, transport}
}

function held(what) { console.log("held: " + what) }

const {client, transport} = await connect()
assert.equal(client.getServerVersion().name, "cloister")
assert.deepEqual(client.getServerCapabilities(), {tools: {listChanged: false}})
assert.match(client.getInstructions(), /run_code/)
assert.equal(transport.protocolVersion, "2025-11-25")
await client.ping()
held("hello, revision, ping")

const {tools} = await client.listTools()
assert.deepEqual(tools.map(tool => tool.name), ["run_code", "run_tests", "list_runtimes"])
held("tools")

// The client validates structured results against the output schemas that it was told.
const hello = await client.callTool({name: "run_code", arguments: {language: "python", code: "print(6 * 7)"}})
assert.equal(hello.structuredContent.output, "42\n")
assert.equal(hello.isError, false)
const crash = await client.callTool({name: "run_code", arguments: {language: "python", code: "1 / 0"}})
assert.equal(crash.structuredContent.exit_code, 1)
assert.match(crash.content[0].text, /ZeroDivisionError/)
const tests = await client.callTool({name: "run_tests", arguments: {language: "python",
  code: "print(int(input()) + 1)", tests: [{stdin: "1", expected: "2"}, {stdin: "2", expected: "4"}]}})
assert.deepEqual(tests.structuredContent.verdicts, {AC: 1, WA: 1})
const runtimes = await client.callTool({name: "list_runtimes", arguments: {}})
assert.ok(runtimes.structuredContent.runtimes.some(one => one.id === "python" && one.available))
held("runs, tests, languages, by their schemas")

const wrong = await client.callTool({name: "run_code", arguments: {language: "pyton", code: ""}})
assert.equal(wrong.isError, true)
await assert.rejects(client.callTool({name: "no_tool", arguments: {}}), error => error.code === -32602)
await assert.rejects(client.listResources(), /resources|Method not found|-32601/)
held("errors")

const told = []
await client.callTool({name: "run_code", arguments: {language: "python",
  code: "import time\nfor i in range(3):\n print(i, flush=True); time.sleep(0.3)"}}, undefined,
{onprogress: progress => told.push(progress), resetTimeoutOnProgress: true, timeout: 30_000})
assert.ok(told.length >= 2, JSON.stringify(told))
assert.ok(told.every((one, i) => i === 0 || one.progress > told[i - 1].progress))
held("progress")

const giveUp = new AbortController()
const long = client.callTool({name: "run_code", arguments: {language: "python", code: "import time\ntime.sleep(60)"}},
  undefined, {signal: giveUp.signal})
await sleep(500)
giveUp.abort("enough")
await assert.rejects(long)
await sleep(3_500) // the SDK comes back for the rest of a stream that ended without an answer, and is sent away
const several = await Promise.all([1, 2, 3, 4].map(number => client.callTool(
  {name: "run_code", arguments: {language: "python", code: `print(${number})`}})))
assert.deepEqual(several.map(one => one.structuredContent.output), ["1\n", "2\n", "3\n", "4\n"])
held("cancellation, several at one time")

await transport.terminateSession()
await assert.rejects(client.ping())
await client.close()
const again = await connect()
await again.client.ping()
await again.transport.terminateSession()
await again.client.close()
assert.deepEqual(again.client.faults, [])
held("the end of a session, another one")
process.exit(0)
