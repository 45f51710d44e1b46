/* Makes files in the folders that all boxes of a runtime share. */
#include "attack.h"

int main(void) {
    const char* folders[] = {"/", "/etc", "/dev", "/app", "/proc"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; ++i) {
        char path[64];
        snprintf(path, sizeof path, "%s/cloister-escape", folders[i]);
        int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
        if (fd < 0) continue;
        unlink(path);
        escaped("made a file in %s", folders[i]);
    }
    contained("%s", strerror(errno));
}
