// What every executor keeps of a run under way, whatever the run is in: what it may, when it began
// and ended, what it used, and its clocks. Nothing here waits or ends anything; the executor asks
// what is due and does it.
#pragma once

#include "daemon/keeper/executor.h"
#include "isolate/cgroup.h"
#include "isolate/inside.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace cloister::keeper {

/// Between two samples of what a run uses.
inline constexpr std::chrono::milliseconds kUsagePause{250};

struct Watched {
    std::uint64_t id = 0; ///< 0: no run of a client's
    isolate::Limits limits{};
    isolate::Ending ending{};
    isolate::Usage usage{};
    Clock::time_point taken{}; ///< when the frame came
    std::optional<Clock::time_point> started{};
    std::optional<Clock::time_point> ended{}; ///< when the program ended, or init without a word
    std::chrono::nanoseconds cpu_before{};    ///< used by the set-up, not the program's
    std::optional<std::chrono::nanoseconds> cpu_at_end{}; ///< what is used later is init's
    bool wants_usage = false;
    bool collects = false; ///< init reads files back when the program has ended
    bool talks = false;    ///< with other runs
    /// When the kernel said that the program ended, of one that talks; init says it later, and how
    /// much later is anybody's guess.
    std::optional<Clock::time_point> gone{};
    std::array<bool, kLifeStreams> life_asked{};     ///< before it was known who the program is
    std::optional<Clock::time_point> spared_until{}; ///< init, for that; then it is ended, too
    std::optional<Clock::time_point> next_cpu_check{};
    std::optional<Clock::time_point> next_usage{};

    /// Nothing that happens from now on changes its verdict.
    bool is_settled() const {
        return ended || ending.killed_for || ending.failed_step != isolate::Step::none;
    }
    /// When it happened, however busy we were. A box cannot claim a time before its run or to come.
    Clock::time_point time_of(const isolate::Report& report, Clock::time_point now) const;
    /// The program runs since `then`: its clocks begin.
    void begin_clocks(Clock::time_point then);
    /// The program ended with `status`, of wait(2), and had used `used` by then.
    void take_end(int status, Clock::time_point then, std::optional<std::chrono::nanoseconds> used);
    /// Init ended without a word about the program.
    void take_loss(Clock::time_point then) {
        if (!ended) ended = gone.value_or(then);
    }
    /// Asked whether the program goes on: `pidfd` is the program, or -1 when nobody knows yet.
    void ask_life(std::uint32_t stream, int pidfd, const Events& events);
    /// The program is known now.
    void answer_life(int pidfd, const Events& events);
    /// Keeps the highest of each.
    void count(const isolate::Counters& counters);
    void count(std::chrono::nanoseconds cpu_time);

    bool is_late(Clock::time_point now) const { return now >= *started + limits.wall_time; }
    bool collects_too_long(Clock::time_point now) const {
        return collects && spared_until && now >= *spared_until;
    }
    /// It is to be ended for `reason`, the first that there is. True when that can be left to init,
    /// for a while: the program is killed, and init ends the rest and reads back what was asked
    /// for. Nobody waits for the files of a run that was cancelled.
    bool spare_init(isolate::Verdict reason, Clock::time_point now);
    /// True when no processor time is left; else says when to look again, given that at most
    /// `percent` of a processor can be used until then. What cannot be read is looked at again
    /// soon.
    bool is_used_up(std::optional<std::chrono::nanoseconds> used, std::uint32_t percent,
                    Clock::time_point now);
    /// What it uses, to be told; and when to look again. Nothing when it cannot be read just now:
    /// the clocks of runs never wait for it.
    std::optional<wire::UsageFrame> sample(std::optional<std::chrono::nanoseconds> used,
                                           std::uint64_t memory_bytes, Clock::time_point now);
    /// The earliest time at which something of the above is due. `patience`: for it to start.
    std::optional<Clock::time_point> next_deadline(std::chrono::seconds patience) const;

    /// It is over, and nothing of it is left: fills in what nobody could tell.
    isolate::Outcome outcome();
};

} // namespace cloister::keeper
