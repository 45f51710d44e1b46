/* Doubles itself without end; here, for the sake of a machine without limits, up to 200 times and
 * for 5 s. Its first process waits for the bomb's end and tells how large it became. */
#include "attack.h"

#include <stdatomic.h>

int main(int argc, char** argv) {
    int most = atoi(argument(argc, argv, 1));
    /* Tickets bound the bomb; born counts those who are there, since nobody leaves before the end.
     */
    struct {
        atomic_int tickets, born;
    }* bomb = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (bomb == MAP_FAILED) inconclusive("mmap");
    pid_t first = fork();
    if (first < 0) inconclusive("fork");
    if (first == 0) {
        long end = now_ms() + 5000;
        while (now_ms() < end) {
            if (atomic_fetch_add(&bomb->tickets, 1) >= 200) break;
            if (fork() == 0) atomic_fetch_add(&bomb->born, 1);
            sleep_ms(1);
        }
        while (now_ms() < end) sleep_ms(50);
        _exit(0);
    }
    sleep_ms(2000);
    int size = atomic_load(&bomb->born) + 2;
    if (size > most) escaped("%d processes, the limit is %d", size, most);
    contained("%d processes, the limit is %d", size, most);
}
