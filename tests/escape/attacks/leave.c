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

/* Counts in two files, first in one, then in the other: whoever reads both while this runs reads
 * numbers that lie apart. */
static void count_for_ever(void) {
    int first = open("/box/loot", O_CREAT | O_WRONLY, 0600);
    int second = open("/box/other", O_CREAT | O_WRONLY, 0600);
    char text[16];
    for (unsigned number = 0;; ++number) {
        snprintf(text, sizeof text, "%08u", number);
        if (pwrite(first, text, 8, 0) != 8 || pwrite(second, text, 8, 0) != 8) _exit(1);
    }
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
    } else if (strcmp(what, "swap") == 0 || strcmp(what, "count") == 0) {
        write_file("/box/loot", "mine");
        int big = open("/box/big", O_CREAT | O_WRONLY, 0600);
        if (big < 0 || ftruncate(big, 16 * MIB) != 0) inconclusive("make a large file");
        pid_t child = fork();
        if (child < 0) inconclusive("fork");
        if (child == 0 && strcmp(what, "swap") == 0) swap_for_ever();
        if (child == 0) count_for_ever();
        usleep(20000);
    } else {
        inconclusive("no such thing to leave");
    }
    contained("left");
}
