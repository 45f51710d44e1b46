/* Opens the host's password hashes. */
#include "attack.h"

int main(void) {
    if (open("/etc/shadow", O_RDONLY) >= 0) escaped("/etc/shadow is open");
    contained("/etc/shadow: %s", strerror(errno));
}
