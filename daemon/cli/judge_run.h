// A package's programs, given to a daemon's judge piece by piece: what is to be run of it, in which
// order, and what came of each. Tests are read when their piece is sent and let go afterwards.
#pragma once

#include "daemon/cli/judge_pieces.h"
#include "daemon/package/folder.h"
#include "daemon/package/report.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cloister::cli {

struct JudgeWishes {
    std::optional<double> time_limit{};            ///< seconds; instead of the package's
    bool skip_unavailable = false;                 ///< submissions in languages that are not there
    std::function<void(const std::string&)> say{}; ///< the table, as it comes to be
};

/// Throws CannotJudge, package::Wrong, std::runtime_error.
package::Report judge_package(const package::Folder& folder, const package::Problem& problem,
                              const Judge& judge, const JudgeWishes& wishes);

} // namespace cloister::cli
