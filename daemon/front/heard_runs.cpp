// One client of Executions for each asker; each run is known by a word of our own.
#include "daemon/front/heard_runs.h"

#include "daemon/front/text.h"

namespace cloister::front {

/// The asker's client, which is there as long as something of it is under way.
ClientId HeardRuns::enter(const std::string& name, std::size_t runs) {
    std::shared_ptr<Asker>& place = askers_[name];
    if (!place) {
        place = std::make_shared<Asker>();
        place->client = executions_.open_client(*place);
    }
    place->under_way += runs;
    return place->client;
}

/// Has the job heard, and names it. All but the name that Executions gives it is filled in.
HeardRuns::Run HeardRuns::hear(const std::string& asker, ClientId client, Part& part) {
    RunName name;
    name.id = fresh_word();
    part.job.id = name.id;
    if (part.watch) askers_.at(asker)->watchers[*name.id] = std::move(part.watch);
    part.job.heard = [this, asker, id = *name.id,
                      heard = std::move(part.heard)](const Event& event) {
        heard(event);
        leave(asker, id);
    };
    Run run;
    run.cancel = [this, client, name] { (void)executions_.cancel(client, name); };
    run.input = [this, client, name](std::string_view data, bool eof) {
        return executions_.input(client, name, data, eof);
    };
    run.resize = [this, client, name](std::uint16_t columns, std::uint16_t rows) {
        return executions_.resize(client, name, columns, rows);
    };
    return run;
}

std::variant<HeardRuns::Run, Refusal> HeardRuns::start(const std::string& asker, Job job,
                                                       std::function<void(const Event&)> heard) {
    Part part;
    part.job = std::move(job);
    part.heard = std::move(heard);
    return start(asker, std::move(part));
}

std::variant<HeardRuns::Run, Refusal> HeardRuns::start(const std::string& asker, Part part) {
    const ClientId client = enter(asker, 1);
    Run begun = hear(asker, client, part);
    const std::string id = *part.job.id;
    const auto accepted = executions_.submit(client, std::move(part.job));
    if (const auto* refusal = std::get_if<Refusal>(&accepted)) {
        leave(asker, id);
        return *refusal;
    }
    begun.name = std::get<std::string>(accepted);
    return begun;
}

std::variant<std::vector<HeardRuns::Run>, Refusal> HeardRuns::start_group(const std::string& asker,
                                                                          Parts group) {
    const ClientId client = enter(asker, group.parts.size());
    Executions::Group asked;
    asked.wires = std::move(group.wires);
    asked.stands_or_falls = group.stands_or_falls;
    std::vector<Run> begun;
    std::vector<std::string> ids;
    for (Part& part : group.parts) {
        begun.push_back(hear(asker, client, part));
        ids.push_back(*part.job.id);
        asked.jobs.push_back(std::move(part.job));
    }
    const auto accepted = executions_.submit_group(client, std::move(asked));
    if (const auto* refusal = std::get_if<Refusal>(&accepted)) {
        for (const std::string& id : ids) leave(asker, id);
        return *refusal;
    }
    begun.front().name = std::get<std::string>(accepted);
    return begun;
}

void HeardRuns::set_congested(const std::string& asker, bool congested) {
    const auto found = askers_.find(asker);
    if (found != askers_.end()) executions_.set_congested(found->second->client, congested);
}

void HeardRuns::Asker::on_event(const Event& event) {
    const auto* output = std::get_if<Output>(&event);
    const auto watcher =
        output != nullptr && output->run.id ? watchers.find(*output->run.id) : watchers.end();
    if (watcher == watchers.end()) return;
    const auto watch = watcher->second; // a copy: the run may be cancelled within
    watch(event);
}

/// A client may be closed within an event.
void HeardRuns::leave(const std::string& name, const std::string& run) {
    const auto found = askers_.find(name);
    if (found == askers_.end()) return;
    found->second->watchers.erase(run);
    if (--found->second->under_way > 0) return;
    const std::shared_ptr<Asker> keep = found->second; // Executions still stands in it
    askers_.erase(found);
    executions_.close_client(keep->client);
}

} // namespace cloister::front
