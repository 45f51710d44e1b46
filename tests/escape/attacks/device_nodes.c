/* Opens the machine's own devices where they usually are. */
#include "attack.h"

int main(void) {
    const char* devices[] = {"/dev/mem",  "/dev/kmem",    "/dev/port",         "/dev/kmsg",
                             "/dev/ptmx", "/dev/tty0",    "/dev/console",      "/dev/kvm",
                             "/dev/fuse", "/dev/net/tun", "/dev/loop-control", "/dev/sda",
                             "/dev/vda",  "/dev/nvme0n1"};
    for (size_t i = 0; i < sizeof devices / sizeof *devices; ++i) {
        if (open(devices[i], O_RDONLY | O_NONBLOCK | O_NOCTTY) >= 0)
            escaped("%s is open", devices[i]);
    }
    contained("none of them is there");
}
