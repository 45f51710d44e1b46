// From JSON text to typed requests. What is wrong with a field travels up as a `Wrong` and becomes
// the client's Refusal. The messages of rooms: room_requests.cpp.
#include "daemon/front/protocol.h"

#include "daemon/front/fields.h"
#include "daemon/front/program_fields.h"
#include "daemon/front/text.h"

#include <algorithm>
#include <cmath>
#include <csignal>

#include <nlohmann/json.hpp>

namespace cloister::front {
namespace {

using nlohmann::json;
using namespace fields;

constexpr std::size_t kMaxIdBytes = 64;
constexpr std::size_t kMaxTypeShown = 64;
constexpr std::uint16_t kMaxTerminalSide = 1000;

std::uint16_t side(const json& object, const char* key, std::uint16_t otherwise) {
    const auto value = maybe_whole(object, key, "");
    if (!value) return otherwise;
    if (*value > kMaxTerminalSide) wrong(name_of_field(key) + " must be at most 1000.");
    return static_cast<std::uint16_t>(*value);
}

/// Seconds, possibly fractional; at least a millisecond is meant.
std::optional<std::chrono::milliseconds> maybe_seconds(const json& limits, const char* key) {
    const json* value = find(limits, key);
    if (value == nullptr) return std::nullopt;
    const double seconds = value->is_number() ? value->get<double>() : 0;
    if (!(seconds > 0) || seconds > 1e9) {
        wrong("The field 'limits." + std::string(key) +
              "' must be a number of seconds above zero.");
    }
    return std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(seconds * 1000)));
}

/// A number of bytes, or a text such as "64m": digits, then k, m or g.
std::optional<std::uint64_t> maybe_bytes(const json& limits, const char* key) {
    const json* value = find(limits, key);
    if (value == nullptr) return std::nullopt;
    const std::string field = "The field 'limits." + std::string(key) + "'";
    if (!value->is_string()) return whole(*value, field);
    const auto& text = value->get_ref<const std::string&>();
    std::uint64_t number = 0;
    std::size_t i = 0;
    for (; i < text.size() && i < 12 && text[i] >= '0' && text[i] <= '9'; ++i) {
        number = number * 10 + static_cast<std::uint64_t>(text[i] - '0');
    }
    const std::string unit = text.substr(i);
    if (i == 0 || number == 0) wrong(field + " must be a size such as 67108864 or \"64m\".");
    if (unit.empty() || unit == "b" || unit == "B") return number;
    if (unit == "k" || unit == "K") return number * isolate::kKiB;
    if (unit == "m" || unit == "M") return number * isolate::kMiB;
    if (unit == "g" || unit == "G") return number * isolate::kMiB * 1024;
    wrong(field + " must be a size such as 67108864 or \"64m\".");
}

LimitsAsked read_limits(const json& request) {
    LimitsAsked asked;
    const json* limits = find(request, "limits");
    if (limits == nullptr) return asked;
    if (!limits->is_object()) wrong("The field 'limits' must be an object.");
    asked.wall_time = maybe_seconds(*limits, "wall_time");
    asked.cpu_time = maybe_seconds(*limits, "cpu_time");
    asked.memory = maybe_bytes(*limits, "memory");
    asked.cpu_percent = maybe_whole(*limits, "cpu_percent", "limits.");
    asked.processes = maybe_whole(*limits, "processes", "limits.");
    asked.output_bytes = maybe_bytes(*limits, "output_bytes");
    asked.file_bytes = maybe_bytes(*limits, "file_bytes");
    asked.file_count = maybe_whole(*limits, "file_count", "limits.");
    asked.open_files = maybe_whole(*limits, "open_files", "limits.");
    asked.stack = maybe_bytes(*limits, "stack");
    return asked;
}

/// `text` as it is, or what it stands for when the object's `encoding` says base64.
std::string decoded(const json& object, std::string text, const std::string& field) {
    const std::string encoding = text_or(object, "encoding", "utf8");
    if (encoding == "utf8") return text;
    if (encoding != "base64") wrong("The field 'encoding' must be \"utf8\" or \"base64\".");
    auto bytes = from_base64(text);
    if (!bytes) wrong("The field '" + field + "' is not valid base64.");
    return *std::move(bytes);
}

