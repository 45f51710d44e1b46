#!/bin/bash
# The host matrix of ./dev test host: one payload, one virtual machine for each kernel and cgroup
# layout, two at a time. Prints what each did and what failed where, then the sum of all machines.
#
#   matrix.sh [--short] [K:MODE...]      default: 6.1:v2 6.12:v2 6.1:hybrid 6.1:v1
#
# --short, one machine at a time: what a kernel changes. Without the samples of every runtime, the unit tests, and the
# tests of boxes whose tag is [any-host]; attacks on boxes that were made ahead on the first machine alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$PWD/build/host
rm -rf "$out"; mkdir -p "$out"
python3 tests/host/mkpayload build "$out/payload"
jobs=2
if [ "${1:-}" = --short ]; then touch "$out/payload/short"; jobs=1; shift; fi
tests/host/th matrix "$out/payload" --jobs "$jobs" --timeout "${CLOISTER_CELL_SECONDS:-1800}" --out "$out" "$@" >"$out/summary" || :
passed=0 failed=0
while read -r _ cell rc p _ f _; do
  folder=$out/$(basename "${cell%:}" | tr ':' '-')
  grep -a '^suite' "$folder/log" 2>/dev/null | sed "s/^/${cell} /" || :
  grep -a -A60 '^FAIL' "$folder/log" 2>/dev/null | sed "s/^/${cell} /" || :
  if [ -z "${f:-}" ]; then
    tail -5 "$folder/run.log"
    p=0 f=1
  elif [ "$rc" != rc=0 ] && [ "$f" = 0 ]; then f=1; fi
  passed=$((passed + p)) failed=$((failed + f))
done < <(grep '^cell ' "$out/summary")
cat "$out/summary"
if ((passed + failed == 0)); then failed=1; fi
echo "$passed passed, $failed failed"
((failed == 0))
