/* Does nothing for longer than it may. */
#include "attack.h"

int main(int argc, char** argv) {
    sleep_ms(atol(argument(argc, argv, 1)));
    escaped("slept for %s ms", argv[1]);
}
