// Submissions that are judgings. As SubmittedRuns: who submits is a client of Judgings.
#pragma once

#include "daemon/front/judgings.h"
#include "daemon/front/submissions.h"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace cloister::front {

class SubmittedJudgings {
public:
    SubmittedJudgings(Judgings& judgings, Submissions& submissions)
        : judgings_(judgings), submissions_(submissions) {}

    /// Judges for the open submission `id`. A refusal means that nothing was started.
    std::optional<Refusal> start(const std::string& submitter, const std::string& id,
                                 JudgeRequest request);
    std::size_t submitters() const { return submitters_.size(); }

private:
    struct Submitter : JudgeListener {
        Submitter(SubmittedJudgings& judgings, std::string called)
            : owner(judgings), name(std::move(called)) {}
        void on_judge_event(const JudgeEvent& event) override { owner.hear(*this, event); }
        SubmittedJudgings& owner;
        std::string name;
        Judgings::ClientNumber client = 0;
        std::size_t under_way = 0;
    };

    void hear(Submitter& from, const JudgeEvent& event);
    void leave(Submitter& submitter);

    Judgings& judgings_;
    Submissions& submissions_;
    std::map<std::string, std::shared_ptr<Submitter>> submitters_{};
};

} // namespace cloister::front
