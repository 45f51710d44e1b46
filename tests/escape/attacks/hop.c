/* A chain of processes, each the child of one that has just ended: a list of them is stale before
 * it is read. Ends by itself after 6 s. */
#include "attack.h"

int main(void) {
    long end = now_ms() + 6000;
    pid_t first = fork();
    if (first < 0) inconclusive("fork");
    if (first > 0) {
        sleep_ms(200);
        contained("a chain was left behind");
    }
    while (now_ms() < end) {
        pid_t next = fork();
        if (next > 0) _exit(0);
        if (next == 0) setsid();
        sleep_ms(2);
    }
    return 0;
}
