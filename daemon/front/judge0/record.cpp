// Judge0's columns. Those of the request lie in it by their names, those of the result in its text.
#include "daemon/front/judge0/record.h"

#include "daemon/front/text.h"
#include "daemon/front/utf8.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <numeric>

#include <nlohmann/json.hpp>

namespace cloister::front::judge0 {
namespace {

using isolate::Verdict;
using nlohmann::json;
using std::chrono::nanoseconds;

constexpr std::array<std::string_view, 14> kDescriptions = {
    "In Queue",
    "Processing",
    "Accepted",
    "Wrong Answer",
    "Time Limit Exceeded",
    "Compilation Error",
    "Runtime Error (SIGSEGV)",
    "Runtime Error (SIGXFSZ)",
    "Runtime Error (SIGFPE)",
    "Runtime Error (SIGABRT)",
    "Runtime Error (NZEC)",
    "Runtime Error (Other)",
    "Internal Error",
    "Exec Format Error",
};

/// Where a field's value comes from.
enum class Source : std::uint8_t {
    own,     ///< made when it is shown
    request, ///< as it was asked for
    bytes,   ///< of the request, base64 in it
    decimal, ///< of the request, a number that is shown as a text
    zip,     ///< of the request, always base64
    result,  ///< of the result
    output,  ///< of the result, base64 in it
};
struct Column {
    std::string_view name;
    Source source;
};
constexpr std::array kColumns = {
    Column{"token", Source::own},
    Column{"source_code", Source::bytes},
    Column{"language_id", Source::request},
    Column{"stdin", Source::bytes},
    Column{"expected_output", Source::bytes},
    Column{"stdout", Source::output},
    Column{"status_id", Source::own},
    Column{"created_at", Source::own},
    Column{"finished_at", Source::own},
    Column{"time", Source::result},
    Column{"memory", Source::result},
    Column{"stderr", Source::output},
    Column{"number_of_runs", Source::request},
    Column{"cpu_time_limit", Source::decimal},
    Column{"cpu_extra_time", Source::decimal},
    Column{"wall_time_limit", Source::decimal},
    Column{"memory_limit", Source::request},
    Column{"stack_limit", Source::request},
    Column{"max_processes_and_or_threads", Source::request},
    Column{"enable_per_process_and_thread_time_limit", Source::request},
    Column{"enable_per_process_and_thread_memory_limit", Source::request},
    Column{"max_file_size", Source::request},
    Column{"compile_output", Source::output},
    Column{"exit_code", Source::result},
    Column{"exit_signal", Source::result},
    Column{"message", Source::output},
    Column{"wall_time", Source::result},
    Column{"compiler_options", Source::request},
    Column{"command_line_arguments", Source::request},
    Column{"redirect_stderr_to_stdout", Source::request},
    Column{"callback_url", Source::request},
    Column{"additional_files", Source::zip},
    Column{"enable_network", Source::request},
    Column{"started_at", Source::result},
    Column{"queued_at", Source::own},
    Column{"updated_at", Source::own},
    Column{"queue_host", Source::own},
    Column{"execution_host", Source::own},
    Column{"status", Source::own},
    Column{"language", Source::own},
};
constexpr std::array<std::string_view, 8> kUsual = {
    "token", "time", "memory", "stdout", "stderr", "compile_output", "message", "status"};

std::string_view trimmed_end(std::string_view text) {
    constexpr std::string_view kBlank("\t\n\v\f\r \0", 7);
    return text.substr(0, text.find_last_not_of(kBlank) + 1);
}

/// Lines without the blanks at their ends, without those that follow the last one with a letter.
std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    for (std::string_view rest = trimmed_end(text); !rest.empty();) {
        const auto end = std::min(rest.find('\n'), rest.size());
        lines.push_back(trimmed_end(rest.substr(0, end)));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return lines;
}

std::optional<std::string> unless_empty(std::string text) {
    return text.empty() ? std::nullopt : std::optional(std::move(text));
}

/// Both streams as one, as they arrived.
std::string merged(std::string_view output, std::string_view error,
                   const std::vector<Piece>& order) {
    std::string text;
    for (const Piece& piece : order) {
        std::string_view& left = piece.error ? error : output;
        text += left.substr(0, piece.bytes);
        left.remove_prefix(std::min(piece.bytes, left.size()));
    }
    text += output;
    return text += error;
}

Status status_of_signal(int signal) {
    switch (signal) {
    case SIGSEGV: return Status::sigsegv;
    case SIGXFSZ: return Status::sigxfsz;
    case SIGFPE: return Status::sigfpe;
    case SIGABRT: return Status::sigabrt;
    default: return Status::other_error;
    }
}

void end_by_signal(Outcome& outcome, int signal) {
    outcome.status = status_of_signal(signal);
    outcome.exit_signal = signal;
    outcome.exit_code = 0;
    outcome.message = "Caught fatal signal " + std::to_string(signal);
}

void end_by_itself(Outcome& outcome, const Result& result, const Program& program) {
    if (result.signal != 0) return end_by_signal(outcome, result.signal);
    outcome.exit_code = std::max(0, result.exit_code);
    if (result.usage.cpu_time > program.cpu_limit) {
        outcome.status = Status::time_limit;
        outcome.message = "Time limit exceeded";
    } else if (result.exit_code != 0) {
        outcome.status = Status::nonzero_exit;
        outcome.message = "Exited with error status " + std::to_string(result.exit_code);
    } else {
        const bool is_right =
            !program.expected || is_expected(outcome.output.value_or(""), *program.expected);
        outcome.status = is_right ? Status::accepted : Status::wrong_answer;
    }
}

void end_in_time(Outcome& outcome, const char* message) {
    outcome.status = Status::time_limit;
    outcome.message = message;
    outcome.exit_code = 0;
    outcome.exit_signal = SIGKILL;
}

/// The compiler left no program: nothing but what it said is told.
Outcome failed_compile(const CompileResult& compile) {
    Outcome outcome;
    outcome.status = Status::compilation_error;
    const bool is_late =
        compile.verdict == Verdict::time_limit || compile.verdict == Verdict::wall_limit;
    outcome.compile_output = is_late ? "Compilation time limit exceeded."
                                     : merged(compile.output, compile.error, compile.order);
    return outcome;
}

/// Seconds with milliseconds, "0.012".
std::string seconds_text(nanoseconds time) {
    std::array<char, 32> text{};
    (void)std::snprintf(text.data(), text.size(), "%.3f",
                        std::chrono::duration<double>(time).count());
    return text.data();
}

json maybe_base64(const std::optional<std::string>& bytes) {
    return bytes ? json(to_base64(*bytes)) : json(nullptr);
}

/// A decimal column: "5.0", "0.5".
std::string decimal_text(double number) {
    std::array<char, 32> text{};
    (void)std::snprintf(text.data(), text.size(), "%.10g", number);
    std::string shown = text.data();
    return shown.find('.') == std::string::npos ? shown + ".0" : shown;
}

json parsed(const std::string& text) {
    json read = json::parse(text, nullptr, false);
    return read.is_object() ? read : json::object();
}

/// The result's columns; of one that failed, its error as the message.
json result_of(const store::SavedSubmission& saved) {
    if (saved.state == "done") return parsed(saved.text);
    json result = json::object();
    if (saved.state == "failed")
        result["message"] = to_base64(parsed(saved.text).value("message", ""));
    return result;
}

class Writer {
public:
    Writer(const store::SavedSubmission& saved, const View& view)
        : saved_(saved), view_(view), request_(parsed(saved.request)), result_(result_of(saved)) {}

