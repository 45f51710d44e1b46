#!/bin/bash
# The guest's half of `th`: waits for a payload on the second disk, unpacks it, runs its run.sh, sends
# the output, the files in $OUT and the exit code back, and powers off. With th.snap=1 on the kernel's
# command line (the machine is to be saved) it says READY and waits for the disk of whoever wakes it.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
LOG=/dev/virtio-ports/th.log RESULTS=/dev/virtio-ports/th.res DISK=/dev/vdb

magic() { dd if=$DISK bs=4096 count=1 iflag=direct status=none | tail -c +258 | head -c 5; }

for _ in $(seq 100); do [ -e $LOG ] && [ -b $DISK ] && break; sleep 0.1; done
if tr ' ' '\n' </proc/cmdline | grep -qx th.snap=1; then
  modprobe -a overlay loop 2>/dev/null
  python3 -c 1
  systemctl is-system-running --wait >/dev/null
  sync; echo 3 >/proc/sys/vm/drop_caches
  echo 'TH READY' >$LOG
  until [ "$(magic)" = ustar ]; do sleep 0.2; done
fi

# The port takes one opener: were it opened again, a process that a test left behind could be in the way.
exec 3>>$LOG
rc=125
mkdir -p /opt/th /opt/th-out; cd /opt/th || exit
{
  blockdev --flushbufs $DISK
  if tar --warning=no-timestamp -xf $DISK -C /opt/th; then
    . ./th-env
    date -s "@$TH_NOW" >/dev/null
    echo "TH start kernel=$(uname -r) $(systemctl --version | head -1 | cut -d' ' -f1,2) cgroup=$(stat -fc %T /sys/fs/cgroup) cpus=$(nproc)"
    export TH_CELL OUT=/opt/th-out
    timeout -k 10 "$TH_TIMEOUT" bash ./run.sh </dev/null; rc=$?
  else
    echo "TH bad payload on $DISK"
  fi
  echo "TH end rc=$rc"
} >&3 2>&1
tar cz -C /opt/th-out . >$RESULTS 2>/dev/null
echo "TH-RC $rc" >&3
sync; sleep 0.3
systemctl poweroff -f -f
