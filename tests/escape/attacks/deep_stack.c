/* Grows its stack beyond its limit. */
#include "attack.h"

static __attribute__((noinline)) int dig(int depth) {
    volatile char room[64 * 1024];
    room[0] = room[sizeof room - 1] = (char)depth;
    return depth == 0 ? room[0] : dig(depth - 1) + room[0];
}

int main(int argc, char** argv) {
    long bytes = atol(argument(argc, argv, 1));
    (void)!write(1, "trying\n", 7);
    dig((int)(2 * bytes / (64 * 1024)));
    escaped("a stack of %ld bytes", 2 * bytes);
}
