/* Lists what belongs to the host's administrator, by every way to get there. */
#include "attack.h"

#include <dirent.h>

int main(void) {
    const char* places[] = {"/root", "/proc/self/root/root", "/proc/1/root/root", "/../root",
                            "/box/../../root"};
    for (size_t i = 0; i < sizeof places / sizeof *places; ++i) {
        if (opendir(places[i]) != NULL) escaped("%s is open", places[i]);
    }
    contained("no way leads to /root");
}
