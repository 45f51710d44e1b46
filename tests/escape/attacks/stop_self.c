/* Stops itself: it will neither end nor use any time. */
#include "attack.h"

int main(void) {
    raise(SIGSTOP);
    for (;;) pause();
}
