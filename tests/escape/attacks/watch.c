/* Watches which of the shared files other runs open, or holds a lease on one. */
#include "attack.h"

#include <sys/inotify.h>

int main(int argc, char** argv) {
    int fd = inotify_init1(0);
    if (fd >= 0) escaped("inotify");
    if (reached_kernel(syscall(SYS_fanotify_init, ~0u, 0))) escaped("fanotify");
    int shown = open(argument(argc, argv, 1), O_RDONLY);
    if (shown >= 0 && fcntl(shown, F_SETLEASE, F_RDLCK) == 0) escaped("a lease");
    if (shown >= 0 && fcntl(shown, F_NOTIFY, DN_ACCESS | DN_MODIFY) == 0) {
        fcntl(shown, F_NOTIFY, 0);
        escaped("dnotify");
    }
    contained("%s", strerror(errno));
}
