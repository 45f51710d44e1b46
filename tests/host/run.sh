#!/bin/bash
# Runs in a test host: lays the tree down where it was built, then runs the test binaries there.
# Emulation is about thirty times slower, so CLOISTER_SLOW stretches every time the tests allow. The
# runtimes' samples are slow and know no kernel: one cell tries them. matrix.sh says what the short form leaves out.
set -uo pipefail
export CLOISTER_SLOW=30 LD_LIBRARY_PATH=
tree=$(cat where)
box=() levels=(cold prepared warm) short=''
if [ "${TH_CELL:-}" != 6.1:v2 ]; then box=('~[languages]'); fi
if [ -e short ]; then
  short=1 box=('~[languages]~[any-host]')
  if [ "${TH_CELL:-}" != 6.1:v2 ]; then levels=(cold); fi
fi
mkdir -p "$(dirname "$tree")" && mv tree "$tree" && cd "$tree" || exit 1
# For the self-test as a service would see it; the boxes get a clean environment anyway.
export LD_LIBRARY_PATH=$tree/build/lib
passed=0 failed=0

# suite NAME SECONDS COMMAND...: adds up the counts of Catch2; a crash or a silent end is a failure.
suite() {
  local name=$1 limit=$2 log=$OUT/$1.log begin=$SECONDS p f code; shift 2
  timeout -k 10 "$limit" "$@" -d yes >"$log" 2>&1; code=$? # with what each test took
  read -r p f < <(python3 - "$log" <<'PY'
import re, sys
text = open(sys.argv[1], errors="replace").read()
every = re.search(r"^All tests passed \(.* in (\d+) test cases?\)", text, re.M)
table = re.search(r"^test cases:.*$", text, re.M)
def part(word):
    found = re.search(r"(\d+) " + word, table.group()) if table else None
    return int(found.group(1)) if found else 0
print(int(every.group(1)) if every else part("passed"), part(r"failed(?! as)"))
PY
  )
  if [ "$code" != 0 ] && [ "$f" = 0 ]; then f=1; fi
  if [ "$p$f" = 00 ]; then f=1; fi
  passed=$((passed + p)) failed=$((failed + f))
  echo "suite $name: $p passed, $f failed, rc=$code, $((SECONDS - begin)) s"
  [ "$f" = 0 ] || { echo "FAIL $name"; tail -60 "$log"; }
}

# The program's own word on this host: the layout it found, and every layer tried in a box.
build/cloister check >"$OUT/check.log" 2>&1
if timeout 300 build/cloisterd --selftest --state-dir /run/state >"$OUT/selftest.log" 2>&1; then
  passed=$((passed + 1)); echo 'suite selftest: 1 passed, 0 failed'
else
  failed=$((failed + 1)); echo 'FAIL selftest'; tail -40 "$OUT/selftest.log" "$OUT/check.log"
fi
[ -n "$short" ] || suite unit 400 build/unit_tests
suite box 900 build/box_tests "${box[@]}"
for level in "${levels[@]}"; do
  CLOISTER_LEVEL=$level suite "escape-$level" 900 build/escape_tests
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
