// What a client asks the judge: one program, its tests, how their outputs are checked.
#pragma once

#include "daemon/config/settings.h"
#include "daemon/front/judge/compare.h"
#include "daemon/front/judge/scoring.h"
#include "daemon/front/program.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace cloister::front {

struct TestAsked {
    std::string name{};
    std::string input{};
    std::string expected{};
    LimitsAsked limits{};               ///< over those of the request
    std::optional<std::size_t> group{}; ///< index into `groups`
};

struct JudgeRequest {
    std::optional<std::string> id{};
    ExecuteCode program{}; ///< with the limits of tests that say nothing else
    std::vector<TestAsked> tests{};
    std::vector<judge::Group> groups{};
    judge::Manner manner = judge::Manner::token;
    judge::TokenRules rules{};
    std::optional<ExecuteCode> checker{}; ///< a program that decides instead
    bool interactive = false;             ///< it talks to the program
    std::vector<std::string> kept{};      ///< files of its feedback for its next pass
    bool keeps_all = false;               ///< all of them
    std::size_t passes = 1;               ///< runs of a test at most
    bool stop_at_first_failure = false;

    /// Memory that it takes until it is judged.
    std::size_t bytes() const;
};

/// Throws fields::Wrong.
JudgeRequest read_judge(const nlohmann::json& request, const config::Config& bounds);

} // namespace cloister::front
