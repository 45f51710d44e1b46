/* Lists /proc for processes that are not this program's. */
#include "attack.h"

#include <dirent.h>

int main(void) {
    DIR* proc = opendir("/proc");
    if (!proc) contained("/proc: %s", strerror(errno));
    for (struct dirent* entry; (entry = readdir(proc)) != NULL;) {
        long pid = strtol(entry->d_name, NULL, 10);
        if (pid > 0 && pid != getpid()) escaped("process %ld is to be seen", pid);
    }
    contained("no process but this one is listed");
}
