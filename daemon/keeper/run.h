// What Runs keeps for one box, from its making to its removal. For runs.cpp and tending.cpp only.
#pragma once

#include "daemon/keeper/runs.h"
#include "daemon/keeper/watched.h"

namespace cloister::keeper {

struct Runs::Run : Watched {
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
    isolate::Work work{}; ///< of a compile box; behind a fence, of any
    Ends ends{};          ///< our ends of a warm box's pipes, until the run is there
    bool for_kit = false;
    Clock::time_point made_at{};

    wire::Level level = wire::Level::cold;
    std::optional<Clock::time_point> next_look{}; ///< of a box that is watched by looks
    bool init_gone = false;
    bool proven_empty = false;
    Clock::time_point init_gone_at{};
    Clock::time_point next_finish{};

    /// Behind a fence the box's files lie in `work`. `tmp` is held until the box is made.
    void place_files(isolate::BoxSpec& spec, const StagePlan& plan, isolate::Fd& tmp) const {
        tmp = work.tmp();
        spec.shown = plan.root->shown();
        spec.box_folder = spec.work_mount;
        spec.tmp_folder = tmp.get();
        spec.folder = work.path();
        spec.leaves_programs = shape.stage == wire::Stage::compile;
    }
    bool is_made_ahead() const { return phase == Phase::making || phase == Phase::ready; }
};

} // namespace cloister::keeper
