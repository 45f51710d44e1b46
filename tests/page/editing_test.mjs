// Editing together: what is typed by two ends up the same for both, whatever happens on the way.
import assert from "node:assert/strict"

import {becomes, freshRoom, test, until} from "./harness.mjs"

async function two(stage, text = "", options = {}) {
  const room = freshRoom()
  const first = await stage.person(room, {language: "ko", theme: "dark", ...options})
  await first.isIn()
  await first.write(text)
  const second = await stage.person(room, options)
  await second.isIn()
  await becomes("the second one has the text", text, () => second.text())
  return {room, first, second}
}

async function agree(first, second) {
  await until("both are in step", async () =>
    (await Promise.all([first.state(), second.state()])).every(one => one.settled && one.divergences == 0))
  const text = await first.text()
  await becomes("both have the same text", text, () => second.text())
  return text
}

test("two who type at once end with one text that has everything", async stage => {
  const {first, second} = await two(stage, "first:\nsecond:\n")
  await first.goTo(6)
  await second.goTo(-2) // before the last line break
  await Promise.all([first.type(" the quick brown fox jumps"), second.type(" over the lazy dog 다람쥐")])
  assert.equal(await agree(first, second), "first: the quick brown fox jumps\nsecond: over the lazy dog 다람쥐\n")
})

test("two who type at one place lose nothing", async stage => {
  const {first, second} = await two(stage, "")
  await first.goTo(0)
  await second.goTo(0)
  await Promise.all([first.type("aaaaaaaaaaaaaaaaaaaa"), second.type("bbbbbbbbbbbbbbbbbbbb")])
  const text = await agree(first, second)
  assert.equal([...text].sort().join(""), "a".repeat(20) + "b".repeat(20))
})

test("undo takes back one's own typing alone", async stage => {
  const {first, second} = await two(stage, "one\ntwo\n")
  await first.goTo(3)
  await first.type(" mine")
  await becomes("the second one sees it", "one mine\ntwo\n", () => second.text())
  await second.goTo(-2)
  await second.type(" theirs")
  await becomes("the first one sees it", "one mine\ntwo theirs\n", () => first.text())
  await first.press("Control+z")
  await becomes("one's own is gone", "one\ntwo theirs\n", () => first.text())
  assert.equal(await agree(first, second), "one\ntwo theirs\n")
  await first.press("Control+y")
  assert.equal(await agree(first, second), "one mine\ntwo theirs\n")
})

test("others see who is where", async stage => {
  const {first, second} = await two(stage, "a line\n")
  await first.goTo(3)
  const name = await first.page.locator("#your-name").inputValue()
  await second.page.locator(".remote-caret .remote-name", {hasText: name}).waitFor({state: "attached"})
  await first.press("Shift+End")
  await second.page.locator(".remote-selection").waitFor({state: "attached"})
  assert.equal(await second.page.locator(".remote-selection").first().textContent(), "ine")
  await first.context.close()
  await until("the cursor of one who left is gone", async () => await second.page.locator(".remote-caret").count() == 0)
})

test("what is typed without a connection is told when it is back", async stage => {
  const {first, second} = await two(stage, "middle\n")
  first.expected = [/WebSocket|ERR_INTERNET_DISCONNECTED/]
  await first.context.setOffline(true)
  await first.ask(() => window.cloister.drop())
  await first.goTo(0)
  await first.type("offline ")
  await second.goTo(-2)
  await second.type(" online")
  const banner = first.page.locator("#banner")
  await banner.waitFor()
  await until("the banner tells of edits that are not sent", async () => /\d/.test(await banner.textContent()))
  assert.equal(await second.text(), "middle online\n")
  await first.context.setOffline(false)
  await becomes("everything is there", "offline middle online\n", () => second.text())
  assert.equal(await agree(first, second), "offline middle online\n")
  await banner.waitFor({state: "hidden"})
})

test("the daemon is killed in the middle and comes back", async stage => {
  const {first, second} = await two(stage, "start\n")
  for (const one of [first, second]) one.expected = [/WebSocket|ERR_CONNECTION/]
  await first.goTo(-2)
  await first.type(" before")
  await becomes("it is told", "start before\n", () => second.text())
  await stage.daemon.kill("both")
  await first.goTo(0)
  await first.type("first ")
  await second.goTo(-2)
  await second.type(" second")
  await stage.daemon.start()
  await becomes("the first one has everything", "first start before second\n", () => first.text())
  assert.equal(await agree(first, second), "first start before second\n")
})

test("Korean that is being composed survives an edit of the same line by somebody else", async stage => {
  const {first, second} = await two(stage, "x = \"\"\n")
  await first.goTo(5)
  const line = await first.context.newCDPSession(first.page)
  const compose = text => line.send("Input.imeSetComposition", {text, selectionStart: text.length, selectionEnd: text.length})
  await compose("ㅎ")
  await compose("하")
  await compose("한")
  await second.goTo(0)
  await second.type("REMOTE ")
  await until("the edit has come", async () => (await first.text()).startsWith("REMOTE "))
  await line.send("Input.insertText", {text: "한"})
  await compose("ㄱ")
  await compose("그")
  await compose("글")
  await line.send("Input.insertText", {text: "글"})
  assert.equal(await agree(first, second), "REMOTE x = \"한글\"\n")
})

test("a viewer sees everything and changes nothing", async stage => {
  const room = freshRoom()
  const owner = await stage.person(room)
  await owner.isIn()
  await owner.write("print('seen')\n")
  const viewer = await stage.person(`${room}#room-token=${stage.roomToken(room, "viewer")}`)
  await viewer.isIn()
  await becomes("the viewer sees the text", "print('seen')\n", () => viewer.text())
  await viewer.goTo(0)
  await viewer.type("not mine")
  await owner.goTo(-2)
  await owner.type(" # more")
  await becomes("the viewer sees what is typed", "print('seen') # more\n", () => viewer.text())
  assert.equal(await owner.text(), "print('seen') # more\n")
  assert.equal(await viewer.page.locator("#new-file").isVisible(), false)
  assert.ok(await viewer.page.locator("#run").isDisabled())
  await viewer.ask(() => window.cloister.insert(0, "past the page ")) // the server does not take it either
  await viewer.page.getByTestId("notice").waitFor()
  await becomes("the viewer has the server's text again", "print('seen') # more\n", () => viewer.text())
  assert.equal(await owner.text(), "print('seen') # more\n")
})
