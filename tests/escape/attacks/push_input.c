/* Types into the terminal that it was started from; then the same with a high bit, which a filter
 * that compares 64 bits does not know. The kernel's own answer here is that there is no terminal.
 */
#include "attack.h"

#include <sys/ioctl.h>

int main(int argc, char** argv) {
    unsigned long high = argc > 1 && strcmp(argv[1], "high") == 0 ? 1ul << 32 : 0;
    const unsigned long requests[] = {TIOCSTI, TIOCLINUX, TIOCSETD, TIOCCONS};
    for (size_t i = 0; i < sizeof requests / sizeof *requests; ++i) {
        for (int fd = 0; fd < 3; ++fd) {
            if (reached_kernel(syscall(SYS_ioctl, fd, requests[i] | high, "x"))) {
                escaped("ioctl %#lx reaches the kernel", requests[i] | high);
            }
        }
    }
    contained("%s", strerror(errno));
}
