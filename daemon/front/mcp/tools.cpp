// The schemas are data (tools.json) and serve twice: they are what a client is shown, and what its
// arguments may not go beyond. The fields themselves are read as everywhere else.
#include "daemon/front/mcp/tools.h"

#include "daemon/front/fields.h"
#include "daemon/front/mcp/progress.h"
#include "daemon/front/mcp/tools_text.h"
#include "daemon/front/program_fields.h"
#include "daemon/front/text.h"

#include <array>
#include <cstdio>

#include <nlohmann/json.hpp>

namespace cloister::front::mcp {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::array kNames = {"run_code", "run_tests", "list_runtimes"};
constexpr std::size_t kLeastOutput = 256;
constexpr std::size_t kMostOutput = isolate::kMiB;
constexpr std::size_t kShownFailures = 10;
constexpr std::size_t kMostCompilerWords = 16 * isolate::kKiB;

void put_parts(ordered_json& value, const ordered_json& parts) {
    if (!value.is_structured()) return;
    if (value.is_object() && value.contains("$part")) {
        value = parts.at(value.at("$part").get<std::string>());
    }
    for (auto& inner : value) put_parts(inner, parts);
}

const ordered_json& tools() {
    static const ordered_json kTools = [] {
        ordered_json read = ordered_json::parse(tools_text());
        put_parts(read.at("tools"), read.at("parts"));
        return read.at("tools");
    }();
    return kTools;
}

const ordered_json& tool(Tool which) { return tools().at(static_cast<std::size_t>(which)); }

/// Throws fields::Wrong for the first key that the schema does not list.
void check_keys(const json& value, const ordered_json& schema, const std::string& place) {
    if (value.is_array() && schema.contains("items")) {
        for (const json& item : value) check_keys(item, schema.at("items"), place);
    }
    if (!value.is_object() || !schema.contains("properties")) return;
    const ordered_json& known = schema.at("properties");
    for (const auto& [key, inner] : value.items()) {
        if (known.contains(key)) {
            check_keys(inner, known.at(key), "in '" + key + "'");
            continue;
        }
        std::string names;
        for (const auto& [name, ignored] : known.items())
            names += (names.empty() ? "" : ", ") + name;
        fields::wrong("'" + key.substr(0, 64) + "' is unknown " + place +
                      "; known are: " + (names.empty() ? "none" : names) + ".");
    }
}

Refusal refusal_of(const fields::Wrong& found) {
    Refusal refusal;
    refusal.code = found.code;
    refusal.message = found.message;
    return refusal;
}

/// `parts`: further ones, each behind a comma.
std::string text_content(const std::string& text, const std::string& parts = {}) {
    return "[" + JsonObject().text("type", "text").text("text", text).close() + parts + "]";
}

std::string result_of(const std::string& text, const json* structured, bool failed = false,
                      const std::string& parts = {}) {
    JsonObject out;
    out.raw("content", text_content(text, parts));
    if (structured != nullptr)
        out.raw("structuredContent",
                structured->dump(-1, ' ', false, json::error_handler_t::replace));
    return out.flag("isError", failed).close();
}

std::string usage_words(const json& result) {
    char text[96];
    (void)std::snprintf(text, sizeof text, "%.3f s of processor time, %.1f MiB",
                        result.value("cpu_time", 0.0),
                        result.value("memory_peak", 0.0) / static_cast<double>(isolate::kMiB));
    return text;
}

/// How it ended, in a few words.
std::string ending_words(const json& result) {
    const std::string verdict = result.value("verdict", "");
    if (verdict == "compile_error") return "It does not compile.";
    std::string words = "verdict " + verdict;
    if (result.at("exit_code").is_number())
        words += ", exit code " + std::to_string(result.at("exit_code").get<int>());
    if (result.at("signal").is_string()) words += ", " + result.at("signal").get<std::string>();
    return words + ", " + usage_words(result);
}

void add_part(std::string& text, std::string_view title, const std::string& part) {
    if (part.empty()) return;
    text.append("\n").append(title).append(":\n").append(part);
    if (part.back() != '\n') text += '\n';
}

void shorten_field(json& object, const char* key, std::size_t most, std::uint64_t& left_out) {
    const auto field = object.find(key);
    if (field != object.end() && field->is_string())
        *field = shorten(field->get<std::string>(), most, left_out);
}

/// "image/png" for a picture that a client can show; empty for anything else.
std::string_view picture_type(std::string_view path) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kTypes = {{
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"},
        {".gif", "image/gif"},
        {".webp", "image/webp"},
    }};
    for (const auto& [ending, type] : kTypes)
        if (path.ends_with(ending)) return type;
    return {};
}

