// Lines of checkers against the language's forms. A checker has read a stranger's source and may
// quote it: lines are cut before a regular expression sees them (the library's matcher goes deeper
// with each character), and their number is bounded.
#include "daemon/analyst/engine/deep.h"

#include "policies/strict_json.h"

#include <algorithm>
#include <charconv>

namespace cloister::analyst {
namespace {

using strict_json::fail;
using strict_json::json;
using strict_json::Object;
using Field = DeepPattern::Field;

constexpr std::size_t kMaxLine = 400;   ///< bytes that a form is held against
constexpr std::size_t kMaxLines = 4000; ///< that are looked at
constexpr std::size_t kMaxText = 300;   ///< bytes of a message
constexpr unsigned kCaretWithin = 3;    ///< lines

const std::map<std::string_view, Field> kFields = {{"line", Field::line},
                                                   {"column", Field::column},
                                                   {"severity", Field::severity},
                                                   {"code", Field::code},
                                                   {"message", Field::message}};

DeepPattern read_pattern(const json& value, const std::string& place,
                         const std::vector<std::string>& checkers) {
    Object object(value, place, true);
    DeepPattern pattern;
    const std::string form = strict_json::read_text(object.need("form"), object.place_of("form"));
    try {
        pattern.form.assign(form, std::regex::ECMAScript | std::regex::optimize);
    } catch (const std::regex_error& error) {
        fail(object.place_of("form"), error.what());
    }
    for (const std::string& name :
         strict_json::read_texts(object.need("fields"), object.place_of("fields"))) {
        const auto field = kFields.find(name);
        if (field == kFields.end()) fail(object.place_of("fields"), "no field is called " + name);
        pattern.fields.push_back(field->second);
    }
    if (pattern.fields.size() != pattern.form.mark_count())
        fail(object.place_of("fields"), "one for each group of the form");
    pattern.checker = strict_json::read_text(object.need("checker"), object.place_of("checker"));
    if (std::find(checkers.begin(), checkers.end(), pattern.checker) == checkers.end())
        fail(object.place_of("checker"), "no checker is called " + pattern.checker);
    const auto take = [&](const char* key, bool& into) {
        if (const json* found = object.take(key)) into = found->is_boolean() && *found;
    };
    take("utf16", pattern.utf16);
    take("caret", pattern.caret);
    take("syntax", pattern.syntax);
    object.done();
    return pattern;
}

std::optional<Severity> read_severity(const json& value, const std::string& place) {
    const std::string text = strict_json::read_text(value, place);
    if (text == "error") return Severity::error;
    if (text == "warning") return Severity::warning;
    if (text == "info") return Severity::info;
    if (text == "ignore") return std::nullopt;
    fail(place, "expected error, warning, info or ignore, found '" + text + "'");
}

/// One line of a checker's, understood.
struct Said {
    const DeepPattern* pattern = nullptr;
    std::uint32_t line = 0; ///< from 1
    std::uint32_t column = 0;
    std::string severity{};
    std::string code{};
    std::string message{};
};

std::uint32_t number_in(const std::string& text) {
    std::uint32_t number = 0;
    (void)std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty() && lines.size() < kMaxLines) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

/// Without half a character at its end.
std::string cut(std::string text, std::size_t size) {
    if (text.size() <= size) return text;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
    return text.substr(0, size) + "…";
}

class Merging {
public:
    Merging(const Document& document, Tongue tongue, const DeepPlan& plan, Budget& budget,
            std::vector<Issue>& issues)
        : document_(document), language_(document.language()), source_(document.source()),
          tongue_(tongue), plan_(plan), budget_(budget), issues_(issues), own_(issues.size()) {}

    DeepReport merge(const Checked& checked) {
        DeepReport report;
        const std::vector<std::string_view> lines = lines_of(checked.output);
        bool understood = checked.exit_code == 0;
        for (std::size_t i = 0; i < lines.size(); ++i) {
            if (note_checkers(lines[i], report)) {
                understood = true;
                continue;
            }
            auto said = read(lines, i);
            if (!said) continue;
            understood = true;
            if (issues_.size() < own_ + kMaxIssues) add(*said, report);
            else budget_.truncated = true;
        }
        if (report.checkers.empty() && understood) report.checkers = {plan_.checkers.front()};
        if (!understood) report.problem = "failed";
        return report;
    }

private:
    /// "checkers: a b", from those that try more than one.
    bool note_checkers(std::string_view line, DeepReport& report) const {
        constexpr std::string_view kHead = "checkers:";
        if (!line.starts_with(kHead)) return false;
        for (const std::string& known : plan_.checkers) {
            if ((std::string(line.substr(kHead.size())) + " ").find(" " + known + " ") !=
                std::string::npos)
                report.checkers.push_back(known);
        }
        return true;
    }

