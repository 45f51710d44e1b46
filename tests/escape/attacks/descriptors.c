/* Looks through every number for a descriptor that somebody forgot, and forges a report into it. */
#include "attack.h"

int main(void) {
    const unsigned forged[2][2] = {{27, 13}, {0, 0}};
    for (int fd = 3; fd < 65536; ++fd) {
        if (write(fd, forged, sizeof forged) >= 0 || errno != EBADF)
            escaped("descriptor %d is open", fd);
    }
    contained("no descriptor beyond 2 is open");
}
