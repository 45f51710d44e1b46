// Programs that talk with each other, in boxes at one time: the part of executions.h that makes
// sure of all of them. A group waits as one, takes all its places at once, and keeps each until
// that program ends: so two groups can never hold some places each and wait for others. When it is
// first in the queue and there are too few places, those that come free stay free for it, or it
// might wait for ever. Its compilers run before, each in its own place; who is ready first waits
// for the others, not in a box.
#include "daemon/front/execution.h"

#include <algorithm>

namespace cloister::front {

using isolate::Verdict;

std::variant<std::string, Refusal> Executions::submit_group(ClientId client, Group group) {
    const std::size_t size = group.jobs.size();
    if (!has_room_for(size)) {
        Refusal refusal;
        refusal.code = "runtime_unavailable";
        refusal.message = std::to_string(size) + " boxes at one time are needed, and this server " +
                          "has " + std::to_string(bounds_.boxes) + ".";
        refusal.id = group.jobs.front().id;
        return refusal;
    }
    const auto circle = std::make_shared<Circle>();
    circle->stands_or_falls = group.stands_or_falls;
    std::vector<ExecutionPtr> members;
    for (Job& job : group.jobs) {
        members.push_back(made(client, std::move(job)));
        members.back()->circle = circle;
        members.back()->followed = members.size() > 1; // it waits for nobody's compiler: its place
                                                       // is taken
        circle->members.push_back(members.back());
    }
    for (const Wire& wire : group.wires) {
        Speech& speech = members.at(wire.from)->speech.at(wire.stream);
        speech.connected = true;
        speech.listener = members.at(wire.to);
        speech.record = wire.record;
        members.at(wire.to)->listens = true;
    }
    circle->wires = std::move(group.wires);
    const ExecutionPtr first = std::move(members.front());
    members.erase(members.begin());
    first->others = std::move(members);
    return accept(client, first, {});
}

/// Begins, if all of them are ready but for their boxes.
void Executions::begin_together(const std::shared_ptr<Circle>& circle) {
    std::vector<ExecutionPtr> members;
    for (const auto& one : circle->members) members.push_back(one.lock());
    const auto is_ready = [](const ExecutionPtr& one) { return one && one->waits; };
    if (!std::ranges::all_of(members, is_ready)) return;
    const auto is_cancelled = [](const ExecutionPtr& one) { return one->cancelled; };
    if (std::ranges::any_of(members, is_cancelled))
        return finish_cancelled(*members.front()); // which ends the others
    for (const ExecutionPtr& one : members) {
        one->waits = false;
        if (!begin_box(*one)) return; // likewise
    }
    circle->begun = true;
    for (const Wire& wire : circle->wires)
        boxes_.connect(members[wire.from]->box, wire.stream, members[wire.to]->box);
}

/// `execution` is over, or will have no box. Others that did not begin have nobody to talk to;
/// those that did go on: they are told the end of their input.
void Executions::leave_circle(Execution& execution) {
    const std::shared_ptr<Circle> circle = std::exchange(execution.circle, nullptr);
    if (!circle) return;
    const bool failed = !execution.outcome || execution.outcome->ended_at.count() == 0;
    if (circle->begun && !(circle->stands_or_falls && failed)) return;
    for (const auto& member : circle->members) {
        const ExecutionPtr one = member.lock();
        if (!one || !one->circle) continue; // it has left already
        one->cancelled = true;
        if (one->box != 0) {
            if (!std::exchange(one->killing, true)) boxes_.kill(one->box, Verdict::cancelled);
        } else if (std::exchange(one->waits, false)) {
            finish_cancelled(*one);
        } // else it is just about to start, and sees the mark
    }
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

/// What is said to another one counts as output as long as somebody is there; of it is kept what
/// was asked for.
void Executions::take_talk(Execution& execution, std::size_t stream, std::string_view bytes) {
    Speech& speech = execution.speech.at(stream);
    KeptStream& kept = execution.kept.at(stream);
    const std::uint64_t most = execution.plan().limits.output_bytes;
    const std::uint64_t recorded = std::min(speech.record, most);
    if (kept.bytes.size() < recorded) kept.bytes += bytes.substr(0, recorded - kept.bytes.size());
    if (speech.listener.expired()) return;
    speech.passed_on += bytes.size();
    if (speech.passed_on <= most || execution.outcome) return;
    kept.dropped = speech.passed_on - most;
    if (!std::exchange(execution.killing, true)) boxes_.kill(execution.box, Verdict::output_limit);
}

} // namespace cloister::front
