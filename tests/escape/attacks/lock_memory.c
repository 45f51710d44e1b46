/* Keeps memory from ever being reclaimed. */
#include "attack.h"

int main(void) {
    void* block = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) inconclusive("mmap");
    if (mlock(block, 4 * MIB) == 0) escaped("locked 4 MiB");
    contained("mlock: %s", strerror(errno));
}
