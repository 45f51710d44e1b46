/* Signals its init: whoever stops or kills it decides what is reported. */
#include "attack.h"

int main(void) {
    if (kill(1, 0) == 0) escaped("init takes our signals");
    if (errno != EPERM) inconclusive("kill 1");
    for (int number = 1; number < 65; ++number) {
        if (kill(1, number) == 0) escaped("init takes signal %d", number);
    }
    if (kill(getppid(), SIGSTOP) == 0) escaped("our parent takes our signals");
    contained("init: %s", strerror(EPERM));
}
