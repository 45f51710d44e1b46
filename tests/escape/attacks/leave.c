/* Leaves in /box, where the run was told to collect "loot" and "honest", what whoever reads it with
 * other eyes than the program's would be harmed by. */
#include "attack.h"

static void write_file(const char* path, const char* text) {
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    if (fd < 0 || write(fd, text, strlen(text)) < 0) inconclusive("write %s", path);
    close(fd);
}

/* Exchanges a file and a link to what only another process can tell, for as long as it lives. */
static void swap_for_ever(void) {
    for (;;) {
        (void)!symlink("/proc/self/status", "/box/link");
        rename("/box/link", "/box/loot");
        write_file("/box/file", "mine");
        rename("/box/file", "/box/loot");
    }
}

/* Waits for its parent's end, then changes what should be over. */
static void change_late(void) {
    while (getppid() != 1) {}
    write_file("/box/loot", "late");
    pause();
}

int main(int argc, char** argv) {
    const char* what = argument(argc, argv, 1);
    write_file("/box/honest", "honest");
    if (strcmp(what, "link") == 0) {
        if (symlink("/proc/self/status", "/box/loot") != 0) inconclusive("make a link");
    } else if (strcmp(what, "way") == 0) {
        if (symlink("/proc", "/box/way") != 0) inconclusive("make a link");
    } else if (strcmp(what, "fifo") == 0) {
        if (mkfifo("/box/loot", 0600) != 0) contained("no FIFO can be made: %s", strerror(errno));
    } else if (strcmp(what, "sparse") == 0) {
        int fd = open("/box/loot", O_CREAT | O_WRONLY, 0600);
        if (fd < 0 || ftruncate(fd, 32 * MIB) != 0) inconclusive("make a sparse file");
    } else if (strcmp(what, "swap") == 0 || strcmp(what, "late") == 0) {
        write_file("/box/loot", "mine");
        int big = open("/box/big", O_CREAT | O_WRONLY, 0600);
        if (big < 0 || ftruncate(big, 16 * MIB) != 0) inconclusive("make a large file");
        pid_t child = fork();
        if (child < 0) inconclusive("fork");
        if (child == 0 && strcmp(what, "swap") == 0) swap_for_ever();
        if (child == 0) change_late();
        if (strcmp(what, "swap") == 0) usleep(20000);
    } else {
        inconclusive("no such thing to leave");
    }
    contained("left");
}
