/* Reads a file of the host that everybody on the host may read. */
#include "attack.h"

int main(int argc, char** argv) {
    const char* path = argument(argc, argv, 1);
    char byte;
    int fd = open(path, O_RDONLY);
    if (fd < 0) contained("%s: %s", path, strerror(errno));
    if (read(fd, &byte, 1) == 1) escaped("read %s", path);
    inconclusive("%s is open and empty", path);
}
