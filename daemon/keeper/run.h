// What Runs keeps for one box, from its making to its removal. For runs.cpp and tending.cpp only.
#pragma once

#include "daemon/keeper/runs.h"

namespace cloister::keeper {

struct Runs::Run {
    enum class Phase {
        making,    ///< nobody's yet
        ready,     ///< nobody's yet, waits for an order
        under_way, ///< has its order
        given_up,  ///< nobody's, is being ended
        removing,  ///< proven empty; what is left are its groups
        aside, ///< took too long to be proven or removed; answered, and tried again now and then
    } phase = Phase::making;
    unsigned slot = 0;
    Shape shape{};
    const PolicyPlan* policy = nullptr;
    isolate::Box box{};
    isolate::Work work{}; ///< of a compile box
    Ends ends{};          ///< our ends of a warm box's pipes, until the run is there
    bool for_kit = false;
    Clock::time_point made_at{};

    std::uint64_t id = 0; ///< 0: no run of a client's
    wire::Level level = wire::Level::cold;
    isolate::Limits limits{};
    isolate::Ending ending{};
    isolate::Usage usage{};
    Clock::time_point taken{}; ///< when the frame came
    std::optional<Clock::time_point> started{};
    std::optional<Clock::time_point> ended{}; ///< when the program ended, or init without a word
    std::chrono::nanoseconds cpu_before{};    ///< used by the set-up, not the program's
    std::optional<Clock::time_point> next_cpu_check{};
    bool wants_usage = false;
    bool collects = false; ///< init reads files back when the program has ended
    std::optional<std::chrono::nanoseconds> cpu_at_end{}; ///< then: what init uses is not the
                                                          ///< program's
    std::optional<Clock::time_point> next_usage{};
    std::optional<Clock::time_point> next_look{}; ///< of a box that is watched by looks
    bool init_gone = false;
    bool proven_empty = false;
    Clock::time_point init_gone_at{};
    Clock::time_point next_finish{};

    bool is_made_ahead() const { return phase == Phase::making || phase == Phase::ready; }
};

} // namespace cloister::keeper
