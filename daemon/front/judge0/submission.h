// One submission in Judge0's terms: what its JSON says, checked and completed, and what is kept of
// it. Texts that may hold any byte are base64 in what is kept. Pure.
#pragma once

#include "daemon/front/judge0/languages.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace cloister::front::judge0 {

/// A limit's value when it is not given, and the most that can be.
struct Range {
    double usual = 0;
    double most = 0;
    double least = 0;
    bool above_least = false; ///< it must be more than `least`
};
/// By field; seconds, kB and numbers, as Judge0 counts them. What the policy of judged programs
/// allows is the most.
using Ranges = std::vector<std::pair<std::string_view, Range>>;
Ranges ranges_of(const config::Settings& settings);

/// What is wrong, by field.
using Errors = std::map<std::string, std::vector<std::string>>;
std::string to_text(const Errors& errors);

/// A program that may be run, and how its end is judged.
struct Program {
    ExecuteCode run{};
    int number_of_runs = 1;
    std::chrono::nanoseconds cpu_limit{};  ///< to be told from the time at which it is ended
    std::optional<std::string> expected{}; ///< bytes
    std::string callback_url{};            ///< empty: nobody is told
};

struct Accepted {
    Program program{};
    std::string kept{}; ///< the request as JSON, for those who ask for it later
};

struct Rules {
    const Catalog& catalog;
    bool callbacks = false;
};
/// `body`: the object of one submission. `base64`: its texts are.
std::variant<Accepted, Errors> read_submission(const nlohmann::json& body, bool base64,
                                               const Rules& rules);

/// The words of a command line, without what Judge0 takes out of it.
std::vector<std::string> words_of(std::string_view line);

/// What a callback's address must be; empty: it is one.
std::string why_bad_callback(std::string_view url);

} // namespace cloister::front::judge0
