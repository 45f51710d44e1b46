/* Spins in N processes for T ms of wall time, or until each has used C ms of processor time. */
#include "attack.h"

int main(int argc, char** argv) {
    int processes = atoi(argument(argc, argv, 1));
    long wall = atol(argument(argc, argv, 2)), processor = atol(argument(argc, argv, 3));
    for (int i = 1; i < processes; ++i) {
        if (fork() == 0) break;
    }
    long end = now_ms() + wall;
    for (volatile unsigned long i = 0;; ++i) {
        if (i % 4096 != 0) continue;
        if (now_ms() >= end) break;
        if (processor > 0 && clock() / (CLOCKS_PER_SEC / 1000) >= processor)
            escaped("used %ld ms", processor);
    }
    return 0;
}
