// Builds the page: node build.mjs OUTDIR. Writes OUTDIR/index.html, in which {{nonce}} stands for the
// nonce of each answer, and OUTDIR/assets/NAME-HASH.{js,css,woff2,svg}, which never change under their name.
import {mkdir, readdir, readFile, rm, writeFile} from "node:fs/promises"
import path from "node:path"
import {fileURLToPath} from "node:url"

import {build} from "esbuild"

const HERE = path.dirname(fileURLToPath(import.meta.url))
const MADE_HERE = /^[\w.-]+-[A-Z0-9]{8}\.(js|css|woff2|svg)$/

/** Builds into `out`; returns esbuild's account of what became what. */
export async function buildPage(out) {
  const assets = path.join(out, "assets")
  await mkdir(assets, {recursive: true})
  for (const name of await readdir(assets)) if (MADE_HERE.test(name)) await rm(path.join(assets, name))

  const common = {
    absWorkingDir: HERE,
    outdir: assets,
    publicPath: "/assets",
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    bundle: true,
    target: "es2022",
    minify: true,
    legalComments: "none",
    loader: {".woff2": "file", ".svg": "copy"},
    metafile: true,
    logLevel: "warning",
  }
  const page = await build({...common, entryPoints: {main: "src/main.ts", icon: "static/icon.svg"},
    splitting: true, format: "esm"})
  // A script of the old kind, since modules wait for the whole document.
  const early = await build({...common, entryPoints: {early: "src/early.ts"}, format: "iife"})
  const metafile = {outputs: {...page.metafile.outputs, ...early.metafile.outputs}}

  const outputs = Object.entries(metafile.outputs)
  const made = pattern => {
    const found = outputs.find(([name]) => pattern.test(path.basename(name)))
    if (!found) throw new Error(`the build has made nothing like ${pattern}`)
    return found
  }
  const address = name => `/assets/${path.basename(name)}`
  const [main, {imports}] = made(/^main-\w+\.js$/)
  const needed = imports.filter(({kind}) => kind == "import-statement").map(each => address(each.path))
  const html = (await readFile(path.join(HERE, "src/index.html"), "utf8"))
    .replace("{{early}}", address(made(/^early-\w+\.js$/)[0]))
    .replace("{{style}}", address(made(/^main-\w+\.css$/)[0]))
    .replace("{{icon}}", address(made(/^icon-\w+\.svg$/)[0]))
    .replace("{{main}}", address(main))
    .replace("{{preload}}", needed.map(each => `<link rel="modulepreload" href="${each}">`).join("\n"))
  await writeFile(path.join(out, "index.html"), html)
  return metafile
}

if (process.argv[1] == fileURLToPath(import.meta.url)) {
  if (!process.argv[2]) {
    console.error("usage: node build.mjs OUTDIR")
    process.exit(2)
  }
  await buildPage(path.resolve(process.argv[2]))
}
