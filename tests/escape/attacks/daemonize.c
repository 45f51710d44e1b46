/* Leaves a grandchild in a session of its own that holds the output open, ignores every signal that
 * can be ignored and asks not to die with its parent; then ends well. It gives up by itself. */
#include "attack.h"

int main(void) {
    int ready[2];
    if (pipe(ready) != 0) inconclusive("pipe");
    if (fork() == 0) {
        setsid();
        for (int number = 1; number < 65; ++number) signal(number, SIG_IGN);
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, 0);
            prctl(PR_SET_NAME, "nobody-here");
            (void)!write(ready[1], "x", 1);
            for (int i = 0; i < 80; ++i) sleep_ms(100);
        }
        _exit(0);
    }
    char byte;
    if (read(ready[0], &byte, 1) != 1) inconclusive("the grandchild did not start");
    contained("a grandchild was left behind");
}
