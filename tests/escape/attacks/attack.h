/* What every hostile program shares. A program tries one thing and says how it went: status 0 and
 * "contained: …" when the box held, 42 and "ESCAPED: …" when it did not. Anything else is no
 * answer. A program never uses what it got: it opens without writing, asks without changing. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KIB 1024ul
#define MIB (1024ul * KIB)

__attribute__((noreturn, format(printf, 1, 2), unused)) static void escaped(const char* what, ...) {
    va_list list;
    va_start(list, what);
    (void)!write(1, "ESCAPED: ", 9);
    vdprintf(1, what, list);
    (void)!write(1, "\n", 1);
    _exit(42);
}

__attribute__((noreturn, format(printf, 1, 2), unused)) static void contained(const char* why,
                                                                              ...) {
    va_list list;
    va_start(list, why);
    (void)!write(1, "contained: ", 11);
    vdprintf(1, why, list);
    (void)!write(1, "\n", 1);
    _exit(0);
}

/* The attack could not even be tried: neither answer would be true. */
__attribute__((noreturn, format(printf, 1, 2), unused)) static void inconclusive(const char* why,
                                                                                 ...) {
    va_list list;
    va_start(list, why);
    (void)!write(1, "inconclusive: ", 14);
    vdprintf(1, why, list);
    dprintf(1, " (%s)\n", strerror(errno));
    _exit(3);
}

__attribute__((unused)) static const char* argument(int argc, char** argv, int index) {
    if (index >= argc) inconclusive("argument %d is missing", index);
    return argv[index];
}

/* Two refusals come from the filter: EPERM for a call that it knows, ENOSYS for one that it does
 * not. Every probe passes arguments for which the kernel itself would answer something else. */
__attribute__((unused)) static int reached_kernel(long result) {
    return result >= 0 || (errno != EPERM && errno != ENOSYS);
}

__attribute__((unused)) static void sleep_ms(long ms) {
    struct timespec left = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {}
}

__attribute__((unused)) static long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

__attribute__((unused)) static void touch_pages(void* start, size_t size) {
    for (size_t i = 0; i < size; i += 4096) ((volatile char*)start)[i] = (char)(i >> 12 | 1);
}

/* The value of a line of /proc/self/status, without the name. */
__attribute__((unused)) static const char* status_line(const char* name) {
    static char text[8192];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (fd < 0) inconclusive("open /proc/self/status");
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    if (size <= 0) inconclusive("read /proc/self/status");
    text[size] = '\0';
    char key[64];
    snprintf(key, sizeof key, "\n%s:", name);
    char* line = strstr(text, key);
    if (!line) inconclusive("no line %s in /proc/self/status", name);
    line += strlen(key);
    while (*line == ' ' || *line == '\t') ++line;
    line[strcspn(line, "\n")] = '\0';
    return line;
}
