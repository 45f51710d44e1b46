// Frames, the handshake, and one epoll for everybody.
#include "tests/bench/crowd.h"

#include <array>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unordered_set>

namespace cloister::bench {

using isolate::check;
using isolate::Fd;

namespace {

constexpr std::size_t kOpening = 64; ///< at one time: fewer than any server lets wait
constexpr std::chrono::seconds kPatience{30};
constexpr std::size_t kRead = 256 * 1024;
constexpr unsigned kText = 1;
constexpr unsigned kPing = 9;
constexpr unsigned kPong = 10;

/// The length of a frame's head and of its payload; both 0 while the head is not whole.
struct Head {
    std::size_t head = 0;
    std::size_t payload = 0;
};

Head head_of(std::string_view bytes) {
    if (bytes.size() < 2) return {};
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); };
    const std::size_t size = byte(1) & 0x7FU;
    if (size < 126) return {2, size};
    const std::size_t more = size == 126 ? 2 : 8;
    if (bytes.size() < 2 + more) return {};
    std::size_t payload = 0;
    for (std::size_t i = 0; i < more; ++i) payload = payload << 8U | byte(2 + i);
    return {2 + more, payload};
}

} // namespace

Crowd::Crowd(std::uint16_t port, std::string path)
    : port_(port), path_(std::move(path)), epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll")),
      buffer_(kRead, '\0') {}

void Crowd::begin(std::size_t member) {
    Fd socket(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "make a socket"));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address),
          "connect");
    const int one = 1;
    const linger at_once{1, 0};
    check(::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), "TCP_NODELAY");
    check(::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), "SO_LINGER");
    const std::string request = "GET " + path_ +
                                " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port_) +
                                "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                                "Sec-WebSocket-Version: 13\r\n\r\n";
    if (check(::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL), "send") !=
        static_cast<ssize_t>(request.size()))
        throw std::runtime_error("the handshake does not fit into a fresh socket");
    members_[member].socket = std::move(socket);
    watch(member, EPOLL_CTL_ADD, false);
}

void Crowd::watch(std::size_t member, int operation, bool for_writing) const {
    epoll_event event{};
    event.events = EPOLLIN | (for_writing ? EPOLLOUT : 0U);
    event.data.u64 = member;
    check(::epoll_ctl(epoll_.get(), operation, members_[member].socket.get(), &event), "epoll_ctl");
}

void Crowd::open(std::size_t count) {
    std::size_t greeted = members_.size();
    std::unordered_set<std::size_t> waiting;
    while (greeted < count) {
        while (members_.size() < count && waiting.size() < kOpening) {
            const std::size_t member = members_.size();
            members_.emplace_back();
            begin(member);
            waiting.insert(member);
        }
        if (!receive(kPatience, [&](std::size_t member, std::string_view) {
                greeted += waiting.erase(member);
            }))
            throw std::runtime_error("no greeting");
    }
}

void Crowd::close(std::size_t count) {
    if (count < members_.size()) members_.resize(count);
}

void Crowd::write_frame(std::size_t member, unsigned opcode, std::string_view payload) {
    frame_.clear();
    frame_ += static_cast<char>(0x80U | opcode);
    const std::size_t size = payload.size();
    if (size < 126) {
        frame_ += static_cast<char>(0x80U | size);
    } else {
        const unsigned more = size < 65'536 ? 2 : 8;
        frame_ += static_cast<char>(0x80U | (more == 2 ? 126U : 127U));
        for (unsigned i = more; i > 0; --i)
            frame_ += static_cast<char>(size >> (8 * (i - 1)) & 0xFFU);
    }
    frame_.append(4, '\0');
    frame_ += payload;
    Member& to = members_[member];
    std::size_t sent = 0;
    if (to.unsent.empty()) {
        const ssize_t result =
            ::send(to.socket.get(), frame_.data(), frame_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (result < 0 && errno != EAGAIN) throw isolate::SysError(errno, "send");
        sent = result < 0 ? 0 : static_cast<std::size_t>(result);
    }
    if (sent == frame_.size()) return;
    to.unsent.append(frame_, sent);
    watch(member, EPOLL_CTL_MOD, true);
}

void Crowd::send(std::size_t member, std::string_view text) { write_frame(member, kText, text); }

void Crowd::flush(std::size_t member) {
    Member& to = members_[member];
    const ssize_t sent =
        ::send(to.socket.get(), to.unsent.data(), to.unsent.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return;
    check(sent, "send");
    to.unsent.erase(0, static_cast<std::size_t>(sent));
    if (to.unsent.empty()) watch(member, EPOLL_CTL_MOD, false);
}

bool Crowd::receive(std::chrono::milliseconds most, const OnMessage& on_message) {
    std::array<epoll_event, 256> events{};
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   static_cast<int>(most.count()));
    if (count < 0 && errno == EINTR) return true;
    check(count, "wait");
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        const auto member = static_cast<std::size_t>(event.data.u64);
        if ((event.events & EPOLLOUT) != 0U) flush(member);
        if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0U) read(member, on_message);
    }
    return count > 0;
}

void Crowd::read(std::size_t member, const OnMessage& on_message) {
    Member& from = members_[member];
    const ssize_t size = ::recv(from.socket.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return;
    if (check(size, "receive") == 0) throw std::runtime_error("the server closed a connection");
    std::string_view bytes(buffer_.data(), static_cast<std::size_t>(size));
    std::string whole;
    if (!from.held.empty()) {
        whole = std::move(from.held);
        from.held.clear();
        whole += bytes;
        bytes = whole;
    }
    if (!from.is_upgraded) {
        const std::size_t end = bytes.find("\r\n\r\n");
        if (end == std::string_view::npos) {
            from.held = bytes;
            return;
        }
        if (bytes.substr(0, bytes.find('\r')).find(" 101 ") == std::string_view::npos)
            throw std::runtime_error("refused: " + std::string(bytes.substr(0, 300)));
        from.is_upgraded = true;
        bytes.remove_prefix(end + 4);
    }
    bytes.remove_prefix(take_frames(member, bytes, on_message));
    members_[member].held = bytes;
}

/// How many bytes were whole frames.
std::size_t Crowd::take_frames(std::size_t member, std::string_view bytes,
                               const OnMessage& on_message) {
    std::size_t taken = 0;
    for (;;) {
        const std::string_view rest = bytes.substr(taken);
        const Head head = head_of(rest);
        if (head.head == 0 || rest.size() < head.head + head.payload) return taken;
        const std::string_view payload = rest.substr(head.head, head.payload);
        const unsigned first = static_cast<std::uint8_t>(rest[0]);
        taken += head.head + head.payload;
        if (first == (0x80U | kText)) on_message(member, payload);
        else if (first == (0x80U | kPing)) write_frame(member, kPong, payload);
        else if (first != (0x80U | kPong))
            throw std::runtime_error("a frame of the kind " + std::to_string(first) + ": " +
                                     std::string(payload.substr(0, 100)));
    }
}

} // namespace cloister::bench
