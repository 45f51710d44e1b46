/* Learns from its cgroup's path what the host is and who runs beside it. */
#include "attack.h"

int main(void) {
    static char text[4096];
    int fd = open("/proc/self/cgroup", O_RDONLY);
    if (fd < 0) contained("/proc/self/cgroup: %s", strerror(errno));
    ssize_t size = read(fd, text, sizeof text - 1);
    if (size <= 0) contained("/proc/self/cgroup is empty");
    for (char* line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        const char* path = strrchr(line, ':');
        if (path && strstr(path, "cloister")) escaped("%s", line);
    }
    contained("no path leads out of the box");
}
