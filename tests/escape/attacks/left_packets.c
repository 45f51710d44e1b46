/* Leaves traces in its network namespace (packets, a connection that waits for its end, a socket in
 * flight) for the next program to find: "leave", then "look". */
#include "attack.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

static void leave_packets(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    const int client = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr*)&address, size) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr*)&address, &size) != 0 ||
        connect(client, (struct sockaddr*)&address, size) != 0)
        inconclusive("no connection to oneself");
    const int server = accept(listener, NULL, NULL);
    if (write(client, "trace", 5) != 5) inconclusive("no packet");
    close(client);
    close(server);
}

/* A pair that carries each other's ends, and a listening socket with them: nobody holds them any
 * more, and only the kernel's collector finds that out. */
static void leave_in_flight(void) {
    int pair[2];
    const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0left-behind"};
    if (bind(listener, (struct sockaddr*)&name, sizeof name) != 0 || listen(listener, 1) != 0 ||
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        inconclusive("no sockets");
    for (int i = 0; i < 2; ++i) {
        const int carried[2] = {pair[1 - i], listener};
        char control[CMSG_SPACE(sizeof carried)] = {0};
        char byte = 0;
        struct iovec part = {&byte, 1};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof control};
        struct cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof carried);
        memcpy(CMSG_DATA(header), carried, sizeof carried);
        if (sendmsg(pair[i], &message, 0) != 1) inconclusive("no descriptor can be sent");
    }
}

/* Any number in the interface's table, and any TCP segment ever. */
static void look(void) {
    char line[1024];
    FILE* table = fopen("/proc/self/net/dev", "r");
    if (table == NULL) inconclusive("the interface's table cannot be read");
    while (fgets(line, sizeof line, table) != NULL) {
        char* numbers = strchr(line, ':');
        if (numbers == NULL) continue;
        if (strpbrk(numbers, "123456789") != NULL) escaped("packets were counted:%s", numbers + 1);
    }
    fclose(table);
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0left-behind"};
    const int client = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(client, (struct sockaddr*)&name, sizeof name) == 0)
        escaped("a socket of an earlier program answers");
    contained("no trace");
}

int main(int argc, char** argv) {
    if (strcmp(argument(argc, argv, 1), "look") == 0) look();
    leave_packets();
    leave_in_flight();
    contained("traces are left");
}
