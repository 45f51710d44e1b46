/* Calls by the x32 numbers: the same door as usual, another table behind it. */
#include "attack.h"

int main(void) {
#ifdef __x86_64__
    (void)!write(1, "trying\n", 7);
    long result = syscall(0x40000000l | SYS_getpid);
    escaped("a call of the x32 table was answered with %ld, errno %d", result, errno);
#else
    errno = 0;
    inconclusive("this machine has no such table");
#endif
}
