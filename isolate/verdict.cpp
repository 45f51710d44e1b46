// The pure function from the kernel's facts to the verdict.
#include "isolate/verdict.h"

#include <csignal>

namespace cloister::isolate {

Verdict judge(const Ending& ending, const Usage& used) {
    // A limit that we enforced comes before a failed step: killing a box while it unpacks its files
    // (a cancel, a full memory limit) is not our failure.
    if (ending.killed_for) return *ending.killed_for;
    if (used.oom_kills > 0) return Verdict::memory_limit;
    if (ending.failed_step != Step::none) return Verdict::internal_error;
    if (ending.signal == SIGSYS) return Verdict::forbidden_syscall;
    if (used.forks_refused > 0 && (ending.signal != 0 || ending.exit_code != 0)) {
        return Verdict::process_limit;
    }
    if (ending.signal != 0) return Verdict::signalled;
    return ending.exit_code == 0 ? Verdict::ok : Verdict::nonzero_exit;
}

} // namespace cloister::isolate
