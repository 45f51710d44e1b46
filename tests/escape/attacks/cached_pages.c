/* Asks which pages of a shared file are in memory: what the neighbour has just read. */
#include "attack.h"

int main(int argc, char **argv) {
    unsigned long range[2] = {0, 4096}, answer[8];
    int fd = open(argument(argc, argv, 1), O_RDONLY);
    if (fd < 0) inconclusive("open");
    if (syscall(451, fd, range, answer, 0) == 0) escaped("cachestat");
    contained("%s", strerror(errno));
}
