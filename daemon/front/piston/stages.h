// What Piston's clients are told of a stage: the object for `compile` and `run`. Pure.
#pragma once

#include "daemon/front/events.h"

#include <optional>
#include <string>

namespace cloister::front::piston {

/// A stage that has ended, whichever it was.
struct Stage {
    isolate::Verdict verdict = isolate::Verdict::internal_error;
    int exit_code = -1;
    int signal = 0;
    std::string output{}; ///< raw bytes
    std::string error{};
    std::uint64_t output_dropped = 0;
    std::string reason{}; ///< where it is our fault
    std::vector<Piece> order{};
    isolate::Usage usage{};
};

/// Absent: its language needs no compiler.
std::optional<Stage> compile_stage(const Result& result);
Stage stage_of(const CompileResult& compile);
Stage run_stage(const Result& result);

/// How it ended, as the fields that a stage and an `exit` share.
struct Ending {
    std::optional<std::string> signal{};
    std::optional<int> code{};
    std::optional<std::string> message{};
    std::optional<std::string> status{}; ///< RE, SG, TO, OL, EL or XX
};
Ending ending_of(const Stage& stage);

/// The stage as JSON; every key is always there.
std::string to_text(const Stage& stage);
/// The message `exit` of the WebSocket.
std::string exit_text(std::string_view name, const Stage& stage);

} // namespace cloister::front::piston
