/* Puts itself before everybody else on the machine. */
#include "attack.h"

int main(void) {
    struct sched_param first = {.sched_priority = 1};
    if (setpriority(PRIO_PROCESS, 0, -5) == 0) escaped("nice -5");
    if (sched_setscheduler(0, SCHED_FIFO, &first) == 0) escaped("real time");
    contained("%s", strerror(errno));
}