    std::optional<std::string> write() {
        for (const std::string& name : view_.fields.names) {
            const auto* const column = std::ranges::find(kColumns, name, &Column::name);
            if (!add(*column)) return std::nullopt;
        }
        return out_.close();
    }

private:
    /// False when it cannot be shown as a text.
    bool add(const Column& column) {
        switch (column.source) {
        case Source::own: add_own(column.name); return true;
        case Source::request:
            out_.raw(column.name, value(request_, column.name).dump());
            return true;
        case Source::result: out_.raw(column.name, value(result_, column.name).dump()); return true;
        case Source::decimal: add_decimal(column.name); return true;
        case Source::zip: return add_bytes(column.name, request_, true);
        case Source::bytes: return add_bytes(column.name, request_, view_.base64);
        case Source::output: return add_bytes(column.name, result_, view_.base64);
        }
        return true;
    }

    static json value(const json& object, std::string_view name) {
        const auto found = object.find(name);
        if (found == object.end()) return nullptr;
        // Whole numbers were read as any number is.
        if (found->is_number_float()) return static_cast<std::int64_t>(found->get<double>());
        return *found;
    }

    bool add_bytes(std::string_view name, const json& object, bool base64) {
        const auto found = object.find(name);
        if (found == object.end() || !found->is_string()) {
            out_.none(name);
            return true;
        }
        const std::string bytes = from_base64(found->get<std::string>()).value_or("");
        if (!base64 && !is_utf8(bytes)) return false;
        out_.text(name, base64 ? ruby_base64(bytes) : bytes);
        return true;
    }

