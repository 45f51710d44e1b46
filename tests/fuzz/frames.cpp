// Packets that are no frames, frames of any content, with and without descriptors: receive either
// returns a frame, says closed, or throws; a descriptor is never lost.
#include "daemon/wire/frames.h"

#include "tests/fuzz/fuzz.h"

#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <sys/socket.h>

namespace {

using cloister::fuzz::require;
using cloister::isolate::Fd;

void send_raw(int socket, const std::uint8_t* data, std::size_t size, std::size_t fd_count) {
    constexpr std::size_t kMost = 8;
    std::size_t count = fd_count % (kMost + 1);
    iovec part{const_cast<std::uint8_t*>(data), size};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMost)] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (count > 0) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        for (std::size_t i = 0; i < count; ++i) {
            std::memcpy(CMSG_DATA(header) + i * sizeof(int), &socket, sizeof(int));
        }
    }
    (void)::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int lowest_free() { return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)).get(); }

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    int pair[2];
    require(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    const Fd here(pair[0]);
    const Fd there(pair[1]);
    const int free_before = lowest_free();
    send_raw(here.get(), data + 1, size - 1, data[0]);
    try {
        const cloister::wire::Received received = cloister::wire::receive(there.get());
        require(received.fd_count <= cloister::wire::kMaxFrameFds);
    } catch (const std::runtime_error&) {
        // Expected: what is not one whole frame ends both processes.
    }
    require(lowest_free() == free_before); // none of the packet's descriptors is left open
    return 0;
}
