/* Asks for a socket of every family but the three that programs use: AF_ALG and its page cache
 * bugs, vsock, which no namespace holds, Bluetooth, netlink beyond routes, and everything else. */
#include "attack.h"

int main(void) {
    int refused = 0;
    for (int family = 0; family < 64; ++family) {
        if (family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK)
            continue;
        for (int type = 1; type <= 5; ++type) {
            if (socket(family, type, 0) >= 0)
                escaped("a socket of family %d, type %d", family, type);
            ++refused;
        }
    }
    for (int protocol = 1; protocol < 32; ++protocol) { /* 0 is NETLINK_ROUTE */
        if (socket(AF_NETLINK, SOCK_RAW, protocol) >= 0)
            escaped("a netlink socket of protocol %d", protocol);
        if (socket(AF_NETLINK, SOCK_DGRAM, protocol) >= 0)
            escaped("a netlink socket of protocol %d", protocol);
        ++refused;
    }
    contained("%d kinds of socket refused", refused);
}
