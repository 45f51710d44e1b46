// Sending and receiving frames: whole ones, or none.
#include "daemon/wire/frames.h"

#include "isolate/packet.h"

#include <algorithm>
#include <stdexcept>
#include <sys/socket.h>

namespace cloister::wire {

bool send(int socket, const Frame& frame, const int* fds, std::size_t fd_count) {
    if (fd_count > kMaxFrameFds) throw std::length_error("too many descriptors for one frame");
    if (isolate::send_packet(socket, isolate::bytes_of(frame), {fds, fd_count}, MSG_DONTWAIT))
        return true;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
    throw isolate::SysError(errno, "send a frame");
}

Received receive(int socket) {
    Received received;
    isolate::Packet packet =
        isolate::receive_packet(socket, isolate::writable_bytes_of(received.frame), MSG_DONTWAIT);
    if (packet.size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return received;
    if (packet.size == 0 || (packet.size < 0 && errno == ECONNRESET)) {
        received.state = Received::State::closed;
        return received;
    }
    isolate::check(packet.size, "receive a frame");
    if (packet.size != sizeof received.frame || packet.cut || packet.fd_count > kMaxFrameFds)
        throw std::runtime_error("a packet that is not one whole frame");
    std::move(packet.fds.begin(), packet.fds.begin() + kMaxFrameFds, received.fds.begin());
    received.fd_count = packet.fd_count;
    received.state = Received::State::frame;
    return received;
}

} // namespace cloister::wire
