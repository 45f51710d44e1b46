// Rules of patterns, rules of names, and bounds of size.
#include "daemon/analyst/engine/issues.h"

#include <algorithm>
#include <set>

namespace cloister::analyst {
namespace {

constexpr std::size_t kMaxShown = 60; ///< bytes of a source's text in a message

/// On one line, short, never cut within a character.
std::string shown(std::string_view text) {
    std::string out;
    bool gap = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c <= ' ') {
            gap = !out.empty();
            continue;
        }
        if (out.size() >= kMaxShown && (c & 0xC0U) != 0x80U) return out + "…";
        if (gap) out += ' ';
        gap = false;
        out += text[i];
    }
    return out;
}

class Finding {
public:
    Finding(const Inspection& inspection, Budget& budget)
        : in_(inspection), budget_(budget), subject_{in_.language, in_.source, in_.tree,
                                                     [this](std::string_view name) {
                                                         return in_.scopes.is_bound(name);
                                                     }} {}

    std::vector<Issue> find() {
        find_syntax_errors(in_, budget_, issues_);
        match_rules();
        find_unused();
        find_undefined();
        measure();
        std::stable_sort(issues_.begin(), issues_.end(), [](const Issue& one, const Issue& other) {
            return one.start < other.start;
        });
        if (issues_.size() > kMaxIssues) {
            issues_.resize(kMaxIssues);
            budget_.truncated = true;
        }
        return std::move(issues_);
    }

private:
    using Holes = std::vector<std::pair<std::string_view, std::string_view>>;

    const std::string& spoken(const Spoken& text) const {
        return text.at(static_cast<std::size_t>(in_.tongue));
    }

    /// False when there are enough, or it is said already.
    bool has_room(const Rule& rule, Index node) {
        if (issues_.size() >= 2 * kMaxIssues) {
            budget_.truncated = true;
            return false;
        }
        return said_.emplace(&rule, node).second;
    }

    Issue begin(const Rule& rule, Index node, const Holes& holes) const {
        Issue issue;
        issue.severity = rule.severity;
        issue.start = in_.tree[node].start;
        issue.end = in_.tree[node].end;
        issue.message = filled(spoken(rule.message), holes);
        issue.suggestion = filled(spoken(rule.suggestion), holes);
        issue.rule = rule.id;
        issue.category = rule.category;
        issue.peer = rule.peer;
        issue.syntax = rule.syntax;
        return issue;
    }

    Fix fix_of(const FixPlan& plan, Index at, const Holes& exact) const {
        Fix fix{
            .start = in_.tree[at].start, .end = in_.tree[at].end, .text = filled(plan.text, exact)};
        if (plan.whole_line) widen(fix);
        return fix;
    }

    /// To the whole line, where it holds nothing else.
    void widen(Fix& fix) const {
        const std::uint32_t first = in_.source.line_of(fix.start);
        const std::uint32_t last = in_.source.line_of(fix.end);
        const std::uint32_t start = in_.source.line_start(first);
        const bool is_last = last + 1 >= in_.source.lines();
        const std::uint32_t end = is_last ? in_.source.size() : in_.source.line_start(last + 1);
        const auto blank = [](std::string_view text) {
            return text.find_first_not_of(" \t\r\n;") == std::string_view::npos;
        };
        if (blank(in_.source.slice(start, fix.start)) && blank(in_.source.slice(fix.end, end))) {
            fix.start = start;
            fix.end = end;
        }
    }

    void match_rules() {
        const Query& checks = in_.language.checks;
        const std::uint32_t here = checks.capture("here");
        checks.run(subject_, budget_, [&](const Match& match) {
            const Rule* rule = in_.language.rule(checks.property(match.pattern, "rule"));
            const Index node = match[here];
            if (rule == nullptr || node == kNone || in_broken(node) || !has_room(*rule, node))
                return;
            std::vector<std::string> kept;
            Holes holes;
            Holes exact;
            kept.reserve(match.nodes.size());
            for (std::uint32_t i = 0; i < match.nodes.size(); ++i) {
                if (match.nodes[i] == kNone) continue;
                kept.push_back(shown(subject_.text(match.nodes[i])));
                holes.emplace_back(checks.captures()[i], kept.back());
                exact.emplace_back(checks.captures()[i], subject_.text(match.nodes[i]));
            }
            Issue issue = begin(*rule, node, holes);
            if (rule->fix) {
                const Index at = match[checks.capture(rule->fix->at)];
                if (at != kNone) issue.fix = fix_of(*rule->fix, at, exact);
            }
            issues_.push_back(std::move(issue));
        });
    }

