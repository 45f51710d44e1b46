/* The younger way to mount, which a filter of the older calls forgets. */
#include "attack.h"

int main(void) {
    char attributes[32] = {0};
    if (reached_kernel(syscall(SYS_fsopen, NULL, 0))) escaped("fsopen");
    if (reached_kernel(syscall(SYS_open_tree, AT_FDCWD, "/nowhere", 0))) escaped("open_tree");
    if (reached_kernel(syscall(SYS_fspick, AT_FDCWD, "/nowhere", 0))) escaped("fspick");
    if (reached_kernel(syscall(SYS_fsconfig, -1, 0, 0, 0, 0))) escaped("fsconfig");
    if (reached_kernel(syscall(SYS_fsmount, -1, 0, 0))) escaped("fsmount");
    if (reached_kernel(syscall(SYS_move_mount, -1, "x", -1, "x", 0xffff))) escaped("move_mount");
    if (reached_kernel(syscall(SYS_mount_setattr, -1, "", 0, attributes, 0)))
        escaped("mount_setattr");
    contained("%s", strerror(errno));
}
