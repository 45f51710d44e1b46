/* The kernel reads 32 bits of the family; a filter that compares 64 is passed by a high bit. */
#include "attack.h"

int main(void) {
    for (long family = 0; family < 64; ++family) {
        if (family == AF_UNIX || family == AF_INET || family == AF_INET6) continue;
        long protocol = family == AF_NETLINK ? 15 : 0; /* kernel events */
        if (syscall(SYS_socket, family | (1l << 32), SOCK_RAW, protocol) >= 0)
            escaped("family %ld", family);
    }
    contained("the high bit is no way round: %s", strerror(errno));
}