    /// Where the parser had to guess, what looks like a fault may be its guess.
    bool in_broken(Index node) const {
        if (!in_.tree.has_error()) return false;
        const Node& one = in_.tree[node];
        const std::uint32_t first = in_.source.line_of(one.start);
        const std::uint32_t last = in_.source.line_of(one.end);
        for (const std::uint32_t line : broken_lines()) {
            if (line + 1 >= first && line <= last + 1) return true;
        }
        return false;
    }

    const std::vector<std::uint32_t>& broken_lines() const {
        if (!broken_.empty()) return broken_;
        for (const Issue& issue : issues_) {
            if (!issue.syntax) break;
            broken_.push_back(in_.source.line_of(issue.start));
        }
        if (broken_.empty()) broken_.push_back(~std::uint32_t{1});
        return broken_;
    }

    void find_unused() {
        if (in_.scopes.is_dynamic() || in_.tree.has_error()) return;
        for (const Definition& one : in_.scopes.definitions()) {
            if (one.rule.empty() || one.text.empty()) continue;
            const std::string& ignored = in_.language.ignored_prefix;
            if (!ignored.empty() && one.text.starts_with(ignored)) continue;
            const Rule* rule = in_.language.rule(one.rule);
            if (rule == nullptr || in_.scopes.is_used(one) || !has_room(*rule, one.name)) continue;
            const std::string name = shown(one.text);
            Issue issue = begin(*rule, one.name, {{"name", name}});
            if (rule->fix && one.whole != kNone) issue.fix = fix_of(*rule->fix, one.whole, {});
            issues_.push_back(std::move(issue));
        }
    }

    void find_undefined() {
        if (in_.scopes.is_dynamic() || in_.tree.has_error()) return;
        for (const Scopes::Reference& one : in_.scopes.references()) {
            const std::string_view name = subject_.text(one.name);
            if (one.rule.empty() || in_.scopes.is_bound(name)) continue;
            if (in_.language.builtins.contains(std::string(name))) continue;
            const Rule* rule = in_.language.rule(one.rule);
            if (rule == nullptr || !has_room(*rule, one.name)) continue;
            const std::string text = shown(name);
            issues_.push_back(begin(*rule, one.name, {{"name", text}}));
        }
    }

    void too_much(const char* rule, std::uint32_t found, std::uint32_t most,
                  const FunctionMetrics& function) {
        if (found <= most || issues_.size() >= 2 * kMaxIssues) return;
        const std::string name = function.name.empty() ? "?" : shown(function.name);
        const std::string number = std::to_string(found);
        const std::string bound = std::to_string(most);
        const Holes holes = {{"name", name}, {"number", number}, {"most", bound}};
        Issue issue;
        issue.severity = Severity::info;
        issue.start = in_.tree[function.node].start;
        const std::string_view line = in_.source.line(function.line);
        issue.end =
            std::min(in_.tree[function.node].end, in_.source.line_start(function.line) +
                                                      static_cast<std::uint32_t>(line.size()));
        issue.message = filled(in_.language.word(rule, in_.tongue), holes);
        issue.suggestion =
            filled(in_.language.word(std::string(rule) + "-advice", in_.tongue), holes);
        issue.rule = rule;
        issue.category = "size";
        issue.peer = "";
        issues_.push_back(std::move(issue));
    }

    void measure() {
        const Thresholds& most = in_.language.thresholds;
        for (const FunctionMetrics& one : in_.metrics.functions) {
            too_much("too-complex", one.cyclomatic, most.cyclomatic, one);
            too_much("too-tangled", one.cognitive, most.cognitive, one);
            too_much("too-long", one.lines, most.function_lines, one);
            too_much("too-deep", one.nesting, most.nesting, one);
            too_much("too-many-parameters", one.parameters, most.parameters, one);
        }
    }

    const Inspection& in_;
    Budget& budget_;
    Subject subject_;
    std::vector<Issue> issues_{};
    std::set<std::pair<const Rule*, Index>> said_{};
    mutable std::vector<std::uint32_t> broken_{};
};

} // namespace

std::string filled(const std::string& text,
                   const std::vector<std::pair<std::string_view, std::string_view>>& holes) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t open = text.find('{', at);
        const std::size_t close = open == std::string::npos ? open : text.find('}', open);
        if (close == std::string::npos) return out + text.substr(at);
        const std::string_view name = std::string_view(text).substr(open + 1, close - open - 1);
        const auto hole = std::find_if(holes.begin(), holes.end(),
                                       [&](const auto& one) { return one.first == name; });
        out.append(text, at, open - at);
        if (hole != holes.end()) out += hole->second;
        else out.append(text, open, close - open + 1);
        at = close + 1;
    }
    return out;
}

std::vector<Issue> find_issues(const Inspection& inspection, Budget& budget) {
    return Finding(inspection, budget).find();
}

} // namespace cloister::analyst
