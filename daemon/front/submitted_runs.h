// Submissions that are runs: from a job to its submission and back. Who submits is a client of
// Executions like any other, so that the fair queue knows them apart.
#pragma once

#include "daemon/front/executions.h"
#include "daemon/front/submissions.h"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace cloister::front {

class SubmittedRuns {
public:
    SubmittedRuns(Executions& executions, Submissions& submissions)
        : executions_(executions), submissions_(submissions) {}

    /// Runs `job` for the open submission `id`. `submitter` tells who is one client and who is
    /// another. A refusal means that nothing was started.
    std::optional<Refusal> start(const std::string& submitter, const std::string& id, Job job);
    std::size_t submitters() const { return submitters_.size(); }

private:
    /// One client of Executions, for as long as something of it is under way.
    struct Submitter : Listener {
        Submitter(SubmittedRuns& runs, std::string called) : owner(runs), name(std::move(called)) {}
        void on_event(const Event& event) override { owner.hear(*this, event); }
        SubmittedRuns& owner;
        std::string name;
        ClientId client = 0;
        std::size_t under_way = 0;
    };

    void hear(Submitter& from, const Event& event);
    void leave(Submitter& submitter);

    Executions& executions_;
    Submissions& submissions_;
    std::map<std::string, std::shared_ptr<Submitter>> submitters_{};
};

} // namespace cloister::front
