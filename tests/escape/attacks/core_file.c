/* Would its crash start the host's crash handler as root? A limit of 0 does not stop a piped
 * core_pattern; the kernel's own value for "no dump" is 1 and 1. */
#include "attack.h"

int main(void) {
    struct rlimit core;
    getrlimit(RLIMIT_CORE, &core);
    if (core.rlim_cur != 1 || core.rlim_max != 1) {
        escaped("the core limit is %lld and %lld", (long long)core.rlim_cur,
                (long long)core.rlim_max);
    }
    core.rlim_cur = core.rlim_max = RLIM_INFINITY;
    if (setrlimit(RLIMIT_CORE, &core) == 0) escaped("the core limit can be raised");
    contained("no core is dumped");
}
