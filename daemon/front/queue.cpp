// Whose turn it is: the fair queue of executions.h, and what need not be compiled. A run whose
// sources another one is just compiling is parked: it takes no box, counts as waiting, and as under
// way in its client's share. When that compiler is done it comes first in its client's queue again
// and finds what was left; or nothing, and then compiles alone, whoever else does, so that nobody
// can be made to wait for one compiler after the other.
#include "daemon/front/execution.h"

#include <algorithm>

namespace cloister::front {

void Executions::pump() {
    if (std::exchange(pumping_, true)) return; // a step that fails to start comes back here
    const std::shared_ptr<void> end(nullptr, [this](void*) { pumping_ = false; });
    std::size_t passed_over = 0; // clients in a row that may not start another run now
    while (running_ < bounds_.boxes && passed_over < turn_.size()) {
        const ClientId id = turn_.front();
        turn_.pop_front();
        Client& client = *clients_.at(id);
        const ExecutionPtr execution = client.waiting.front();
        // A group that is larger than a client's share has its turn when nothing else of the client
        // is under way.
        const std::size_t after = client.occupied() + execution->places();
        if (after > std::max(bounds_.runs_per_client, execution->places())) {
            turn_.push_back(id);
            ++passed_over;
            continue;
        }
        passed_over = 0;
        if (running_ + execution->places() > bounds_.boxes && running_ > 0) {
            turn_.push_front(id); // the next place is kept for it
            break;
        }
        client.waiting.pop_front();
        if (!client.waiting.empty()) turn_.push_back(id);
        if (!find_artifact(execution)) continue;
        begin(client, execution);
    }
    queue_moved();
}

/// Its turn has come.
void Executions::begin(Client& client, const ExecutionPtr& execution) {
    --waiting_;
    waiting_bytes_ -= execution->bytes();
    std::vector<ExecutionPtr> group = std::exchange(execution->others, {});
    for (const ExecutionPtr& one : group) (void)find_artifact(one); // never parked
    group.insert(group.begin(), execution);
    for (const ExecutionPtr& one : group) {
        client.running.push_back(one);
        ++running_;
        one->queued = now_() - one->accepted;
    }
    // Ended already when one before could not start; then it is in no list any more.
    for (const ExecutionPtr& one : group) {
        if (!one->over) start_step(*one);
    }
}

void Executions::queue_moved() const {
    if (waiting_ > 0 && when_queue_moves_) when_queue_moves_();
}

/// Who waits, in the order in which they begin if nobody comes or goes: clients take turns. A run
/// that waits for another one's compiler is in no queue.
std::vector<std::pair<Executions::ExecutionPtr, std::size_t>> Executions::positions() const {
    using Place = std::list<ExecutionPtr>::const_iterator;
    std::vector<std::pair<Place, Place>> left;
    for (const ClientId id : turn_) {
        const std::list<ExecutionPtr>& waiting = clients_.at(id)->waiting;
        left.emplace_back(waiting.begin(), waiting.end());
    }
    std::vector<std::pair<ExecutionPtr, std::size_t>> found;
    while (!left.empty()) {
        for (auto& [next, end] : left) {
            const std::size_t position = found.size() + 1;
            if (next != end) found.emplace_back(*next++, position);
        }
        std::erase_if(left, [](const auto& one) { return one.first == one.second; });
    }
    return found;
}

void Executions::tell_positions() {
    for (const auto& [execution, position] : positions()) tell_position(execution, position);
}

/// Not to a client that is slow to read: it is told where it stands then, when that changes.
void Executions::tell_position(const ExecutionPtr& execution, std::size_t position) {
    const auto client = clients_.find(execution->client);
    if (client == clients_.end() || client->second->congested || !execution->job.stream) return;
    if (std::exchange(execution->told_position, position) == position) return;
    tell(*execution, Queued{execution->tag(), position});
}

/// False when another one is just compiling the same: then the execution is parked. Else it has
/// what is kept of its sources, or compiles them.
bool Executions::find_artifact(const ExecutionPtr& execution) {
    if (!execution->job.has_compiler()) return true;
    if (!artifacts_.enabled() && !execution->job.pinned) return true;
    std::string key = artifact_key(execution->job);
    if (auto kept = artifacts_.take(key)) {
        execution->artifact = kept->artifact;
        execution->compile = std::move(kept->compile);
        ++execution->step;
        return true;
    }
    const std::optional<std::uint64_t> compiler = artifacts_.compiler_of(key);
    if (compiler && !execution->followed) {
        execution->follows = *compiler;
        followers_.emplace(*compiler, execution);
        clients_.at(execution->client)->parked.push_back(execution);
        return false;
    }
    execution->compiles = !compiler;
    if (execution->compiles) artifacts_.begin_compile(std::move(key), execution->number);
    return true;
}

/// The compiler of an execution is done, however it ended.
void Executions::wake_followers(Execution& compiler) {
    if (!std::exchange(compiler.compiles, false)) return;
    artifacts_.end_compile(compiler.number);
    std::vector<ExecutionPtr> woken;
    const auto [first, last] = followers_.equal_range(compiler.number);
    for (auto it = first; it != last; ++it) woken.push_back(it->second);
    followers_.erase(first, last);
    // They had their turn already; the longest waiting is first again.
    for (auto it = woken.rbegin(); it != woken.rend(); ++it) {
        const ExecutionPtr& execution = *it;
        Client& client = *clients_.at(execution->client);
        std::erase(client.parked, execution);
        execution->follows = 0;
        execution->followed = true;
        if (client.waiting.empty()) turn_.push_front(execution->client);
        client.waiting.push_front(execution);
    }
}

/// Takes an execution that has not started out of its client's queue. Nothing when it has.
Executions::ExecutionPtr Executions::withdraw(Client& client, const Execution& execution) {
    const auto is_meant = [&](const ExecutionPtr& one) { return one.get() == &execution; };
    for (auto* list : {&client.waiting, &client.parked}) {
        const auto match = std::ranges::find_if(*list, is_meant);
        if (match == list->end()) continue;
        ExecutionPtr found = *match;
        list->erase(match);
        if (client.waiting.empty()) std::erase(turn_, found->client);
        const auto [first, last] = followers_.equal_range(found->follows);
        const auto follower =
            std::find_if(first, last, [&](const auto& one) { return one.second == found; });
        if (follower != last) followers_.erase(follower);
        --waiting_;
        waiting_bytes_ -= found->bytes();
        queue_moved();
        return found;
    }
    return nullptr;
}

} // namespace cloister::front
