/* Writes more than the box may hold, in /box and /tmp by turns, as data or by fallocate. */
#include "attack.h"

int main(int argc, char** argv) {
    static char block[256 * 1024];
    long most = atol(argument(argc, argv, 1));
    int reserve = argc > 2 && strcmp(argv[2], "reserve") == 0;
    memset(block, 'x', sizeof block);
    long total = 0;
    for (int i = 0; total < 3 * most; ++i) {
        char path[64];
        snprintf(path, sizeof path, "%s/fill%d", i % 2 ? "/box" : "/tmp", i);
        int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
        if (fd < 0) break;
        long size = reserve ? (fallocate(fd, 0, 0, sizeof block) == 0 ? (long)sizeof block : -1)
                            : write(fd, block, sizeof block);
        close(fd);
        if (size < (long)sizeof block) break;
        total += size;
    }
    if (total > most) escaped("%ld bytes, the limit is %ld", total, most);
    if (total == 0) inconclusive("not even one block could be written");
    contained("after %ld bytes: %s", total, strerror(errno));
}
