// TCP_INFO, by the kernel's own layout.
#include "daemon/front/progress.h"

#include <linux/in.h>
#include <linux/tcp.h>
#include <sys/socket.h>

namespace cloister::front {

std::uint64_t bytes_acknowledged(int socket) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
    return info.tcpi_bytes_acked;
}

} // namespace cloister::front
