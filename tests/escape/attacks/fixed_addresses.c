/* Turns off what makes other bugs hard: random addresses, data that is not code. */
#include "attack.h"

#include <sys/personality.h>

int main(void) {
    const unsigned long wishes[] = {ADDR_NO_RANDOMIZE, READ_IMPLIES_EXEC, MMAP_PAGE_ZERO,
                                    ADDR_COMPAT_LAYOUT};
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; ++i) {
        if (syscall(SYS_personality, wishes[i]) >= 0) escaped("personality %#lx", wishes[i]);
    }
    contained("%s", strerror(errno));
}
