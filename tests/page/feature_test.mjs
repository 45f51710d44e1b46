// The rest of what people choose a page for: cases, playback, links, settings, formatting.
import assert from "node:assert/strict"

import {becomes, freshRoom, test, until} from "./harness.mjs"

const alone = async (stage, text, options) => {
  const person = await (await stage.person("/api/v1/ws/demo", options)).isIn()
  if (text !== undefined) await person.write(text)
  return person
}

const states = person => person.page.getByTestId("test-case").evaluateAll(all => all.map(one => one.dataset.state))

test("cases are run and judged, and kept", async stage => {
  const person = await alone(stage, "a, b = map(int, input().split())\nprint(a + b)\n")
  await person.page.locator("#tab-tests").click()
  for (const [at, input, expected] of [[0, "1 2", "3"], [1, "2 2", "5"], [2, "x", "1"]]) {
    await person.page.locator("#add-test").click()
    await person.page.locator(`#case-input-${at}`).fill(input)
    await person.page.locator(`#case-expected-${at}`).fill(expected)
  }
  await person.page.locator("#run-tests").click()
  await becomes("each is judged", ["passed", "failed", "failed"], () => states(person))
  const wrong = person.page.getByTestId("test-case")
  assert.match(await wrong.nth(1).locator(".case-actual").textContent(), /^4\s*$/)
  assert.match(await wrong.nth(2).locator(".case-actual").textContent(), /ValueError/)
  await person.page.locator("#case-expected-1").fill("4")
  await person.page.locator("#run-tests").click()
  await becomes("the mended one passes", ["passed", "passed", "failed"], () => states(person))
  await until("they are kept", () => person.ask(() => JSON.parse(localStorage.getItem("cloister.tests"))[1].expected == "4"))
  await person.page.reload()
  await person.isIn()
  await becomes("they are there after a reload", ["new", "new", "new"], () => states(person))
})

test("how a file came to be is played back, and brought back", async stage => {
  const room = freshRoom()
  const first = await (await stage.person(room)).isIn()
  await first.write("")
  await first.goTo(0)
  await first.type("one")
  await first.isIn()
  const second = await (await stage.person(room)).isIn()
  await second.goTo(-1)
  await second.type(" two")
  await becomes("it is told", "one two", () => first.text())
  await first.page.locator("#history").click()
  const slider = first.page.locator("#history-slider")
  await slider.waitFor()
  const last = Number(await slider.getAttribute("max"))
  assert.ok(last >= 2)
  const looked = () => first.page.locator("#history-view .cm-line").allTextContents().then(lines => lines.join("\n"))
  await becomes("the last version is shown", "one two", looked)
  const seen = new Set()
  for (let at = 0; at <= last; at++) {
    await slider.fill(String(at))
    seen.add(await looked())
  }
  assert.ok(seen.has("one") && seen.has(""), JSON.stringify([...seen]))
  for (let at = last; at >= 0 && await looked() != "one"; at--) await slider.fill(String(at))
  await first.page.locator("#history-restore").click()
  await becomes("that version is back for everybody", "one", () => second.text())
})

test("a room is opened with what is here, and its link leads there", async stage => {
  const first = await alone(stage, "shared = True\n")
  await first.page.locator("#share").click()
  await first.page.locator("#make-room").click()
  const link = await first.page.locator("#room-link").inputValue()
  assert.match(link, new RegExp(`^${stage.origin}/api/v1/ws/room/[a-z0-9-]+$`))
  await first.isIn()
  const second = await stage.person()
  await second.page.goto(link)
  await second.isIn()
  await becomes("the files are there", "shared = True\n", () => second.text("main.py"))
  assert.equal(new URL(first.page.url()).pathname, new URL(link).pathname)
})

test("a copy as a link holds the files, and the server never sees them", async stage => {
  const first = await alone(stage, "copied = '한글'\n")
  await first.page.locator("#share").click()
  const link = await first.page.locator("#snippet-link").inputValue()
  const second = await stage.person()
  await second.page.goto(link)
  await second.isIn()
  await becomes("the text is there", "copied = '한글'\n", () => second.text())
  assert.ok(second.requests.every(url => !url.includes(link.split("#")[1].slice(3, 30))))
  const third = await stage.person()
  await third.page.goto(stage.origin + "/api/v1/ws/demo#s=nonsense")
  await third.page.getByTestId("notice").waitFor()
  await third.isIn() // and there is something to work with
})

test("settings hold at once and stay", async stage => {
  const person = await alone(stage, "text = 1\n")
  await person.page.locator("#settings").click()
  await person.page.locator("#setting-theme").selectOption({index: 2})
  await person.page.locator("#setting-language").selectOption("한국어")
  await person.page.locator("#setting-keymap").selectOption("Vim")
  await person.press("Escape")
  await until("the page speaks Korean", async () => await person.page.locator("#run").innerText() == "실행")
  const dark = () => person.ask(() => {
    const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g).map(Number)
    return r + g + b < 200
  })
  assert.ok(await dark())
  assert.equal(await person.ask(() => document.documentElement.lang), "ko")
  await person.page.reload()
  await person.isIn()
  assert.ok(await dark())
  assert.equal(await person.page.locator("#run").innerText(), "실행")
  await until("vim's keys are there", () => person.ask(() => !!document.querySelector(".cm-vimMode, .cm-vim-panel, .cm-fat-cursor, .cm-vimCursorLayer")))
  await person.goTo(0)
  await person.press("d")
  await person.press("d")
  await becomes("dd deletes a line", "", () => person.text())
  await person.page.goto(stage.origin + "/api/v1/ws/demo?hl=en&theme=light")
  await person.isIn()
  assert.equal(await person.page.locator("#run").innerText(), "Run") // an address says it for itself
  assert.ok(!await dark())
})

test("a program is formatted", async stage => {
  const person = await alone(stage)
  await person.page.locator("#start-language").selectOption("javascript")
  await becomes("its file is shown", "main.js", () => person.state().then(({shown}) => shown))
  await person.write("const  a = {b:1,\nc :2}\n")
  await person.page.locator("#format").click()
  await becomes("it is in order", "const a = { b: 1, c: 2 };\n", () => person.text())
})

test("what is written is there after a reload", async stage => {
  const person = await alone(stage, "kept = 1\n")
  await until("it is kept", () => person.ask(() => JSON.stringify(localStorage).includes("kept = 1")))
  await person.page.reload()
  await person.isIn()
  assert.equal(await person.text(), "kept = 1\n")
})

test("on a phone, everything is a press away", async stage => {
  const person = await stage.person("/api/v1/ws/demo", {phone: true, hasTouch: true, isMobile: true})
  await person.isIn()
  await person.write("print(input('Say: '))\n")
  await person.page.locator("#run").tap()
  await until("the terminal asks", async () => /Say:/.test(await person.terminal()))
  await person.page.locator(".xterm").tap()
  await person.page.keyboard.insertText("안녕") // as a phone's keyboard gives it
  await person.press("Enter")
  await until("it is answered", async () => /Say: 안녕\s+안녕/.test(await person.terminal()))
  await person.page.getByTestId("phone-code").tap()
  assert.ok(await person.page.locator("#editor").isVisible())
})
