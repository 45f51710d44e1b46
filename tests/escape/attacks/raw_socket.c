/* Asks for sockets that read and forge packets. */
#include "attack.h"

#include <netinet/in.h>

int main(void) {
    if (socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0) escaped("a raw socket");
    if (socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6) >= 0) escaped("a raw socket");
    if (socket(AF_PACKET, SOCK_RAW, 0) >= 0) escaped("a packet socket");
    contained("%s", strerror(errno));
}
