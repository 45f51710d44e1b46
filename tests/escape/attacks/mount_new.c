/* Mounts: a fresh tmpfs, a whole /proc, the cgroup tree with its release_agent. */
#include "attack.h"

#include <sys/mount.h>

int main(void) {
    if (mkdir("/tmp/place", 0700) != 0) inconclusive("mkdir");
    if (mount("t", "/tmp/place", "tmpfs", 0, "size=4k") == 0) escaped("a tmpfs");
    if (mount("p", "/tmp/place", "proc", 0, NULL) == 0) escaped("/proc");
    if (mount("c", "/tmp/place", "cgroup2", 0, NULL) == 0) escaped("the cgroup tree");
    if (mount("c", "/tmp/place", "cgroup", 0, "memory") == 0) escaped("the memory cgroups");
    if (mount("/", "/tmp/place", NULL, MS_BIND | MS_REC, NULL) == 0) escaped("a bind");
    contained("%s", strerror(errno));
}
