// The Model Context Protocol at /mcp (streamable HTTP): runs and judgings for agents. Messages of
// JSON-RPC come one to a POST; a call is answered when it has ended, by a stream that tells how it
// goes or, to those who do not take one, by one JSON text. Revisions up to 2025-11-25 have
// sessions, 2026-07-28 has none (stateless.h); both are served side by side.
//
// Promises: every request gets one answer, but a cancelled one none; a call belongs to its session,
// and nobody else can cancel or follow it; without a session it ends with its connection; nothing
// grows beyond the bounds of Sessions, Submissions and Executions.
#pragma once

#include "daemon/front/endpoint.h"
#include "daemon/front/mcp/sessions.h"
#include "daemon/front/mcp/tools.h"
#include "daemon/front/submitted_judgings.h"
#include "daemon/front/submitted_runs.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::front::mcp {

class McpEndpoint final : public Endpoint {
public:
    /// `now`: since 1970.
    McpEndpoint(const config::Settings& settings, const Catalog& catalog, const Access& access,
                Executions& executions, Judgings& judgings, std::function<Sessions::Time()> now);

    bool serves(const RequestHead& head) const override;
    std::optional<Reply> check(const RequestHead& head) const override;
    Answer answer(const RequestHead& head, std::string_view body,
                  const std::string& submitter) override;

    /// Housekeeping, every second or so.
    void tick();
    std::size_t sessions() const { return sessions_.count(); }
    std::size_t calls() const { return calls_.size(); }

private:
    /// A call of a tool that takes its time. Named by its submission.
    struct Call {
        std::string session{};
        std::string version{};
        std::string id{};       ///< of the request, as JSON
        std::string progress{}; ///< its token, as JSON; empty: none
        Tool tool = Tool::run_code;
        std::size_t max_output = 0;
        std::size_t tests = 0;
        bool cancelled = false;
    };
    /// What a message comes to: a text at once, a submission to be waited for, or neither.
    struct Outcome {
        std::string text{};
        std::string submission{};
    };
    struct Asked {
        const Session& session;
        const std::string& submitter;
        const nlohmann::json& message;
        std::string id{};
    };

    Answer post(const RequestHead& head, std::string_view body, const std::string& submitter);
    Answer stateless(const RequestHead& head, const nlohmann::json& message,
                     const std::string& submitter);
    Answer carry_out(const RequestHead& head, Outcome outcome, bool cancel_if_gone);
    Answer initialize(const RequestHead& head, const nlohmann::json& message,
                      const std::string& submitter);
    Answer batch(const RequestHead& head, const nlohmann::json& messages,
                 const std::string& submitter);
    Answer resume(const RequestHead& head, const std::string& event_id);
    Answer follow(const std::string& submission, std::uint64_t after);
    std::variant<const Session*, Reply> session_of(const RequestHead& head);
    Outcome take(const Asked& asked);
    Outcome request(const Asked& asked);
    Outcome call_tool(const Asked& asked);
    Outcome start(const Asked& asked, Call call, const nlohmann::json& arguments);
    void notify(const Asked& asked);
    void cancel(const std::string& session, const std::string* id);
    bool is_under_way(const std::string& submission);
    bool is_busy(const std::string& session);
    /// The answer to a call that has ended; empty when it was cancelled.
    std::string ended(const std::string& submission);
    std::string result_of(const Call& call, const std::string& submission);

    const config::Settings& settings_;
    const Catalog& catalog_;
    const Access& access_;
    Submissions submissions_; ///< in memory alone: who asks waits
    SubmittedRuns runs_;
    SubmittedJudgings judged_;
    std::map<std::string, Call> calls_{}; ///< as long as their submissions are there
    std::uint64_t requests_ = 0;          ///< without a session, so far
    Sessions sessions_;
};

} // namespace cloister::front::mcp
