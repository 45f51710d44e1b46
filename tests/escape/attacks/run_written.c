/* Writes a program and runs it: by path, by descriptor, by mapping it. */
#include "attack.h"

extern char** environ;

static void copy_self(const char* to) {
    static char block[65536];
    int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int out = open(to, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0700);
    if (in < 0 || out < 0) inconclusive("copy to %s", to);
    for (ssize_t size; (size = read(in, block, sizeof block)) > 0;) {
        if (write(out, block, (size_t)size) != size) inconclusive("write %s", to);
    }
    fchmod(out, 0700);
    close(in);
    close(out);
}

int main(int argc, char** argv) {
    if (argc > 1 && strcmp(argv[1], "again") == 0) escaped("ran what was written to %s", argv[0]);
    const char* paths[] = {"/box/program", "/tmp/program", "/dev/shm/program"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; ++i) {
        copy_self(paths[i]);
        char* again[] = {(char*)paths[i], "again", NULL};
        execve(paths[i], again, environ);
        if (errno != EACCES && errno != EPERM) inconclusive("execve %s", paths[i]);
        int fd = open(paths[i], O_RDONLY);
        syscall(SYS_execveat, fd, "", again, environ, AT_EMPTY_PATH);
        if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) != MAP_FAILED) {
            escaped("mapped %s executable", paths[i]);
        }
        close(fd);
        unlink(paths[i]);
    }
    contained("what a program writes does not run: %s", strerror(EACCES));
}
