// From the end of a check to what the analyst is told of it.
#include "daemon/front/deep_checks.h"

namespace cloister::front {
namespace {

using Problem = Checked::Problem;

Checked checked_of(const Finished& finished) {
    const Result& result = finished.result;
    Checked checked;
    checked.exit_code = result.exit_code;
    // Compilers speak on stderr, others on stdout, none on both.
    checked.output = result.output + result.error;
    switch (result.verdict) {
    case isolate::Verdict::ok:
    case isolate::Verdict::nonzero_exit: break;
    // What fits is still true.
    case isolate::Verdict::output_limit: checked.exit_code = 1; break;
    case isolate::Verdict::wall_limit:
    case isolate::Verdict::time_limit: checked.problem = Problem::late; break;
    default: checked.problem = Problem::failed;
    }
    return checked;
}

Checked checked_of(const Event& event) {
    if (const auto* finished = std::get_if<Finished>(&event)) return checked_of(*finished);
    Checked checked;
    checked.problem = Problem::failed;
    if (const auto* refused = std::get_if<Refused>(&event)) {
        if (refused->refusal.code == "busy") checked.problem = Problem::busy;
        if (refused->refusal.code == "runtime_unavailable") checked.problem = Problem::absent;
    }
    return checked;
}

} // namespace

void check_deeply(Executions& executions, ClientId client, const Analyses& analyses,
                  const Catalog& catalog, AskAnalyst ask,
                  const std::function<void(AskAnalyst)>& then) {
    const auto language = analyses.language_of(ask);
    if (!language) return then(std::move(ask)); // to be refused
    auto job = check_job(*language, {ask.file_path, ask.content}, catalog);
    if (!job) {
        ask.checked.emplace().problem = Problem::absent;
        return then(std::move(ask));
    }
    const auto waiting = std::make_shared<AskAnalyst>(std::move(ask));
    job->heard = [waiting, then](const Event& event) {
        waiting->checked = checked_of(event);
        then(std::move(*waiting));
    };
    const auto accepted = executions.submit(client, *std::move(job));
    if (!std::holds_alternative<Refusal>(accepted)) return;
    waiting->checked.emplace().problem = Problem::busy;
    then(std::move(*waiting));
}

} // namespace cloister::front
