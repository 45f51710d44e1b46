// npm test: the parts of the page that are pure: differences, arguments, what compilers say, links.
import assert from "node:assert/strict"
import test from "node:test"

import {build} from "esbuild"

/** A module of src/, without the browser. */
async function load(name) {
  const {outputFiles} = await build({entryPoints: [new URL(`../src/${name}.ts`, import.meta.url).pathname], bundle: true, format: "esm",
    platform: "neutral", target: "node20", write: false})
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`)
}

const {lineReplacements, replacement} = await load("difference")
const {splitArguments} = await load("arguments")
const {readErrors} = await load("compile_errors")
const {fromFragment, toFragment} = await load("snippet")

/** The same numbers each time. */
function random(seed) {
  return below => {
    seed = Math.imul(seed ^ seed >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0
    return ((seed ^ seed >>> 13) >>> 0) % below
  }
}

const apply = (text, changes) =>
  changes.reduceRight((all, {from, to, insert}) => all.slice(0, from) + insert + all.slice(to), text)

test("replacements make the one text of the other, and cut no pair of surrogates", () => {
  const next = random(7), pieces = ["a", "b", "\n", "한", "😀", "😁", "  ", "\n\n"]
  const text = () => Array.from({length: next(12)}, () => pieces[next(pieces.length)]).join("")
  const isCut = part => /^[\udc00-\udfff]|[\ud800-\udbff]$/.test(part)
  for (let i = 0; i < 20_000; i++) {
    const before = text(), after = text()
    for (const changes of [[replacement(before, after)], lineReplacements(before, after)]) {
      assert.equal(apply(before, changes), after)
      for (const {from, to, insert} of changes) assert.ok(!isCut(insert) && !isCut(before.slice(from, to)))
    }
  }
})

test("one changed line leaves the others alone", () => {
  assert.deepEqual(lineReplacements("a\nb\nc\n", "a\nB\nc\n"), [{from: 2, to: 3, insert: "B"}])
  assert.deepEqual(lineReplacements("same\n", "same\n"), [])
})

test("arguments are parted as a shell parts them", () => {
  assert.deepEqual(splitArguments(`--size 10 "two words" 'a "b"' c\\ d "" e"f"`), ["--size", "10", "two words", 'a "b"', "c d", "", "ef"])
  assert.deepEqual(splitArguments("   "), [])
})

const places = (output, language, ...paths) =>
  readErrors(output, language, paths).map(({path, problem: {line, column, severity, message}}) => [path, line, column, severity, message])

test("gcc, go and javac are understood", () => {
  assert.deepEqual(places("main.c: In function 'main':\nmain.c:4:13: warning: odd\n    4 |  x\nmain.c:5:20: error: 'm' undeclared\n" +
    "main.c:5:20: note: once\n/usr/include/x.h:1:1: error: not ours\n", "c", "main.c"),
  [["main.c", 4, 12, "warning", "odd"], ["main.c", 5, 19, "error", "'m' undeclared"]])
  assert.deepEqual(places("# command-line-arguments\r\n./main.go:5:2: undefined: x\r\n", "go", "main.go"),
    [["main.go", 5, 1, "error", "undefined: x"]])
  assert.deepEqual(places("Main.java:3: error: ';' expected\n        int a = 1\n                 ^\n1 error\n", "java", "Main.java"),
    [["Main.java", 3, 17, "error", "';' expected"]])
})

test("the frame of ours in a traceback is what Python means", () => {
  const trace = 'Traceback (most recent call last):\n  File "/box/main.py", line 4, in <module>\n    f()\n' +
    '  File "/usr/lib/python3.11/json/x.py", line 9, in y\n    z()\nZeroDivisionError: division by zero\n'
  assert.deepEqual(places(trace, "python", "main.py"), [["main.py", 4, -1, "error", "ZeroDivisionError: division by zero"]])
  assert.deepEqual(places("no error at all\n", "python", "main.py"), [])
})

test("Node's place is found, with colours in between", () => {
  const output = "/box/main.js:2\n  x.y()\n    ^\n\n\x1b[31mTypeError: Cannot read\x1b[39m\n    at f (/box/main.js:2:5)\n"
  assert.deepEqual(places(output, "javascript", "main.js").map(each => each.slice(0, 2)), [["main.js", 2]])
})

test("files go into a link and come back; nonsense does not", async () => {
  const saved = {files: [{path: "main.py", text: "print('한글 😀')\n".repeat(50)}], shown: "main.py"}
  const fragment = await toFragment(saved)
  assert.match(fragment, /^[\w-]+$/)
  assert.ok(fragment.length < 200)
  assert.deepEqual(await fromFragment(fragment), saved)
  await assert.rejects(fromFragment("nonsense"))
})
