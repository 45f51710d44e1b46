/* Is there no filter, or one that can be left? */
#include "attack.h"

int main(void) {
    if (strcmp(status_line("Seccomp"), "2") != 0) escaped("no filter");
    contained("a filter is loaded");
}