/// Says what became of the files that were asked for; pictures become parts of their own.
void add_files(json& result, std::size_t most, std::string& text, std::string& parts) {
    const auto files = result.find("files");
    if (files == result.end()) return;
    for (json& file : *files) {
        const std::string path = file.value("path", "");
        const std::string encoding = file.value("encoding", "");
        const std::string_view type = picture_type(path);
        if (file.contains("error")) {
            text += "\nfile " + path + ": " + file.value("error", "") + "\n";
        } else if (encoding == "base64" && !type.empty()) {
            JsonObject picture;
            picture.text("type", "image").text("data", file.value("content", ""));
            parts += "," + picture.text("mimeType", type).close();
            file.erase("content"); // not twice: it is for whoever looks at it
            text += "\nfile " + path + ": the picture below\n";
        } else if (encoding == "base64") {
            text += "\nfile " + path + ": " + std::to_string(file.value("bytes", 0)) + " bytes\n";
        } else {
            std::uint64_t left_out = 0;
            shorten_field(file, "content", most, left_out);
            if (left_out > 0) file["left_out"] = left_out;
            add_part(text, "file " + path, file.value("content", ""));
        }
    }
}

std::string compiler_words(json& result) {
    const auto compile = result.find("compile");
    if (compile == result.end()) return {};
    std::uint64_t ignored = 0; // it says so itself
    shorten_field(*compile, "output", kMostCompilerWords, ignored);
    shorten_field(*compile, "error", kMostCompilerWords, ignored);
    return compile->value("output", "") + compile->value("error", "");
}

json limits_json(const isolate::Limits& limits) {
    const auto seconds = [](std::chrono::milliseconds value) {
        return static_cast<double>(value.count()) / 1000;
    };
    return {{"cpu_time", seconds(limits.cpu_time)}, {"wall_time", seconds(limits.wall_time)},
            {"memory", limits.memory_bytes},        {"cpu_percent", limits.cpu_percent},
            {"processes", limits.processes},        {"output_bytes", limits.output_bytes},
            {"file_bytes", limits.file_bytes},      {"file_count", limits.file_count},
            {"open_files", limits.open_files},      {"stack", limits.stack_bytes}};
}

std::string failure_words(const json& verdict) {
    std::string words = "test " + std::to_string(verdict.value("test", 0)) + " (" +
                        verdict.value("name", "") + "): " + verdict.value("verdict", "");
    const std::string cause = verdict.value("cause", "");
    if (!cause.empty()) words += ", " + cause;
    words += ", " + usage_words(verdict) + "\n";
    if (const auto found = verdict.find("difference"); found != verdict.end()) {
        words += "  line " + std::to_string(found->value("line", 0)) + ": expected '" +
                 found->value("expected", "") + "', printed '" + found->value("printed", "") +
                 "'\n";
    }
    const std::string error = verdict.value("stderr", "");
    if (!error.empty()) words += "  stderr: " + error + (error.back() == '\n' ? "" : "\n");
    return words;
}

} // namespace

std::optional<Tool> find_tool(std::string_view name) {
    for (std::size_t i = 0; i < kNames.size(); ++i)
        if (name == kNames.at(i)) return static_cast<Tool>(i);
    return std::nullopt;
}

std::string list_text(const Catalog& catalog, bool structured) {
    ordered_json list = tools();
    ordered_json languages = ordered_json::array();
    for (const Catalog::Entry& entry : catalog.entries)
        if (entry.version) languages.push_back(entry.runtime->id);
    for (ordered_json& one : list) {
        ordered_json& properties = one.at("inputSchema").at("properties");
        if (properties.contains("language") && !languages.empty())
            properties.at("language")["enum"] = languages;
        if (!structured) one.erase("outputSchema");
    }
    return JsonObject().raw("tools", list.dump()).close();
}

