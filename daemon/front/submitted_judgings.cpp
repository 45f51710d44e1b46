// A judging's own id is that of its submission.
#include "daemon/front/submitted_judgings.h"

namespace cloister::front {

std::optional<Refusal> SubmittedJudgings::start(const std::string& name, const std::string& id,
                                                JudgeRequest request) {
    std::shared_ptr<Submitter>& place = submitters_[name];
    if (!place) {
        place = std::make_shared<Submitter>(*this, name);
        place->client = judgings_.open_client(*place);
    }
    const std::shared_ptr<Submitter> submitter = place;
    ++submitter->under_way;
    request.id = id;
    submissions_.on_cancel(id, [this, client = submitter->client, id] {
        RunName run;
        run.id = id;
        (void)judgings_.cancel(client, run); // one that has just ended needs none
    });
    const auto accepted = judgings_.submit(submitter->client, std::move(request));
    const auto* refusal = std::get_if<Refusal>(&accepted);
    if (refusal == nullptr) return std::nullopt;
    leave(*submitter);
    return *refusal;
}

void SubmittedJudgings::hear(Submitter& from, const JudgeEvent& event) {
    const std::string id = event.run.id.value_or("");
    if (event.name == "result") {
        submissions_.finish(id, event.data);
        leave(from);
    } else if (event.name == "error") {
        submissions_.fail(id, event.refusal);
        leave(from);
    } else {
        submissions_.add(id, event.name, event.data);
    }
}

/// One of its submissions is over. Its client may be closed within an event.
void SubmittedJudgings::leave(Submitter& submitter) {
    if (--submitter.under_way > 0) return;
    const auto found = submitters_.find(submitter.name);
    const std::shared_ptr<Submitter> keep = found->second; // its caller still stands in it
    submitters_.erase(found);
    judgings_.close_client(keep->client);
}

} // namespace cloister::front
