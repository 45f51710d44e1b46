// Processor time decides before all that may have followed from it: a program over its time is late
// however it ended, and even when the one who watches the clock came a moment after its end.
#include "daemon/front/judge/ruling.h"

namespace cloister::judge {

using isolate::Verdict;

std::optional<Ruling> rule_on_program(const Facts& facts) {
    switch (facts.verdict) {
    case Verdict::memory_limit: return Ruling{Word::MLE, "memory"};
    case Verdict::cancelled: return Ruling{Word::JE, "cancelled"};
    case Verdict::internal_error: return Ruling{Word::JE, "internal_error"};
    case Verdict::compile_error: return Ruling{Word::CE, "compile_error"};
    default: break;
    }
    if (facts.usage.cpu_time > facts.limits.cpu_time) return Ruling{Word::TLE, "cpu_time"};
    switch (facts.verdict) {
    case Verdict::time_limit: return Ruling{Word::TLE, "cpu_time"};
    case Verdict::wall_limit: return Ruling{Word::TLE, "wall_time"};
    case Verdict::output_limit: return Ruling{Word::OLE, "output"};
    case Verdict::nonzero_exit: return Ruling{Word::RTE, "exit_code"};
    case Verdict::signalled: return Ruling{Word::RTE, "signal"};
    case Verdict::process_limit: return Ruling{Word::RTE, "processes"};
    case Verdict::forbidden_syscall: return Ruling{Word::RTE, "forbidden_syscall"};
    default: return std::nullopt;
    }
}

Ruling rule_on_checker(const Facts& facts) {
    const bool by_itself = facts.verdict == Verdict::ok || facts.verdict == Verdict::nonzero_exit;
    if (by_itself && facts.exit_code == kAccepts) return {Word::AC, {}};
    if (by_itself && facts.exit_code == kRejects) return {Word::WA, "checker"};
    if (facts.verdict == Verdict::compile_error) return {Word::JE, "checker_compile_error"};
    return {Word::JE, "checker_failed"};
}

Ruling rule_on_interaction(const Facts& program, const Facts& interactor, bool interactor_first) {
    const Ruling on_interactor = rule_on_checker(interactor);
    if (interactor.verdict == Verdict::compile_error) return on_interactor;
    const bool both_waited = interactor_first || program.verdict == Verdict::wall_limit;
    if (interactor.verdict == Verdict::wall_limit && both_waited) return {Word::TLE, "wall_time"};
    // What became of the program afterwards, perhaps by our hand, is of no matter.
    if (interactor_first && on_interactor.word != Word::AC) return on_interactor;
    const auto on_program = rule_on_program(program);
    const bool is_judged =
        !on_program || (on_program->word != Word::JE && on_program->word != Word::CE);
    if (is_judged && on_interactor.word == Word::JE) return on_interactor;
    return on_program.value_or(on_interactor);
}

} // namespace cloister::judge