std::variant<RunAsked, Refusal> read_run(const json& arguments, const config::Config& config) {
    try {
        check_keys(arguments, tool(Tool::run_code).at("inputSchema"), "here");
        RunAsked asked;
        asked.run = read_run_fields(arguments, config);
        const auto most = fields::maybe_whole(arguments, "max_output", "");
        if (most && (*most < kLeastOutput || *most > kMostOutput))
            fields::wrong("'max_output' must be from 256 to 1048576.");
        if (most) asked.max_output = *most;
        return asked;
    } catch (const fields::Wrong& found) {
        return refusal_of(found);
    }
}

std::optional<Refusal> refuse_arguments(const json& arguments, Tool which) {
    try {
        check_keys(arguments, tool(which).at("inputSchema"), "here");
        return std::nullopt;
    } catch (const fields::Wrong& found) {
        return refusal_of(found);
    }
}

std::variant<JudgeRequest, Refusal> read_tests(const json& arguments,
                                               const config::Config& config) {
    try {
        check_keys(arguments, tool(Tool::run_tests).at("inputSchema"), "here");
        return read_judge(arguments, config);
    } catch (const fields::Wrong& found) {
        return refusal_of(found);
    }
}

std::string run_result(std::string_view result, std::size_t max_output, bool structured) {
    json read = json::parse(result);
    json& truncated = read.at("truncated");
    auto out_missing = truncated.at("stdout").get<std::uint64_t>();
    auto error_missing = truncated.at("stderr").get<std::uint64_t>();
    shorten_field(read, "output", max_output, out_missing);
    shorten_field(read, "error", max_output, error_missing);
    truncated["stdout"] = out_missing;
    truncated["stderr"] = error_missing;
    std::string text = ending_words(read) + "\n";
    add_part(text, "compiler", compiler_words(read));
    add_part(text, "stdout", read.value("output", ""));
    // A compiler's words are there already.
    if (read.value("verdict", "") != "compile_error")
        add_part(text, "stderr", read.value("error", ""));
    std::string pictures;
    add_files(read, max_output, text, pictures);
    return result_of(text, structured ? &read : nullptr,
                     read.value("verdict", "") == "internal_error", pictures);
}

std::string tests_result(std::string_view summary, const std::vector<std::string>& verdicts,
                         bool structured) {
    json read = json::parse(summary);
    json failures = json::array();
    std::string words;
    for (const std::string& one : verdicts) {
        json verdict = json::parse(one);
        if (verdict.value("verdict", "") == "AC") continue;
        words += failure_words(verdict);
        failures.push_back(std::move(verdict));
        if (failures.size() == kShownFailures) break;
    }
    const auto accepted = read.at("verdicts").value("AC", 0);
    std::string text = "verdict " + read.value("verdict", "") + ": " + std::to_string(accepted) +
                       " of " + std::to_string(read.value("tests", 0)) + " tests accepted, " +
                       std::to_string(read.value("skipped", 0)) +
                       " skipped; the most of one: " + usage_words(read) + "\n";
    add_part(text, "compiler", compiler_words(read));
    add_part(text, "not accepted", words);
    read["failures"] = std::move(failures);
    // The tests could not be judged, which is nobody's program's fault.
    return result_of(text, structured ? &read : nullptr, read.value("verdict", "") == "JE");
}

std::string runtimes_result(const Catalog& catalog, bool structured) {
    const config::Settings& settings = *catalog.settings;
    json out;
    out["runtimes"] = json::parse(catalog.to_json());
    out["limits"]["run_code"] =
        limits_json(settings.policies.at(settings.config.run_policy).limits);
    out["limits"]["run_tests"] =
        limits_json(settings.policies.at(settings.config.judge_policy).limits);
    std::string text;
    for (const json& one : out["runtimes"]) {
        text += one.at("id").get<std::string>() + ": " + one.at("name").get<std::string>() + " ";
        text += one.at("version").is_string() ? one.at("version").get<std::string>()
                                              : std::string("(not installed)");
        text += ", files " + one.at("default_file").get<std::string>() + "\n";
    }
    for (const auto& [name, limits] : out["limits"].items()) {
        text += "limits of " + name + ":";
        for (const auto& [key, value] : limits.items()) text += " " + key + "=" + value.dump();
        text += "\n";
    }
    return result_of(text, structured ? &out : nullptr);
}

std::string failed_result(std::string_view error) {
    const json read = json::parse(error);
    const std::string text = read.value("code", "") + ": " + read.value("message", "");
    JsonObject out;
    return out.raw("content", text_content(text)).flag("isError", true).close();
}

} // namespace cloister::front::mcp
