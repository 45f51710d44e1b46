/* Looks into each of the five sets for a single capability. */
#include "attack.h"

int main(void) {
    const char* sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; ++i) {
        const char* value = status_line(sets[i]);
        if (strtoull(value, NULL, 16) != 0) escaped("%s is %s", sets[i], value);
    }
    contained("all five sets are empty");
}
