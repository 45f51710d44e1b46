/* Looks for a terminal or a session that is not its own: what is typed into them, others run. */
#include "attack.h"

int main(void) {
    if (getsid(0) != getpid()) escaped("session %d is not ours", getsid(0));
    if (open("/dev/tty", O_RDWR | O_NOCTTY) >= 0) escaped("/dev/tty is open");
    contained("a session of its own, without a terminal");
}
