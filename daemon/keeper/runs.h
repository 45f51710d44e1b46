// The runs under way and the boxes that stand ready for them: slots, clocks, artifacts, kits. One
// thread; the owner waits for fd() to be readable or next_deadline() to pass, and calls dispatch().
// Everything told to `Events` is final: `ended` comes once per run, after its box is proven empty.
#pragma once

#include "daemon/keeper/catalogue.h"
#include "daemon/keeper/executor.h"
#include "daemon/keeper/pool.h"
#include "daemon/wire/frames.h"
#include "isolate/box.h"
#include "isolate/instance.h"
#include "isolate/network.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace cloister::keeper {

/// Set-up takes about two milliseconds; a host that needs more than this is out of order.
inline constexpr std::chrono::seconds kSetupTime{10};
/// For an interpreter to come up, when everything else goes first.
inline constexpr std::chrono::seconds kWarmUpTime{60};
/// How long an ended box may take to be proven empty before it is put aside, and then between
/// tries.
inline constexpr std::chrono::seconds kFinishTime{5};

class Runs {
public:
    /// `boxes`: how many runs at one time. Together with the pool's at most isolate::kMaxSlots.
    Runs(isolate::Instance& instance, const Catalogue& catalogue, unsigned boxes,
         const Pool::Bounds& pool, Events events);
    ~Runs();

    /// Slots, and so user ids, that `boxes` runs, those just being removed and the pool need.
    static unsigned slots_for(unsigned boxes, const Pool::Bounds& pool);

    /// Starts a run. False when the frame asks for what it may not: a number that names nothing, a
    /// limit above the ceiling, a run id in use, an artifact that is not there. A box that cannot
    /// be made, for want of a free slot too, is an `ended` with the failed step.
    bool start(const wire::RunFrame& frame, RunFds fds);
    /// Ends a run; no effect when it has ended.
    void kill(std::uint64_t run_id, isolate::Verdict reason);
    void signal(std::uint64_t run_id, int number);
    void ask_life(std::uint64_t run_id, std::uint32_t stream);
    void release(std::uint64_t run_id);
    void kill_all(isolate::Verdict reason);

    int fd() const { return epoll_.get(); }
    std::optional<Clock::time_point> next_deadline() const;
    void dispatch();

    /// Makes one box that would suit this frame now, whatever the pool thinks, at the highest level
    /// that it may use. False when it cannot be made. For tests and measurements.
    bool make_ahead(const wire::RunFrame& frame);
    /// The catalogue was extended, and what is new there may be asked for.
    void admit() { kits_.resize(catalogue_.runtimes()); }
    /// What is new in the catalogue holds: from now on boxes are made ahead for what begins there,
    /// and those that stand ready for what came before are given up. Runs under way stay as they
    /// are.
    void renew(First first);

    /// Boxes that stand ready; and those still in the making.
    std::uint32_t ready(bool warm_only) const;
    std::uint32_t making() const;
    /// Kits that are still to be made, and those that could not be.
    std::uint32_t kits_due() const;
    std::uint32_t kits_failed() const;
    /// Also without a pool: makes the kits, one command after the other.
    void want_kits();

    std::size_t running() const { return by_id_.size(); }
    std::size_t artifacts() const { return artifacts_.size(); }
    unsigned boxes() const { return boxes_; }
    /// Boxes that are not proven empty yet, long after their end.
    std::uint32_t quarantined() const;
    std::uint64_t total() const { return total_; }

private:
    struct Run;
    enum class Source : std::uint64_t { report, init, memory, listener, program };
    struct Kit {
        enum class State { none, due, making, ready, failed } state = State::none;
        std::size_t command = 0; ///< the next one
        isolate::Work work{};
    };

    // the life of a box (runs.cpp)
    uid_t user_of(unsigned slot) const;
    isolate::Owner owner_of(unsigned slot) const;
    Run& make(const Shape& shape, const StagePlan& plan, const PolicyPlan& policy,
              const isolate::Work* kit_work);
    void begin(Run& run, const wire::RunFrame& frame, const RunFds& fds);
    void fail(Run& run, isolate::Step step, int error);
    void watch(int fd, unsigned slot, Source source);
    void unwatch(int fd);
    void handle(Run& run, Source source);
    void read_reports(Run& run);
    void take_report(Run& run, const isolate::Report& report);
    void program_started(Run& run, Clock::time_point then);
    void end(Run& run, isolate::Verdict reason);
    void check_clocks(Run& run, Clock::time_point now);
    void settle(Run& run, Clock::time_point now);
    void answer(Run& run);
    void clean(Run& run, Clock::time_point now);
    void put_aside(Run& run, Clock::time_point now);
    void retry(Run& run, Clock::time_point now);
    void release(Run& run, Clock::time_point now);
    void unwatch(Run& run);

    // boxes and kits made ahead (tending.cpp)
    std::optional<Shape> warm_shape(const wire::RunFrame& frame, const RunFds& fds) const;
    Run* take_ready(const wire::RunFrame& frame, const RunFds& fds);
    void expect_usual(std::uint32_t runtime);
    void tend(Clock::time_point now);
    void tend_soon(Clock::time_point now);
    bool tend_kits(Clock::time_point now);
    bool kit_is_there(std::uint32_t runtime) const;
    void kit_command_ended(Run& run);
    void give_up(Run& run);

    isolate::Instance& instance_;
    const Catalogue& catalogue_;
    unsigned boxes_;
    unsigned processors_;
    Pool pool_;
    Events events_;
    isolate::Fd epoll_;
    std::vector<std::unique_ptr<Run>> slots_; ///< null: free
    std::vector<isolate::Network> networks_;  ///< kept, by slot
    std::vector<unsigned> free_;
    unsigned kit_slot_ = 0; ///< all commands of a kit work as the same user
    std::unordered_map<std::uint64_t, unsigned> by_id_;
    std::unordered_map<std::uint64_t, isolate::Work> artifacts_;
    std::vector<Kit> kits_; ///< by runtime
    bool tends_ = false;    ///< there is a pool, or kits are due
    bool pools_ = false;    ///< there is a pool
    Clock::time_point tend_at_{};
    Clock::time_point tended_at_{};
    Clock::time_point last_start_{};
    std::vector<isolate::Fd> mounts_left_; ///< of boxes that are gone
    Clock::time_point mounts_go_at_{};
    std::uint64_t total_ = 0;
    std::uint64_t made_ = 0;
};

} // namespace cloister::keeper
