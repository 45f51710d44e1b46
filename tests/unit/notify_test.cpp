// Promises of the service manager's protocols: what is told, when, and which sockets are taken
// over.
#include "daemon/keeper/notify.h"

#include <arpa/inet.h>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>

using namespace cloister;
using isolate::Fd;
using keeper::Notifier;

namespace {

constexpr pid_t kOwn = 4711;

/// The environment of a service.
Notifier::Variable variables(std::map<std::string, std::string> values) {
    return [values = std::move(values)](const char* name) -> const char* {
        const auto found = values.find(name);
        return found == values.end() ? nullptr : found->second.c_str();
    };
}

/// A manager that listens at an abstract name.
class Manager {
public:
    Manager() : name_("cloister-notify-test-" + std::to_string(::getpid())) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path + 1, name_.data(), name_.size());
        const auto size =
            static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name_.size());
        if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0)
            throw isolate::SysError(errno, "bind");
    }
    std::string path() const { return "@" + name_; }
    std::string heard() const {
        char text[512];
        const ssize_t size = ::recv(socket_.get(), text, sizeof text, MSG_DONTWAIT);
        return size < 0 ? std::string() : std::string(text, static_cast<std::size_t>(size));
    }

private:
    std::string name_;
    Fd socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

/// A socket at descriptor 3, where a service manager puts it; what was there comes back.
class AtThree {
public:
    explicit AtThree(int fd) : before_(::fcntl(3, F_DUPFD_CLOEXEC, 100)) {
        if (::dup2(fd, 3) != 3) throw isolate::SysError(errno, "dup2");
    }
    AtThree(const AtThree&) = delete;
    AtThree& operator=(const AtThree&) = delete;
    ~AtThree() {
        if (before_ >= 0) {
            (void)::dup2(before_, 3);
            (void)::close(before_);
        } else {
            (void)::close(3);
        }
    }

private:
    int before_;
};

Fd listening(int family) {
    Fd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::listen(socket.get(), 1) != 0) throw isolate::SysError(errno, "listen");
    return socket;
}

const Notifier::Variable kPassedOne = variables({{"LISTEN_PID", "4711"}, {"LISTEN_FDS", "1"}});

} // namespace

TEST_CASE("the service manager is told each state", "[notify]") {
    const Manager manager;
    Notifier notifier(variables({{"NOTIFY_SOCKET", manager.path()}}), kOwn);
    notifier.ready("Serving on 127.0.0.1:8000");
    CHECK(manager.heard() == "READY=1\nSTATUS=Serving on 127.0.0.1:8000\n");
    notifier.reloading();
    const std::string reloading = manager.heard();
    CHECK(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="));
    CHECK(reloading.find("MONOTONIC_USEC=0\n") == std::string::npos);
    notifier.stopping();
    CHECK(manager.heard().starts_with("STOPPING=1\n"));
}

TEST_CASE("the watchdog hears four times in its interval, however often both halves live",
          "[notify]") {
    const Manager manager;
    Notifier notifier(variables({{"NOTIFY_SOCKET", manager.path()},
                                 {"WATCHDOG_USEC", "8000000"},
                                 {"WATCHDOG_PID", "4711"}}),
                      kOwn);
    const auto start = Notifier::Clock::now();
    int heard = 0;
    for (int tenth = 0; tenth < 80; ++tenth) {
        notifier.alive(start + std::chrono::milliseconds(100 * tenth));
        heard += manager.heard() == "WATCHDOG=1\n" ? 1 : 0;
    }
    CHECK(heard == 4);
}

TEST_CASE("a watchdog that is another process's, or none, hears nothing", "[notify]") {
    const Manager manager;
    Notifier others(variables({{"NOTIFY_SOCKET", manager.path()},
                               {"WATCHDOG_USEC", "8000000"},
                               {"WATCHDOG_PID", "1"}}),
                    kOwn);
    others.alive(Notifier::Clock::now());
    CHECK(manager.heard().empty());
    Notifier none(variables({{"NOTIFY_SOCKET", manager.path()}, {"WATCHDOG_USEC", "soon"}}), kOwn);
    none.alive(Notifier::Clock::now());
    CHECK(manager.heard().empty());
}

TEST_CASE("without a service manager nothing is said and nothing fails", "[notify]") {
    for (const char* path : {"", "relative", "/nowhere/at/all"}) {
        Notifier notifier(variables({{"NOTIFY_SOCKET", path}}), kOwn);
        notifier.ready("x");
        notifier.stopping();
    }
    Notifier long_path(variables({{"NOTIFY_SOCKET", "/" + std::string(200, 'x')}}), kOwn);
    long_path.ready("x");
    CHECK_FALSE(keeper::passed_listener(variables({}), kOwn));
}

TEST_CASE("a listening socket that was passed to us is taken over", "[notify]") {
    const Fd socket = listening(AF_INET);
    const AtThree at_three(socket.get());
    Fd passed = keeper::passed_listener(kPassedOne, kOwn);
    REQUIRE(passed);
    CHECK((::fcntl(passed.get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((::fcntl(passed.get(), F_GETFL) & O_NONBLOCK) != 0);
    CHECK(keeper::address_of(passed).starts_with("0.0.0.0:"));
}

TEST_CASE("the address of an IPv6 socket stands in brackets", "[notify]") {
    const Fd socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) SUCCEED("no IPv6 on this host");
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        CHECK(keeper::address_of(socket).starts_with("[::1]:"));
}

TEST_CASE("what was passed to another process is left alone", "[notify]") {
    const Fd socket = listening(AF_INET);
    const AtThree at_three(socket.get());
    CHECK_FALSE(
        keeper::passed_listener(variables({{"LISTEN_PID", "1"}, {"LISTEN_FDS", "1"}}), kOwn));
    CHECK(::fcntl(3, F_GETFD) >= 0);
}

TEST_CASE("anything but one listening TCP socket is refused with the line to change", "[notify]") {
    CHECK_THROWS_WITH(
        keeper::passed_listener(variables({{"LISTEN_PID", "4711"}, {"LISTEN_FDS", "2"}}), kOwn),
        Catch::Contains("passed 2 sockets"));
    const Fd deaf(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const Fd local(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    for (const Fd* wrong : {&deaf, &local}) {
        const AtThree at_three(wrong->get());
        CHECK_THROWS_WITH(keeper::passed_listener(kPassedOne, kOwn),
                          Catch::Contains("ListenStream="));
    }
}
