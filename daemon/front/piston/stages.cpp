// Our verdicts in Piston's words. It has none for a full memory: that is a SIGKILL, as there.
#include "daemon/front/piston/stages.h"

#include "daemon/front/protocol.h"
#include "daemon/front/text.h"
#include "daemon/front/utf8.h"

#include <csignal>

namespace cloister::front::piston {
namespace {

using isolate::Verdict;

/// Both streams as they arrived; what no piece tells of comes last.
std::string in_order(const Stage& stage) {
    std::string text;
    Utf8Repair output;
    Utf8Repair error;
    std::string_view output_left = stage.output;
    std::string_view error_left = stage.error;
    for (const Piece& piece : stage.order) {
        std::string_view& left = piece.error ? error_left : output_left;
        (piece.error ? error : output).feed(left.substr(0, piece.bytes), text);
        left.remove_prefix(std::min(piece.bytes, left.size()));
    }
    output.feed(output_left, text);
    output.finish(text);
    error.feed(error_left, text);
    error.finish(text);
    return text;
}

Ending killed(const char* status, std::string message) {
    return {signal_name(SIGKILL), std::nullopt, std::move(message), status};
}

Ending by_itself(const Stage& stage) {
    if (stage.signal != 0) {
        return {signal_name(stage.signal), std::nullopt,
                "Caught fatal signal " + std::to_string(stage.signal), "SG"};
    }
    if (stage.exit_code == 0) return {std::nullopt, 0, std::nullopt, std::nullopt};
    return {std::nullopt, stage.exit_code,
            "Exited with error status " + std::to_string(stage.exit_code), "RE"};
}

void add_ending(JsonObject& out, const Ending& ending) {
    if (ending.code) out.number("code", *ending.code);
    else out.none("code");
    if (ending.signal) out.text("signal", *ending.signal);
    else out.none("signal");
}

void add_account(JsonObject& out, const Ending& ending, const isolate::Usage& usage) {
    using std::chrono::duration_cast;
    using std::chrono::milliseconds;
    if (usage.memory_peak_bytes > 0) out.count("memory", usage.memory_peak_bytes);
    else out.none("memory");
    if (ending.message) out.text("message", *ending.message);
    else out.none("message");
    if (ending.status) out.text("status", *ending.status);
    else out.none("status");
    out.number("cpu_time", duration_cast<milliseconds>(usage.cpu_time).count());
    out.number("wall_time", duration_cast<milliseconds>(usage.wall_time).count());
}

} // namespace

Stage stage_of(const CompileResult& compile) {
    Stage stage;
    stage.verdict = compile.verdict;
    stage.exit_code = compile.exit_code;
    stage.signal = compile.signal;
    stage.output = compile.output;
    stage.error = compile.error;
    stage.order = compile.order;
    stage.usage = compile.usage;
    return stage;
}

std::optional<Stage> compile_stage(const Result& result) {
    if (!result.compile) return std::nullopt;
    return stage_of(*result.compile);
}

Stage run_stage(const Result& result) {
    if (result.compile && !result.compile->success) return stage_of(*result.compile);
    Stage stage;
    stage.verdict = result.verdict;
    stage.exit_code = result.exit_code;
    stage.signal = result.signal;
    stage.output = result.output;
    stage.error = result.error;
    stage.output_dropped = result.output_dropped;
    stage.reason = result.reason;
    stage.order = result.order;
    stage.usage = result.usage;
    return stage;
}

Ending ending_of(const Stage& stage) {
    switch (stage.verdict) {
    case Verdict::time_limit: return killed("TO", "Time limit exceeded");
    case Verdict::wall_limit: return killed("TO", "Time limit exceeded (wall clock)");
    case Verdict::output_limit:
        return stage.output_dropped > 0 ? killed("OL", "stdout length exceeded")
                                        : killed("EL", "stderr length exceeded");
    case Verdict::memory_limit:
        return killed("SG", "Caught fatal signal " + std::to_string(SIGKILL));
    case Verdict::forbidden_syscall:
        return {signal_name(SIGSYS), std::nullopt, "Caught fatal signal " + std::to_string(SIGSYS),
                "SG"};
    case Verdict::cancelled:
    case Verdict::internal_error: {
        Ending ending = killed("XX", stage.reason);
        if (stage.verdict == Verdict::internal_error) ending.signal.reset();
        return ending;
    }
    case Verdict::ok:
    case Verdict::nonzero_exit:
    case Verdict::signalled:
    case Verdict::process_limit:
    case Verdict::compile_error: break;
    }
    return by_itself(stage);
}

std::string to_text(const Stage& stage) {
    const Ending ending = ending_of(stage);
    JsonObject out;
    out.bytes("stdout", stage.output, false).bytes("stderr", stage.error, false);
    add_ending(out, ending);
    out.text("output", in_order(stage));
    add_account(out, ending, stage.usage);
    return out.close();
}

std::string exit_text(std::string_view name, const Stage& stage) {
    const Ending ending = ending_of(stage);
    JsonObject out;
    out.text("type", "exit").text("stage", name);
    if (stage.verdict == Verdict::internal_error) out.text("error", stage.reason);
    add_ending(out, ending);
    add_account(out, ending, stage.usage);
    return out.close();
}

} // namespace cloister::front::piston
