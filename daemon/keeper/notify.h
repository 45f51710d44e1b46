// What a service manager is told (the protocol of sd_notify(3)) and what it hands over (that of
// sd_listen_fds(3)): two small protocols of datagrams and environment variables, spoken here
// without a library, because the keeper has none beyond libseccomp. Without a manager nothing
// happens.
#pragma once

#include "isolate/fd.h"

#include <chrono>
#include <functional>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>

namespace cloister::keeper {

/// Of our own environment; nullptr: not set.
const char* environment_variable(const char* name);

class Notifier {
public:
    using Clock = std::chrono::steady_clock;
    /// Looks a variable up; nullptr: not set.
    using Variable = std::function<const char*(const char* name)>;

    /// From NOTIFY_SOCKET, and WATCHDOG_USEC where WATCHDOG_PID is `own`. A socket that cannot be
    /// spoken to is as none.
    Notifier(const Variable& variable, pid_t own);

    void ready(const std::string& status);
    void reloading();
    /// The reload is over, whatever came of it.
    void reloaded(const std::string& status) { ready(status); }
    void stopping();
    /// Both halves of the daemon live. Told four times in the manager's interval, however often
    /// this is called.
    void alive(Clock::time_point now);

private:
    void send(const std::string& text) const;

    isolate::Fd socket_{};
    sockaddr_un address_{};
    socklen_t address_size_ = 0;
    Clock::duration interval_{}; ///< 0: there is no watchdog
    Clock::time_point told_{};
};

/// The listening socket that the manager opened for us; none without one. Throws when what was
/// handed over is not exactly one listening TCP socket.
isolate::Fd passed_listener(const Notifier::Variable& variable, pid_t own);

/// "ADDR:PORT" where a socket listens, IPv6 in brackets.
std::string address_of(const isolate::Fd& listener);

} // namespace cloister::keeper
