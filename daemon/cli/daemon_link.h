// A conversation with a daemon, one message after the other.
#pragma once

#include <chrono>
#include <memory>
#include <string>

namespace cloister::cli {

/// A WebSocket to a daemon; whatever was begun over it ends with it. SIGINT, SIGTERM and SIGHUP
/// interrupt what waits.
class DaemonLink {
public:
    struct Interrupted {
        int signal = 0;
    };

    /// Throws std::runtime_error when nobody answers, or it is refused.
    DaemonLink(const std::string& address, const std::string& token);
    ~DaemonLink();
    DaemonLink(const DaemonLink&) = delete;
    DaemonLink& operator=(const DaemonLink&) = delete;

    /// Each throws Interrupted, or std::runtime_error when the daemon is gone.
    void send(const std::string& text);
    std::string receive();
    void wait(std::chrono::milliseconds time);

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

} // namespace cloister::cli
