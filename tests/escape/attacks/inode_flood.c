/* Makes more files than the box may hold, in /box and /tmp by turns. */
#include "attack.h"

int main(int argc, char** argv) {
    long most = atol(argument(argc, argv, 1));
    for (long i = 0; i < most * 3; ++i) {
        char path[64];
        snprintf(path, sizeof path, "%s/%ld", i % 2 ? "/box" : "/tmp", i);
        int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
        if (fd < 0) {
            if (i > most) escaped("%ld files, the limit is %ld", i, most);
            contained("after %ld files: %s", i, strerror(errno));
        }
        close(fd);
    }
    escaped("%ld files, the limit is %ld", most * 3, most);
}
