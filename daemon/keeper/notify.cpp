// One datagram per message. All texts are ours: no byte of a client's reaches the manager.
#include "daemon/keeper/notify.h"

#include <arpa/inet.h>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <netinet/in.h>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace cloister::keeper {
namespace {

using isolate::check;
using isolate::Fd;

constexpr int kFirstPassedFd = 3; // SD_LISTEN_FDS_START

std::optional<std::uint64_t> number_in(const char* text) {
    if (text == nullptr) return std::nullopt;
    const std::string_view whole(text);
    std::uint64_t number = 0;
    const auto [stop, error] = std::from_chars(whole.data(), whole.data() + whole.size(), number);
    if (error != std::errc{} || stop != whole.data() + whole.size()) return std::nullopt;
    return number;
}

int option_of(const Fd& socket, int option) {
    int value = -1;
    socklen_t size = sizeof value;
    return ::getsockopt(socket.get(), SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

} // namespace

const char* environment_variable(const char* name) {
    return std::getenv(name); // NOLINT(concurrency-mt-unsafe): one thread
}

Notifier::Notifier(const Variable& variable, pid_t own) {
    const char* path = variable("NOTIFY_SOCKET");
    if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
    const std::size_t length = std::strlen(path);
    if (length >= sizeof address_.sun_path) return;
    address_.sun_family = AF_UNIX;
    std::memcpy(address_.sun_path, path, length);
    if (path[0] == '@') address_.sun_path[0] = '\0'; // an abstract name
    address_size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
    socket_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto micros = number_in(variable("WATCHDOG_USEC"));
    const auto whose = number_in(variable("WATCHDOG_PID"));
    if (micros && (!whose || *whose == static_cast<std::uint64_t>(own)))
        interval_ = std::chrono::microseconds(*micros);
}

void Notifier::send(const std::string& text) const {
    if (!socket_) return;
    // A manager that does not listen must not hold up the boxes; its watchdog speaks for itself.
    (void)!::sendto(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL,
                    reinterpret_cast<const sockaddr*>(&address_), address_size_);
}

void Notifier::ready(const std::string& status) { send("READY=1\nSTATUS=" + status + "\n"); }

void Notifier::reloading() {
    timespec now{};
    (void)::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto micros = static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
    send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(micros) + "\nSTATUS=Reloading\n");
}

void Notifier::stopping() { send("STOPPING=1\nSTATUS=Finishing the runs under way\n"); }

void Notifier::alive(Clock::time_point now) {
    if (interval_ == Clock::duration::zero() || now - told_ < interval_ / 4) return;
    told_ = now;
    send("WATCHDOG=1\n");
}

Fd passed_listener(const Notifier::Variable& variable, pid_t own) {
    const auto whose = number_in(variable("LISTEN_PID"));
    if (!whose || *whose != static_cast<std::uint64_t>(own)) return {};
    const auto count = number_in(variable("LISTEN_FDS"));
    if (!count || *count == 0) return {};
    if (*count != 1)
        throw std::runtime_error("the service manager passed " + std::to_string(*count) +
                                 " sockets; cloisterd.socket must have one ListenStream=");
    Fd socket(kFirstPassedFd);
    const int family = option_of(socket, SO_DOMAIN);
    if (option_of(socket, SO_TYPE) != SOCK_STREAM || option_of(socket, SO_ACCEPTCONN) != 1 ||
        (family != AF_INET && family != AF_INET6))
        throw std::runtime_error("the service manager passed a socket that is not a listening TCP "
                                 "socket; see ListenStream= of cloisterd.socket");
    check(::fcntl(socket.get(), F_SETFD, FD_CLOEXEC), "keep the passed socket to ourselves");
    check(::fcntl(socket.get(), F_SETFL, O_NONBLOCK), "make the passed socket non-blocking");
    return socket;
}

std::string address_of(const Fd& listener) {
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    check(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&bound), &size),
          "read the listener's address");
    char text[INET6_ADDRSTRLEN] = "";
    if (bound.ss_family == AF_INET6) {
        sockaddr_in6 six{};
        std::memcpy(&six, &bound, sizeof six);
        (void)::inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof text);
        return "[" + std::string(text) + "]:" + std::to_string(ntohs(six.sin6_port));
    }
    sockaddr_in four{};
    std::memcpy(&four, &bound, sizeof four);
    (void)::inet_ntop(AF_INET, &four.sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(ntohs(four.sin_port));
}

} // namespace cloister::keeper
