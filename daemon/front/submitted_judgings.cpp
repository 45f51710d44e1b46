// A judging's own id is that of its submission.
#include "daemon/front/submitted_judgings.h"

namespace cloister::front {

struct SubmittedJudgings::Ears : JudgeListener {
    Ears(SubmittedJudgings& judgings, std::string called)
        : owner(judgings), name(std::move(called)) {}
    void on_judge_event(const JudgeEvent& event) override { owner.hear(name, event); }
    SubmittedJudgings& owner;
    std::string name;
};

SubmittedJudgings::SubmittedJudgings(Judgings& judgings, Submissions& submissions)
    : judgings_(judgings), submissions_(submissions),
      submitters_(
          [this](const std::string& name) {
              auto ears = std::make_shared<Ears>(*this, name);
              const Judgings::ClientNumber client = judgings_.open_client(*ears);
              return Submitters::Client{client, std::move(ears)};
          },
          [this](Judgings::ClientNumber client) { judgings_.close_client(client); }) {}

std::optional<Refusal> SubmittedJudgings::start(const std::string& submitter, const std::string& id,
                                                JudgeRequest request) {
    const Judgings::ClientNumber client = submitters_.enter(submitter);
    request.id = id;
    submissions_.on_cancel(id, [this, client, id] {
        RunName run;
        run.id = id;
        (void)judgings_.cancel(client, run); // one that has just ended needs none
    });
    const auto accepted = judgings_.submit(client, std::move(request));
    const auto* refusal = std::get_if<Refusal>(&accepted);
    if (refusal == nullptr) return std::nullopt;
    submitters_.leave(submitter);
    return *refusal;
}

void SubmittedJudgings::hear(const std::string& submitter, const JudgeEvent& event) {
    const std::string id = event.run.id.value_or("");
    if (event.name == "result") {
        submissions_.finish(id, event.data);
        submitters_.leave(submitter);
    } else if (event.name == "error") {
        submissions_.fail(id, event.refusal);
        submitters_.leave(submitter);
    } else {
        submissions_.add(id, event.name, event.data);
    }
}

} // namespace cloister::front
