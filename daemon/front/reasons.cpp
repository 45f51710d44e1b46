// Sentences for each verdict. They name the limit, since that is what the reader asks next.
#include "daemon/front/reasons.h"

#include "daemon/front/protocol.h"
#include "daemon/front/text.h"

#include <cerrno>
#include <csignal>
#include <cstring>

namespace cloister::front {
namespace {

std::string explained_signal(int signal) {
    const char* meaning = nullptr;
    switch (signal) {
    case SIGSEGV: meaning = "it touched memory that it does not own"; break;
    case SIGABRT: meaning = "it gave up by itself"; break;
    case SIGFPE: meaning = "an impossible calculation, such as a division by zero"; break;
    case SIGILL: meaning = "an instruction that the processor does not know"; break;
    case SIGBUS: meaning = "a memory access that cannot be carried out"; break;
    case SIGXFSZ: meaning = "a file grew beyond its limit"; break;
    default: break;
    }
    return signal_name(signal) + (meaning == nullptr ? "" : std::string(" (") + meaning + ")");
}

} // namespace

std::string reason_of(isolate::Verdict verdict, const isolate::Outcome& outcome,
                      const isolate::Limits& limits,
                      const std::function<std::string(int)>& syscall_name) {
    using isolate::Verdict;
    const isolate::Ending& ending = outcome.ending;
    switch (verdict) {
    case Verdict::ok:
    case Verdict::nonzero_exit:
    case Verdict::compile_error: return {};
    case Verdict::signalled:
        return "The program was ended by " + explained_signal(ending.signal) + ".";
    case Verdict::time_limit:
        return "The program was ended: it used its " + readable_seconds(limits.cpu_time) +
               " of processor time.";
    case Verdict::wall_limit:
        return "The program was ended: it ran for its " + readable_seconds(limits.wall_time) + ".";
    case Verdict::memory_limit:
        return "The program was ended: it needed more than its " +
               readable_bytes(limits.memory_bytes) + " of memory.";
    case Verdict::output_limit:
        return "The program was ended: it wrote more than its " +
               readable_bytes(limits.output_bytes) + " to one stream.";
    case Verdict::process_limit:
        return "The program failed after a new process or thread was refused: it may have " +
               std::to_string(limits.processes) + " at one time.";
    case Verdict::forbidden_syscall: {
        const int number = ending.forbidden_syscall;
        const std::string name =
            number < 0 ? "a system call of a foreign ABI" : syscall_name(number);
        return "The program was ended: it called " + name + ", which is forbidden here.";
    }
    case Verdict::cancelled: return "The run was cancelled.";
    case Verdict::internal_error:
        if (ending.failed_step == isolate::Step::execute &&
            ::strerrordesc_np(ending.error) != nullptr)
            return "The program could not be executed: " +
                   std::string(::strerrordesc_np(ending.error)) + ".";
        return "The box could not be made: step " +
               std::string(isolate::name_of(ending.failed_step)) + " failed (" +
               std::string(::strerrordesc_np(ending.error) == nullptr
                               ? "unknown error"
                               : ::strerrordesc_np(ending.error)) +
               ").";
    }
    return {};
}

std::optional<Refusal> refusal_of(isolate::Verdict verdict, const isolate::Ending& ending,
                                  const isolate::Limits& limits) {
    if (verdict != isolate::Verdict::internal_error ||
        ending.failed_step != isolate::Step::unpack_files)
        return std::nullopt;
    Refusal refusal;
    switch (ending.error) {
    case EINVAL:
    case EEXIST:
    case EISDIR:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case EILSEQ:
        refusal.code = "bad_path";
        refusal.message = "One of the files' paths cannot be made in the box.";
        return refusal;
    case ENOSPC:
    case EDQUOT:
        refusal.code = "too_large";
        refusal.message = "The files and their folders need more than the run's " +
                          readable_bytes(limits.file_bytes) + " or " +
                          std::to_string(limits.file_count) + " files.";
        return refusal;
    default: return std::nullopt;
    }
}

} // namespace cloister::front
