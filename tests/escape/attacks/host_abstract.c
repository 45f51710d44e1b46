/* Connects to an abstract UNIX socket of the host, which no file permission guards. */
#include "attack.h"

#include <stddef.h>
#include <sys/un.h>

int main(int argc, char** argv) {
    const char* name = argument(argc, argv, 1);
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strncpy(to.sun_path + 1, name, sizeof to.sun_path - 2);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0) contained("no such socket: %s", strerror(errno));
    if (connect(fd, (struct sockaddr*)&to, size) == 0)
        escaped("reached the host's socket @%s", name);
    contained("@%s: %s", name, strerror(errno));
}
