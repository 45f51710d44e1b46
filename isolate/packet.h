// One packet of a SOCK_SEQPACKET pair, with descriptors beside it (SCM_RIGHTS, unix(7)): how our
// processes talk to each other. Nothing here allocates or throws, so that a box may use it between
// clone and exec.
#pragma once

#include "isolate/fd.h"

#include <array>
#include <cstddef>
#include <span>
#include <sys/types.h>

namespace cloister::isolate {

inline constexpr std::size_t kMaxPacketFds = 5;

struct Packet {
    ssize_t size = -1; ///< of what came, at most of the buffer; 0: the peer is gone; -1: errno
    bool cut = false;  ///< bytes or descriptors did not fit, and are lost
    std::array<Fd, kMaxPacketFds> fds{};
    std::size_t fd_count = 0;
};

/// `flags` as of sendmsg(2), beside MSG_NOSIGNAL. False: errno. At most kMaxPacketFds descriptors.
bool send_packet(int socket, std::span<const std::byte> bytes, std::span<const int> fds = {},
                 int flags = 0);
/// `flags` as of recvmsg(2). A descriptor that arrives is owned, and closed by execve.
Packet receive_packet(int socket, std::span<std::byte> bytes, int flags = 0);

template <typename Value>
std::span<const std::byte> bytes_of(const Value& value) {
    return std::as_bytes(std::span(&value, 1));
}
template <typename Value>
std::span<std::byte> writable_bytes_of(Value& value) {
    return std::as_writable_bytes(std::span(&value, 1));
}

} // namespace cloister::isolate
