#!/bin/bash
# The host matrix of ./dev test host: one payload, one virtual machine for each kernel and cgroup
# layout, two at a time. Prints what failed where, then the sum of all machines.
#
#   matrix.sh [--short] [K:MODE...]      default: 6.1:v2 6.12:v2 6.1:hybrid 6.1:v1
#
# --short leaves out what a kernel hardly changes: the samples of every runtime, the unit tests.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$PWD/build/host
rm -rf "$out"; mkdir -p "$out"
python3 tests/host/mkpayload build "$out/payload"
if [ "${1:-}" = --short ]; then touch "$out/payload/short"; shift; fi
tests/host/th matrix "$out/payload" --timeout "${CLOISTER_CELL_SECONDS:-1800}" --out "$out" "$@" >"$out/summary" || :
passed=0 failed=0
while read -r _ cell rc p _ f _; do
  folder=$out/$(basename "${cell%:}" | tr ':' '-')
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
