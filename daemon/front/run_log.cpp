// A run that was stopped at what looks like an attempt is marked, so that an operator can look for
// those alone: a forbidden system call, processes beyond the limit.
#include "daemon/front/run_log.h"

#include "daemon/wire/journal.h"

#include <unistd.h>

namespace cloister::front {

using isolate::Verdict;

namespace {

bool ended_by_itself(Verdict verdict) {
    return verdict == Verdict::ok || verdict == Verdict::nonzero_exit ||
           verdict == Verdict::compile_error;
}

void write(const std::string& line) {
    // A journal that is gone stops nobody.
    if (!line.empty()) (void)!::write(STDERR_FILENO, line.data(), line.size());
}

} // namespace

std::string run_line(const Finished& finished, std::string_view which) {
    const Result& result = finished.result;
    const bool attempt =
        result.verdict == Verdict::forbidden_syscall || result.usage.forks_refused > 0;
    if (which == "none") return {};
    if (which == "faults" && ended_by_itself(result.verdict) && !attempt) return {};
    wire::JournalLine line("run_ended");
    line.text("run_id", finished.run.run_id).text("language", finished.language);
    line.text("verdict", isolate::name_of(result.verdict));
    if (result.exit_code >= 0) line.number("exit_code", result.exit_code);
    if (result.signal > 0) line.number("signal", result.signal);
    line.seconds("wall_time", result.usage.wall_time).seconds("cpu_time", result.usage.cpu_time);
    line.number("memory_peak", static_cast<std::int64_t>(result.usage.memory_peak_bytes));
    line.number("processes_peak", result.usage.processes_peak);
    line.seconds("queued_time", result.queued_time).seconds("setup_time", result.setup_time);
    line.text("start", wire::kLevelNames.at(static_cast<std::size_t>(result.level)));
    if (attempt) {
        line.flag("suspicious", true).number("forks_refused", result.usage.forks_refused);
        line.text("reason", result.reason); // our sentence; it names the system call
    }
    if (result.verdict == Verdict::internal_error) line.text("reason", result.reason);
    return line.line();
}

void log_run(const Finished& finished, std::string_view which) { write(run_line(finished, which)); }

std::string refusal_line(const Refusal& refusal) {
    wire::JournalLine line("run_refused");
    line.text("run_id", refusal.run_id.value_or("")).text("code", refusal.code);
    return line.text("reason", refusal.message).line();
}

void log_refusal(const Refusal& refusal) { write(refusal_line(refusal)); }

} // namespace cloister::front
