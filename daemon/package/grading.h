// From the verdicts on tests to the verdict and score of a submission, and whether these are what
// the package expects. Pure.
#pragma once

#include "daemon/package/problem.h"

#include <optional>
#include <string>
#include <vector>

namespace cloister::package {

/// What became of one test; `ran` is false for one that nothing could be earned with any more.
struct TestResult {
    bool ran = false;
    Verdict verdict = Verdict::JE;
    std::string word{};  ///< the judge's finer one: MLE, OLE, …
    std::string cause{}; ///< "cpu_time", "memory", …
    int exit_code = -1;  ///< -1: a signal ended it
    double cpu_time = 0; ///< seconds
    double wall_time = 0;
    std::uint64_t memory_bytes = 0;
    std::optional<double> score{};
    std::optional<double> multiplier{};
    std::string message{};      ///< the checker's, for judges
    std::string team_message{}; ///< and for the team
    std::string reason{};       ///< one sentence; of what ended it, or the beginning of stderr
};

struct SubmissionResult {
    std::vector<TestResult> tests{}; ///< as Problem::tests; empty when it does not compile
    bool compiled = true;
    std::string compile_error{};
};

struct Outcome {
    Verdict verdict = Verdict::JE;
    std::string word{}; ///< the finer one of the test that decided
    std::optional<std::size_t> decided_by{};
    std::optional<double> score{};
    double slowest = 0; ///< seconds of processor time
    std::uint64_t memory_bytes = 0;
    bool ok = false;
    std::vector<std::string> complaints{}; ///< why it is not what is expected
};

/// A result as it is under `time_limit` seconds: programs may have been run for longer.
TestResult under_limit(TestResult result, double time_limit);

/// Which tests are still to be run, told their results in their order: not those of a group that
/// has stopped, or that requires what has failed.
class Progress {
public:
    Progress(const Problem& problem, double time_limit);
    bool still_runs(std::size_t test) const;
    void add(std::size_t test, const TestResult& result);

private:
    const Problem& problem_;
    double time_limit_;
    std::vector<bool> failed_;     ///< by group: a test of it, at any depth
    std::vector<bool> not_passed_; ///< likewise, those that were left out included
};

/// `margins`: whether the time limit's margins are held against it, too.
Outcome grade(const Problem& problem, const Submission& submission, const SubmissionResult& result,
              double time_limit, bool margins);

/// The slowest of the tests that a rule speaks of, in seconds; 0: none ran.
double slowest_of(const Problem& problem, const SubmissionResult& result, const Rule& rule);

/// "AC", "TLE or RTE", … of the rules, for people.
std::string expectation_of(const Submission& submission);

} // namespace cloister::package