    void add_decimal(std::string_view name) {
        const auto found = request_.find(name);
        if (found == request_.end() || !found->is_number()) out_.none(name);
        else out_.text(name, decimal_text(found->get<double>()));
    }

    void add_time(std::string_view name, std::chrono::milliseconds at) {
        if (at.count() == 0) out_.none(name);
        else out_.text(name, timestamp(at));
    }

    void add_own(std::string_view name) {
        const Status status = status_of(saved_, view_.is_processing);
        if (name == "token") {
            out_.text(name, saved_.id);
        } else if (name == "status_id") {
            out_.number(name, static_cast<int>(status));
        } else if (name == "status") {
            JsonObject told;
            told.number("id", static_cast<int>(status)).text("description", description_of(status));
            out_.raw(name, told.close());
        } else if (name == "created_at" || name == "queued_at") {
            add_time(name, saved_.created);
        } else if (name == "finished_at") {
            add_time(name, saved_.ended);
        } else if (name == "updated_at") {
            add_time(name, std::max(saved_.created, saved_.ended));
        } else if (name == "language") {
            const auto language = find_language(view_.catalog, language_of(saved_));
            if (language) out_.raw(name, short_text(*language));
            else out_.none(name);
        } else {
            out_.none(name); // hosts: there is one
        }
    }

