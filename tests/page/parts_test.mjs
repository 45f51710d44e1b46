// The parts of the page that need no browser have tests of their own, which stand beside them; they are run where
// the page was built, with the packages that it was built from.
import assert from "node:assert/strict"
import {spawnSync} from "node:child_process"
import path from "node:path"

import {BUILD, test} from "./harness.mjs"

test("the parts that need no browser do what they should", () => {
  const done = spawnSync(process.execPath, ["--test"], {cwd: path.join(BUILD, "daemon/front/page/stage"), encoding: "utf8"})
  assert.equal(done.status, 0, `${done.error ?? ""}${done.stdout}`)
  assert.match(done.stdout, /^# pass [1-9]/m)
})
