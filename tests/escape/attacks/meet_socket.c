/* Two runs meet at an abstract socket while both are there. */
#include "attack.h"

#include <stddef.h>
#include <sys/un.h>

int main(int argc, char** argv) {
    const char* name = argument(argc, argv, 2);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    strncpy(at.sun_path + 1, name, sizeof at.sun_path - 2);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0) contained("no such socket: %s", strerror(errno));
    if (strcmp(argument(argc, argv, 1), "hold") == 0) {
        if (bind(fd, (struct sockaddr*)&at, size) != 0 || listen(fd, 8) != 0)
            inconclusive("listen");
        sleep_ms(atol(argument(argc, argv, 3)));
        return 0;
    }
    for (long end = now_ms() + atol(argument(argc, argv, 3)) / 2; now_ms() < end; sleep_ms(20)) {
        if (connect(fd, (struct sockaddr*)&at, size) == 0)
            escaped("met the neighbour at @%s", name);
    }
    contained("nobody at @%s: %s", name, strerror(errno));
}
