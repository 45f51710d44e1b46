/* Opens for writing the files by which the kernel runs a program of one's choice as the host's
 * root. */
#include "attack.h"

int main(void) {
    const char* knobs[] = {
        "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe",
        "/proc/sys/kernel/hotplug",      "/proc/sys/fs/binfmt_misc/register",
        "/proc/sysrq-trigger",           "/proc/sys/vm/overcommit_memory",
        "/sys/kernel/uevent_helper",     "/sys/fs/cgroup/release_agent",
    };
    for (size_t i = 0; i < sizeof knobs / sizeof *knobs; ++i) {
        if (open(knobs[i], O_WRONLY) >= 0) escaped("%s is open for writing", knobs[i]);
    }
    contained("no knob can be opened");
}
