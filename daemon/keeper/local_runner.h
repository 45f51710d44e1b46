// Runs in this process, without a daemon: for `cloister run` as root, for the start-up self-test
// and for the tests. The same Runs as the keeper's, driven by a small loop that also reads the
// streams.
#pragma once

#include "daemon/config/settings.h"
#include "daemon/wire/frames.h"
#include "isolate/bundle.h"
#include "isolate/verdict.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cloister::keeper {

struct LocalRun {
    std::string runtime; ///< id in the settings
    wire::Stage stage = wire::Stage::run;
    std::string policy{}; ///< empty: the step's, else the configured run policy
    isolate::Bundle bundle{};
    std::string input{};                     ///< the whole of stdin
    std::optional<isolate::Limits> limits{}; ///< absent: the policy's
    std::uint64_t artifact = 0;              ///< run_id of an earlier compile run
    bool live = false;
    int stdin_fd = -1, stdout_fd = -1, stderr_fd = -1; ///< borrowed; -1: `input` in, strings out
    std::optional<std::chrono::milliseconds> cancel_after{}; ///< from the program's start
    std::optional<std::pair<std::chrono::milliseconds, int>> signal_after{}; ///< a signal, likewise
};

struct LocalResult {
    std::uint64_t run_id = 0;
    isolate::Outcome outcome{};
    isolate::Verdict verdict =
        isolate::Verdict::internal_error; ///< with output_limit taken into account
    std::string output{};                 ///< stdout, at most limits.output_bytes
    std::string error{};                  ///< stderr, likewise
    std::uint64_t output_dropped = 0;
    std::uint64_t error_dropped = 0;
};

/// Owns an instance (cgroups, user ids, mounts) for its lifetime. Needs root.
class LocalRunner {
public:
    /// Throws isolate::SysError or std::runtime_error when this host cannot isolate.
    explicit LocalRunner(const config::Settings& settings);
    ~LocalRunner();
    LocalRunner(LocalRunner&&) noexcept;
    LocalRunner& operator=(LocalRunner&&) = delete;

    LocalResult run(const LocalRun& request);
    /// All at the same time; the results in the order of the requests.
    std::vector<LocalResult> run_all(const std::vector<LocalRun>& requests);
    /// Compiles when the runtime has a compile step, then runs; the artifact is released
    /// afterwards. A failed compilation is returned with verdict compile_error and the compiler's
    /// text.
    LocalResult compile_and_run(LocalRun request);
    void release(std::uint64_t artifact);

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace cloister::keeper
