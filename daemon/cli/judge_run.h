// A package's programs, given to a daemon's judge piece by piece: what is to be run of it, in which
// order, and what came of each. Tests are read when their piece is sent and let go afterwards.
#pragma once

#include "daemon/package/folder.h"
#include "daemon/package/report.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace cloister::cli {

class DaemonLink;

/// The daemon takes what is asked for in no case, or not as the package wants it.
class CannotJudge : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// What is known of the daemon that judges.
struct Judge {
    DaemonLink* link = nullptr;
    std::uint64_t message_bytes = 1024 * 1024;
    std::vector<std::string> languages{};
    bool is_own = false; ///< its limits are own_limits()
};

struct JudgeWishes {
    std::optional<double> time_limit{}; ///< seconds; instead of the package's
    bool skip_unavailable = false;      ///< submissions in languages that are not there
    std::function<void(const std::string&)> say{}; ///< the table, as it comes to be
};

/// Reads the daemon's greeting. Throws std::runtime_error.
Judge greet(DaemonLink& link, std::vector<std::string> languages, bool is_own);

/// Throws CannotJudge, package::Wrong, std::runtime_error.
package::Report judge_package(const package::Folder& folder, const package::Problem& problem,
                              const Judge& judge, const JudgeWishes& wishes);

} // namespace cloister::cli
