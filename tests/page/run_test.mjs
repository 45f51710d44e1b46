// Programs: fed through the terminal, stopped, and shown where they are wrong.
import assert from "node:assert/strict"

import {Daemon} from "../collab/daemon.mjs"
import {BUILD, becomes, freshRoom, test, until} from "./harness.mjs"

const shown = person => person.state().then(({run}) => run)

async function prints(person, pattern) {
  await until(`the terminal shows ${pattern}`, async () => pattern.test(await person.terminal()))
}

async function ends(person, verdict) {
  await until("the run is over", async () => (await shown(person))?.state == "done")
  const {result, refusal} = await shown(person)
  assert.equal(refusal, null)
  assert.equal(result.verdict, verdict, JSON.stringify(result))
  return result
}

async function alone(stage, code, options) {
  const person = await (await stage.person("/api/v1/ws/demo", options)).isIn()
  if (code !== undefined) await person.write(code)
  return person
}

/** Numbers of the lines that have a mark of that kind in the editor. */
const marked = (person, kind) => person.ask(kind => [...document.querySelectorAll(".cm-content .cm-line")]
  .flatMap((line, at) => line.querySelector(`.cm-lintRange-${kind}`) ? [at + 1] : []), kind)

test("a program asks and is answered in the terminal", async stage => {
  const person = await alone(stage, "name = input('Who? ')\nprint(f'Hello, {name}!')\n")
  await person.goTo(0)
  await person.press("Control+Enter")
  await prints(person, /Who\?/)
  await person.page.locator(".xterm").click()
  await person.type("지우")
  await person.press("Enter")
  await prints(person, /Hello, 지우!/)
  const result = await ends(person, "ok")
  assert.equal(result.exit_code, 0)
  const words = await person.page.locator("#run-state").innerText() // the line beneath says what it took
  assert.match(words.replace(/\s+/g, " "), /^Finished exit 0 time [\d.,]+ m?s CPU [\d.]+ m?s memory [\d.]+ MiB$/)
})

test("a terminal passes Ctrl+C on, and the program may take it", async stage => {
  const person = await alone(stage, "import time\ntry:\n  print('ready')\n  time.sleep(9)\nexcept KeyboardInterrupt:\n  print('taken')\n")
  await person.page.locator("#run").click()
  await prints(person, /ready/)
  await person.page.locator(".xterm").click()
  await person.press("Control+c")
  await prints(person, /taken/)
  await ends(person, "ok")
})

test("a run is stopped", async stage => {
  const person = await alone(stage, "print('begun')\nwhile True: pass\n")
  await person.page.locator("#run").click()
  await prints(person, /begun/)
  await person.page.locator("#stop").click()
  await ends(person, "cancelled")
  await person.page.locator("#run").waitFor()
})

test("what a program uses is seen while it runs", async stage => {
  const person = await alone(stage, "import time\nend = time.monotonic() + 1.6\nkept = []\nwhile time.monotonic() < end: kept += [0] * 1000; time.sleep(0.001)\n")
  await person.page.locator("#run").click()
  await until("samples come", async () => ((await shown(person))?.samples.length ?? 0) >= 3)
  const {samples} = await shown(person)
  assert.ok(samples.at(-1).memory > 1 << 20 && samples.at(-1).time > samples[0].time, JSON.stringify(samples))
  await ends(person, "ok")
})

test("who has to wait is told how many are before", async stage => {
  const daemon = new Daemon(BUILD, {boxes: 1})
  await daemon.start()
  try {
    const people = []
    for (let i = 0; i < 3; i++) people.push(await (await stage.person("/api/v1/ws/demo", {daemon})).isIn())
    for (const person of people) await person.write("input('Hold: ')\n")
    const state = person => person.page.locator("#run-state").innerText()
    await people[0].page.locator("#run").click()
    await prints(people[0], /Hold:/)
    await people[1].page.locator("#run").click()
    await people[1].page.locator("#run-state [data-verdict=queued]").waitFor()
    assert.match(await state(people[1]), /^Waiting$/)
    await people[2].page.locator("#run").click()
    await until("the third one waits behind it", async () => /Waiting, 1 before it/.test(await state(people[2])))
    await people[0].page.locator("#stop").click()
    await prints(people[1], /Hold:/)
    await until("the third one is next", async () => /Waiting$/.test(await state(people[2])))
    await people[1].page.locator("#stop").click()
    await prints(people[2], /Hold:/)
    for (const person of people) await person.context.close()
  } finally {
    await daemon.end()
  }
})

