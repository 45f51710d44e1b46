/* Fills /dev/shm beyond its 16 MiB. */
#include "attack.h"

int main(void) {
    static char block[1 << 20];
    memset(block, 'x', sizeof block);
    int fd = open("/dev/shm/fill", O_CREAT | O_EXCL | O_WRONLY, 0600);
    if (fd < 0) contained("/dev/shm cannot be written: %s", strerror(errno));
    for (int i = 0; i < 48; ++i) {
        if (write(fd, block, sizeof block) != (ssize_t)sizeof block) {
            if (i > 16) escaped("%d MiB in /dev/shm", i);
            contained("after %d MiB: %s", i, strerror(errno));
        }
    }
    escaped("48 MiB in /dev/shm");
}
