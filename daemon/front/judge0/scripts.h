// A program of several files brings scripts that say how it is compiled and run. No shell runs
// here: a script that is one plain command of an installed language is understood, and no other.
// Pure.
#pragma once

#include "daemon/front/jobs.h"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cloister::front::judge0 {

struct Project {
    std::string runtime{}; ///< id of ours
    std::string entry{};   ///< path of the file to run
    std::vector<std::string> arguments{};
};

/// Takes `run` (or `run.sh`) and `compile` out of `files`. Or why that is not possible.
std::variant<Project, std::string> read_scripts(std::vector<SourceFile>& files,
                                                const Catalog& catalog);

} // namespace cloister::front::judge0
