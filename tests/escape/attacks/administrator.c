/* What only the machine's administrator may do, asked so that nothing would happen. */
#include "attack.h"

static void ask(const char* name, long result) {
    if (reached_kernel(result)) escaped("%s reaches the kernel", name);
}

int main(void) {
    ask("finit_module", syscall(SYS_finit_module, -1, "", 0));
    ask("reboot", syscall(SYS_reboot, 0, 0, 0, NULL)); /* without its magic numbers */
    ask("swapon", syscall(SYS_swapon, NULL, 0));
    ask("swapoff", syscall(SYS_swapoff, NULL));
    ask("settimeofday", syscall(SYS_settimeofday, (void*)8, NULL));
    ask("sethostname", syscall(SYS_sethostname, NULL, -1));
    ask("setdomainname", syscall(SYS_setdomainname, NULL, -1));
    ask("iopl", syscall(SYS_iopl, 99));
    ask("ioperm", syscall(SYS_ioperm, ~0ul, 1, 1));
    ask("quotactl", syscall(SYS_quotactl, -1, NULL, 0, NULL));
    ask("open_by_handle_at", syscall(SYS_open_by_handle_at, -1, NULL, 0));
    ask("kexec_load", syscall(SYS_kexec_load, 0, 9999ul, NULL, 0ul));
    ask("lookup_dcookie", syscall(SYS_lookup_dcookie, 0l, NULL, 0));
    ask("acct", syscall(SYS_acct, (void*)8));
    contained("%s", strerror(errno));
}
