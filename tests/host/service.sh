#!/bin/bash
# The life of the package on one emulated machine, kernel 6.1 with cgroup v2: installed, started, used,
# attacked, killed, reloaded, upgraded, stopped, purged. The log is readable: one line per promise.
#
#   service.sh [K:MODE]      default: 6.1:v2; expects the package in build/package
set -euo pipefail
cd "$(dirname "$0")/../.."
cell=${1:-6.1:v2} out=$PWD/build/host-service payload=$PWD/build/host-service/payload
rm -rf "$out"; mkdir -p "$payload"
package=$(ls build/package/cloister_*.deb)
cp "$package" "$payload/first.deb"
# The same again under a higher version, for the upgrade.
dpkg-deb -R "$package" "$out/next"
sed -i 's/^Version: .*/&+next/' "$out/next/DEBIAN/control"
dpkg-deb --root-owner-group -Zgzip -z1 -b "$out/next" "$payload/next.deb" >/dev/null
rm -rf "$out/next"
cp tests/host/service_test.py tests/protocol/wire.py "$payload/"
printf '#!/bin/bash\nexec python3 -u service_test.py\n' >"$payload/run.sh"
code=0
tests/host/th run "$payload" --kernel "${cell%%:*}" --mode "${cell#*:}" --timeout 900 --out "$out/out" || code=$?
((code != 125)) || echo 'the machine failed, not what ran in it'
exit "$code"
