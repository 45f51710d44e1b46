// What Judge0's clients can ask about the service: its configuration in their words, its version,
// its workers, its machine. Pure.
#pragma once

#include "daemon/front/judge0/record.h"

#include <map>
#include <string>

namespace cloister::front::judge0 {

/// The version of the interface that is served.
inline constexpr const char* kVersion = "1.13.1";

/// What the machine is, read while files can be read.
struct Machine {
    std::string processor{};
    std::string architecture{};
    unsigned processors = 0;
    std::string memory{}; ///< "15Gi"
    std::string swap{};
};
Machine this_machine();

std::string about_text();
std::string license_text();
std::string isolation_text();
std::string system_text(const Machine& machine);
std::string config_text(const config::Settings& settings, bool callbacks);

struct Workers {
    std::size_t waiting = 0;
    std::size_t boxes = 0;
    std::size_t running = 0;
    std::size_t failed = 0;
};
std::string workers_text(const Workers& workers);

/// Counted since the start.
struct Statistics {
    std::size_t kept = 0; ///< submissions that can be had now
    std::uint64_t total = 0;
    std::map<int, std::uint64_t> languages{};
    std::map<int, std::uint64_t> statuses{};
};
std::string statistics_text(const Statistics& statistics, const Catalog& catalog);

} // namespace cloister::front::judge0
