/* Makes itself root in a user namespace of its own, from where the kernel's less tested half is
 * open: by unshare, clone or clone3, with or without high bits. */
#include "attack.h"

#include <linux/sched.h>

int main(int argc, char** argv) {
    const char* way = argument(argc, argv, 1);
    if (strcmp(way, "unshare") == 0) {
        if (syscall(SYS_unshare, (long)CLONE_NEWUSER) == 0) escaped("unshare");
        if (syscall(SYS_unshare, (long)CLONE_NEWUSER | 1l << 32) == 0)
            escaped("unshare with a high bit");
    } else if (strcmp(way, "clone") == 0) {
        const long namespaces[] = {CLONE_NEWUSER, CLONE_NEWUSER | CLONE_NEWNS,
                                   CLONE_NEWUSER | CLONE_NEWNET};
        for (size_t i = 0; i < sizeof namespaces / sizeof *namespaces; ++i) {
            for (long high = 0; high <= 1; ++high) {
                long pid = syscall(SYS_clone, namespaces[i] | SIGCHLD | high << 40, 0, 0, 0, 0);
                if (pid == 0) _exit(0);
                if (pid > 0) escaped("clone");
            }
        }
    } else {
        struct clone_args asked = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
        long pid = syscall(SYS_clone3, &asked, sizeof asked);
        if (pid == 0) _exit(0);
        if (pid > 0) escaped("clone3");
    }
    contained("%s: %s", way, strerror(errno));
}
