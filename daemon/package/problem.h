// A problem package as it is read: what is to be run on what, within which limits, and what is to
// come of it. Files are named, not read, except those that say how. Plain values.
#pragma once

#include "daemon/package/folder.h"
#include "daemon/package/validator_flags.h"

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::package {

inline constexpr std::size_t kMaxTests = 10'000;
inline constexpr std::size_t kMaxSubmissions = 1'000;
inline constexpr std::size_t kMaxProgramFiles = 200;
inline constexpr std::uint64_t kMaxProgramBytes = 8 * 1024 * 1024; ///< of all files of one program
inline constexpr std::uint64_t kMaxTestBytes = 48 * 1024 * 1024;   ///< input, answer and files

enum class Format : unsigned char { legacy, v2025_09 };

/// As packages have them: memory and output limits are run-time errors there.
// NOLINTNEXTLINE(readability-identifier-naming): as packages spell them
enum class Verdict : unsigned char { AC, WA, TLE, RTE, CE, JE };
inline constexpr std::array<std::string_view, 6> kVerdicts = {"AC", "WA", "TLE", "RTE", "CE", "JE"};
constexpr std::string_view name_of(Verdict verdict) {
    return kVerdicts[static_cast<std::size_t>(verdict)];
}

/// Of `limits` in problem.yaml; what is absent is the judge's own choice.
struct Limits {
    std::optional<double> time_limit{};      ///< seconds
    std::optional<double> time_resolution{}; ///< seconds
    double ac_to_time_limit = 5;             ///< legacy: time_multiplier
    double time_limit_to_tle = 2;            ///< legacy: time_safety_margin
    std::optional<std::uint64_t> memory_mib{};
    std::optional<std::uint64_t> output_mib{};
    std::optional<std::uint64_t> code_kib{};
    std::optional<std::uint64_t> compilation_time{}; ///< seconds
    std::optional<std::uint64_t> compilation_memory_mib{};
    std::optional<std::uint64_t> validation_time{}; ///< seconds
    std::optional<std::uint64_t> validation_memory_mib{};
    std::optional<std::uint64_t> validation_output_mib{};
    std::uint64_t validation_passes = 1; ///< 1: not multi-pass
};

struct Program {
    std::string name{};               ///< "accepted/sum.py", "output_validators/check"
    std::string folder{};             ///< where its files lie, from the package's top
    std::vector<std::string> files{}; ///< relative to `folder`
    std::string language{};           ///< of the format's table
    std::string entry{};              ///< of `files`; empty: the language has none
    std::uint64_t bytes = 0;
};

struct TestCase {
    std::string name{}; ///< "secret/group1/01"
    std::size_t group = 0;
    std::string input{};        ///< paths from the package's top
    std::string answer{};       ///< empty for invalid inputs
    std::string output{};       ///< of valid_output and invalid_output only
    std::string files_folder{}; ///< X.files; empty: none
    std::vector<std::string> files{};
    std::vector<std::string> arguments{};
    std::vector<std::string> output_validator_arguments{};
    /// By the validator's name; "" is for those that are not named.
    std::map<std::string, std::vector<std::string>> input_validator_arguments{};
    std::uint64_t bytes = 0; ///< of all these files
};

/// How the results of a group become one. Legacy and 2025-09 use their own members.
struct Grading {
    bool stops = true; ///< legacy on_reject: break
    enum class Verdicts : unsigned char { worst_error, first_error, always_accept };
    enum class Scores : unsigned char { sum, avg, min, max, pass_fail };
    Verdicts verdicts = Verdicts::worst_error;
    Scores scores = Scores::sum;
    bool ignore_sample = false;
    bool accept_if_any_accepted = false;
    double accept_score = 1;
    double reject_score = 0;
    double least = -std::numeric_limits<double>::infinity();
    double most = std::numeric_limits<double>::infinity();
    std::optional<double> max_score{}; ///< 2025-09; absent: unbounded
    std::vector<std::string> require_pass{};
};

struct Group {
    std::string name{}; ///< "secret/group1"; the first is "", which holds all
    std::size_t parent = 0;
    Grading grading{};
};

/// What must hold of the results of some tests.
struct Rule {
    std::string tests{};   ///< a pattern; empty: all of them
    bool is_given = false; ///< by submissions.yaml, not by the folder's name
    std::optional<std::vector<Verdict>> permitted{};
    std::optional<std::vector<Verdict>> required{};
    std::optional<std::pair<double, double>> score{};
    std::string message{};
    enum class TimeUse : unsigned char { by_rule, none, lower, upper };
    TimeUse time_use = TimeUse::by_rule;
    bool less_than_best = false; ///< legacy partially_accepted

    /// Whether it bounds the time limit from below, or from above.
    bool bounds_below() const;
    bool bounds_above() const;
};

struct Submission {
    Program program{};
    std::string folder{}; ///< "accepted"
    std::vector<Rule> rules{};
};

struct Problem {
    std::string name{};
    Format format = Format::legacy;
    bool scoring = false;
    bool interactive = false;
    bool minimize = false; ///< legacy grading.objective: min
    Limits limits{};
    std::vector<std::string> languages{}; ///< in which it may be solved; empty: all
    std::map<std::string, std::string, std::less<>> constants{}; ///< "name" and "name.variant"
    std::optional<Program> output_validator{};                   ///< none: the default one
    std::vector<Program> input_validators{};
    std::map<std::string, Program, std::less<>> includes{}; ///< by language, or "default"
    std::vector<Group> groups{};
    std::vector<TestCase> tests{}; ///< samples first; in the order in which they are used
    std::vector<TestCase> invalid_inputs{};
    std::vector<TestCase> invalid_outputs{};
    std::vector<TestCase> valid_outputs{};
    std::vector<Submission> submissions{};
};

/// The whole package. `chosen`: a pattern for the submissions that are wanted; empty: all. Throws
/// Wrong: with what is wrong, or with what of it cannot be honoured.
Problem read_problem(const Folder& folder, const std::string& chosen = {});

/// `text` with its constants' sequences, {{name}}, replaced.
std::string with_constants(const Problem& problem, std::string text);

// -- The parts of read_problem()

/// The files of one program, a file or a folder. Throws Wrong.
Program read_program(const Folder& folder, const std::string& path, const std::string& name);
void read_test_data(const Folder& folder, Problem& problem);
void read_submissions(const Folder& folder, Problem& problem, const std::string& chosen);

} // namespace cloister::package
