// The HTTP interface to runs: which addresses there are, who may use them, what each request does.
// Pure but for Submissions and whoever does the work; the server reads bodies, waits and streams.
#pragma once

#include "daemon/front/endpoint.h"
#include "daemon/front/submitted_judgings.h"
#include "daemon/front/submitted_runs.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cloister::front {

class Rest final : public Endpoint {
public:
    Rest(const config::Settings& settings, const Catalog& catalog, const Access& access,
         Submissions& submissions, SubmittedRuns& runs, SubmittedJudgings& judgings)
        : settings_(settings), catalog_(catalog), access_(access), submissions_(submissions),
          runs_(runs), judgings_(judgings) {}

    bool serves(const RequestHead& head) const override;
    std::optional<Reply> check(const RequestHead& head) const override;
    Answer answer(const RequestHead& head, std::string_view body,
                  const std::string& submitter) override;

    /// The end of a submission, as its waiting client is told.
    Reply outcome(const std::string& id);

private:
    struct Posted {
        std::string_view path;
        std::string_view body;
        std::optional<std::string> key;
        const std::string& submitter;
    };
    Answer execute(const Posted& posted);
    Answer judge(const Posted& posted);
    /// Opens a submission of this kind, or finds the one of its key; `start` begins a new one.
    Answer submit(const Posted& posted, const char* kind, bool wait, bool cancel_if_gone,
                  const std::function<std::optional<Refusal>(const std::string& id)>& start);
    Answer accepted(const std::string& id, bool is_new, bool wait, bool cancel_if_gone);
    Answer events(const RequestHead& head, const std::string& id);
    Answer cancel(const std::string& id);
    Answer show(const std::string& id);

    const config::Settings& settings_;
    const Catalog& catalog_;
    const Access& access_;
    Submissions& submissions_;
    SubmittedRuns& runs_;
    SubmittedJudgings& judgings_;
};

/// A refusal as an answer: its code says which status.
Reply refusal_reply(const Refusal& refusal);

/// The events as they are sent.
std::string event_text(const Submissions::Event& event);
std::string gap_text(std::uint64_t forgotten);

} // namespace cloister::front
