// Voice and screens go from browser to browser. The devices are Chromium's own fakes: a tone, a made-up screen.
import assert from "node:assert/strict"

import {freshRoom, test, until} from "./harness.mjs"

/** What comes in, by kind, of all connections of the page. */
const incoming = person => person.ask(async () => {
  const found = {}
  for (const [, connection] of window.cloister.connections())
    for (const report of (await connection.getStats()).values())
      if (report.type == "inbound-rtp")
        found[report.kind] = {packets: report.packetsReceived + (found[report.kind]?.packets ?? 0),
          frames: (report.framesDecoded ?? 0) + (found[report.kind]?.frames ?? 0),
          energy: Math.max(report.totalAudioEnergy ?? 0, found[report.kind]?.energy ?? 0)}
  return found
})

/** The loudest frequency of what the page is sent. */
const loudest = person => person.ask(async () => {
  const tracks = window.cloister.connections().flatMap(([, one]) => one.getReceivers()).map(one => one.track)
    .filter(track => track.kind == "audio" && track.readyState == "live")
  const context = new AudioContext(), analyser = new AnalyserNode(context, {fftSize: 16384})
  context.createMediaStreamSource(new MediaStream([tracks[0]])).connect(analyser)
  await new Promise(resolve => setTimeout(resolve, 700))
  const bins = new Float32Array(analyser.frequencyBinCount)
  analyser.getFloatFrequencyData(bins)
  const hertz = bins.indexOf(Math.max(...bins)) * context.sampleRate / analyser.fftSize
  await context.close()
  return hertz
})

test("voices are heard and screens are seen, when asked for", async stage => {
  const room = freshRoom()
  const first = await (await stage.person(room)).isIn(), second = await (await stage.person(room)).isIn()
  assert.equal(await first.ask(() => window.cloister.connections().length), 0) // nothing before somebody asks
  await first.page.locator("#call-voice").click()
  await second.page.locator("#call-voice").click()
  for (const one of [first, second])
    await until("sound comes", async () => ((await incoming(one)).audio?.packets ?? 0) > 50)
  await until("it is played, not just received", async () => ((await incoming(second)).audio?.energy ?? 0) > 0.001)
  const hertz = await loudest(second)
  assert.ok(Math.abs(hertz - 440) <= 10, `${hertz} Hz`)

  await first.page.locator("#call-screen").click()
  await until("pictures come", async () => ((await incoming(second)).video?.frames ?? 0) > 20)
  await until("the screen is seen", () => second.ask(() =>
    [...document.querySelectorAll("video")].some(one => one.videoWidth > 0 && one.getBoundingClientRect().width > 0)))
  await first.page.locator("#call-screen").click() // no longer
  await until("the screen is gone", () => second.ask(() =>
    [...document.querySelectorAll("video")].every(one => one.getBoundingClientRect().width == 0)))

  await first.page.locator("#call-leave").click()
  await until("the microphone is free", () => first.ask(() =>
    window.cloister.connections().every(([, one]) => one.connectionState == "closed" ||
      one.getSenders().every(({track}) => !track || track.readyState == "ended"))))
})
