/* Turns the read-only root into a writable one. */
#include "attack.h"

#include <sys/mount.h>

int main(void) {
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV, NULL) == 0) {
        escaped("/ is mounted writable");
    }
    contained("remount: %s", strerror(errno));
}
