// Submissions that are runs: from a job to its submission and back.
#pragma once

#include "daemon/front/executions.h"
#include "daemon/front/submissions.h"
#include "daemon/front/submitters.h"

#include <optional>
#include <string>

namespace cloister::front {

class SubmittedRuns {
public:
    SubmittedRuns(Executions& executions, Submissions& submissions);

    /// Runs `job` for the open submission `id`. `submitter` tells who is one client and who is
    /// another. A refusal means that nothing was started.
    std::optional<Refusal> start(const std::string& submitter, const std::string& id, Job job);
    std::size_t submitters() const { return submitters_.size(); }

private:
    struct Ears;
    void hear(const std::string& submitter, const Event& event);

    Executions& executions_;
    Submissions& submissions_;
    Submitters submitters_;
};

} // namespace cloister::front
