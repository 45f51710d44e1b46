// What a client is told about its runs. Plain values; replies.h makes messages of them.
#pragma once

#include "daemon/front/protocol.h"
#include "daemon/wire/frames.h"
#include "isolate/collection.h"
#include "isolate/verdict.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cloister::front {

/// Whom an event is about.
struct RunTag {
    std::string run_id;
    std::optional<std::string> id{};
};

struct Started {
    RunTag run;
    std::string language;
    std::string version;
    std::optional<wire::Level> level{}; ///< of the program's box; absent when that comes later
    std::string method{};               ///< which executor runs it
};

/// Of which stream the next bytes came, as they arrived.
struct Piece {
    bool error = false; ///< of stderr
    std::size_t bytes = 0;
};

struct CompileResult {
    bool success = false;
    std::string output{};
    std::string error{};
    std::chrono::nanoseconds wall_time{}; ///< 0 when `cached`
    bool cached = false; ///< the same was compiled before; the texts are that compiler's
    isolate::Verdict verdict = isolate::Verdict::ok;
    int exit_code = 0;
    int signal = 0;
    isolate::Usage usage{};     ///< nothing when `cached`
    std::vector<Piece> order{}; ///< of what both streams hold; empty unless the job asked for it
};

struct StageBegan {
    RunTag run;
    wire::Stage stage{};
    std::optional<CompileResult> compiled{}; ///< before `run`, for who asked by Job::tells_compiler
};

struct Output {
    RunTag run;
    std::string_view stream; ///< "stdout", "stderr" or "tty"
    std::string data;        ///< text, or raw bytes when `base64`
    bool base64 = false;
    std::uint64_t seq = 0;
};

/// What the program uses at the moment.
struct UsageSample {
    RunTag run;
    std::chrono::nanoseconds wall_time{};
    std::chrono::nanoseconds cpu_time{};
    std::uint64_t memory_bytes = 0;
};

/// The run waits; so many begin before it, itself included.
struct Queued {
    RunTag run;
    std::size_t position = 0;
};

/// A file that was asked for: raw bytes, or why there are none.
struct ResultFile {
    std::string path{};
    isolate::CollectedFile file{};
};

struct Result {
    isolate::Verdict verdict = isolate::Verdict::internal_error;
    int exit_code = -1; ///< -1: a signal ended it, or it never ran
    int signal = 0;
    std::string output{}; ///< raw bytes
    std::string error{};  ///< raw bytes of stderr
    std::string reason{}; ///< why we ended it, one sentence; empty when it ended by itself well
    std::uint64_t output_dropped = 0;
    std::uint64_t error_dropped = 0;
    std::vector<Piece> order{}; ///< of `output` and `error`; empty unless the job asked for it
    isolate::Usage usage{};
    std::chrono::nanoseconds queued_time{};
    std::chrono::nanoseconds setup_time{};
    wire::Level level = wire::Level::cold; ///< of the program's box
    std::chrono::nanoseconds ended_at{};   ///< CLOCK_MONOTONIC: the program's end; 0: it never ran
    std::optional<CompileResult> compile{};
    std::vector<ResultFile> files{}; ///< as Job::collect names them, with what is in folders
};

struct Finished {
    RunTag run;
    std::string language;
    bool base64 = false;
    Result result;
    std::string method{};                   ///< which executor ran it
    std::vector<std::string> unprotected{}; ///< what it is not protected from, in that executor
};

/// An accepted job that could not be carried out.
struct Refused {
    Refusal refusal;
};

using Event = std::variant<Started, StageBegan, Output, Finished, Refused, UsageSample, Queued>;

class Listener {
public:
    virtual ~Listener() = default;
    virtual void on_event(const Event& event) = 0;
};

} // namespace cloister::front
