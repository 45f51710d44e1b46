/* Asks for the tools by which one process reads and steers another. */
#include "attack.h"

#include <sys/ptrace.h>
#include <sys/uio.h>

int main(void) {
    char from = 'x', to = 0;
    struct iovec here = {&to, 1}, there = {&from, 1};
    if (syscall(SYS_process_vm_readv, getpid(), &here, 1, &there, 1, 0) == 1)
        escaped("process_vm_readv");
    if (syscall(SYS_process_vm_writev, getpid(), &here, 1, &there, 1, 0) == 1)
        escaped("process_vm_writev");
    if (reached_kernel(syscall(SYS_pidfd_getfd, -1, 0, 0))) escaped("pidfd_getfd");
    if (reached_kernel(syscall(SYS_kcmp, getpid(), getpid(), 99, 0, 0))) escaped("kcmp");
    if (syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0) == 0) escaped("ptrace");
    contained("%s", strerror(errno));
}
