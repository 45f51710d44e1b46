/* Looks for any network interface but the box's own loopback. Nothing is sent. */
#include "attack.h"

#include <arpa/inet.h>
#include <netinet/in.h>

int main(int argc, char** argv) {
    /* Binding to an address of the host, where it has one beside loopback, shows that it is ours.
     */
    for (int i = 1; i < argc; ++i) {
        struct sockaddr_in at = {.sin_family = AF_INET};
        if (inet_pton(AF_INET, argv[i], &at.sin_addr) != 1)
            inconclusive("%s is no address", argv[i]);
        int fd = socket(AF_INET, SOCK_DGRAM, 0);
        if (fd >= 0 && bind(fd, (struct sockaddr*)&at, sizeof at) == 0)
            escaped("%s is an address of the box", argv[i]);
    }
    /* A datagram socket's connect only asks for a route. */
    struct sockaddr_in out = {.sin_family = AF_INET, .sin_port = htons(9)};
    out.sin_addr.s_addr = htonl(0xc6336401); /* 198.51.100.1, kept for documentation */
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr*)&out, sizeof out) == 0)
        escaped("there is a route out");
    contained("no route: %s", strerror(errno));
}
