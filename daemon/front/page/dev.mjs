// npm run dev: builds the page at every change and serves it in front of a daemon that runs already
// (./dev run): node dev.mjs [port of the daemon, 8000] [own port, 8080].
import {watch} from "node:fs"
import path from "node:path"
import {fileURLToPath} from "node:url"

import {buildPage} from "./build.mjs"
import {servePage} from "./serve.mjs"

const HERE = path.dirname(fileURLToPath(import.meta.url)), OUT = path.join(HERE, "dist")
const [daemonPort = 8000, port = 8080] = process.argv.slice(2).map(Number)

await buildPage(OUT)
const {address} = await servePage(OUT, {host: "127.0.0.1", port: daemonPort}, port)
console.log(`${address}/api/v1/ws/demo`)

let timer
watch(path.join(HERE, "src"), {recursive: true}, () => {
  clearTimeout(timer)
  timer = setTimeout(() => buildPage(OUT).then(() => console.log("built"), error => console.error(String(error))), 100)
})
