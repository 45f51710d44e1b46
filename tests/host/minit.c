/* The test host's first process: loads the modules named in /modlist, mounts the disk as the root,
 * moves into it and executes the real init. A whole initramfs in one static program. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void die(const char* what) {
    dprintf(1, "minit: %s: %s\n", what, strerror(errno));
    sync();
    usleep(200000);
    reboot(RB_POWER_OFF);
    _exit(1);
}

static void load_modules(void) {
    FILE* list = fopen("/modlist", "r");
    char path[256];
    while (list != NULL && fgets(path, sizeof path, list) != NULL) {
        path[strcspn(path, "\n")] = 0;
        const int module = open(path, O_RDONLY | O_CLOEXEC);
        if (module < 0) continue;
        if (syscall(SYS_finit_module, module, "", 0) != 0 && errno != EEXIST) {
            dprintf(1, "minit: %s: %s\n", path, strerror(errno));
        }
        close(module);
    }
}

int main(void) {
    static const char* const folders[] = {"/proc", "/dev", "/sys", "/new"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) mkdir(folders[i], 0755);
    mount("proc", "/proc", "proc", 0, 0);
    mount("dev", "/dev", "devtmpfs", 0, 0);
    const int console = open("/dev/console", O_RDWR);
    for (int fd = 0; console >= 0 && fd < 3; fd++) dup2(console, fd);
    load_modules();
    for (int i = 0; access("/dev/vda", F_OK) != 0 && i < 500; i++) usleep(10000);
    if (mount("/dev/vda", "/new", "ext4", MS_NOATIME, "") != 0) die("mount the root");
    mount("/dev", "/new/dev", 0, MS_MOVE, 0);
    umount2("/proc", MNT_DETACH);
    if (chdir("/new") || mount("/new", "/", 0, MS_MOVE, 0) || chroot(".") || chdir("/"))
        die("enter the root");
    execl("/sbin/init", "/sbin/init", (char*)0);
    die("/sbin/init");
}
