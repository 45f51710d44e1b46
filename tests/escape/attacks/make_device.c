/* Makes a device node of its own: the machine's memory, its first disk. */
#include "attack.h"

#include <sys/sysmacros.h>

int main(void) {
    const char* folders[] = {"/box", "/tmp", "/dev/shm"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; ++i) {
        char path[64];
        snprintf(path, sizeof path, "%s/node", folders[i]);
        if (mknod(path, S_IFCHR | 0600, makedev(1, 1)) == 0 ||
            mknod(path, S_IFBLK | 0600, makedev(8, 0)) == 0) {
            unlink(path);
            escaped("made the device %s", path);
        }
    }
    contained("mknod: %s", strerror(errno));
}
