// What keeps people out, by axe-core's rules (WCAG 2.2 A and AA, and its best practices), in both themes, both
// languages, on a desk and on a phone; and that everything can be reached with the keyboard.
import assert from "node:assert/strict"
import fs from "node:fs"
import {createRequire} from "node:module"

import {freshRoom, test, until} from "./harness.mjs"

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

/** The rules that are broken, with where. */
async function offences(person) {
  await person.ask(AXE)
  // Whatever moves has come to rest, or its colours are half-way.
  await person.ask(() => Promise.all(document.getAnimations().map(one => one.finished.catch(() => {}))))
  const {violations, passes} = await person.ask(() => window.axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"]}))
  assert.ok(passes.length > 10, "axe looked at nothing")
  return violations.map(({id, nodes}) => `${id}: ${nodes.map(({target, failureSummary}) =>
    `${target.join(" ")} (${failureSummary.split("\n")[1]?.trim()})`).slice(0, 3).join(", ")}`)
}

async function clean(person, where) {
  assert.deepEqual(await offences(person), [], where)
}

for (const theme of ["light", "dark"]) {
  test(`axe finds nothing in the ${theme} theme, on a desk`, async stage => {
    const person = await stage.person(freshRoom(), {theme, language: theme == "dark" ? "ko" : "en"})
    await person.isIn()
    await person.write("import os\nprint('x' if y)\n")
    await person.page.locator(".cm-lintRange-error").first().waitFor()
    await clean(person, "editor with problems")
    for (const tab of ["output", "tests", "problems", "chat"]) {
      await person.page.locator(`#tab-${tab}`).click()
      await clean(person, tab)
    }
    for (const button of ["settings", "shortcuts"]) {
      await person.page.locator(`#${button}`).click()
      await person.page.locator("dialog[open], [popover]:popover-open").first().waitFor()
      await clean(person, button)
      await person.press("Escape")
    }
  })

  test(`axe finds nothing in the ${theme} theme, on a phone`, async stage => {
    const person = await stage.person("/api/v1/ws/demo", {theme, phone: true, language: theme == "dark" ? "en" : "ko"})
    await person.isIn()
    for (const part of ["files", "code", "output", "tests", "chat"]) {
      await person.page.getByTestId(`phone-${part}`).click()
      await clean(person, part)
      const wide = await person.ask(() => document.documentElement.scrollWidth - innerWidth)
      assert.ok(wide <= 0, `${part} is ${wide} pixels too wide`)
    }
  })
}

test("axe would find what is wrong", async stage => {
  const person = await stage.person("/api/v1/ws/demo")
  await person.isIn()
  await person.ask(() => document.body.insertAdjacentHTML("beforeend", "<button></button><img src='data:,'>"))
  const found = (await offences(person)).join()
  assert.match(found, /button-name/)
  assert.match(found, /image-alt/)
})

test("everything is reached with the keyboard, and the editor is left again", async stage => {
  const person = await stage.person("/api/v1/ws/demo")
  await person.isIn()
  const wanted = new Set(["run", "share", "settings", "tab-output"])
  const where = () => person.ask(() => document.activeElement?.closest("#editor") ? "editor" : document.activeElement?.id)
  let wasInEditor = false
  for (let i = 0; i < 60 && (wanted.size || !wasInEditor); i++) {
    await person.press("Tab")
    const at = await where()
    wanted.delete(at)
    if (at != "editor") continue
    if (wasInEditor) break
    wasInEditor = true
    await person.press("Control+m") // Tab indents until this says otherwise
  }
  assert.ok(wasInEditor, "the editor was not reached")
  assert.deepEqual([...wanted], [])
  await until("a visible focus", () => person.ask(() => {
    const style = getComputedStyle(document.activeElement)
    return style.outlineStyle != "none" || style.boxShadow != "none"
  }))
})
