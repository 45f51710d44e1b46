/* Says that it runs, asks not to die with its parent, and stays. Ends by itself after 15 s. */
#include "attack.h"

int main(void) {
    prctl(PR_SET_PDEATHSIG, 0);
    if (fork() == 0) prctl(PR_SET_PDEATHSIG, 0);
    (void)!write(1, "here\n", 5);
    for (int i = 0; i < 150; ++i) sleep_ms(100);
    return 0;
}
