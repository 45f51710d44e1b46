/* Leaves a flow label of IPv6 in its network namespace for the next program to find: "leave", then
 * "look". A label is held by no socket, needs no packet, and outlives its maker by up to a minute.
 */
#include "attack.h"

#include <netinet/in.h>

/* linux/in6.h has these, but does not go together with netinet/in.h. */
enum { flowlabel_manager = 32, get_label = 0, create = 1, only_new = 2, shared_by_any = 255 };
struct label_request {
    struct in6_addr destination;
    unsigned label;
    unsigned char action;
    unsigned char share;
    unsigned short flags;
    unsigned short expires;
    unsigned short linger;
    unsigned pad;
};

static int ask_for(unsigned short flags) {
    struct label_request request = {.destination = in6addr_loopback,
                                    .label = htonl(0x0c105),
                                    .action = get_label,
                                    .share = shared_by_any,
                                    .flags = flags,
                                    .expires = 60,
                                    .linger = 60};
    const int s = socket(AF_INET6, SOCK_DGRAM, 0);
    if (s < 0) contained("no IPv6: %s", strerror(errno));
    const int result = setsockopt(s, IPPROTO_IPV6, flowlabel_manager, &request, sizeof request);
    const int error = errno;
    close(s);
    errno = error;
    return result;
}

int main(int argc, char** argv) {
    if (strcmp(argument(argc, argv, 1), "look") == 0) {
        /* One that lingers is found by nobody, but is in the way of a new one. */
        if (ask_for(create | only_new) == 0) contained("no flow label");
        if (errno == EEXIST) escaped("an earlier program's flow label is there");
        inconclusive("a label cannot be asked for");
    }
    if (ask_for(create) != 0) inconclusive("a label cannot be made");
    contained("a label is left");
}
