/* Opens more descriptors than one process may have. */
#include "attack.h"

int main(int argc, char** argv) {
    int most = atoi(argument(argc, argv, 1));
    for (int i = 3; i < most * 2; ++i) {
        int fd = dup(0);
        if (fd < 0) contained("after %d: %s", i, strerror(errno));
        if (fd >= most) escaped("descriptor %d, the limit is %d", fd, most);
    }
    inconclusive("neither refused nor beyond the limit");
}
