// A run that ends begins the next one of its submission, or else the next submission that waits.
#include "daemon/front/judge0/work.h"

#include "daemon/front/text.h"

#include <algorithm>

namespace cloister::front::judge0 {
namespace {

std::uint64_t bytes_of(const Program& program) {
    std::uint64_t bytes =
        program.run.input.value_or("").size() + program.expected.value_or("").size();
    for (const SourceFile& file : program.run.files) bytes += file.content.size();
    return bytes;
}

} // namespace

std::optional<Refusal> Work::start(const std::string& asker, const std::string& id,
                                   Program program) {
    const auto item = std::make_shared<Item>();
    item->asker = asker;
    item->id = id;
    item->program = std::move(program);
    item->bytes = bytes_of(item->program);
    items_[id] = item;
    const bool others_wait = backlog_.contains(asker);
    std::optional<Refusal> refusal;
    if (!others_wait) refusal = begin_run(item);
    if (!others_wait && !refusal) return std::nullopt;
    // Something of this client is under way, whose end begins what waits.
    const bool may_wait = others_wait || (refusal->code == "busy" && has_other_runs(*item));
    std::deque<ItemPtr>* queue = may_wait ? &backlog_[asker] : nullptr;
    if (queue != nullptr && queue->size() < kMostWaiting &&
        waiting_bytes_ + item->bytes <= kMostBytes) {
        queue->push_back(item);
        waiting_bytes_ += item->bytes;
        return std::nullopt;
    }
    if (queue != nullptr && queue->empty()) backlog_.erase(asker);
    items_.erase(id);
    if (refusal) return refusal;
    Refusal full;
    full.code = "busy";
    full.message = "As many of your submissions wait as may.";
    return full;
}

std::optional<Refusal> Work::begin_run(const ItemPtr& item) {
    auto made = make_job(item->program.run, catalog_, catalog_.settings->config.judge_policy);
    if (const auto* refusal = std::get_if<Refusal>(&made)) return *refusal;
    const auto begun = runs_.start(item->asker, std::get<Job>(std::move(made)),
                                   [this, item](const Event& event) { hear(item, event); });
    if (const auto* refusal = std::get_if<Refusal>(&begun)) return *refusal;
    item->run = std::get<HeardRuns::Run>(begun).name;
    return std::nullopt;
}

void Work::hear(const ItemPtr& item, const Event& event) {
    if (const auto* refused = std::get_if<Refused>(&event)) return end(item, &refused->refusal);
    const Result& result = std::get<Finished>(event).result;
    Summary& summary = item->summary;
    if (summary.started.count() == 0) {
        summary.started = wall_clock() - std::chrono::duration_cast<std::chrono::milliseconds>(
                                             result.usage.wall_time + result.setup_time);
    }
    summary.last = outcome_of(result, item->program);
    summary.runs.push_back(summary.last);
    summary.runs.back().output.reset(); // of the earlier ones only times and memory count
    summary.runs.back().error.reset();
    const bool is_over =
        summary.last.status != Status::accepted ||
        summary.runs.size() >= static_cast<std::size_t>(item->program.number_of_runs);
    if (is_over) return end(item, nullptr);
    const auto refusal = begin_run(item);
    if (!refusal) return;
    if (refusal->code != "busy" || !has_other_runs(*item)) return end(item, &*refusal);
    // Its own client has filled the queue meanwhile: it is the next one in turn.
    item->run.clear();
    waiting_bytes_ += item->bytes;
    backlog_[item->asker].push_front(item);
}

/// Whose end begins what waits.
bool Work::has_other_runs(const Item& item) const {
    return std::ranges::any_of(items_, [&](const auto& pair) {
        const Item& other = *pair.second;
        return &other != &item && other.asker == item.asker && !other.run.empty();
    });
}

void Work::end(const ItemPtr& item, const Refusal* why) {
    if (items_.erase(item->id) == 0) return;
    if (why != nullptr) submissions_.fail(item->id, *why);
    else submissions_.finish(item->id, to_text(item->summary));
    if (when_ended_) when_ended_(item->id, item->program.callback_url);
    begin_waiting(item->asker);
}

void Work::begin_waiting(const std::string& asker) {
    const auto found = backlog_.find(asker);
    if (found == backlog_.end()) return;
    // Out of the map while its first ones begin: one may end at once and come back here.
    std::deque<ItemPtr> queue = std::move(found->second);
    backlog_.erase(found);
    while (!queue.empty()) {
        const ItemPtr item = queue.front();
        const auto refusal = begin_run(item);
        if (refusal && refusal->code == "busy" && has_other_runs(*item)) break;
        queue.pop_front();
        waiting_bytes_ -= item->bytes;
        if (refusal && items_.erase(item->id) > 0) submissions_.fail(item->id, *refusal);
    }
    if (!queue.empty()) backlog_[asker] = std::move(queue);
}

bool Work::is_processing(const std::string& id) const {
    const auto found = items_.find(id);
    if (found == items_.end() || found->second->run.empty()) return false;
    const auto running = executions_.under_way();
    return std::ranges::find(running, found->second->run, &Executions::UnderWay::run_id) !=
           running.end();
}

std::size_t Work::waiting() const {
    std::size_t count = 0;
    for (const auto& [asker, queue] : backlog_) count += queue.size();
    return count;
}

} // namespace cloister::front::judge0
