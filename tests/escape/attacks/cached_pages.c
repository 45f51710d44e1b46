/* Asks which pages of a shared file are in memory, which is what the neighbour has just read, and
 * drops them from there, so that the next look tells of the time between. */
#include "attack.h"

int main(int argc, char** argv) {
    unsigned long range[2] = {0, 4096}, answer[8];
    int fd = open(argument(argc, argv, 1), O_RDONLY);
    if (fd < 0) inconclusive("open");
    if (syscall(451, fd, range, answer, 0) == 0) escaped("cachestat");
    if (syscall(SYS_fadvise64, fd, 0, 0, POSIX_FADV_DONTNEED) == 0) escaped("fadvise");
    if (syscall(SYS_readahead, fd, 0, 1) == 0) escaped("readahead");
    contained("%s", strerror(errno));
}
