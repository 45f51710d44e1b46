// Field by field, as Rails' own validations say it: what is given may be a text where a number is
// meant, null is absent, and all that is wrong is told at once.
#include "daemon/front/judge0/submission.h"

#include "daemon/front/judge0/archive.h"
#include "daemon/front/judge0/scripts.h"
#include "daemon/front/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include <nlohmann/json.hpp>

namespace cloister::front::judge0 {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxOptions = 512;
static_assert(kMaxOptions / 2 <= isolate::kMaxBundleOptions); // words of a letter
constexpr std::size_t kMaxCallback = 2'000;
constexpr double kKilo = 1024;
constexpr double kUsualFileSize = 1'024; ///< kB
constexpr double kMostFileSize = 4'096;

const json* find(const json& body, const char* key) {
    const auto found = body.find(key);
    return found == body.end() || found->is_null() ? nullptr : &*found;
}

std::string shown(double number) {
    if (number == std::floor(number) && std::abs(number) < 1e15)
        return std::to_string(static_cast<std::int64_t>(number));
    std::array<char, 32> text{};
    (void)std::snprintf(text.data(), text.size(), "%.10g", number);
    return text.data();
}

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos;
}

/// Reads one body; gathers what is wrong.
class Reader {
public:
    Reader(const json& body, bool base64, const Rules& rules)
        : body_(body), base64_(base64), rules_(rules) {}

    std::variant<Accepted, Errors> read();

private:
    void wrong(const std::string& field, std::string message) {
        errors_[field].push_back(std::move(message));
    }
    std::optional<std::string> text(const char* key);
    std::optional<std::string> bytes(const char* key);
    std::optional<double> number(const char* key);
    double limit(std::string_view key);
    bool flag(const char* key);
    void forbid_flag(const char* key);
    void read_language();
    void read_source();
    void read_words();
    void read_limits();
    void read_files();
    void read_callback();
    void keep_bytes(const char* key, const std::optional<std::string>& bytes);

    const json& body_;
    bool base64_;
    const Rules& rules_;
    Errors errors_{};
    Accepted made_{};
    json kept_ = json::object();
    std::optional<Language> language_{};
};

std::optional<std::string> Reader::text(const char* key) {
    const json* value = find(body_, key);
    if (value == nullptr) return std::nullopt;
    if (value->is_string()) return value->get<std::string>();
    if (value->is_number() || value->is_boolean()) return value->dump();
    wrong(key, "is invalid");
    return std::nullopt;
}

std::optional<std::string> Reader::bytes(const char* key) {
    auto value = text(key);
    if (value && base64_) value = from_loose_base64(*value);
    return value;
}

void Reader::keep_bytes(const char* key, const std::optional<std::string>& bytes) {
    kept_[key] = bytes ? json(to_base64(*bytes)) : json(nullptr);
}

std::optional<double> Reader::number(const char* key) {
    const json* value = find(body_, key);
    if (value == nullptr) return std::nullopt;
    if (value->is_number()) return value->get<double>();
    if (value->is_string()) {
        const auto& given = value->get_ref<const std::string&>();
        if (is_blank(given)) return std::nullopt;
        double read = 0;
        const char* end = given.data() + given.size();
        const auto [stop, error] = std::from_chars(given.data(), end, read);
        if (error == std::errc{} && stop == end && std::isfinite(read)) return read;
    }
    wrong(key, "is not a number");
    return std::nullopt;
}

double Reader::limit(std::string_view name) {
    const std::string key(name);
    const Ranges ranges = ranges_of(*rules_.catalog.settings);
    const Range& range =
        std::ranges::find(ranges, name, [](const auto& one) { return one.first; })->second;
    const double value = number(key.c_str()).value_or(range.usual);
    kept_[key] = value;
    if (range.above_least ? value <= range.least : value < range.least) {
        wrong(key, std::string("must be greater than ") +
                       (range.above_least ? "" : "or equal to ") + shown(range.least));
    } else if (value > range.most) {
        wrong(key, "must be less than or equal to " + shown(range.most));
    }
    return value;
}

/// What Rails takes for false is false.
bool Reader::flag(const char* key) {
    const json* value = find(body_, key);
    bool is_true = false;
    if (value != nullptr && value->is_boolean()) is_true = value->get<bool>();
    if (value != nullptr && value->is_number()) is_true = value->get<double>() != 0;
    if (value != nullptr && value->is_string()) {
        constexpr std::array<std::string_view, 10> kFalse = {
            "", "0", "f", "F", "false", "FALSE", "False", "off", "OFF", "Off"};
        is_true = std::ranges::find(kFalse, value->get_ref<const std::string&>()) == kFalse.end();
    }
    kept_[key] = is_true;
    return is_true;
}

