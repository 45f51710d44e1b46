// What people in a room do beside editing: talk, and make, move, give and take files.
import assert from "node:assert/strict"
import fs from "node:fs"

import {becomes, freshRoom, test, until} from "./harness.mjs"

async function two(stage) {
  const room = freshRoom()
  const first = await (await stage.person(room)).isIn()
  const second = await (await stage.person(room, {language: "ko"})).isIn()
  return {room, first, second}
}

const names = person => person.state().then(({files}) => files)

test("what is said is read by the others, and by who comes later", async stage => {
  const {room, first, second} = await two(stage)
  await second.page.locator("#tab-chat").click()
  await first.page.locator("#tab-chat").click()
  await first.page.locator("#chat-input").fill("Hello <b>there</b>")
  await first.press("Enter")
  await second.page.locator(".chat-text", {hasText: "Hello <b>there</b>"}).waitFor()
  await second.page.locator("#chat-input").fill("안녕하세요")
  await second.press("Enter")
  await first.page.locator(".chat-text", {hasText: "안녕하세요"}).waitFor()
  const third = await (await stage.person(room)).isIn()
  await third.page.locator("#tab-chat").click()
  await becomes("the third one reads both", ["Hello <b>there</b>", "안녕하세요"],
    () => third.page.locator(".chat-text").allTextContents())
})

test("the others are listed by the names that they give themselves", async stage => {
  const {first, second} = await two(stage)
  await first.page.locator("#your-name").fill("민준")
  await first.press("Enter")
  await second.page.locator(".person-name", {hasText: "민준"}).waitFor()
  await first.page.reload()
  await second.page.locator(".person-name", {hasText: "민준"}).waitFor()
  await until("there are two of them, not three", async () => await second.page.locator(".person").count() == 2)
})

test("files are made, renamed, and deleted for everybody", async stage => {
  const {first, second} = await two(stage)
  await first.page.locator("#new-file").click()
  await first.page.locator("#file-name").fill("lib/words.py")
  await first.press("Enter")
  await becomes("the second one has it", ["lib/words.py", "main.py"], () => names(second))
  await becomes("it is shown to who made it", "lib/words.py", () => first.state().then(({shown}) => shown))
  await first.isIn()
  await first.write("words = ['a']\n")
  await second.page.locator("[data-path='lib/words.py']").click()
  await becomes("with its text", "words = ['a']\n", () => second.text("lib/words.py"))

  await first.page.locator("[data-path='lib/words.py']").press("F2")
  await first.page.locator("#file-name").fill("letters.py")
  await first.press("Enter")
  await becomes("it is moved for the second one", ["letters.py", "main.py"], () => names(second))
  await becomes("with its text", "words = ['a']\n", () => second.text("letters.py"))

  await first.page.locator("[data-path='letters.py']").press("Delete")
  await first.page.locator("#confirm .danger-button").click()
  await becomes("it is gone for the second one", ["main.py"], () => names(second))
  await becomes("another one is shown", "main.py", () => second.state().then(({shown}) => shown))
})

test("a name that cannot be is refused with a sentence", async stage => {
  const {first, second} = await two(stage)
  await first.page.locator("#new-file").click()
  await first.page.locator("#file-name").fill("../outside.py")
  await first.press("Enter")
  await first.page.getByTestId("notice").waitFor()
  assert.deepEqual(await names(second), ["main.py"])
})

test("files are given and taken", async stage => {
  const {first, second} = await two(stage)
  const text = "한글 = 'kept to the byte'\n"
  await first.page.locator("#file-picker").setInputFiles({name: "given.py", mimeType: "text/x-python", buffer: Buffer.from(text)})
  await becomes("the second one has it", ["given.py", "main.py"], () => names(second))
  await becomes("with its text", text, () => second.text("given.py"))
  await second.page.locator("[data-menu='given.py']").click()
  const [taken] = await Promise.all([second.page.waitForEvent("download"), second.page.getByTestId("menu-download").click()])
  assert.equal(taken.suggestedFilename(), "given.py")
  assert.equal(fs.readFileSync(await taken.path(), "utf8"), text)
})
