/* Ignores whatever can be ignored, and spins. */
#include "attack.h"

int main(void) {
    sigset_t all;
    for (int number = 1; number < 65; ++number) signal(number, SIG_IGN);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (volatile unsigned long i = 0;; ++i) {}
}