std::vector<SourceFile> read_files(const json& request, const config::Config& bounds) {
    std::vector<SourceFile> files;
    const json* list = find(request, "files");
    if (list == nullptr) return files;
    if (!list->is_array()) wrong("The field 'files' must be a list.");
    if (list->size() > bounds.files_per_run) {
        throw Wrong{"too_large",
                    "At most " + std::to_string(bounds.files_per_run) + " files may be given."};
    }
    for (const json& item : *list) {
        if (!item.is_object()) wrong("Each of 'files' must be an object with path and content.");
        auto path = maybe_text(item, "path");
        if (!path) wrong("Each of 'files' needs a 'path'.");
        SourceFile file;
        file.path = *std::move(path);
        file.content = decoded(item, text_or(item, "content", ""), "content");
        files.push_back(std::move(file));
    }
    return files;
}

std::vector<std::string> read_arguments(const json& request, const config::Config& bounds) {
    std::vector<std::string> arguments;
    const json* list = find(request, "args");
    if (list == nullptr) return arguments;
    if (!list->is_array()) wrong("The field 'args' must be a list of texts.");
    if (list->size() > bounds.arguments_per_run) {
        throw Wrong{"too_large", "At most " + std::to_string(bounds.arguments_per_run) +
                                     " arguments may be given."};
    }
    for (const json& item : *list) {
        if (!item.is_string()) wrong("The field 'args' must be a list of texts.");
        auto argument = item.get<std::string>();
        if (argument.find('\0') != std::string::npos)
            wrong("An argument in 'args' holds a NUL character.");
        arguments.push_back(std::move(argument));
    }
    return arguments;
}

std::vector<std::string> read_collect(const json& request, const config::Config& bounds) {
    std::vector<std::string> paths;
    const json* list = find(request, "collect");
    if (list == nullptr) return paths;
    if (!list->is_array()) wrong("The field 'collect' must be a list of paths.");
    if (list->size() > bounds.collect_files) {
        throw Wrong{"too_large",
                    "At most " + std::to_string(bounds.collect_files) + " files may be collected."};
    }
    for (const json& item : *list) {
        if (!item.is_string()) wrong("The field 'collect' must be a list of paths.");
        paths.push_back(item.get<std::string>());
    }
    return paths;
}

ExecuteCode read_execute_code(const json& request, const config::Config& bounds) {
    ExecuteCode execute;
    execute.code = maybe_text(request, "code");
    if (execute.code && execute.code->size() > bounds.code_bytes) {
        throw Wrong{"too_large",
                    "The field 'code' holds more than " + readable_bytes(bounds.code_bytes) + "."};
    }
    auto language = maybe_text(request, "language");
    if (!language) wrong("The field 'language' is missing.");
    execute.language = *std::move(language);
    execute.file_path = text_or(request, "file_path", "");
    execute.version = text_or(request, "version", "");
    execute.stream = flag(request, "stream");
    execute.usage = flag(request, "usage");
    execute.input = maybe_text(request, "stdin");
    execute.interactive = flag(request, "interactive");
    execute.terminal = flag(request, "tty");
    execute.columns = side(request, "cols", 80);
    execute.rows = side(request, "rows", 24);
    execute.arguments = read_arguments(request, bounds);
    execute.files = read_files(request, bounds);
    execute.entry = text_or(request, "entry", "");
    execute.collect = read_collect(request, bounds);
    if (!execute.collect.empty() && execute.terminal) wrong("A run with 'tty' has no 'collect'.");
    execute.limits = read_limits(request);
    execute.is_private = flag(request, "private");
    const std::string encoding = text_or(request, "output_encoding", "utf8");
    if (encoding != "utf8" && encoding != "base64") {
        wrong("The field 'output_encoding' must be \"utf8\" or \"base64\".");
    }
    execute.base64 = encoding == "base64";
    if (!execute.code && execute.files.empty() && execute.file_path.empty())
        wrong("The field 'code' is missing.");
    return execute;
}

RunName read_run(const json& request, const std::optional<std::string>& id) {
    RunName run;
    run.run_id = maybe_text(request, "run_id");
    run.id = id;
    if (!run.run_id && !run.id) wrong("The field 'run_id' is missing.");
    return run;
}

ExecutionInput read_input(const json& request) {
    ExecutionInput input;
    input.eof = flag(request, "eof");
    auto data = maybe_text(request, "data");
    if (!data && !input.eof) wrong("The field 'data' is missing.");
    if (data) input.data = decoded(request, *std::move(data), "data");
    return input;
}

ExecutionSignal read_signal(const json& request) {
    const auto name = maybe_text(request, "signal");
    if (!name) wrong("The field 'signal' is missing.");
    ExecutionSignal sent;
    sent.signal = signal_number(*name);
    if (sent.signal == 0)
        wrong("The field 'signal' must be the name of a signal, such as \"SIGINT\".");
    return sent;
}

