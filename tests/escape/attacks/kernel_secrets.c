/* Reads what the kernel tells about the whole machine: its memory, its load, its neighbours. */
#include "attack.h"

int main(void) {
    const char* files[] = {
        "/proc/kcore",
        "/proc/kallsyms",
        "/proc/keys",
        "/proc/loadavg",
        "/proc/stat",
        "/proc/uptime",
        "/proc/meminfo",
        "/proc/vmstat",
        "/proc/interrupts",
        "/proc/timer_list",
        "/proc/cmdline",
        "/proc/version",
        "/proc/sys/kernel/hostname",
        "/proc/sys/kernel/random/boot_id",
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; ++i) {
        if (open(files[i], O_RDONLY) >= 0) escaped("%s is open", files[i]);
    }
    contained("/proc tells of this box alone");
}
