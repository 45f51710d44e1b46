// A submission as Judge0's clients see it: what was asked (submission.h) and what became of it, as
// the fields that they ask for; and from our results to its statuses. Pure.
#pragma once

#include "daemon/front/events.h"
#include "daemon/front/judge0/submission.h"
#include "daemon/front/store/submission.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::front::judge0 {

enum class Status : int {
    in_queue = 1,
    processing = 2,
    accepted = 3,
    wrong_answer = 4,
    time_limit = 5,
    compilation_error = 6,
    sigsegv = 7,
    sigxfsz = 8,
    sigfpe = 9,
    sigabrt = 10,
    nonzero_exit = 11,
    other_error = 12,
    internal_error = 13,
    exec_format_error = 14,
};
std::string_view description_of(Status status);
/// `[{"id", "description"}, …]`
std::string statuses_text();

/// What one run came to.
struct Outcome {
    Status status = Status::internal_error;
    std::optional<std::string> output{}; ///< bytes, as those below
    std::optional<std::string> error{};
    std::optional<std::string> compile_output{};
    std::optional<std::string> message{};
    std::optional<std::chrono::nanoseconds> cpu_time{};
    std::optional<std::chrono::nanoseconds> wall_time{};
    std::optional<std::uint64_t> memory{}; ///< kB
    std::optional<int> exit_code{};
    std::optional<int> exit_signal{};
};
Outcome outcome_of(const Result& result, const Program& program);
/// Whether `output` is what was expected, but for spaces at the ends of lines and of all.
bool is_expected(std::string_view output, std::string_view expected);

/// What is kept of the outcome of all runs; times and memory are the mean of `runs`.
struct Summary {
    Outcome last{};
    std::vector<Outcome> runs{};
    std::chrono::milliseconds started{}; ///< since 1970
};
std::string to_text(const Summary& summary);

/// The fields of `list` ("a,b" or "*"; empty: the usual ones); or those that are none.
struct Fields {
    std::vector<std::string> names{};
    std::vector<std::string> invalid{};
};
Fields read_fields(std::string_view list);

/// How a submission is shown.
struct View {
    const Fields& fields;
    bool base64 = false;
    bool is_processing = false; ///< one that has not ended runs now
    const Catalog& catalog;
};
/// The object; nothing when a text of it is not UTF-8 and is not to be base64.
std::optional<std::string> to_text(const store::SavedSubmission& saved, const View& view);
Status status_of(const store::SavedSubmission& saved, bool is_processing);
/// What is asked for in its request.
int language_of(const store::SavedSubmission& saved);

/// As Ruby writes it: a line break behind each 60 letters and at the end.
std::string ruby_base64(std::string_view bytes);

} // namespace cloister::front::judge0
