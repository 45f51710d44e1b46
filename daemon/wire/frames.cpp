// Sending and receiving frames. A descriptor that arrives is owned from the moment recvmsg returns,
// whatever is wrong with its frame.
#include "daemon/wire/frames.h"

#include <cstring>
#include <stdexcept>
#include <sys/socket.h>

namespace cloister::wire {

bool send(int socket, const Frame& frame, const int* fds, std::size_t fd_count) {
    iovec part{const_cast<Frame*>(&frame), sizeof frame};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxFrameFds)] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (fd_count > kMaxFrameFds) throw std::length_error("too many descriptors for one frame");
    if (fd_count > 0) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        std::memcpy(CMSG_DATA(header), fds, sizeof(int) * fd_count);
    }
    ssize_t sent;
    do sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    isolate::check(sent, "send a frame");
    return true;
}

Received receive(int socket) {
    Received received;
    iovec part{&received.frame, sizeof received.frame};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxFrameFds)] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t size;
    do size = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return received;
    if (size < 0 && errno == ECONNRESET) size = 0;
    isolate::check(size, "receive a frame");

    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
            isolate::Fd owned(fd);
            if (received.fd_count < kMaxFrameFds)
                received.fds[received.fd_count++] = std::move(owned);
        }
    }
    if (size == 0) {
        received.state = Received::State::closed;
        return received;
    }
    if (size != sizeof received.frame || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        throw std::runtime_error("a packet that is not one whole frame");
    }
    received.state = Received::State::frame;
    return received;
}

} // namespace cloister::wire
