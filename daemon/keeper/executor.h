// What runs programs for the keeper: natively in boxes of our own (native.h), or in another way.
// The service asks through this and knows no more. One thread; the owner waits for fd() to be
// readable or next_deadline() to pass, and calls dispatch(). Everything told to `Events` is final:
// `ended` comes once per run, after nothing of it is left.
#pragma once

#include "daemon/config/settings.h"
#include "daemon/wire/frames.h"
#include "isolate/fd.h"
#include "isolate/verdict.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace cloister::isolate {
class Instance;
}

namespace cloister::keeper {

using Clock = std::chrono::steady_clock;
/// After a program's end, for the files that its run asked for to be read in its box.
inline constexpr std::chrono::seconds kCollectTime{5};
using Ends = std::array<isolate::Fd, 4>; ///< stdin, stdout, stderr; collected files, if any
inline constexpr std::size_t kStreams = 3;
inline constexpr std::uint32_t kLifeStreams = 2; ///< that a program writes to

struct Events {
    /// Our ends of a run's pipes, for whoever feeds and reads it; first of its events.
    std::function<void(std::uint64_t run_id, Ends ends)> streams;
    std::function<void(std::uint64_t run_id, std::chrono::nanoseconds setup, wire::Level)> started;
    std::function<void(std::uint64_t run_id, const isolate::Outcome&, std::uint64_t artifact_bytes)>
        ended;
    /// What a run that asked for it uses at the moment.
    std::function<void(const wire::UsageFrame&)> usage{};
    /// The answer to ask_life().
    std::function<void(const wire::LifeFrame&)> life{};
};

/// The descriptors of a run. Closed here once the run holds its own.
struct RunFds {
    Ends streams{}; ///< the program's ends; none: the run gets pipes, and `streams` tells
    isolate::Fd bundle{};
    bool terminal = false; ///< the streams are one terminal; make it controlling
};

/// The numbers of the first of one reading of the settings.
struct First {
    std::uint32_t runtime = 0;
    std::uint32_t policy = 0;
};

class Executor {
public:
    Executor() = default;
    Executor(const Executor&) = delete;
    Executor& operator=(const Executor&) = delete;
    /// Ends every run, telling nobody.
    virtual ~Executor() = default;

    /// Starts a run. False when the frame asks for what it may not: a number that names nothing, a
    /// limit above the ceiling, a run id in use, an artifact that is not there. What cannot be made
    /// is an `ended` with the failed step.
    virtual bool start(const wire::RunFrame& frame, RunFds fds) = 0;
    /// Ends a run; no effect when it has ended.
    virtual void kill(std::uint64_t run_id, isolate::Verdict reason) = 0;
    virtual void signal(std::uint64_t run_id, int number) = 0;
    /// Whether the program of a run goes on. Told once it is known who that is; not when the run
    /// has ended. `stream`: below kLifeStreams.
    virtual void ask_life(std::uint64_t run_id, std::uint32_t stream) = 0;
    /// Forgets the artifact of a compile run.
    virtual void release(std::uint64_t run_id) = 0;

    virtual int fd() const = 0;
    virtual std::optional<Clock::time_point> next_deadline() const = 0;
    virtual void dispatch() = 0;

    virtual wire::StatusReply status() const = 0;

    /// Adds what new settings say, all of it or nothing, behind what there is. May be asked for by
    /// its numbers at once. Throws a sentence for the operator.
    virtual First extend(const config::Settings& settings) = 0;
    /// What begins at `first` holds, and what came before `before` is asked for no more. Runs under
    /// way stay as they are.
    virtual void renew(First before, First first) = 0;
    /// Runtimes that there are, of all readings.
    virtual std::uint32_t runtimes() const = 0;
};

/// The executor that `settings.config.executor` comes to on this host, by trying: each is tested
/// with `probe`, the path of the probe program, before it is chosen. Throws a sentence when there
/// is none; what was not asked for by name and protects less is never chosen.
std::string choose_method(const config::Settings& settings, const std::string& probe);

/// The executor that `settings.method` names. `instance` is null where this host has none; the
/// native executor needs it. Throws isolate::SysError or std::runtime_error.
std::unique_ptr<Executor> make_executor(const config::Settings& settings,
                                        isolate::Instance* instance, Events events);

/// How many runs there are at most at one time.
unsigned boxes_of(const config::Config& config);

} // namespace cloister::keeper
