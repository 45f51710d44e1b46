// Runs in this process, without a daemon: for `cloister run` as root, for the start-up self-test
// and for the tests. The same Runs as the keeper's, driven by a small loop that also reads the
// streams.
#pragma once

#include "daemon/config/settings.h"
#include "daemon/keeper/pool.h"
#include "daemon/wire/frames.h"
#include "isolate/bundle.h"
#include "isolate/collection.h"
#include "isolate/verdict.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cloister::keeper {

struct LocalRun {
    std::string runtime; ///< id in the settings
    wire::Stage stage = wire::Stage::run;
    std::string policy{};                    ///< empty: the step's, else the configured run policy
    isolate::Bundle bundle{};                ///< with `collect`: none of the descriptors below
    std::string input{};                     ///< the whole of stdin
    std::optional<isolate::Limits> limits{}; ///< absent: the policy's
    std::uint64_t artifact = 0;              ///< run_id of an earlier compile run
    bool live = false;
    bool merged = false; ///< stderr is stdout
    /// How much is made ahead, just before the run. Warm: where the runtime can, and the program is
    /// its usual one (wire::kFlagUsual).
    wire::Level level = wire::Level::cold;
    int stdin_fd = -1, stdout_fd = -1, stderr_fd = -1; ///< borrowed; -1: `input` in, strings out
    std::optional<std::chrono::milliseconds> cancel_after{}; ///< from the program's start
    std::optional<std::pair<std::chrono::milliseconds, int>> signal_after{}; ///< a signal, likewise
};

struct LocalResult {
    std::uint64_t run_id = 0;
    wire::Level level = wire::Level::cold; ///< of the box that it got
    isolate::Outcome outcome{};
    isolate::Verdict verdict =
        isolate::Verdict::internal_error; ///< with output_limit taken into account
    std::string output{};                 ///< stdout, at most limits.output_bytes
    std::string error{};                  ///< stderr, likewise
    std::uint64_t output_dropped = 0;
    std::uint64_t error_dropped = 0;
    std::vector<isolate::CollectedFile> files{}; ///< as the bundle's `collect` names them
};

using Again = std::function<bool(const LocalResult&)>;

/// Owns an instance (cgroups, user ids, mounts) for its lifetime. Needs root.
class LocalRunner {
public:
    /// Throws isolate::SysError or std::runtime_error when this host cannot isolate.
    /// `pool`: what is made ahead as in a daemon, but only while runs are under way here and in
    /// stand_ready().
    explicit LocalRunner(const config::Settings& settings, const Pool::Bounds& pool = {});
    ~LocalRunner();
    LocalRunner(LocalRunner&&) noexcept;
    LocalRunner& operator=(LocalRunner&&) = delete;

    LocalResult run(const LocalRun& request);
    /// All at the same time; the results in the order of the requests.
    std::vector<LocalResult> run_all(const std::vector<LocalRun>& requests);
    /// Keeps `loops` runs of the same request under way, at most as many as there are boxes. Each
    /// result is shown to `again`; while that says true, the loop's next run begins at once.
    void run_in_loops(const LocalRun& request, unsigned loops, const Again& again);
    /// Compiles when the runtime has a compile step, then runs; the artifact is released
    /// afterwards. A failed compilation is returned with verdict compile_error and the compiler's
    /// text.
    LocalResult compile_and_run(LocalRun request);
    void release(std::uint64_t artifact);
    /// Lets the pool make what it wants. False when no box stands ready after `most`.
    bool stand_ready(std::chrono::milliseconds most);
    /// Makes the kits of all runtimes, as a daemon does in idle time. Takes seconds. False when one
    /// could not be made.
    bool make_kits();

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace cloister::keeper
