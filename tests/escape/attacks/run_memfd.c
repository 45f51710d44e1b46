/* Runs a program that was never in any folder: written to a memfd. */
#include "attack.h"

extern char** environ;

int main(int argc, char** argv) {
    static char block[65536];
    if (argc > 1 && strcmp(argv[1], "again") == 0) escaped("ran a memfd");
    for (unsigned flags = 0; flags < 32; ++flags) { /* 8: MFD_NOEXEC_SEAL, 16: MFD_EXEC */
        int fd = (int)syscall(SYS_memfd_create, "program", flags & ~4u);
        if (fd < 0) continue;
        int in = open("/proc/self/exe", O_RDONLY);
        for (ssize_t size; (size = read(in, block, sizeof block)) > 0;) {
            if (write(fd, block, (size_t)size) != size) inconclusive("write the memfd");
        }
        fchmod(fd, 0700);
        char path[64];
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        int plain = open(path, O_RDONLY);
        char* again[] = {"memfd", "again", NULL};
        syscall(SYS_execveat, plain, "", again, environ, AT_EMPTY_PATH);
        execve(path, again, environ);
        close(plain);
        close(fd);
        close(in);
    }
    contained("no memfd can be run: %s", strerror(errno));
}
