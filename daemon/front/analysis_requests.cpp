// Reading and writing the messages about analysis.
#include "daemon/front/analysis_requests.h"

#include "daemon/front/protocol.h"
#include "daemon/front/text.h"

#include <array>
#include <cmath>

#include <nlohmann/json.hpp>

namespace cloister::front {
namespace {

using nlohmann::json;
using Ordered = nlohmann::ordered_json;

constexpr std::size_t kMaxPath = 1024;
constexpr std::uint32_t kMaxPlace = 1U << 30U;
constexpr std::size_t kMaxAnswerDepth = 16;

AskFault bad(const std::string& message) { return {"bad_message", message}; }

/// False and a fault when the field is there and no text.
bool read_text(const json& message, const char* key, std::string& into, AskFault& fault) {
    const auto found = message.find(key);
    if (found == message.end() || found->is_null()) return true;
    if (!found->is_string()) {
        fault = bad("The field '" + std::string(key) + "' must be a text.");
        return false;
    }
    found->get_to(into);
    return true;
}

/// A whole number from 0; some clients know only floating point.
bool read_place(const json& position, const char* key, std::uint32_t& into) {
    const auto found = position.find(key);
    if (found == position.end() || !found->is_number()) return false;
    const double number = found->get<double>();
    if (!(number >= 0) || number > kMaxPlace || number != std::floor(number)) return false;
    into = static_cast<std::uint32_t>(number);
    return true;
}

std::variant<AskAnalyst, AskFault> read(AskAnalyst::Kind kind, const json& message,
                                        const config::Config& bounds) {
    AskAnalyst ask;
    ask.kind = kind;
    AskFault fault;
    std::string lang;
    std::string depth = "instant";
    const bool texts = read_text(message, "file_path", ask.file_path, fault) &&
                       read_text(message, "content", ask.content, fault) &&
                       read_text(message, "language", ask.language, fault) &&
                       read_text(message, "lang", lang, fault) &&
                       read_text(message, "depth", depth, fault);
    if (!texts) return fault;
    if (!lang.empty()) ask.korean = is_korean(lang);
    if (!message.contains("content")) return bad("The field 'content' is missing.");
    if (ask.file_path.empty() && ask.language.empty())
        return bad("The field 'file_path' is missing.");
    if (ask.file_path.size() > kMaxPath) return bad("The field 'file_path' is too long.");
    if (depth != "instant" && depth != "deep")
        return bad("The field 'depth' must be \"instant\" or \"deep\".");
    if (ask.content.size() > bounds.code_bytes) {
        return AskFault{"too_large", "The field 'content' holds more than " +
                                         readable_bytes(bounds.code_bytes) + "."};
    }
    ask.deep = depth == "deep";
    if (kind == AskAnalyst::Kind::analysis) return ask;
    const auto position = message.find("position");
    const bool placed = position != message.end() && position->is_object() &&
                        read_place(*position, "line", ask.line) &&
                        read_place(*position, "column", ask.column);
    if (!placed)
        return bad(
            "The field 'position' must be an object with whole numbers 'line' and 'column'.");
    return ask;
}

} // namespace

bool is_korean(std::string_view lang) { return lang == "ko" || lang.starts_with("ko-"); }

std::optional<std::variant<AskAnalyst, AskFault>> read_ask(std::string_view type,
                                                           const json& message,
                                                           const config::Config& bounds) {
    if (type == "request_analysis") return read(AskAnalyst::Kind::analysis, message, bounds);
    if (type == "request_suggestion") return read(AskAnalyst::Kind::suggestion, message, bounds);
    return std::nullopt;
}

namespace {

constexpr std::size_t kMaxChecked = 48 * std::size_t{1024}; ///< of what checkers print

std::string to_json(const Checked& checked) {
    constexpr std::array kProblems = {"", "absent", "busy", "late", "failed"};
    JsonObject out;
    out.text("problem", kProblems.at(static_cast<std::size_t>(checked.problem)));
    out.number("exit_code", checked.exit_code);
    return out.bytes("output", std::string_view(checked.output).substr(0, kMaxChecked), false)
        .close();
}

} // namespace

std::string to_analyst(const AskAnalyst& ask, std::string_view language, const TextEdit* edit) {
    JsonObject out;
    out.text("kind", ask.kind == AskAnalyst::Kind::analysis ? "analysis" : "suggestion");
    out.text("language", language).text("lang", ask.korean.value_or(false) ? "ko" : "en");
    out.text("file_path", ask.file_path).count("line", ask.line).count("column", ask.column);
    if (ask.checked) out.raw("checked", to_json(*ask.checked));
    if (edit == nullptr) return out.text("content", ask.content).close();
    JsonObject change;
    change.count("start", edit->start).count("removed", edit->removed);
    return out.raw("edit", change.text("text", edit->inserted).close()).close();
}

namespace {

std::string message_with(const AskAnalyst& ask, std::string_view value) {
    JsonObject out;
    if (ask.kind == AskAnalyst::Kind::analysis) {
        out.text("type", "analysis_result").text("file_path", ask.file_path).raw("analysis", value);
    } else {
        JsonObject position;
        position.count("line", ask.line).count("column", ask.column);
        out.text("type", "suggestion_result").text("file_path", ask.file_path);
        out.raw("position", position.close()).raw("suggestions", value);
    }
    if (ask.pushed) out.text("epoch", ask.pushed->epoch).count("version", ask.pushed->version);
    return out.maybe("id", ask.id).text("timestamp", timestamp()).close();
}

} // namespace

std::optional<std::string> to_client(const AskAnalyst& ask, std::string_view answer) {
    if (nesting(answer) > kMaxAnswerDepth) return std::nullopt;
    const Ordered parsed = Ordered::parse(answer, nullptr, false);
    if (!parsed.is_object()) return std::nullopt;
    const bool analysis = ask.kind == AskAnalyst::Kind::analysis;
    const auto value = parsed.find(analysis ? "analysis" : "suggestions");
    if (value == parsed.end() || !(analysis ? value->is_object() : value->is_array()))
        return std::nullopt;
    return message_with(ask, value->dump());
}

std::string without_analyst(const AskAnalyst& ask, std::string_view language,
                            std::string_view error) {
    if (ask.kind == AskAnalyst::Kind::suggestion) return message_with(ask, "[]");
    std::uint64_t lines = 0;
    bool blank = true;
    for (const char c : ask.content) {
        if (c == '\n' || c == '\r') blank = true;
        else if (c != ' ' && c != '\t' && std::exchange(blank, false)) ++lines;
    }
    JsonObject metrics;
    metrics.count("lines_of_code", lines).count("functions", 0).count("classes", 0);
    metrics.count("complexity", 0);
    JsonObject out;
    out.text("language", language).flag("success", false).text("error", error);
    out.flag("syntax_valid", false).raw("metrics", metrics.close()).raw("issues", "[]");
    return message_with(ask, out.count("quality_score", 0).close());
}

} // namespace cloister::front
