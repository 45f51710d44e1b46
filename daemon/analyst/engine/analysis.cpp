// From a source to an `analysis`: parse, scopes, metrics, issues, score; then JSON, in the order
// of PROTOCOL.md.
#include "daemon/analyst/engine/analysis.h"

#include "daemon/analyst/engine/issues.h"
#include "daemon/analyst/engine/writer.h"

#include <algorithm>
#include <cmath>

namespace cloister::analyst {
namespace {

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

Score score_of(const Document& document, const Metrics& metrics, const std::vector<Issue>& issues) {
    const Language& language = document.language();
    Score score;
    for (const Issue& issue : issues) {
        score.syntax = score.syntax || issue.syntax;
        if (issue.category == "size") continue; // counted by how far it goes, below
        if (issue.severity == Severity::error) ++score.errors;
        if (issue.severity == Severity::warning) ++score.warnings;
        if (issue.severity == Severity::info) ++score.infos;
    }
    for (const auto& part : document.parts()) {
        for (const FunctionMetrics& one : part->facts.functions)
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

void write_position(Writer& out, Position position) {
    out.open('{').field("line", position.line).field("column", position.column).close('}');
}

void write_issue(Writer& out, const Source& source, const Issue& issue) {
    const Position first = source.position(issue.start);
    const Position last = source.position(issue.end);
    out.open('{').field("type", name_of(issue.severity)).field("message", issue.message);
    out.field("line", first.line + 1).field("suggestion", issue.suggestion);
    out.field("column", first.column).field("end_line", last.line + 1);
    out.field("end_column", last.column).field("rule", issue.rule);
    out.field("category", issue.category);
    if (!issue.peer.empty()) out.field("peer", issue.peer);
    if (issue.deep) out.field("tier", "deep");
    if (issue.fix) {
        out.key("fix").open('{').key("range").open('{').key("start");
        write_position(out, source.position(issue.fix->start));
        out.key("end");
        write_position(out, source.position(issue.fix->end));
        out.close('}').field("text", issue.fix->text).close('}');
    }
    if (issue.extract) {
        out.key("extract").open('{').field("line", issue.extract->first_line + 1);
        out.field("end_line", issue.extract->last_line + 1).key("names").open('[');
        for (const std::string& name : issue.extract->names) out.value(name);
        out.close(']').close('}');
    }
    out.close('}');
}

constexpr std::size_t kMaxFunctionsShown = 500;

/// Of each function, and what is the most of all.
struct Functions {
    Writer list{};
    std::uint32_t longest = 0;
    std::uint32_t worst = 0;
};

Functions functions_of(const Document& document, Budget& budget) {
    Functions all;
    std::size_t count = 0;
    std::uint32_t line = 0;
    all.list.open('[');
    for (const auto& part : document.parts()) {
        for (const FunctionMetrics& one : part->facts.functions) {
            all.longest = std::max(all.longest, one.lines);
            all.worst = std::max(all.worst, one.cyclomatic);
            if (++count > kMaxFunctionsShown) continue;
            line = document.source().line_from(line, part->begin + one.place.start);
            all.list.open('{').field("name", one.name).field("line", line + 1);
            all.list.field("lines", one.lines).field("complexity", one.cyclomatic);
            all.list.field("cognitive", one.cognitive).field("nesting", one.nesting);
            all.list.field("parameters", one.parameters).close('}');
        }
    }
    all.list.close(']');
    if (count > kMaxFunctionsShown) budget.truncated = true;
    return all;
}

void write_metrics(Writer& out, const Document& document, const Metrics& metrics, Budget& budget) {
    Functions functions = functions_of(document, budget);
    const std::uint32_t text = metrics.code_lines + metrics.comment_lines;
    out.open('{').field("lines_of_code", metrics.code_lines).field("functions", metrics.functions);
    out.field("classes", metrics.classes).field("complexity", metrics.cyclomatic);
    out.field("complexity_max", functions.worst).field("cognitive", metrics.cognitive);
    out.field("max_nesting", metrics.nesting).field("longest_function", functions.longest);
    out.field("lines", metrics.lines).field("comment_lines", metrics.comment_lines);
    out.field("blank_lines", metrics.blank_lines);
    out.field("comment_ratio", text == 0 ? 0.0 : double(metrics.comment_lines) / text);
    out.field("statements", metrics.statements).field("maintainability", metrics.maintainability);
    out.key("per_function").raw(functions.list.take()).close('}');
}

void write_report(Writer& out, const Language& language, Tongue tongue, const DeepReport& report) {
    out.key("checkers").open('[');
    for (const std::string& one : report.checkers) out.value(one);
    out.close(']');
    if (report.problem.empty()) return;
    out.field("note_code", report.problem);
    out.field("note", language.word("deep-" + report.problem, tongue));
}

} // namespace

std::string without_tree(const Language& language, std::string_view content) {
    Writer out;
    out.open('{').field("language", language.id).field("success", false);
    out.field("error", "analysis_timeout").field("syntax_valid", false).key("metrics");
    out.open('{').field("lines_of_code", lines_with_text(content)).field("functions", 0);
    out.field("classes", 0).field("complexity", 0).close('}');
    out.key("issues").raw("[]").field("quality_score", 0).close('}');
    return out.take();
}

std::string analysis_of(const Document& document, Tongue tongue, Clock::time_point begin,
                        Budget& budget, const Checked* checked) {
    if (document.is_truncated()) budget.truncated = true;
    const Metrics metrics = document.measure();
    std::vector<Issue> issues = find_issues(document, tongue, budget);
    DeepReport deep;
    if (checked != nullptr) deep = merge_checked(document, tongue, *checked, budget, issues);
    const Score score = score_of(document, metrics, issues);
    Writer out;
    out.open('{').field("language", document.language().id).field("success", true);
    out.field("syntax_valid", !score.syntax).key("metrics");
    write_metrics(out, document, metrics, budget);
    out.key("issues").open('[');
    for (const Issue& issue : issues) write_issue(out, document.source(), issue);
    out.close(']').field("quality_score", score.value()).key("quality").open('{');
    out.field("errors", score.errors).field("warnings", score.warnings);
    out.field("infos", score.infos).field("complexity", score.complexity);
    out.field("statements", score.statements).close('}');
    const bool is_deep = checked != nullptr && deep.problem.empty();
    out.field("tier", is_deep ? "deep" : "instant").field("truncated", budget.truncated);
    if (checked != nullptr) write_report(out, document.language(), tongue, deep);
    const std::chrono::duration<double, std::milli> spent = Clock::now() - begin;
    return out.field("analysis_ms", spent.count()).close('}').take();
}

std::string analyse(const Language& language, const Asked& asked, Budget budget) {
    const Clock::time_point begin = Clock::now();
    Document document(language);
    if (!document.set(asked.content, budget)) return without_tree(language, asked.content);
    return analysis_of(document, asked.tongue, begin, budget,
                       asked.checked ? &*asked.checked : nullptr);
}

} // namespace cloister::analyst
