/* Takes more memory than it may have, from where a naive limit does not look. Stops at twice the
 * limit; "ESCAPED" means that all of it was held at one time. */
#include "attack.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static size_t wanted, held;

static __attribute__((noreturn)) void done(const char* what) {
    if (held < wanted)
        contained("%s: %zu of %zu MiB, then %s", what, held / MIB, wanted / MIB, strerror(errno));
    escaped("%s: held %zu MiB", what, held / MIB);
}

static void heap(int kind) {
    while (held < wanted) {
        void* block = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | kind, -1, 0);
        if (block == MAP_FAILED) return;
        touch_pages(block, MIB);
        held += MIB;
    }
}

static void files_in(const char* folder) {
    static char block[1 << 20];
    memset(block, 'x', sizeof block);
    for (int i = 0; held < wanted; ++i) {
        char path[64];
        snprintf(path, sizeof path, "%s/m%d", folder, i);
        int fd = open(path, O_CREAT | O_WRONLY, 0600);
        ssize_t size = fd < 0 ? -1 : write(fd, block, sizeof block);
        if (size <= 0) return;
        held += (size_t)size;
        close(fd);
    }
}

/* Many processes, each with a part: a limit per process would not see it. */
static void many(void) {
    enum { kParts = 8 };
    int ready[2];
    if (pipe(ready) != 0) inconclusive("pipe");
    for (int i = 0; i < kParts; ++i) {
        if (fork() != 0) continue;
        size_t part = wanted / kParts;
        void* block = mmap(NULL, part, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
        if (block == MAP_FAILED) _exit(1);
        touch_pages(block, part);
        (void)!write(ready[1], "x", 1);
        for (int round = 0; round < 50; ++round) sleep_ms(100);
        _exit(0);
    }
    close(ready[1]);
    char byte;
    while (held < wanted && read(ready[0], &byte, 1) == 1) held += wanted / kParts;
}

/* What the kernel holds for us: data that was written into a pipe or socket and never read. */
static void buffers(int sockets) {
    static char block[64 * 1024];
    int ends[2];
    while (held < wanted) {
        if (sockets ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 : pipe(ends) != 0) return;
        fcntl(ends[1], F_SETFL, O_NONBLOCK);
        for (ssize_t size; (size = write(ends[1], block, sizeof block)) > 0;) held += (size_t)size;
        if (errno != EAGAIN) return;
    }
}

/* Datagrams that wait in sockets of the loopback: v1 counts their memory by itself. The socket's
 * own word for what it holds: what does not fit is dropped without a word. */
static void datagrams(void) {
    static char block[32 * 1024];
    while (held < wanted) {
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        socklen_t size = sizeof address;
        if (fd < 0 || bind(fd, (struct sockaddr*)&address, size) != 0 ||
            getsockname(fd, (struct sockaddr*)&address, &size) != 0 ||
            connect(fd, (struct sockaddr*)&address, size) != 0)
            return;
        int much = 1 << 20;
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &much, sizeof much);
        unsigned now[16] = {0}, before;
        do {
            before = now[0];
            (void)send(fd, block, sizeof block, 0);
            size = sizeof now;
            if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, now, &size) != 0) return;
        } while (now[0] > before);
        if (now[0] == 0) return;
        held += now[0];
    }
}

int main(int argc, char** argv) {
    const char* what = argument(argc, argv, 1);
    wanted = 2 * (size_t)atol(argument(argc, argv, 2));
    if (wanted > 256 * MIB) inconclusive("more than 256 MiB");
    if (strcmp(what, "heap") == 0) heap(MAP_PRIVATE);
    if (strcmp(what, "shared") == 0) heap(MAP_SHARED);
    if (strcmp(what, "files") == 0) files_in("/tmp");
    if (strcmp(what, "many") == 0) many();
    if (strcmp(what, "pipes") == 0) buffers(0);
    if (strcmp(what, "sockets") == 0) buffers(1);
    if (strcmp(what, "datagrams") == 0) datagrams();
    if (strcmp(what, "memfd") == 0) {
        int fd = (int)syscall(SYS_memfd_create, "m", 0u);
        if (fd < 0) contained("memfd_create: %s", strerror(errno));
        if (ftruncate(fd, (off_t)wanted) != 0) done(what);
        void* block = mmap(NULL, wanted, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (block == MAP_FAILED) done(what);
        touch_pages(block, wanted);
        held = wanted;
    }
    done(what);
}