test("an error of the compiler is underlined at its line, and no longer when it is mended", async stage => {
  const person = await alone(stage)
  await person.page.locator("#new-file").click()
  await person.page.locator("#file-name").fill("wrong.c")
  await person.press("Enter")
  await becomes("it is shown", "wrong.c", () => person.state().then(({shown}) => shown))
  await person.write("#include <stdio.h>\nint main(void) {\n    return missing;\n}\n")
  await person.page.locator("#run").click()
  await ends(person, "compile_error")
  await becomes("line 3 is marked", [3], () => marked(person, "error"))
  assert.equal(await person.page.locator(".cm-lintRange-error").first().textContent(), "missing")
  await person.write("int main(void) { return 0; }\n")
  await becomes("nothing is marked", [], () => marked(person, "error"))
  await person.page.locator("#run").click()
  await ends(person, "ok")
})

test("where a program failed is marked", async stage => {
  const person = await alone(stage, "def f():\n    return 1 / 0\n\nf()\n")
  await person.page.locator("#run").click()
  await ends(person, "nonzero_exit")
  await becomes("line 2 is marked", [2], () => marked(person, "error"))
})

test("what the analysis finds is marked as one types", async stage => {
  const person = await alone(stage, "def f(:\n    pass\n")
  await becomes("line 1 is marked", [1], () => marked(person, "error"))
  await person.write("def f():\n    pass\n")
  await becomes("nothing is marked", [], () => marked(person, "error"))
})

test("words are completed", async stage => {
  const person = await alone(stage, "def remember_everything():\n    return 1\n\n")
  // What completes comes after the first paint, with this gutter.
  await person.page.locator(".cm-gutter-lint").waitFor({state: "attached"})
  await person.goTo(-1)
  await person.type("rememb")
  await person.page.locator(".cm-tooltip-autocomplete li", {hasText: "remember_everything"}).first().waitFor()
  await until("the list takes keys", () => person.ask(() => document.querySelector(".cm-tooltip-autocomplete li[aria-selected=true]")))
  await new Promise(resolve => setTimeout(resolve, 150)) // a list that has just appeared takes no Enter
  await person.press("Enter")
  await until("it is inserted", async () => /\n\nremember_everything/.test(await person.text()))
})

test("files are run together", async stage => {
  const person = await alone(stage)
  await person.page.locator("#new-file").click()
  await person.page.locator("#file-name").fill("helper.py")
  await person.press("Enter")
  await becomes("it is shown", "helper.py", () => person.state().then(({shown}) => shown))
  await person.write("WORD = 'from the other file'\n")
  await person.page.locator("[data-path='main.py']").click()
  await person.write("import helper\nprint(helper.WORD)\n")
  await person.page.locator("#run").click()
  await prints(person, /from the other file/)
  await ends(person, "ok")
})

test("the room sees a run, and may feed it", async stage => {
  const room = freshRoom()
  const first = await (await stage.person(room)).isIn()
  await first.write("print('got', input('Give: '))\n")
  const second = await (await stage.person(room)).isIn()
  await first.page.locator("#run").click()
  await prints(second, /Give:/)
  await second.page.locator(".xterm").click()
  await second.type("a word")
  await second.press("Enter")
  await prints(first, /got a word/)
  await ends(first, "ok")
  await ends(second, "ok")
})

test("every language that is here runs its example", async stage => {
  const person = await alone(stage)
  const {runtimes} = await (await fetch(`${stage.origin}/api/v1/runtimes`)).json()
  const there = runtimes.filter(one => one.available).map(one => one.id)
  assert.ok(there.includes("python"))
  for (const language of there) {
    await person.page.locator("#start-language").selectOption(language)
    await until("its file is shown", () => person.ask(language => window.cloister.state().shown != null &&
      document.querySelector("#start-language").value == language, language))
    await person.page.locator("#run").click()
    await until("it asks or ends", async () => /\?\s*$/.test(await person.terminal()) || (await shown(person))?.state == "done")
    if ((await shown(person)).state != "done") {
      await person.page.locator(".xterm").click()
      await person.type("you")
      await person.press("Enter")
    }
    const {output} = await shown(person)
    await ends(person, "ok")
    assert.ok(output.length > 0, language)
  }
})
