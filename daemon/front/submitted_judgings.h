// Submissions that are judgings. As SubmittedRuns: who submits is a client of Judgings.
#pragma once

#include "daemon/front/judgings.h"
#include "daemon/front/submissions.h"
#include "daemon/front/submitters.h"

#include <optional>
#include <string>

namespace cloister::front {

class SubmittedJudgings {
public:
    SubmittedJudgings(Judgings& judgings, Submissions& submissions);

    /// Judges for the open submission `id`. A refusal means that nothing was started.
    std::optional<Refusal> start(const std::string& submitter, const std::string& id,
                                 JudgeRequest request);
    std::size_t submitters() const { return submitters_.size(); }

private:
    struct Ears;
    void hear(const std::string& submitter, const JudgeEvent& event);

    Judgings& judgings_;
    Submissions& submissions_;
    Submitters submitters_;
};

} // namespace cloister::front
