// sendmsg and recvmsg, and the control message that carries descriptors.
#include "isolate/packet.h"

#include <cstring>
#include <sys/socket.h>

namespace cloister::isolate {

bool send_packet(int socket, std::span<const std::byte> bytes, std::span<const int> fds,
                 int flags) {
    if (fds.size() > kMaxPacketFds) return errno = E2BIG, false;
    iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxPacketFds)] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!fds.empty()) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(fds.size_bytes());
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fds.size_bytes());
        std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
    }
    ssize_t sent;
    do sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | flags);
    while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

Packet receive_packet(int socket, std::span<std::byte> bytes, int flags) {
    Packet packet;
    iovec part{bytes.data(), bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxPacketFds)] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    do packet.size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | flags);
    while (packet.size < 0 && errno == EINTR);
    if (packet.size < 0) return packet;
    packet.cut = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
            Fd owned(fd);
            // The padding of the buffer has room for one more than asked for.
            if (packet.fd_count < kMaxPacketFds) packet.fds[packet.fd_count++] = std::move(owned);
            else packet.cut = true;
        }
    }
    return packet;
}

} // namespace cloister::isolate
