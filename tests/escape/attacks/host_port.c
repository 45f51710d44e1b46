/* Connects to a service that listens on the host's loopback. */
#include "attack.h"

#include <arpa/inet.h>
#include <netinet/in.h>

int main(int argc, char** argv) {
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((unsigned short)atoi(argument(argc, argv, 1)))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) contained("no such socket: %s", strerror(errno));
    if (connect(fd, (struct sockaddr*)&to, sizeof to) == 0)
        escaped("reached the host's port %s", argv[1]);
    contained("port %s: %s", argv[1], strerror(errno));
}
