// What clients may say: one JSON text becomes one typed request, or a Refusal that tells the client
// what was wrong with it. PROTOCOL.md is the contract; nothing here knows sockets or runs.
#pragma once

#include "daemon/config/settings.h"
#include "daemon/front/analysis_requests.h"
#include "daemon/front/judge_requests.h"
#include "daemon/front/program.h"
#include "daemon/front/room_requests.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cloister::front {

/// What a client got wrong, or what we cannot do for it now. Becomes one `error` message.
struct Refusal {
    std::string code;
    std::string message;
    std::optional<std::string> id{};         ///< of the request it answers
    std::optional<std::string> run_id{};     ///< of the run it is about
    std::chrono::milliseconds retry_after{}; ///< with `busy`
};

struct Ping {
    std::optional<std::string> id{};
};

/// Which run a message is about: the server's number for it, or the client's own id of it.
struct RunName {
    std::optional<std::string> run_id{};
    std::optional<std::string> id{};
};

struct ExecutionInput {
    std::optional<std::string> id{};
    RunName run{};
    std::string data{};
    bool eof = false;
};

struct ExecutionSignal {
    std::optional<std::string> id{};
    RunName run{};
    int signal = 0;
};

struct ExecutionResize {
    std::optional<std::string> id{};
    RunName run{};
    std::uint16_t columns = 80;
    std::uint16_t rows = 24;
};

struct ExecutionCancel {
    std::optional<std::string> id{};
    RunName run{};
};

struct JudgeCancel {
    std::optional<std::string> id{};
    RunName run{};
};

using Request = std::variant<Ping, ExecuteCode, ExecutionInput, ExecutionSignal, ExecutionResize,
                             ExecutionCancel, RoomRequest, AskAnalyst, JudgeRequest, JudgeCancel>;

/// A run that is submitted over HTTP: the fields of `execute_code`, and how it is to be answered.
struct SubmittedRun {
    ExecuteCode run{};
    bool wait = false;
    bool cancel_on_disconnect = false; ///< with `wait`
};
std::variant<SubmittedRun, Refusal> parse_submitted_run(std::string_view text,
                                                        const config::Config& bounds);

/// The same for a judging: the fields of `judge`.
struct SubmittedJudging {
    JudgeRequest judging{};
    bool wait = false;
    bool cancel_on_disconnect = false;
};
std::variant<SubmittedJudging, Refusal> parse_submitted_judging(std::string_view text,
                                                                const config::Config& bounds);

/// Reads one message. `text` is at most config.message_bytes long and valid UTF-8.
std::variant<Request, Refusal> parse(std::string_view text, const config::Config& bounds);

/// The message's `id`, when that can be read; for a refusal of a message that is not looked at
/// otherwise. `text` may be anything.
std::optional<std::string> id_in(std::string_view text, const config::Config& bounds);

/// How deep the brackets of a JSON text go. Counted before anything is built from the text: a
/// parser's tree is copied and destroyed by recursion, and a stranger chooses its depth.
std::size_t nesting(std::string_view json);

/// The signal's number, or 0 when programs cannot be sent it.
int signal_number(std::string_view name);
/// "SIGSEGV"; "SIG42" for one without a name.
std::string signal_name(int signal);

/// The refusal as an `error` message.
std::string to_text(const Refusal& refusal);

} // namespace cloister::front
