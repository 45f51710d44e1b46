// Two programs that talk to each other, in two boxes at one time: the part of executions.h that
// makes sure of both. A pair waits as one, takes two places at once, and keeps both until it ends:
// so two pairs can never hold one place each and wait for another. When it is first in the queue
// and there is one place, that place stays free for it, or it might wait for ever. Its compilers
// run before, each in its own place; the one that is ready first waits for the other, not in a box.
#include "daemon/front/execution.h"

#include <algorithm>

namespace cloister::front {

using isolate::Verdict;

std::variant<std::string, Refusal> Executions::submit_pair(ClientId client, Job first, Job second,
                                                           Wires wires) {
    if (bounds_.boxes < 2) {
        Refusal refusal;
        refusal.code = "runtime_unavailable";
        refusal.message = "Two boxes at one time are needed, and this server has one.";
        refusal.id = first.id;
        return refusal;
    }
    ExecutionPtr one = made(client, std::move(first));
    ExecutionPtr other = made(client, std::move(second));
    one->speaks = other->listens = wires.forth;
    one->listens = other->speaks = wires.back;
    one->partner = other;
    other->partner = one;
    other->followed = true; // it waits for nobody's compiler: its place is taken
    one->second = std::move(other);
    return accept(client, std::move(one), {});
}

/// Both are ready but for their boxes.
void Executions::begin_pair(Execution& one, Execution& other) {
    if (one.cancelled || other.cancelled) return finish_cancelled(one); // which ends the other
    if (!begin_box(one)) return;                                        // likewise
    if (!begin_box(other)) return;
    one.waits = other.waits = false;
    one.talks = other.talks = true;
    if (one.speaks) boxes_.connect(one.box, other.box);
    if (other.speaks) boxes_.connect(other.box, one.box);
}

/// `execution` is over, or will have no box. A partner that did not begin has nobody to talk to;
/// one that did goes on alone: it was told the end of its input.
void Executions::leave_partner(Execution& execution) {
    const ExecutionPtr partner = execution.partner.lock();
    execution.partner.reset();
    if (!partner) return;
    partner->partner.reset();
    if (partner->talks) return;
    partner->cancelled = true;
    if (partner->box != 0) {
        if (!std::exchange(partner->killing, true)) boxes_.kill(partner->box, Verdict::cancelled);
    } else if (partner->waits) {
        partner->waits = false;
        finish_cancelled(*partner);
    } // else it is just about to start, and sees the mark
}

/// One that has its place and no box.
void Executions::finish_cancelled(Execution& execution) {
    Result result;
    result.verdict = Verdict::cancelled;
    result.reason = reason_for(execution, Verdict::cancelled);
    result.compile = execution.compile;
    result.queued_time = execution.queued;
    answer(execution, Finished{execution.tag(), execution.job.language, execution.job.base64,
                               std::move(result)});
    remove(execution);
}

/// What it says to its partner is not kept, and counts as output as long as somebody is there.
void Executions::take_talk(Execution& execution, std::size_t size) {
    if (execution.partner.expired()) return;
    execution.passed_on += size;
    const std::uint64_t most = execution.plan().limits.output_bytes;
    if (execution.passed_on <= most || execution.outcome) return;
    execution.kept[0].dropped = execution.passed_on - most;
    if (!std::exchange(execution.killing, true)) boxes_.kill(execution.box, Verdict::output_limit);
}

} // namespace cloister::front