    const store::SavedSubmission& saved_;
    const View& view_;
    json request_;
    json result_;
    JsonObject out_{};
};

template <typename Value, typename Of>
std::optional<Value> mean(const std::vector<Outcome>& runs, const Of& of) {
    Value sum{};
    for (const Outcome& run : runs) {
        if (!of(run)) return std::nullopt;
        sum += *of(run);
    }
    if (runs.empty()) return std::nullopt;
    return sum / static_cast<std::int64_t>(runs.size());
}

} // namespace

std::string_view description_of(Status status) {
    return kDescriptions.at(static_cast<std::size_t>(status) - 1);
}

std::string statuses_text() {
    std::string list;
    for (std::size_t i = 0; i < kDescriptions.size(); ++i) {
        JsonObject one;
        one.count("id", i + 1).text("description", kDescriptions.at(i));
        list += (list.empty() ? "" : ",") + one.close();
    }
    return "[" + list + "]";
}

bool is_expected(std::string_view output, std::string_view expected) {
    return lines_of(output) == lines_of(expected);
}

Outcome outcome_of(const Result& result, const Program& program) {
    if (result.compile && !result.compile->success && result.verdict == Verdict::compile_error)
        return failed_compile(*result.compile);
    Outcome outcome;
    if (result.compile) {
        const CompileResult& compile = *result.compile;
        outcome.compile_output = unless_empty(merged(compile.output, compile.error, compile.order));
    }
    outcome.output = unless_empty(result.output);
    outcome.error = unless_empty(result.error);
    outcome.cpu_time = result.usage.cpu_time;
    outcome.wall_time = result.usage.wall_time;
    outcome.memory = result.usage.memory_peak_bytes / isolate::kKiB;
    switch (result.verdict) {
    case Verdict::time_limit: end_in_time(outcome, "Time limit exceeded"); break;
    case Verdict::wall_limit: end_in_time(outcome, "Time limit exceeded (wall clock)"); break;
    case Verdict::memory_limit: end_by_signal(outcome, SIGKILL); break;
    case Verdict::output_limit: end_by_signal(outcome, SIGXFSZ); break;
    case Verdict::forbidden_syscall: end_by_signal(outcome, SIGSYS); break;
    case Verdict::cancelled:
    case Verdict::internal_error:
        outcome.status = Status::internal_error;
        outcome.message = result.reason;
        break;
    case Verdict::ok:
    case Verdict::nonzero_exit:
    case Verdict::signalled:
    case Verdict::process_limit:
    case Verdict::compile_error: end_by_itself(outcome, result, program); break;
    }
    return outcome;
}

std::string to_text(const Summary& summary) {
    const Outcome& last = summary.last;
    json out = json::object();
    const auto maybe = [&](const char* name, const auto& value) {
        if (value) out[name] = *value;
    };
    out["status_id"] = static_cast<int>(last.status);
    out["stdout"] = maybe_base64(last.output);
    out["stderr"] = maybe_base64(last.error);
    out["compile_output"] = maybe_base64(last.compile_output);
    out["message"] = maybe_base64(last.message);
    const auto cpu = mean<nanoseconds>(summary.runs, [](const auto& run) { return run.cpu_time; });
    const auto wall =
        mean<nanoseconds>(summary.runs, [](const auto& run) { return run.wall_time; });
    const auto memory = mean<std::int64_t>(summary.runs, [](const auto& run) {
        return run.memory ? std::optional(static_cast<std::int64_t>(*run.memory)) : std::nullopt;
    });
    if (cpu) out["time"] = seconds_text(*cpu);
    if (wall) out["wall_time"] = seconds_text(*wall);
    maybe("memory", memory);
    maybe("exit_code", last.exit_code);
    maybe("exit_signal", last.exit_signal);
    out["started_at"] = timestamp(summary.started);
    return out.dump();
}

Fields read_fields(std::string_view list) {
    Fields fields;
    if (list == "*") {
        for (const Column& column : kColumns) fields.names.emplace_back(column.name);
        return fields;
    }
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        std::string name(list.substr(0, comma));
        list.remove_prefix(std::min(comma + 1, list.size()));
        if (name.empty()) continue;
        const bool is_known =
            std::ranges::find(kColumns, std::string_view(name), &Column::name) != kColumns.end();
        auto& into = is_known ? fields.names : fields.invalid;
        if (std::ranges::find(into, name) == into.end()) into.push_back(std::move(name));
    }
    if (fields.names.empty()) fields.names.assign(kUsual.begin(), kUsual.end());
    return fields;
}

std::optional<std::string> to_text(const store::SavedSubmission& saved, const View& view) {
    return Writer(saved, view).write();
}

Status status_of(const store::SavedSubmission& saved, bool is_processing) {
    if (saved.state == "failed") return Status::internal_error;
    if (saved.state != "done") return is_processing ? Status::processing : Status::in_queue;
    const int id = parsed(saved.text).value("status_id", static_cast<int>(Status::internal_error));
    return static_cast<Status>(std::clamp(id, 1, static_cast<int>(kDescriptions.size())));
}

int language_of(const store::SavedSubmission& saved) {
    return parsed(saved.request).value("language_id", 0);
}

std::string ruby_base64(std::string_view bytes) {
    constexpr std::size_t kLine = 60;
    const std::string plain = to_base64(bytes);
    std::string out;
    for (std::size_t i = 0; i < plain.size(); i += kLine) {
        out.append(plain, i, kLine);
        out += '\n';
    }
    return out;
}

} // namespace cloister::front::judge0
