// Making a namespace and looking at its tables.
#include "isolate/network.h"

#include <array>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <net/if.h>
#include <new>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace cloister::isolate {
namespace {

/// Of sockstat the first line, "sockets: used N": those of every family that still exist, also in
/// flight between processes; what follows is of the whole host. Flow labels need neither a packet
/// nor a socket, and linger. The others: packets and events since the beginning. A kernel without
/// IPv6 lacks the last two.
constexpr std::array kTables = {"/proc/self/net/sockstat", "/proc/self/net/dev",
                                "/proc/self/net/snmp",     "/proc/self/net/netstat",
                                "/proc/self/net/snmp6",    "/proc/self/net/ip6_flowlabel"};

/// Raises the loopback. An interface can be looked at and set by a socket of its namespace only.
void raise_loopback() {
    const Fd socket(check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
    ifreq request{};
    std::memcpy(request.ifr_name, "lo", sizeof "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    check(::ioctl(socket.get(), SIOCSIFFLAGS, &request), "raise the loopback");
}

std::string look(const std::vector<Fd>& views) {
    std::string seen;
    std::array<char, 16384> text{};
    for (const Fd& view : views) {
        std::string table;
        for (;;) {
            const ssize_t size =
                ::pread(view.get(), text.data(), text.size(), static_cast<off_t>(table.size()));
            if (size < 0) throw SysError(errno, "look at a network namespace");
            if (size == 0) break;
            table.append(text.data(), static_cast<std::size_t>(size));
        }
        if (table.starts_with("sockets:")) table.resize(table.find('\n'));
        seen += table;
    }
    return seen;
}

} // namespace

Network Network::make() {
    const Fd own(check(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), "open our network"));
    check(::unshare(CLONE_NEWNET), "make a network namespace");
    Network network;
    int error = 0;
    try {
        raise_loopback();
        network.namespace_ = Fd(
            check(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), "open a network namespace"));
        for (const char* table : kTables) {
            Fd view(::open(table, O_RDONLY | O_CLOEXEC));
            if (view) network.views_.push_back(std::move(view));
        }
        network.first_look_ = look(network.views_);
    } catch (const SysError& failed) {
        error = failed.code().value();
    } catch (const std::bad_alloc&) {
        error = ENOMEM;
    }
    // Everything that this process would do from here on would be done in the wrong network.
    if (::setns(own.get(), CLONE_NEWNET) != 0) std::terminate();
    if (error != 0) throw SysError(error, "make a network namespace");
    return network;
}

bool Network::is_untouched() const {
    try {
        return views_.size() >= 4 && look(views_) == first_look_;
    } catch (const SysError&) {
        return false;
    }
}

} // namespace cloister::isolate
