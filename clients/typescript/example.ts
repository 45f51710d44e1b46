/** What the client can do, in the order in which one meets it. `node example.ts`, with Node 22.18 or newer. */
import {BusyError, Cloister, RefusedError} from "./cloister.ts"

/** Runs all of it; the tests call it with an address and options of their own. */
export async function example(cloister = new Cloister(), say: (line: string) => void = console.log): Promise<void> {
  const result = await cloister.execute({language: "python", code: "print(input()[::-1])", stdin: "olleh"})
  say(`it printed ${result.output.trim()}`)

  let printed = ""
  for await (const event of cloister.stream({language: "python", code: "for i in range(3): print(i)"})) {
    if (event.name === "output") printed += event.data.data // as it comes
    if (event.name === "result") say(`it ended ${event.data.verdict}, having printed ${JSON.stringify(printed)}`)
  }

  const judged = await cloister.judge({language: "python", code: "print(int(input()) ** 2)",
    tests: [{stdin: "3", expected: "9"}, {stdin: "4", expected: "15"}]})
  say(`${judged.verdict}: ${judged.verdicts.AC ?? 0} of ${judged.tests}`)

  try {
    await cloister.execute({language: "pyton", code: ""})
  } catch (why) {
    if (why instanceof RefusedError) say(`refused: ${why.code}`)
    else if (why instanceof BusyError) say(`again in ${why.retryAfterMs} ms`)
    else throw why
  }

  const run = await cloister.interactive({language: "python", code: "while True: print('hello', input())"})
  let greeted = 0
  let line = "" // output comes in pieces, not in lines
  for await (const event of run) {
    if (event.name === "started") run.write("you\n")
    if (event.name !== "output") continue
    line += event.data.data
    if (!line.endsWith("\n")) continue
    say(`it says ${line.trim()}`)
    line = ""
    if (++greeted === 1) run.write("you again\n")
    else break // which ends the run
  }
}

declare const process: {argv: string[]} | undefined
if (typeof process !== "undefined" && process.argv[1]?.endsWith("example.ts")) await example()
