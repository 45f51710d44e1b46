/* More processes, or threads, than the box may have: each waits, so that all are there at one time.
 */
#include "attack.h"

static int wait_there(void* unused) {
    (void)unused;
    for (int i = 0; i < 50; ++i) sleep_ms(100);
    return 0;
}

int main(int argc, char** argv) {
    int threads = strcmp(argument(argc, argv, 1), "threads") == 0;
    int most = atoi(argument(argc, argv, 2));
    if (most * 2 > 200) inconclusive("more than 200 processes");
    const size_t size = 64 * KIB;
    for (int i = 1; i <= most * 2; ++i) {
        char* stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        int flags = threads ? CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                                  CLONE_SYSVSEM
                            : SIGCHLD;
        if (stack == MAP_FAILED) inconclusive("mmap");
        if (clone(wait_there, stack + size, flags, NULL) < 0) {
            if (i > most) escaped("%d processes, the limit is %d", i, most);
            contained("after %d: %s", i, strerror(errno));
        }
    }
    escaped("%d processes, the limit is %d", most * 2, most);
}
