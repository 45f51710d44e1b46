// From what the kernel said of a program to the verdict on it. Never from what it printed about
// itself: a program that prints "AC", or ends with a checker's status, is a program that printed
// and ended so.
#pragma once

#include "isolate/limits.h"
#include "isolate/verdict.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cloister::judge {

// NOLINTBEGIN(readability-identifier-naming): spelled as on the wire, and as everybody spells them.
enum class Word : std::uint8_t {
    AC,  ///< accepted
    WA,  ///< wrong answer
    TLE, ///< time limit exceeded
    MLE, ///< memory limit exceeded
    OLE, ///< output limit exceeded
    RTE, ///< run-time error: a status other than 0, a signal, a forbidden system call
    CE,  ///< the program does not compile
    PE,  ///< presentation error: right but for white space
    JE,  ///< judge error: a checker that failed, or this service
};
// NOLINTEND(readability-identifier-naming)
inline constexpr std::array<std::string_view, 9> kWords = {"AC",  "WA", "TLE", "MLE", "OLE",
                                                           "RTE", "CE", "PE",  "JE"};
constexpr std::string_view name_of(Word word) { return kWords[static_cast<std::size_t>(word)]; }

/// What is known of one run.
struct Facts {
    isolate::Verdict verdict = isolate::Verdict::internal_error;
    int exit_code = -1;
    int signal = 0;
    isolate::Usage usage{};
    isolate::Limits limits{};
};

struct Ruling {
    Word word = Word::JE;
    std::string_view cause{}; ///< "cpu_time", "wall_time", "exit_code", …
};

/// Nothing when the program ended well and its output decides.
std::optional<Ruling> rule_on_program(const Facts& facts);

/// Of a checker: 42 accepts, 43 rejects, all else is its own failure.
Ruling rule_on_checker(const Facts& facts);
/// Of an interactor and the program that it talked to, by the rule of the ICPC tools: an interactor
/// that failed decides, and one that rejected before the program had ended; else the program's own
/// failure; else the interactor. Each may have been kept waiting by the other until its wall clock:
/// that is the program's failure as long as it had not ended.
Ruling rule_on_interaction(const Facts& program, const Facts& interactor, bool interactor_first);
inline constexpr int kAccepts = 42;
inline constexpr int kRejects = 43;

} // namespace cloister::judge
