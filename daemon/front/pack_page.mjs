// Builds the page and packs it for the binary: pack_page.mjs SOURCE WORK [BUILT]. Everything is written below
// WORK, so that the source tree stays as it was cloned.
//
// SOURCE/build.mjs OUT writes OUT/index.html and OUT/assets/NAME-HASH.ext. Each asset is compressed here, once,
// as hard as gzip and brotli can; WORK/page_assets.cpp holds them all (page.h). BUILT: what build.mjs wrote
// elsewhere; then neither npm nor its packages are needed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const kTypes = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
  woff2: "font/woff2",
};
const kName = /^[A-Za-z0-9][A-Za-z0-9_.-]*-[A-Za-z0-9_-]{6,}\.([a-z0-9]+)$/;

const kNotSources = /\/(node_modules|dist|screenshots)$/;

const [source, work, built] = process.argv.slice(2);
const stage = join(work, "stage");

function fail(message) {
  console.error(`the page: ${message}`);
  process.exit(1);
}

/// Runs a command in the stage; what it says is shown when it fails.
function run(command, words, reason) {
  const done = spawnSync(command, words, { cwd: stage, encoding: "utf8" });
  if (done.error) fail(`${reason}: ${done.error.message}`);
  if (done.status !== 0) fail(`${reason}:\n${done.stdout}${done.stderr}`);
}

const hashOf = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 32);

/// Copies the sources beside the packages, and leaves both for the next time.
function copySources() {
  mkdirSync(stage, { recursive: true });
  for (const name of readdirSync(stage)) {
    if (name !== "node_modules" && name !== "installed") rmSync(join(stage, name), { recursive: true });
  }
  cpSync(source, stage, { recursive: true, filter: (path) => !kNotSources.test(path) });
}

/// `npm ci`, unless the packages of just this lockfile are there.
function installPackages() {
  const lock = readFileSync(join(stage, "package-lock.json"));
  const mark = join(stage, "installed");
  if (existsSync(mark) && readFileSync(mark, "utf8") === hashOf(lock)) return;
  rmSync(mark, { force: true });
  run("npm", ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
      "npm could not fetch the packages of its lockfile (for a build without a network, what build.mjs wrote " +
      "elsewhere can be given by -DCLOISTER_PAGE=DIR)");
  writeFileSync(mark, hashOf(lock));
}

function buildPage() {
  const out = join(work, "built");
  copySources();
  if (existsSync(join(stage, "package-lock.json"))) installPackages();
  rmSync(out, { recursive: true, force: true });
  run(process.execPath, ["build.mjs", resolve(out)], "build.mjs failed");
  return out;
}

/// The forms of one file, of which one is sent: as it is, and compressed where that is smaller.
function formsOf(bytes) {
  const gzip = gzipSync(bytes, { level: 9 });
  const brotli = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  const smaller = (packed) => (packed.length < bytes.length ? packed : Buffer.alloc(0));
  return { plain: bytes, gzip: smaller(gzip), brotli: smaller(brotli) };
}

class Packer {
  constructor() {
    this.folder = join(work, "packed");
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
    this.assembly = [];
    this.symbols = [];
  }

  /// Makes the bytes part of the binary; the C++ expression for them.
  add(bytes) {
    if (bytes.length === 0) return "{}";
    const symbol = `cloister_page_${this.symbols.length}`;
    const file = resolve(join(this.folder, symbol));
    writeFileSync(file, bytes);
    this.symbols.push(symbol);
    this.assembly.push(`.balign 16\n.globl ${symbol}\n.hidden ${symbol}\n${symbol}:\n.incbin ${JSON.stringify(file)}`);
    return `{${symbol}, ${bytes.length}}`;
  }
}

/// index.html in the parts between which a nonce is put.
function partsOf(index) {
  const parts = [];
  const mark = Buffer.from("{{nonce}}");
  for (;;) {
    const at = index.indexOf(mark);
    if (at < 0) return [...parts, index];
    parts.push(index.subarray(0, at));
    index = index.subarray(at + mark.length);
  }
}

function pack(out) {
  const packer = new Packer();
  const parts = partsOf(readFileSync(join(out, "index.html"))).map((part) => packer.add(part));
  const assets = [];
  for (const name of readdirSync(join(out, "assets")).sort()) {
    const type = kTypes[(kName.exec(name) ?? [])[1]];
    if (!type) fail(`assets/${name} is no NAME-HASH.ext of a known kind (${Object.keys(kTypes).join(", ")})`);
    const bytes = readFileSync(join(out, "assets", name));
    const { plain, gzip, brotli } = formsOf(bytes);
    assets.push(`    {"${name}", "${type}", "${hashOf(bytes)}", ${packer.add(plain)}, ${packer.add(gzip)}, ` +
                `${packer.add(brotli)}},`);
  }
  writeFileSync(join(work, "page_assets.cpp"), `// Generated by daemon/front/pack_page.mjs from what the page's build wrote.
#include "daemon/front/page.h"

#include <array>

asm(R"ASM(.pushsection .rodata,"a"
${packer.assembly.join("\n")}
.popsection)ASM");

extern "C" {
${packer.symbols.map((symbol) => `extern const char ${symbol}[];`).join("\n")}
}

namespace cloister::front::page {
namespace {

// Not constexpr: where these lie is known when the program is linked.
const std::array<std::string_view, ${parts.length}> kIndex = {{
    ${parts.map((part) => `std::string_view${part}`).join(",\n    ")},
}};
// In the order of their names.
const std::array<Asset, ${assets.length}> kAssets = {{
${assets.join("\n")}
}};

} // namespace

std::span<const std::string_view> index() { return kIndex; }
std::span<const Asset> assets() { return kAssets; }

} // namespace cloister::front::page
`);
}

mkdirSync(work, { recursive: true });
pack(built ? resolve(built) : buildPage());