Request read_request(const json& message, const std::optional<std::string>& id,
                     const config::Config& bounds) {
    const auto type = maybe_text(message, "type");
    if (!type) wrong("The field 'type' is missing.");
    Request request;
    if (*type == "ping") {
        request = Ping{};
    } else if (*type == "execute_code") {
        request = read_execute_code(message, bounds);
    } else if (*type == "execution_input") {
        request = read_input(message);
    } else if (*type == "execution_signal") {
        request = read_signal(message);
    } else if (*type == "execution_resize") {
        ExecutionResize resize;
        resize.columns = side(message, "cols", 80);
        resize.rows = side(message, "rows", 24);
        request = resize;
    } else if (*type == "execution_cancel") {
        request = ExecutionCancel{};
    } else if (*type == "judge") {
        request = read_judge(message, bounds);
    } else if (*type == "judge_cancel") {
        request = JudgeCancel{};
    } else if (auto ask = read_ask(*type, message, bounds)) {
        if (const auto* fault = std::get_if<AskFault>(&*ask))
            throw Wrong{fault->code, fault->message};
        request = std::get<AskAnalyst>(*std::move(ask));
    } else if (auto of_room = read_room_request(*type, message, bounds)) {
        request = *std::move(of_room);
    } else if (type->size() > kMaxTypeShown) {
        throw Wrong{"unknown_type", "No message has such a type."};
    } else {
        throw Wrong{"unknown_type", "No message is called '" + *type + "'."};
    }
    std::visit(
        [&](auto& one) {
            one.id = id;
            if constexpr (requires { one.run; }) one.run = read_run(message, id);
        },
        request);
    return request;
}

struct NamedSignal {
    std::string_view name;
    int number;
    bool sendable; ///< by a client; the rest only appears in results
};

constexpr NamedSignal kSignals[] = {
    {"SIGINT", SIGINT, true},        {"SIGTERM", SIGTERM, true},      {"SIGKILL", SIGKILL, true},
    {"SIGHUP", SIGHUP, true},        {"SIGQUIT", SIGQUIT, true},      {"SIGUSR1", SIGUSR1, true},
    {"SIGUSR2", SIGUSR2, true},      {"SIGCONT", SIGCONT, true},      {"SIGSTOP", SIGSTOP, true},
    {"SIGTSTP", SIGTSTP, true},      {"SIGWINCH", SIGWINCH, true},    {"SIGABRT", SIGABRT, true},
    {"SIGALRM", SIGALRM, true},      {"SIGPIPE", SIGPIPE, true},      {"SIGTTIN", SIGTTIN, true},
    {"SIGTTOU", SIGTTOU, true},      {"SIGCHLD", SIGCHLD, false},     {"SIGSEGV", SIGSEGV, false},
    {"SIGBUS", SIGBUS, false},       {"SIGFPE", SIGFPE, false},       {"SIGILL", SIGILL, false},
    {"SIGTRAP", SIGTRAP, false},     {"SIGSYS", SIGSYS, false},       {"SIGXCPU", SIGXCPU, false},
    {"SIGXFSZ", SIGXFSZ, false},     {"SIGVTALRM", SIGVTALRM, false}, {"SIGPROF", SIGPROF, false},
    {"SIGURG", SIGURG, false},       {"SIGIO", SIGIO, false},         {"SIGPWR", SIGPWR, false},
    {"SIGSTKFLT", SIGSTKFLT, false},
};

Refusal refused(std::string code, std::string message) {
    Refusal refusal;
    refusal.code = std::move(code);
    refusal.message = std::move(message);
    return refusal;
}

/// `what` it is, for the refusal.
std::variant<json, Refusal> read_json(std::string_view text, const char* what,
                                      const config::Config& bounds) {
    if (nesting(text) > bounds.json_depth) {
        return refused("bad_json", "The " + std::string(what) + " is nested deeper than " +
                                       std::to_string(bounds.json_depth) + " levels.");
    }
    json read = json::parse(text, nullptr, false);
    if (read.is_discarded())
        return refused("bad_json", "The " + std::string(what) + " is not valid JSON.");
    return read;
}

} // namespace

int signal_number(std::string_view name) {
    for (const NamedSignal& signal : kSignals) {
        const bool named = name == signal.name || name == signal.name.substr(3);
        if (named && signal.sendable) return signal.number;
    }
    return 0;
}

std::string signal_name(int number) {
    for (const NamedSignal& signal : kSignals) {
        if (signal.number == number) return std::string(signal.name);
    }
    return "SIG" + std::to_string(number);
}

