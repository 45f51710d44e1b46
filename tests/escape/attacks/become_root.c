/* Is, or becomes, the host's root. */
#include "attack.h"

#include <grp.h>

int main(void) {
    uid_t real, effective, saved;
    gid_t groups[3], none = 0;
    getresuid(&real, &effective, &saved);
    if (real == 0 || effective == 0 || saved == 0) escaped("user id 0");
    getresgid(&groups[0], &groups[1], &groups[2]);
    if (groups[0] == 0 || groups[1] == 0 || groups[2] == 0) escaped("group id 0");
    gid_t other[64];
    int count = getgroups(64, other); /* container engines list the own group a second time */
    if (count > 1 || (count == 1 && other[0] != groups[0])) escaped("%d more groups", count);
    if (setuid(0) == 0 || setreuid(0, 0) == 0 || setresuid(0, 0, 0) == 0 || seteuid(0) == 0)
        escaped("setuid");
    if (setgid(0) == 0 || setresgid(0, 0, 0) == 0) escaped("setgid");
    if (setgroups(1, &none) == 0) escaped("setgroups");
    contained("user %d: %s", (int)real, strerror(errno));
}
