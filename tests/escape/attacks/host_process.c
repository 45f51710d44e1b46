/* Looks for a process of the host by its number. Signal 0 changes nothing. */
#include "attack.h"

int main(int argc, char** argv) {
    pid_t pid = (pid_t)atoi(argument(argc, argv, 1));
    char path[64];
    snprintf(path, sizeof path, "/proc/%d", pid);
    if (kill(pid, 0) == 0 || errno != ESRCH) escaped("process %d can be named", pid);
    if (access(path, F_OK) == 0) escaped("%s is there", path);
    if (getpid() > 64) escaped("our own number is %d: many others are beside us", getpid());
    contained("process %d: %s", pid, strerror(errno));
}
