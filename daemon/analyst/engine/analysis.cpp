// From a request to an `analysis`: parse, scopes, metrics, issues, score; then JSON, in the order
// of PROTOCOL.md.
#include "daemon/analyst/engine/analysis.h"

#include "daemon/analyst/engine/issues.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

namespace cloister::analyst {
namespace {

using json = nlohmann::ordered_json;

/// docs/analysis.md says where each weight is from.
struct Score {
    double errors = 0;
    double warnings = 0;
    double infos = 0;
    double complexity = 0;
    double statements = 0;
    bool syntax = false;

    int value() const {
        constexpr double kLeastStatements = 20; // one fault in three lines is no catastrophe
        const double debt = 5 * errors + 2 * warnings + 0.5 * infos + complexity;
        const double score =
            100 - std::min(100.0, 100 * debt / std::max(kLeastStatements, statements));
        return static_cast<int>(std::lround(syntax ? std::min(score, 40.0) : score));
    }
};

double excess(std::uint32_t found, std::uint32_t most) {
    return found > most ? static_cast<double>(found - most) : 0;
}

Score score_of(const Language& language, const Metrics& metrics, const std::vector<Issue>& issues) {
    Score score;
    for (const Issue& issue : issues) {
        score.syntax = score.syntax || issue.syntax;
        if (issue.category == "size") continue; // counted by how far it goes, below
        if (issue.severity == Severity::error) ++score.errors;
        if (issue.severity == Severity::warning) ++score.warnings;
        if (issue.severity == Severity::info) ++score.infos;
    }
    for (const FunctionMetrics& one : metrics.functions) {
        score.complexity += excess(one.cyclomatic, language.thresholds.cyclomatic) / 2 +
                            excess(one.cognitive, language.thresholds.cognitive) / 3 +
                            excess(one.lines, language.thresholds.function_lines) / 20;
    }
    score.statements = metrics.statements;
    return score;
}

const char* name_of(Severity severity) {
    switch (severity) {
    case Severity::error: return "error";
    case Severity::warning: return "warning";
    case Severity::info: return "info";
    }
    return "info";
}

json range_json(const Source& source, std::uint32_t start, std::uint32_t end) {
    const Position first = source.position(start);
    const Position last = source.position(end);
    return {{"start", {{"line", first.line}, {"column", first.column}}},
            {"end", {{"line", last.line}, {"column", last.column}}}};
}

json to_json(const Source& source, const Issue& issue) {
    const Position first = source.position(issue.start);
    const Position last = source.position(issue.end);
    json out = {{"type", name_of(issue.severity)}, {"message", issue.message},
                {"line", first.line + 1},          {"suggestion", issue.suggestion},
                {"column", first.column},          {"end_line", last.line + 1},
                {"end_column", last.column},       {"rule", issue.rule},
                {"category", issue.category}};
    if (!issue.peer.empty()) out["peer"] = issue.peer;
    if (issue.fix)
        out["fix"] = {{"range", range_json(source, issue.fix->start, issue.fix->end)},
                      {"text", issue.fix->text}};
    return out;
}

json to_json(const FunctionMetrics& one) {
    return {{"name", one.name},
            {"line", one.line + 1},
            {"lines", one.lines},
            {"complexity", one.cyclomatic},
            {"cognitive", one.cognitive},
            {"nesting", one.nesting},
            {"parameters", one.parameters}};
}

constexpr std::size_t kMaxFunctionsShown = 500;

double rounded(double value) { return std::round(value * 1000) / 1000; }

json to_json(const Metrics& metrics, Budget& budget) {
    json functions = json::array();
    std::uint32_t longest = 0;
    std::uint32_t worst = 0;
    for (const FunctionMetrics& one : metrics.functions) {
        longest = std::max(longest, one.lines);
        worst = std::max(worst, one.cyclomatic);
        if (functions.size() < kMaxFunctionsShown) functions.push_back(to_json(one));
        else budget.truncated = true;
    }
    const std::uint32_t text = metrics.code_lines + metrics.comment_lines;
    return {{"lines_of_code", metrics.code_lines},
            {"functions", metrics.functions.size()},
            {"classes", metrics.classes},
            {"complexity", metrics.cyclomatic},
            {"complexity_max", worst},
            {"cognitive", metrics.cognitive},
            {"max_nesting", metrics.nesting},
            {"longest_function", longest},
            {"lines", metrics.lines},
            {"comment_lines", metrics.comment_lines},
            {"blank_lines", metrics.blank_lines},
            {"comment_ratio", text == 0 ? 0.0 : rounded(double(metrics.comment_lines) / text)},
            {"statements", metrics.statements},
            {"maintainability", rounded(metrics.maintainability)},
            {"per_function", std::move(functions)}};
}

std::string to_text(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json without_tree(const Language& language, const Asked& asked) {
    return {{"language", language.id},
            {"success", false},
            {"error", "analysis_timeout"},
            {"syntax_valid", false},
            {"metrics",
             {{"lines_of_code", lines_with_text(asked.content)},
              {"functions", 0},
              {"classes", 0},
              {"complexity", 0}}},
            {"issues", json::array()},
            {"quality_score", 0}};
}

} // namespace

std::string analyse(const Language& language, const Asked& asked, Budget budget) {
    const Clock::time_point begin = Clock::now();
    count_allocations();
    const Source source(asked.content);
    const auto tree = Tree::parse(language.grammar, source, budget);
    if (!tree) return to_text(without_tree(language, asked));
    const Scopes scopes(language, source, *tree, budget);
    const Metrics metrics = measure(language, source, *tree, budget);
    const Inspection inspection{language, source, *tree, scopes, metrics, asked.tongue};
    const std::vector<Issue> issues = find_issues(inspection, budget);
    const Score score = score_of(language, metrics, issues);
    json listed = json::array();
    for (const Issue& issue : issues) listed.push_back(to_json(source, issue));
    json out = {{"language", language.id},
                {"success", true},
                {"syntax_valid", !score.syntax},
                {"metrics", to_json(metrics, budget)},
                {"issues", std::move(listed)},
                {"quality_score", score.value()},
                {"quality",
                 {{"errors", score.errors},
                  {"warnings", score.warnings},
                  {"infos", score.infos},
                  {"complexity", rounded(score.complexity)},
                  {"statements", score.statements}}},
                {"tier", "instant"},
                {"truncated", budget.truncated}};
    const std::chrono::duration<double, std::milli> spent = Clock::now() - begin;
    out["analysis_ms"] = rounded(spent.count());
    return to_text(out);
}

namespace {

std::uint32_t whole_of(const json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_unsigned()) return 0;
    return static_cast<std::uint32_t>(
        std::min<std::uint64_t>(found->get<std::uint64_t>(), 0x7fffffff));
}

std::string answer_to(const Languages& languages, const json& request) {
    const auto language = languages.find(request.at("language").get<std::string>());
    if (language == languages.end()) return R"({"error":"unknown_language"})";
    Asked asked;
    request.at("content").get_to(asked.content);
    request.at("file_path").get_to(asked.file_path);
    if (request.at("lang").get<std::string>() == "ko") asked.tongue = Tongue::ko;
    if (request.at("kind").get<std::string>() == "analysis")
        return R"({"analysis":)" + analyse(*language->second, asked) + "}";
    asked.position = {.line = whole_of(request, "line"), .column = whole_of(request, "column")};
    return R"({"suggestions":)" + suggest(*language->second, asked) + "}";
}

} // namespace

std::string answer(const Languages& languages, std::string_view request) {
    try {
        return answer_to(languages, json::parse(request));
    } catch (const std::exception&) {
        return R"({"error":"bad_request"})";
    }
}

} // namespace cloister::analyst
