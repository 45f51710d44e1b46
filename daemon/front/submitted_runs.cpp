// A job's own id is that of its submission, so every event says whose it is.
#include "daemon/front/submitted_runs.h"

#include "daemon/front/replies.h"

namespace cloister::front {

struct SubmittedRuns::Ears : Listener {
    Ears(SubmittedRuns& runs, std::string called) : owner(runs), name(std::move(called)) {}
    void on_event(const Event& event) override { owner.hear(name, event); }
    SubmittedRuns& owner;
    std::string name;
};

SubmittedRuns::SubmittedRuns(Executions& executions, Submissions& submissions)
    : executions_(executions), submissions_(submissions),
      submitters_(
          [this](const std::string& name) {
              auto ears = std::make_shared<Ears>(*this, name);
              const ClientId client = executions_.open_client(*ears);
              return Submitters::Client{client, std::move(ears)};
          },
          [this](ClientId client) { executions_.close_client(client); }) {}

std::optional<Refusal> SubmittedRuns::start(const std::string& submitter, const std::string& id,
                                            Job job) {
    const ClientId client = submitters_.enter(submitter);
    job.id = id;
    submissions_.on_cancel(id, [this, client, id] {
        RunName run;
        run.id = id;
        (void)executions_.cancel(client, run); // one that has just ended needs none
    });
    // The answer may come before submit() returns.
    const auto accepted = executions_.submit(client, std::move(job));
    const auto* refusal = std::get_if<Refusal>(&accepted);
    if (refusal == nullptr) return std::nullopt;
    submitters_.leave(submitter);
    return *refusal;
}

void SubmittedRuns::hear(const std::string& submitter, const Event& event) {
    if (const auto* finished = std::get_if<Finished>(&event)) {
        submissions_.finish(finished->run.id.value_or(""), result_text(*finished));
        submitters_.leave(submitter);
    } else if (const auto* refused = std::get_if<Refused>(&event)) {
        submissions_.fail(refused->refusal.id.value_or(""), refused->refusal);
        submitters_.leave(submitter);
    } else if (!std::holds_alternative<Queued>(event)) { // that it waits, its state says
        const NamedEvent named = named_event(event);
        const bool is_output =
            std::holds_alternative<Output>(event) || std::holds_alternative<UsageSample>(event);
        submissions_.add(named.submission, named.name, named.data, is_output);
    }
}

} // namespace cloister::front
