#!/bin/bash
# The package on one emulated machine, kernel 6.1 with cgroup v2. The log is readable: one line per promise.
#
#   service.sh service [K:MODE]   installed, started, used, attacked, killed, reloaded, upgraded, stopped, purged
#   service.sh docker [K:MODE]    with Debian's docker.io beside it, programs in containers
#
# K:MODE is 6.1:v2 by default; the package is expected in build/package.
set -euo pipefail
cd "$(dirname "$0")/../.."
what=$1 cell=${2:-6.1:v2} out=$PWD/build/host-$1 payload=$PWD/build/host-$1/payload
rm -rf "$out"; mkdir -p "$payload"
package=$(ls build/package/cloister_*.deb)
cp "$package" "$payload/first.deb"
# The same again under a higher version, for the upgrade.
dpkg-deb -R "$package" "$out/next"
sed -i 's/^Version: .*/&+next/' "$out/next/DEBIAN/control"
dpkg-deb --root-owner-group -Zgzip -z1 -b "$out/next" "$payload/next.deb" >/dev/null
rm -rf "$out/next"
cp tests/host/{service,docker}_test.py tests/protocol/wire.py "$payload/"
printf '#!/bin/bash\nexec python3 -u %s_test.py\n' "$what" >"$payload/run.sh"
if [ "$what" = docker ]; then export TH_MORE=docker.io,apparmor; fi
code=0
tests/host/th run "$payload" --kernel "${cell%%:*}" --mode "${cell#*:}" --timeout 1400 --out "$out/out" || code=$?
((code != 125)) || echo 'the machine failed, not what ran in it'
exit "$code"
