// What became of a run: what the kernel said (Ending, Usage) and the one word that follows from it
// (Verdict). The word is never taken from anything that the program printed or wrote.
#pragma once

#include "isolate/limits.h"
#include "isolate/step.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cloister::isolate {

/// How a run ended, spelled as on the wire.
enum class Verdict : std::uint32_t {
    ok,                ///< ended by itself with status 0
    nonzero_exit,      ///< ended by itself with another status
    signalled,         ///< ended by a signal that was not ours
    time_limit,        ///< used its CPU time
    wall_limit,        ///< used its wall time
    memory_limit,      ///< the kernel's OOM killer ended a process of the box
    output_limit,      ///< wrote more than the kept bytes to a stream
    process_limit,     ///< a fork was refused at the limit, and the program then failed
    forbidden_syscall, ///< called what its policy answers with death
    compile_error,     ///< the compile step did not leave a program
    cancelled,         ///< its client cancelled it or went away
    internal_error,    ///< our fault: `Ending::failed_step` says where
};

inline constexpr std::array kVerdictNames = {
    "ok",           "nonzero_exit",   "signalled",     "time_limit",        "wall_limit",
    "memory_limit", "output_limit",   "process_limit", "forbidden_syscall", "compile_error",
    "cancelled",    "internal_error",
};
static_assert(kVerdictNames.size() == static_cast<std::size_t>(Verdict::internal_error) + 1);

constexpr std::string_view name_of(Verdict verdict) {
    return kVerdictNames[static_cast<std::size_t>(verdict)];
}

/// What was used, from the kernel's own counters for the box's groups.
struct Usage {
    std::chrono::nanoseconds wall_time{};  ///< program start to program end
    std::chrono::nanoseconds cpu_time{};   ///< whole tree, from the program's start
    std::chrono::nanoseconds setup_time{}; ///< request taken to program started
    std::uint64_t memory_peak_bytes = 0;   ///< highest charge of the box
    std::uint32_t processes_peak = 0; ///< 0 where the kernel does not count it (before 6.1 on v2)
    std::uint32_t oom_kills = 0;
    std::uint32_t forks_refused = 0;
};

/// What the kernel said about the program, and why we ended it if we did. The first cause stays.
struct Ending {
    std::optional<Verdict> killed_for{}; ///< set when we ended the run
    int exit_code = -1;                  ///< -1 when a signal ended the program
    int signal = 0;                      ///< 0 when it ended by itself
    int forbidden_syscall = -1; ///< number, when `killed_for` is forbidden_syscall; -1: foreign ABI
    Step failed_step = Step::none; ///< set when the box could not be made
    int error = 0;                 ///< errno of `failed_step`
};

struct Outcome {
    Ending ending{};
    Usage usage{};
    std::chrono::nanoseconds ended_at{}; ///< CLOCK_MONOTONIC: the program's end; 0: it never began
};

/// The one word for an outcome; the first cause wins. Pure.
Verdict judge(const Ending& ending, const Usage& used);

} // namespace cloister::isolate
