/* The compile step leaves links to a file of the host where the artifact should be; whoever opens
 * the artifact's names with more rights than the program would read through them. */
#include "attack.h"

int main(int argc, char** argv) {
    const char* target = argument(argc, argv, 2);
    if (strcmp(argument(argc, argv, 1), "leave") == 0) {
        if (symlink(target, "/box/main") != 0 || symlink("../../../../../../..", "/box/up") != 0) {
            inconclusive("plant a link");
        }
        return 0;
    }
    char path[PATH_MAX], text[64];
    if (readlink("/app/main", text, sizeof text) < 0) inconclusive("the link is not there");
    snprintf(path, sizeof path, "/app/up%s", target);
    if (open("/app/main", O_RDONLY) >= 0) escaped("read %s by /app/main", target);
    if (open(path, O_RDONLY) >= 0) escaped("read %s", path);
    contained("the links lead nowhere: %s", strerror(errno));
}
