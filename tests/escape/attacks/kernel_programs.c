/* Brings code into the kernel, or the tools that bugs of the last years needed. Arguments are such
 * that nothing is made even when the call is answered. */
#include "attack.h"

int main(int argc, char** argv) {
    const char* what = argument(argc, argv, 1);
    if (strcmp(what, "bpf") == 0 && reached_kernel(syscall(SYS_bpf, 0, NULL, 1u << 20)))
        escaped("bpf");
    if (strcmp(what, "perf") == 0 &&
        reached_kernel(syscall(SYS_perf_event_open, NULL, 0, -1, -1, ~0ul)))
        escaped("perf");
    if (strcmp(what, "userfaultfd") == 0 && reached_kernel(syscall(SYS_userfaultfd, 1 | O_CLOEXEC)))
        escaped("userfaultfd");
    if (strcmp(what, "io_uring") == 0 && reached_kernel(syscall(SYS_io_uring_setup, 0, NULL)))
        escaped("io_uring");
    contained("%s: %s", what, strerror(errno));
}