    std::optional<Said> read(const std::vector<std::string_view>& lines, std::size_t at) const {
        const std::string line(lines[at].substr(0, kMaxLine));
        for (const DeepPattern& pattern : plan_.patterns) {
            std::smatch match;
            if (!std::regex_match(line, match, pattern.form)) continue;
            Said said{.pattern = &pattern};
            for (std::size_t i = 0; i < pattern.fields.size(); ++i) {
                const std::string text = match[i + 1].str();
                switch (pattern.fields[i]) {
                case Field::line: said.line = number_in(text); break;
                case Field::column: said.column = number_in(text); break;
                case Field::severity: said.severity = text; break;
                case Field::code: said.code = text; break;
                case Field::message: said.message = text; break;
                }
            }
            if (said.line == 0 || said.line > source_.lines()) return std::nullopt;
            if (pattern.caret) said.column = caret_below(lines, at);
            return said;
        }
        return std::nullopt;
    }

    static std::uint32_t caret_below(const std::vector<std::string_view>& lines, std::size_t at) {
        for (std::size_t i = at + 1; i < lines.size() && i <= at + kCaretWithin; ++i) {
            const std::size_t caret = lines[i].find_first_not_of(" \t");
            if (caret != std::string_view::npos && lines[i].substr(caret) == "^")
                return static_cast<std::uint32_t>(caret) + 1;
        }
        return 0;
    }

    /// A token when the column is known, else the line's text.
    std::pair<std::uint32_t, std::uint32_t> place(const Said& said) const {
        const std::uint32_t line = said.line - 1;
        const std::string_view text = source_.line(line);
        const std::uint32_t start = source_.line_start(line);
        const auto end = start + static_cast<std::uint32_t>(text.size());
        if (said.column == 0) {
            const std::size_t first = text.find_first_not_of(" \t");
            return {first == std::string_view::npos ? start
                                                    : start + static_cast<std::uint32_t>(first),
                    end};
        }
        const bool units = said.pattern->utf16 || said.pattern->caret;
        const std::uint32_t at = units ? source_.byte({.line = line, .column = said.column - 1})
                                       : std::min(start + said.column - 1, end);
        const TSNode leaf = node_at(at);
        const std::uint32_t past = ::ts_node_end_byte(leaf);
        if (::ts_node_child_count(leaf) > 0 || past <= at) return {at, end};
        return {at, std::min(past, end)};
    }

    TSNode node_at(std::uint32_t byte) const {
        return ::ts_node_descendant_for_byte_range(document_.root(), byte, byte);
    }

    std::optional<Severity> severity_of(const Said& said) const {
        for (const std::string* key : {&said.code, &said.severity}) {
            const auto found = plan_.severities.find(*key);
            if (!key->empty() && found != plan_.severities.end()) return found->second;
        }
        return Severity::warning;
    }

    /// The lines of the smallest statement around: some say where it begins, some where the name
    /// is.
    std::pair<std::uint32_t, std::uint32_t> statement_around(std::uint32_t byte) const {
        const std::uint32_t line = source_.line_of(byte);
        TSNode at = node_at(byte);
        constexpr unsigned kClimb = 64; // each step walks from the root
        for (unsigned i = 0; i < kClimb && !::ts_node_is_null(at); ++i, at = ::ts_node_parent(at)) {
            if (!language_.statements.has(::ts_node_symbol(at))) continue;
            constexpr std::uint32_t kMost = 20;
            const std::uint32_t first = source_.line_of(::ts_node_start_byte(at));
            return {first, std::min(source_.line_of(::ts_node_end_byte(at)), first + kMost)};
        }
        return {line, line};
    }

