/* One run leaves System V objects or message queues, the next looks for them. */
#include "attack.h"

#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

int main(int argc, char** argv) {
    int leave = strcmp(argument(argc, argv, 1), "leave") == 0;
    const char* kind = argument(argc, argv, 3);
    key_t key = (key_t)strtol(argument(argc, argv, 2), NULL, 10);
    int flags = leave ? IPC_CREAT | 0666 : 0;
    long found = -1;
    char name[64];
    snprintf(name, sizeof name, "/cloister-escape-%d", (int)key);
    if (strcmp(kind, "shm") == 0) found = shmget(key, 4096, flags);
    if (strcmp(kind, "sem") == 0) found = semget(key, 1, flags);
    if (strcmp(kind, "msg") == 0) found = msgget(key, flags);
    if (strcmp(kind, "mq") == 0) {
        struct mq_attr small = {.mq_maxmsg = 1, .mq_msgsize = 8};
        found = mq_open(name, leave ? O_CREAT | O_RDWR : O_RDONLY, 0666, leave ? &small : NULL);
        if (found >= 0 && leave) fchmod((int)found, 0666);
    }
    if (leave) return 0;
    if (found >= 0) escaped("the last run's %s", kind);
    contained("%s: %s", kind, strerror(errno));
}
