/* The classic way out of a chroot, and its younger sister. */
#include "attack.h"

int main(void) {
    if (chroot("/tmp") == 0) escaped("chroot");
    if (syscall(SYS_pivot_root, ".", ".") == 0) escaped("pivot_root");
    contained("%s", strerror(errno));
}
