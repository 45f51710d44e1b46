// The runs under way: slots, boxes, clocks and artifacts. One thread; the owner waits for fd() to
// be readable or next_deadline() to pass, and calls dispatch(). Everything told to `Events` is
// final: `ended` comes once per run, after its box is proven empty and gone.
#pragma once

#include "daemon/keeper/catalogue.h"
#include "daemon/wire/frames.h"
#include "isolate/box.h"
#include "isolate/instance.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace cloister::keeper {

using Clock = std::chrono::steady_clock;

/// Set-up takes about two milliseconds; a host that needs more than this is out of order.
inline constexpr std::chrono::seconds kSetupTime{10};
/// How long an ended box may take to be proven empty before its slot is put aside for good.
inline constexpr std::chrono::seconds kFinishTime{5};
inline constexpr std::size_t kMaxArtifacts = 256;

struct Events {
    std::function<void(std::uint64_t run_id, std::chrono::nanoseconds setup)> started;
    std::function<void(std::uint64_t run_id, const isolate::Outcome&)> ended;
};

/// The descriptors of a run frame. Closed here once the box holds its own.
struct RunFds {
    std::array<isolate::Fd, 3> streams{};
    isolate::Fd bundle{};
};

class Runs {
public:
    /// `slots`: how many at one time, at most isolate::kMaxSlots.
    Runs(isolate::Instance& instance, const Catalogue& catalogue, unsigned slots, Events events);
    ~Runs();

    /// Starts a run. False when the frame asks for what it may not: a number that names nothing, a
    /// limit above the ceiling, a run id in use, an artifact that is not there. A box that cannot
    /// be made, for want of a free slot too, is an `ended` with the failed step.
    bool start(const wire::RunFrame& frame, RunFds fds);
    /// Ends a run; no effect when it has ended.
    void kill(std::uint64_t run_id, isolate::Verdict reason);
    void signal(std::uint64_t run_id, int number);
    void release(std::uint64_t run_id);
    void kill_all(isolate::Verdict reason);

    int fd() const { return epoll_.get(); }
    std::optional<Clock::time_point> next_deadline() const;
    void dispatch();

    std::size_t running() const { return by_id_.size(); }
    std::size_t artifacts() const { return artifacts_.size(); }
    unsigned slots() const { return static_cast<unsigned>(slots_.size()); }
    std::uint32_t quarantined() const { return quarantined_; }
    std::uint64_t total() const { return total_; }

private:
    struct Run;
    enum class Source : std::uint64_t { report, init, memory, listener };

    void watch(int fd, unsigned slot, Source source);
    void unwatch(int fd);
    void handle(Run& run, Source source);
    void read_reports(Run& run);
    void end(Run& run, isolate::Verdict reason);
    void check_clocks(Run& run, Clock::time_point now);
    void try_finish(Run& run, Clock::time_point now);
    void close(Run& run);
    void forget(Run& run);

    isolate::Instance& instance_;
    const Catalogue& catalogue_;
    Events events_;
    isolate::Fd epoll_;
    std::vector<std::unique_ptr<Run>> slots_; ///< null: free
    std::vector<unsigned> free_;
    std::unordered_map<std::uint64_t, unsigned> by_id_;
    std::unordered_map<std::uint64_t, isolate::Work> artifacts_;
    std::uint32_t quarantined_ = 0;
    std::uint64_t total_ = 0;
};

} // namespace cloister::keeper
