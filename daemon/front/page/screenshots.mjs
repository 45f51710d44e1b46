// npm run screenshots -- [ADDRESS [FOLDER [LANGUAGE,THEME...]]]: pictures of the page in use, from a daemon
// that runs (http://127.0.0.1:8000), into a folder (screenshots): desktop and phone, both themes, both languages.
import {mkdir} from "node:fs/promises"
import path from "node:path"
import {setTimeout as sleep} from "node:timers/promises"

import {chromium} from "playwright-core"

const [address = "http://127.0.0.1:8000", folder = "screenshots"] = process.argv.slice(2)
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium"
const WAIT_MS = 20_000
const VIEWS = {desktop: {width: 1440, height: 900}, phone: {width: 390, height: 844}}
const PEOPLE = {en: ["Mina", "Jun", "Shall we let it read more points?", "Yes. And it could tell how sure it is.",
  "I am at estimate()."],
ko: ["민아", "준", "점을 더 많이 찍어 볼까요?", "좋아요. 오차도 같이 보여 주면 좋겠어요.", "저는 estimate()를 볼게요."]}

const MAIN = `"""How far is it around a circle? Throw darts and count."""
import random
import time

from report import bar

ROUNDS = 8
DARTS = 40_000


def estimate(darts: int) -> float:
    hits = 0
    for _ in range(darts):
        x, y = random.random(), random.random()
        if x * x + y * y <= 1:
            hits += 1
    return 4 * hits / darts


random.seed(7)
kept = []
for number in range(1, ROUNDS + 1):
    kept.append([estimate(DARTS)] * 60_000)
    mean = sum(each[0] for each in kept) / len(kept)
    print(f"{number:>2}  {mean:.5f}  {bar(mean, 3.14159)}", flush=True)
    time.sleep(0.15)
`
const REPORT = `def bar(value: float, target: float) -> str:
    """A line that is longer the farther away we are."""
    return "─" * (1 + int(4000 * abs(value - target) / target)) + "●"
`

async function until(page, what, argument) {
  for (const end = Date.now() + WAIT_MS; ; await sleep(50)) {
    if (await page.evaluate(what, argument)) return
    if (Date.now() > end) throw new Error(`never true: ${what}`)
  }
}

async function enter(browser, room, {language, theme, view, name}) {
  const context = await browser.newContext({viewport: VIEWS[view], colorScheme: theme, locale: language,
    deviceScaleFactor: 2, hasTouch: view == "phone"})
  await context.addInitScript(name => {
    if (!localStorage.getItem("cloister.settings")) localStorage.setItem("cloister.settings", JSON.stringify({name}))
  }, name)
  const page = await context.newPage()
  await page.goto(`${address}/api/v1/ws/room/${room}?hl=${language}&theme=${theme}`)
  await until(page, () => window.cloister?.state().settled && window.cloister.text() !== null)
  return page
}

async function say(page, text) {
  const known = await page.evaluate(() => window.cloister.chat().length)
  await page.evaluate(() => document.querySelector("#tab-chat").click())
  await page.locator("#chat-input").fill(text)
  await page.locator("#chat-input").press("Enter")
  await until(page, known => window.cloister.chat().length > known, known)
}

async function picture(page, name) {
  await page.evaluate(() => document.fonts.ready)
  await sleep(300)
  await page.screenshot({path: path.join(folder, `${name}.png`)})
  console.log(`${name}.png`)
}

async function scene(browser, language, theme) {
  const room = `darts-${Date.now().toString(36)}`
  const [ours, theirs, ...words] = PEOPLE[language]
  const first = await enter(browser, room, {language, theme, view: "desktop", name: ours})
  await until(first, () => window.cloister.text().length > 0)
  await first.locator("#file-picker").setInputFiles({name: "report.py", mimeType: "text/plain", buffer: Buffer.from(REPORT)})
  await until(first, () => window.cloister.state().files.includes("report.py") && window.cloister.text("report.py"))
  await first.evaluate(text => { window.cloister.setText(text, "main.py"); window.cloister.show("main.py") }, MAIN)
  await until(first, () => window.cloister.state().settled)

  const second = await enter(browser, room, {language, theme, view: "phone", name: theirs})
  await second.evaluate(() => window.cloister.show("main.py"))
  await until(second, () => window.cloister.text()?.includes("ROUNDS"))
  await first.locator("#run").click()
  await until(first, () => window.cloister.state().run?.state == "done")
  await second.locator("[data-testid=phone-code]").click()
  await picture(second, `phone-${language}-${theme}`)
  await second.locator("[data-testid=phone-output]").click()
  await picture(second, `phone-output-${language}-${theme}`)
  await second.evaluate(() => {
    const at = window.cloister.text().indexOf("hits += 1")
    window.cloister.select(at, at + 9)
  })
  await picture(first, `desktop-${language}-${theme}`)
  await second.locator("[data-testid=phone-chat]").click()
  for (const [at, text] of words.entries()) await say(at % 2 ? second : first, text)
  await picture(first, `desktop-chat-${language}-${theme}`)
  for (const page of [first, second]) await page.context().close()
}

await mkdir(folder, {recursive: true})
const browser = await chromium.launch({executablePath: CHROMIUM, args: ["--no-sandbox"]})
try {
  for (const language of ["en", "ko"]) for (const theme of ["light", "dark"]) await scene(browser, language, theme)
} finally {
  await browser.close()
}
