/* Makes or enters other namespaces. */
#include "attack.h"

int main(void) {
    const int kinds[] = {CLONE_NEWNS,  CLONE_NEWPID, CLONE_NEWNET,
                         CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP};
    if (reached_kernel(syscall(SYS_setns, -1, 0))) escaped("setns reaches the kernel");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; ++i) {
        if (syscall(SYS_unshare, kinds[i]) == 0) escaped("a namespace of kind %#x", kinds[i]);
    }
    contained("%s", strerror(errno));
}
