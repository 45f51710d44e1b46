/* One run leaves files, the next looks for them. */
#include "attack.h"

int main(int argc, char** argv) {
    const char* mark = argument(argc, argv, 2);
    const char* folders[] = {"/tmp", "/dev/shm", "/var/tmp", "/run/lock", "/box"};
    int leave = strcmp(argument(argc, argv, 1), "leave") == 0, left = 0;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; ++i) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", folders[i], mark);
        if (leave) {
            int fd = open(path, O_CREAT | O_WRONLY, 0666);
            left += fd >= 0;
        } else if (access(path, F_OK) == 0) {
            for (size_t k = 0; k < sizeof folders / sizeof *folders; ++k) {
                snprintf(path, sizeof path, "%s/%s", folders[k], mark);
                unlink(path);
            }
            escaped("the last run's file is in %s", folders[i]);
        }
    }
    if (leave && left == 0) inconclusive("nothing could be left");
    contained(leave ? "left %d files" : "nothing was left", left);
}