    bool is_known(const Issue& made, const std::vector<std::string>& same) const {
        const std::uint32_t line = source_.line_of(made.start);
        const auto around = statement_around(made.start);
        return std::any_of(issues_.begin(), issues_.end(), [&](const Issue& one) {
            const std::uint32_t there = source_.line_of(one.start);
            if (one.deep) return there == line && one.message == made.message;
            // What is broken is told once: the engine's place is as good as a compiler's.
            if (one.syntax && (made.syntax || made.severity == Severity::error))
                return there + 1 >= line && there <= line + 1;
            if (std::find(same.begin(), same.end(), one.rule) == same.end()) return false;
            return there == line ||
                   (one.category == "unused" && around.first <= there && there <= around.second);
        });
    }

    void add(const Said& said, DeepReport& report) {
        const auto keep = [&](std::string text) -> std::string_view {
            return report.texts.emplace_back(std::move(text));
        };
        const auto severity = severity_of(said);
        if (!severity) return;
        static const std::vector<std::string> kNothing;
        const auto known = plan_.same.find(said.code);
        const std::vector<std::string>& same = known == plan_.same.end() ? kNothing : known->second;
        const Rule* rule = same.empty() ? nullptr : language_.rule(same.front());
        const std::string& checker = said.pattern->checker;
        Issue made;
        made.deep = true;
        made.severity = *severity;
        std::tie(made.start, made.end) = place(said);
        made.message = cut(said.message, kMaxText);
        made.suggestion = filled(language_.word("deep-advice", tongue_), {{"checker", checker}});
        made.rule = rule != nullptr     ? std::string_view(rule->id)
                    : said.code.empty() ? std::string_view(checker)
                                        : keep(cut(said.code, 80));
        made.peer = keep(checker + (said.code.empty() ? "" : " " + cut(said.code, 80)));
        made.syntax = said.pattern->syntax;
        made.category = rule != nullptr ? std::string_view(rule->category)
                        : made.syntax   ? "syntax"
                                        : "bug";
        if (!is_known(made, same)) issues_.push_back(std::move(made));
    }

    const Document& document_;
    const Language& language_;
    const Source& source_;
    Tongue tongue_;
    const DeepPlan& plan_;
    Budget& budget_;
    std::vector<Issue>& issues_;
    std::size_t own_;
};

} // namespace

std::shared_ptr<const DeepPlan> read_deep_plan(
    const std::string& text, const std::string& place,
    const std::map<std::string, Rule, std::less<>>& rules) {
    const json parsed = strict_json::parse(text, place);
    Object object(parsed, place);
    auto plan = std::make_shared<DeepPlan>();
    plan->checkers = strict_json::read_texts(object.need("checkers"), object.place_of("checkers"));
    if (plan->checkers.empty()) fail(object.place_of("checkers"), "expected at least one");
    const json& patterns = object.need("patterns");
    if (!patterns.is_array()) fail(object.place_of("patterns"), "expected a list");
    for (const json& one : patterns) {
        const std::string here =
            object.place_of("patterns") + "[" + std::to_string(plan->patterns.size()) + "]";
        plan->patterns.push_back(read_pattern(one, here, plan->checkers));
    }
    if (const json* severities = object.take("severities")) {
        for (const auto& item : severities->items())
            plan->severities[item.key()] =
                read_severity(item.value(), object.place_of("severities") + ": " + item.key());
    }
    if (const json* same = object.take("same")) {
        for (const auto& item : same->items()) {
            const std::string here = object.place_of("same") + ": " + item.key();
            auto& into = plan->same[item.key()];
            into = strict_json::read_texts(item.value(), here);
            for (const std::string& rule : into) {
                if (!rules.contains(rule)) fail(here, "no rule is called '" + rule + "'");
            }
        }
    }
    object.done();
    return plan;
}

DeepReport merge_checked(const Document& document, Tongue tongue, const Checked& checked,
                         Budget& budget, std::vector<Issue>& issues) {
    const DeepPlan* plan = document.language().deep.get();
    DeepReport report;
    report.problem = plan == nullptr ? "absent" : checked.problem;
    if (!report.problem.empty()) return report;
    report = Merging(document, tongue, *plan, budget, issues).merge(checked);
    std::stable_sort(issues.begin(), issues.end(),
                     [](const Issue& one, const Issue& other) { return one.start < other.start; });
    if (issues.size() > kMaxIssues) {
        issues.resize(kMaxIssues);
        budget.truncated = true;
    }
    return report;
}

} // namespace cloister::analyst