std::size_t nesting(std::string_view text) {
    std::size_t depth = 0;
    std::size_t deepest = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted) {
            if (c == '\\') ++i;
            if (c == '"') quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            deepest = std::max(deepest, ++depth);
        } else if ((c == '}' || c == ']') && depth > 0) {
            --depth;
        }
    }
    return deepest;
}

std::variant<Request, Refusal> parse(std::string_view text, const config::Config& bounds) {
    auto read = read_json(text, "message", bounds);
    if (auto* refusal = std::get_if<Refusal>(&read)) return std::move(*refusal);
    const json& message = std::get<json>(read);
    if (!message.is_object())
        return refused("bad_message", "A message is a JSON object with a 'type'.");

    std::optional<std::string> id;
    try {
        id = maybe_text(message, "id");
        if (id && id->size() > kMaxIdBytes) {
            id.reset();
            wrong("The field 'id' must be at most 64 bytes long.");
        }
        return read_request(message, id, bounds);
    } catch (const Wrong& found) {
        Refusal refusal = refused(found.code, found.message);
        refusal.id = id;
        return refusal;
    }
}

ExecuteCode read_program(const json& object, const config::Config& bounds) {
    ExecuteCode program = read_execute_code(object, bounds);
    if (program.interactive || program.terminal)
        wrong("A judged program has neither 'interactive' nor 'tty'.");
    if (!program.collect.empty()) wrong("A judged program has no 'collect'.");
    program.stream = false;
    program.base64 = false;
    return program;
}

ExecuteCode read_run_fields(const json& object, const config::Config& bounds) {
    return read_execute_code(object, bounds);
}

LimitsAsked read_limits_of(const json& object) { return read_limits(object); }

std::string decoded_text(const json& object, const char* key) {
    return decoded(object, text_or(object, key, ""), key);
}

namespace {

/// A body by `read`, with how it is to be answered.
template <typename Submitted>
std::variant<Submitted, Refusal> parse_submitted(
    std::string_view text, const config::Config& bounds,
    void (*read)(const json& body, const config::Config& bounds, Submitted& into)) {
    auto whole = read_json(text, "body", bounds);
    if (auto* refusal = std::get_if<Refusal>(&whole)) return std::move(*refusal);
    const json& body = std::get<json>(whole);
    if (!body.is_object()) return refused("bad_message", "The body must be a JSON object.");
    try {
        Submitted submitted;
        submitted.wait = flag(body, "wait");
        submitted.cancel_on_disconnect = flag(body, "cancel_on_disconnect");
        if (submitted.cancel_on_disconnect && !submitted.wait)
            wrong("The field 'cancel_on_disconnect' needs 'wait'.");
        read(body, bounds, submitted);
        return submitted;
    } catch (const Wrong& found) {
        return refused(found.code, found.message);
    }
}

} // namespace

std::variant<SubmittedRun, Refusal> parse_submitted_run(std::string_view text,
                                                        const config::Config& bounds) {
    return parse_submitted<SubmittedRun>(
        text, bounds, [](const json& body, const config::Config& limits, SubmittedRun& into) {
            into.run = read_execute_code(body, limits);
            if (into.run.interactive || into.run.terminal)
                wrong("A run over HTTP takes no input on its way: neither 'interactive' nor "
                      "'tty'.");
            // Whoever comes back for the events is to find them.
            if (find(body, "stream") == nullptr) into.run.stream = !into.wait;
        });
}

std::variant<SubmittedJudging, Refusal> parse_submitted_judging(std::string_view text,
                                                                const config::Config& bounds) {
    return parse_submitted<SubmittedJudging>(
        text, bounds, [](const json& body, const config::Config& limits, SubmittedJudging& into) {
            into.judging = read_judge(body, limits);
        });
}

std::optional<std::string> id_in(std::string_view text, const config::Config& bounds) {
    if (nesting(text) > bounds.json_depth) return std::nullopt;
    const json message = json::parse(text, nullptr, false);
    if (!message.is_object()) return std::nullopt;
    const json* id = find(message, "id");
    if (id == nullptr || !id->is_string()) return std::nullopt;
    auto name = id->get<std::string>();
    return name.size() <= kMaxIdBytes ? std::optional(std::move(name)) : std::nullopt;
}

std::string to_text(const Refusal& refusal) {
    JsonObject out;
    out.text("type", "error").text("code", refusal.code).text("message", refusal.message);
    out.maybe("id", refusal.id).maybe("run_id", refusal.run_id);
    if (refusal.retry_after.count() > 0) out.number("retry_after_ms", refusal.retry_after.count());
    return out.text("timestamp", timestamp()).close();
}

} // namespace cloister::front
