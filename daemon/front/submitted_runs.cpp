// A job's own id is that of its submission, so every event says whose it is.
#include "daemon/front/submitted_runs.h"

#include "daemon/front/replies.h"

namespace cloister::front {

std::optional<Refusal> SubmittedRuns::start(const std::string& name, const std::string& id,
                                            Job job) {
    std::shared_ptr<Submitter>& place = submitters_[name];
    if (!place) {
        place = std::make_shared<Submitter>(*this, name);
        place->client = executions_.open_client(*place);
    }
    const std::shared_ptr<Submitter> submitter = place;
    ++submitter->under_way;
    job.id = id;
    submissions_.on_cancel(id, [this, client = submitter->client, id] {
        RunName run;
        run.id = id;
        (void)executions_.cancel(client, run); // one that has just ended needs none
    });
    // The answer may come before submit() returns.
    const auto accepted = executions_.submit(submitter->client, std::move(job));
    const auto* refusal = std::get_if<Refusal>(&accepted);
    if (refusal == nullptr) return std::nullopt;
    leave(*submitter);
    return *refusal;
}

void SubmittedRuns::hear(Submitter& from, const Event& event) {
    if (const auto* finished = std::get_if<Finished>(&event)) {
        submissions_.finish(finished->run.id.value_or(""), result_text(*finished));
        leave(from);
    } else if (const auto* refused = std::get_if<Refused>(&event)) {
        submissions_.fail(refused->refusal.id.value_or(""), refused->refusal);
        leave(from);
    } else if (!std::holds_alternative<Queued>(event)) { // that it waits, its state says
        const NamedEvent named = named_event(event);
        const bool is_output =
            std::holds_alternative<Output>(event) || std::holds_alternative<UsageSample>(event);
        submissions_.add(named.submission, named.name, named.data, is_output);
    }
}

/// One of its submissions is over. Its client may be closed within an event.
void SubmittedRuns::leave(Submitter& submitter) {
    if (--submitter.under_way > 0) return;
    const auto found = submitters_.find(submitter.name);
    const std::shared_ptr<Submitter> keep = found->second; // its caller still stands in it
    submitters_.erase(found);
    executions_.close_client(keep->client);
}

} // namespace cloister::front