/// No box of ours can do that.
void Reader::forbid_flag(const char* key) {
    if (flag(key)) wrong(key, "this option cannot be enabled");
}

void Reader::read_language() {
    const auto id = number("language_id");
    kept_["language_id"] = id ? json(static_cast<std::int64_t>(*id)) : json(nullptr);
    if (!id) {
        if (!errors_.contains("language_id")) wrong("language_id", "can't be blank");
        return;
    }
    if (std::abs(*id) < 1e6) language_ = find_language(rules_.catalog, static_cast<int>(*id));
    if (!language_) wrong("language_id", "language with id " + shown(*id) + " doesn't exist");
}

void Reader::read_source() {
    const auto source = bytes("source_code");
    const auto input = bytes("stdin");
    made_.program.expected = bytes("expected_output");
    keep_bytes("source_code", source);
    keep_bytes("stdin", input);
    keep_bytes("expected_output", made_.program.expected);
    const bool is_project = language_ && language_->id == kMultiFile;
    const bool is_empty = !source || is_blank(*source);
    if (is_empty && !is_project) wrong("source_code", "can't be blank");
    if (source && source->size() > rules_.catalog.settings->config.code_bytes) {
        wrong("source_code", "is too long (maximum is " +
                                 std::to_string(rules_.catalog.settings->config.code_bytes) +
                                 " bytes)");
    }
    ExecuteCode& run = made_.program.run;
    run.input = input;
    if (!language_ || is_project) return;
    run.language = language_->runtime;
    run.one_source = true;
    run.entry = language_->source_file;
    run.files.push_back({language_->source_file, source.value_or("")});
}

void Reader::read_words() {
    const auto options = text("compiler_options");
    const auto line = text("command_line_arguments");
    kept_["compiler_options"] = options ? json(*options) : json(nullptr);
    kept_["command_line_arguments"] = line ? json(*line) : json(nullptr);
    for (const auto& [key, value] :
         {std::pair("compiler_options", &options), std::pair("command_line_arguments", &line)}) {
        if (*value && (*value)->size() > kMaxOptions)
            wrong(key, "is too long (maximum is 512 characters)");
    }
    if (options && !is_blank(*options)) {
        if (language_ && !language_->is_compiled) {
            wrong("compiler_options",
                  "setting compiler options is only allowed for compiled languages");
        } else if (language_ && !language_->takes_options) {
            wrong("compiler_options", "setting compiler options is not allowed");
        } else {
            made_.program.run.compiler_options = words_of(*options);
        }
    }
    if (line) made_.program.run.arguments = words_of(*line);
    if (made_.program.run.arguments.size() > rules_.catalog.settings->config.arguments_per_run)
        wrong("command_line_arguments", "is too long");
}

void Reader::read_limits() {
    Program& program = made_.program;
    const auto seconds = [](double value) {
        return std::chrono::milliseconds(std::max<std::int64_t>(1, std::llround(value * 1000)));
    };
    const auto bytes = [](double kilobytes) {
        return static_cast<std::uint64_t>(std::max(1.0, std::floor(kilobytes)) * kKilo);
    };
    const double cpu = limit("cpu_time_limit");
    const double extra = limit("cpu_extra_time");
    const double wall = limit("wall_time_limit");
    const double memory = limit("memory_limit");
    const double stack = limit("stack_limit");
    const double processes = limit("max_processes_and_or_threads");
    const double file = limit("max_file_size");
    const double runs = limit("number_of_runs");
    forbid_flag("enable_per_process_and_thread_time_limit");
    forbid_flag("enable_per_process_and_thread_memory_limit");
    forbid_flag("enable_network");
    program.run.merged = flag("redirect_stderr_to_stdout");
    if (!errors_.empty()) return;
    const isolate::Limits& most =
        rules_.catalog.settings->policies.at(rules_.catalog.settings->config.judge_policy).limits;
    program.cpu_limit = seconds(cpu);
    LimitsAsked& limits = program.run.limits;
    limits.cpu_time = std::min(seconds(cpu + extra), most.cpu_time);
    limits.wall_time = seconds(wall);
    limits.memory = std::min(bytes(memory), most.memory_bytes);
    limits.stack = std::min(bytes(stack), most.stack_bytes);
    limits.processes = static_cast<std::uint64_t>(processes);
    limits.output_bytes = std::min(bytes(file), most.output_bytes);
    program.number_of_runs = static_cast<int>(runs);
    program.run.ordered = true;
}

