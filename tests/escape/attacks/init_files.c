/* Goes through its init to what init holds: its root, its descriptors, its memory. */
#include "attack.h"

#include <dirent.h>

int main(void) {
    const char* files[] = {"/proc/1/mem", "/proc/1/environ", "/proc/1/maps", "/proc/1/exe"};
    char text[PATH_MAX];
    for (size_t i = 0; i < sizeof files / sizeof *files; ++i) {
        if (open(files[i], O_RDONLY) >= 0) escaped("%s is open", files[i]);
    }
    if (opendir("/proc/1/fd") != NULL) escaped("/proc/1/fd is open");
    if (readlink("/proc/1/root", text, sizeof text) > 0) escaped("/proc/1/root can be followed");
    if (readlink("/proc/1/cwd", text, sizeof text) > 0) escaped("/proc/1/cwd can be followed");
    contained("init shows nothing: %s", strerror(errno));
}
