/* Two runs tell each other something by a lock on a file that both are shown. */
#include "attack.h"

#include <sys/file.h>

int main(int argc, char** argv) {
    const char* path = argument(argc, argv, 2);
    int fd = open(path, O_RDONLY);
    if (fd < 0) inconclusive("open %s", path);
    if (strcmp(argument(argc, argv, 1), "hold") == 0) {
        if (flock(fd, LOCK_EX) != 0) contained("flock: %s", strerror(errno));
        sleep_ms(atol(argument(argc, argv, 3)));
        return 0;
    }
    for (long end = now_ms() + atol(argument(argc, argv, 3)) / 2; now_ms() < end; sleep_ms(20)) {
        if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
            escaped("the neighbour's lock is seen");
        flock(fd, LOCK_UN);
    }
    contained("no lock is seen");
}
