// Runs the tests of the page, one after the other: main.mjs BUILD [words of names…]. The last line is the count.
import fs from "node:fs"
import path from "node:path"
import {fileURLToPath} from "node:url"

import {BUILD, SLOW, Stage, tests} from "./harness.mjs"

const HERE = path.dirname(fileURLToPath(import.meta.url))
const LONGEST_MS = 60_000 * SLOW

for (const name of fs.readdirSync(HERE).filter(name => name.endsWith("_test.mjs")).sort())
  await import(path.join(HERE, name))

const words = process.argv.slice(3)
const chosen = tests.filter(({name}) => !words.length || words.some(word => name.includes(word)))
const stage = new Stage()
const logs = path.join(BUILD, "logs")
let failed = 0

async function keepEvidence(name) {
  fs.mkdirSync(logs, {recursive: true})
  const file = name.replaceAll(/\W+/g, "-")
  const pages = stage.browser.contexts().flatMap(context => context.pages())
  for (const [number, page] of pages.entries())
    await page.screenshot({path: path.join(logs, `page-${file}-${number}.png`), timeout: 5_000}).catch(() => {})
}

/** Rejects when a test takes too long. */
function deadline() {
  let timer
  const promise = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${LONGEST_MS / 1000} s`)), LONGEST_MS)
  })
  return {promise, over: () => clearTimeout(timer)}
}

for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, async () => {
  await stage.close()
  process.exit(1)
})

try {
  await stage.open()
  for (const {name, body} of chosen) {
    const begin = Date.now(), limit = deadline()
    let trouble
    try {
      await Promise.race([body(stage), limit.promise])
    } catch (error) {
      trouble = error
      await keepEvidence(name)
    }
    limit.over()
    await stage.leave({look: !trouble}).catch(error => { trouble ??= error })
    if (trouble) failed++
    console.log(`${trouble ? "FAIL" : "ok  "} ${name} (${((Date.now() - begin) / 1000).toFixed(1)} s)`)
    if (trouble) console.log(`     ${trouble.stack.split("\n").slice(0, 6).join("\n     ")}`)
  }
} finally {
  await stage.close()
}
console.log(`${chosen.length - failed} passed, ${failed} failed`)
process.exit(failed ? 1 : 0)