void Reader::read_files() {
    const auto encoded = text("additional_files");
    const bool is_project = language_ && language_->id == kMultiFile;
    kept_["additional_files"] = nullptr;
    if (!encoded || is_blank(*encoded)) {
        if (is_project) wrong("additional_files", "can't be blank");
        return;
    }
    const std::string zip = from_loose_base64(*encoded); // whatever base64_encoded says
    kept_["additional_files"] = to_base64(zip);
    ArchiveBounds bounds;
    bounds.files = rules_.catalog.settings->config.files_per_run - 1;
    auto unpacked = unpack(zip, bounds);
    if (const auto* why = std::get_if<std::string>(&unpacked))
        return wrong("additional_files", *why);
    auto& files = std::get<std::vector<SourceFile>>(unpacked);
    ExecuteCode& run = made_.program.run;
    if (!is_project) {
        for (SourceFile& file : files) // what is there is not written over
            if (file.path != run.entry) run.files.push_back(std::move(file));
        return;
    }
    const auto plan = read_scripts(files, rules_.catalog);
    if (const auto* why = std::get_if<std::string>(&plan)) return wrong("additional_files", *why);
    const auto& project = std::get<Project>(plan);
    run.language = project.runtime;
    run.entry = project.entry;
    run.arguments.insert(run.arguments.begin(), project.arguments.begin(), project.arguments.end());
    run.files = std::move(files);
}

void Reader::read_callback() {
    const auto url = text("callback_url");
    kept_["callback_url"] = url ? json(*url) : json(nullptr);
    if (!url || is_blank(*url)) return;
    if (!rules_.callbacks) return wrong("callback_url", "setting callbacks is not allowed");
    const std::string why = url->size() > kMaxCallback ? "is too long" : why_bad_callback(*url);
    if (!why.empty()) return wrong("callback_url", why);
    made_.program.callback_url = *url;
}

std::variant<Accepted, Errors> Reader::read() {
    read_language();
    read_source();
    read_words();
    read_files();
    read_callback();
    read_limits();
    if (!errors_.empty()) return std::move(errors_);
    made_.kept = kept_.dump(-1, ' ', false, json::error_handler_t::replace);
    return std::move(made_);
}

} // namespace

Ranges ranges_of(const config::Settings& settings) {
    const isolate::Limits& most = settings.policies.at(settings.config.judge_policy).limits;
    const double cpu = std::chrono::duration<double>(most.cpu_time).count();
    const double wall = std::chrono::duration<double>(most.wall_time).count();
    const double memory = std::floor(static_cast<double>(most.memory_bytes) / kKilo);
    const double stack = std::floor(static_cast<double>(most.stack_bytes) / kKilo);
    const double file =
        std::min(kMostFileSize, std::floor(static_cast<double>(most.output_bytes) / kKilo));
    const double processes = most.processes;
    return {
        {"cpu_time_limit", {std::min(5.0, cpu), cpu, 0, true}},
        {"cpu_extra_time", {std::min(1.0, cpu), std::min(5.0, cpu), 0, false}},
        {"wall_time_limit", {std::min(10.0, wall), wall, std::min(1.0, wall), false}},
        {"memory_limit", {std::min(128'000.0, memory), memory, std::min(2'048.0, memory), false}},
        {"stack_limit", {std::min(64'000.0, stack), stack, 0, false}},
        {"max_processes_and_or_threads", {std::min(60.0, processes), processes, 0, true}},
        {"max_file_size", {std::min(kUsualFileSize, file), file, 0, false}},
        {"number_of_runs", {1, 20, 0, true}}};
}

std::variant<Accepted, Errors> read_submission(const json& body, bool base64, const Rules& rules) {
    return Reader(body, base64, rules).read();
}

std::string to_text(const Errors& errors) { return json(errors).dump(); }

std::vector<std::string> words_of(std::string_view line) {
    constexpr std::string_view kTakenOut = "$&;<>|`";
    std::vector<std::string> words;
    std::string word;
    bool open = false; // a word has begun, maybe an empty one in quotes
    char quote = '\0';
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (kTakenOut.find(c) != std::string_view::npos || c == '\0') continue;
        const bool escapes = c == '\\' && quote != '\'' && i + 1 < line.size();
        if (escapes) {
            word += line[++i];
            open = true;
        } else if (quote != '\0') {
            if (c == quote) quote = '\0';
            else word += c;
        } else if (c == '"' || c == '\'') {
            quote = c;
            open = true;
        } else if (is_blank({&c, 1})) {
            if (open) words.push_back(std::move(word));
            word.clear();
            open = false;
        } else {
            word += c;
            open = true;
        }
    }
    if (open) words.push_back(std::move(word));
    return words;
}

std::string why_bad_callback(std::string_view url) {
    constexpr std::string_view kScheme = "http://";
    if (!url.starts_with(kScheme)) return "must begin with http://";
    const std::string_view rest = url.substr(kScheme.size());
    const std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
    const bool plain = std::ranges::all_of(url, [](char c) { return c > ' ' && c < 127; });
    if (host.empty() || !plain || host.find('@') != std::string_view::npos)
        return "is not an address of the web";
    return {};
}

} // namespace cloister::front::judge0
