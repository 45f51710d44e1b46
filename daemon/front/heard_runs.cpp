// One client of Executions for each asker; each run is known by a word of our own.
#include "daemon/front/heard_runs.h"

#include "daemon/front/text.h"

namespace cloister::front {

std::variant<HeardRuns::Run, Refusal> HeardRuns::start(const std::string& asker, Job job,
                                                       std::function<void(const Event&)> heard) {
    std::shared_ptr<Asker>& place = askers_[asker];
    if (!place) {
        place = std::make_shared<Asker>();
        place->client = executions_.open_client(*place);
    }
    const ClientId client = place->client;
    ++place->under_way;
    RunName run;
    run.id = fresh_word();
    job.id = run.id;
    job.heard = [this, asker, heard = std::move(heard)](const Event& event) {
        heard(event);
        leave(asker);
    };
    const auto accepted = executions_.submit(client, std::move(job));
    if (const auto* refusal = std::get_if<Refusal>(&accepted)) {
        leave(asker);
        return *refusal;
    }
    Run begun;
    begun.name = std::get<std::string>(accepted);
    begun.cancel = [this, client, run] { (void)executions_.cancel(client, run); };
    return begun;
}

/// A client may be closed within an event.
void HeardRuns::leave(const std::string& name) {
    const auto found = askers_.find(name);
    if (found == askers_.end() || --found->second->under_way > 0) return;
    const std::shared_ptr<Asker> keep = found->second; // Executions still stands in it
    askers_.erase(found);
    executions_.close_client(keep->client);
}

} // namespace cloister::front
