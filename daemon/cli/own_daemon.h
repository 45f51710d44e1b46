// A daemon of `cloister judge`'s own: it listens on a free port of the loopback for whoever has its
// token, runs by policies made for packages, and is gone with all that it kept when its owner is,
// however that ends.
#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>

namespace cloister::cli {

/// What its policy allows at most, and what a program has whose package says nothing.
struct OwnLimits {
    std::uint64_t memory_mib = 0; ///< 2 GiB, or three quarters of the machine's
    double cpu_seconds = 120;
    double wall_seconds = 600;
    std::uint64_t output_mib = 64;
    std::uint64_t usual_output_mib = 16;
    std::uint64_t compilation_seconds = 60;
    std::uint64_t compilation_memory_mib = 0; ///< as memory_mib
    double usual_validation_seconds = 60;
};
OwnLimits own_limits();

class OwnDaemon {
public:
    /// Needs root. `parallel`: tests that run at one time. Throws std::runtime_error when there is
    /// no cloisterd; what goes wrong later shows when nobody answers, in what it said().
    explicit OwnDaemon(std::uint32_t parallel);
    /// Returns when it is gone, with its state.
    ~OwnDaemon();
    OwnDaemon(const OwnDaemon&) = delete;
    OwnDaemon& operator=(const OwnDaemon&) = delete;

    const std::string& address() const { return address_; }
    const std::string& token() const { return token_; }
    /// Ends it, and returns the end of its log.
    std::string last_words();

private:
    void end();

    std::string address_{};
    std::string token_{};
    int life_ = -1; ///< closed: it ends
    int log_ = -1;
    pid_t keeper_of_it_ = -1;
};

} // namespace cloister::cli
