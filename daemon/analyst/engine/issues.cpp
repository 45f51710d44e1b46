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

class Finder {
public:
    Finder(const Document& document, Tongue tongue, Budget& budget)
        : document_(document), language_(document.language()), source_(document.source()),
          tongue_(tongue), budget_(budget) {}

    std::vector<Issue> find() {
        find_syntax_errors(document_, tongue_, budget_, issues_);
        for (const Issue& issue : issues_) broken_.push_back(source_.line_of(issue.start));
        if (language_.macros) add_doubtful_lines();
        if (document_.has_error() && broken_.empty()) broken_.push_back(~std::uint32_t{1});
        names_are_known_ = !document_.has_error() && !document_.is_truncated();
        for (const auto& one : document_.containers()) tell_of(one->facts, one->begin, one->scopes);
        for (const auto& one : document_.parts())
            tell_of(one->facts, one->begin, document_.containers()[one->container]->scopes);
        // By place; of one place, as people would look: rules, then names, then size.
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

    void tell_of(const Facts& facts, std::uint32_t begin,
                 const std::vector<std::uint32_t>& containers) {
        begin_ = begin;
        said_.clear();
        for (const Finding& one : facts.findings) tell(one);
        if (names_are_known_) {
            if (!document_.is_dynamic()) tell_unused_inside(facts);
            if (!document_.may_be_used()) tell_unused_outside(facts, containers);
            tell_undefined(facts);
        }
        tell_sizes(facts);
    }

    const std::string& spoken(const Spoken& text) const {
        return text.at(static_cast<std::size_t>(tongue_));
    }

    std::string_view text(const Place& place) const {
        return source_.slice(begin_ + place.start, begin_ + place.end);
    }

    bool has_room() {
        if (issues_.size() < 2 * kMaxIssues) return true;
        budget_.truncated = true;
        return false;
    }

    /// False when there are enough, or it is said already. Numbers from `kNames` on are bytes.
    bool is_news(const Rule& rule, std::uint64_t number) {
        return has_room() && said_.emplace(&rule, number).second;
    }
    static constexpr std::uint64_t kNames = std::uint64_t{1} << 32U;

    Issue begin(const Rule& rule, const Place& place, const Holes& holes) const {
        Issue issue;
        issue.severity = rule.severity;
        issue.start = begin_ + place.start;
        issue.end = begin_ + place.end;
        issue.message = filled(spoken(rule.message), holes);
        issue.suggestion = filled(spoken(rule.suggestion), holes);
        issue.rule = rule.id;
        issue.category = rule.category;
        issue.peer = rule.peer;
        issue.syntax = rule.syntax;
        return issue;
    }

    Fix fix_of(const FixPlan& plan, const Place& at, const Holes& exact) const {
        Fix fix{
            .start = begin_ + at.start, .end = begin_ + at.end, .text = filled(plan.text, exact)};
        if (plan.whole_line) widen(fix);
        return fix;
    }

    /// To the whole line, where it holds nothing else.
    void widen(Fix& fix) const {
        const std::uint32_t first = source_.line_of(fix.start);
        const std::uint32_t last = source_.line_of(fix.end);
        const std::uint32_t start = source_.line_start(first);
        const bool is_last = last + 1 >= source_.lines();
        const std::uint32_t end = is_last ? source_.size() : source_.line_start(last + 1);
        const auto blank = [](std::string_view text) {
            return text.find_first_not_of(" \t\r\n;") == std::string_view::npos;
        };
        if (blank(source_.slice(start, fix.start)) && blank(source_.slice(fix.end, end))) {
            fix.start = start;
            fix.end = end;
        }
    }

    void tell(const Finding& one) {
        const bool holds = std::all_of(one.bound.begin(), one.bound.end(), [&](const auto& each) {
            return document_.is_bound(each.first) == each.second;
        });
        if (!holds || is_in_broken(one.here) || !is_news(*one.rule, one.node)) return;
        std::vector<std::string> kept;
        Holes holes;
        Holes exact;
        kept.reserve(one.captures.size());
        const auto& names = language_.query.captures();
        const Place* at = nullptr;
        for (const auto& [capture, place] : one.captures) {
            kept.push_back(shown(text(place)));
            holes.emplace_back(names[capture], kept.back());
            exact.emplace_back(names[capture], text(place));
            if (one.rule->fix && names[capture] == one.rule->fix->at) at = &place;
        }
        Issue issue = begin(*one.rule, one.here, holes);
        if (at != nullptr) issue.fix = fix_of(*one.rule->fix, *at, exact);
        issues_.push_back(std::move(issue));
    }

    /// Not each error of such a language is told, but none is a place to look for faults.
    void add_doubtful_lines() {
        constexpr std::size_t kMost = 400;
        for (const auto& part : document_.parts()) {
            for (const Break& one : part->facts.breaks) {
                const std::uint32_t last = source_.line_of(part->begin + one.found.end);
                for (std::uint32_t line = source_.line_of(part->begin + one.found.start);
                     line <= last && broken_.size() < kMost; ++line)
                    broken_.push_back(line);
            }
        }
    }

    /// Where the parser had to guess, what looks like a fault may be its guess.
    bool is_in_broken(const Place& place) const {
        if (broken_.empty()) return false;
        const std::uint32_t first = source_.line_of(begin_ + place.start);
        const std::uint32_t last = source_.line_of(begin_ + place.end);
        return std::any_of(broken_.begin(), broken_.end(), [&](std::uint32_t line) {
            return line + 1 >= first && line <= last + 1;
        });
    }

    void tell_unused(const Definition& one) {
        const std::string& ignored = language_.ignored_prefix;
        if (!ignored.empty() && one.kind != "import" && text(one.name).starts_with(ignored)) return;
        if (!is_news(*one.rule, kNames + one.name.start)) return;
        const std::string name = shown(text(one.name));
        Issue issue = begin(*one.rule, one.name, {{"name", name}});
        if (one.rule->fix && one.whole.end > one.whole.start)
            issue.fix = fix_of(*one.rule->fix, one.whole, {});
        issues_.push_back(std::move(issue));
    }

    void tell_unused_inside(const Facts& facts) {
        for (const std::uint32_t i : facts.unused) {
            if (!document_.is_quoted(facts.definitions[i].word)) tell_unused(facts.definitions[i]);
        }
    }

    /// What is defined for the whole file or class.
    void tell_unused_outside(const Facts& facts, const std::vector<std::uint32_t>& containers) {
        for (const Definition& one : facts.definitions) {
            if (one.rule == nullptr || one.scope >= containers.size() ||
                one.name.start == one.name.end)
                continue;
            if (budget_.is_spent()) budget_.truncated = true;
            else if (document_.is_unused(containers[one.scope], one.word)) tell_unused(one);
        }
    }

    void tell_undefined(const Facts& facts) {
        for (const Reference& one : facts.references) {
            if (document_.is_builtin(one.word) || document_.is_defined(one)) continue;
            if (!is_news(*one.rule, kNames + one.name.start)) continue;
            const std::string name = shown(text(one.name));
            issues_.push_back(begin(*one.rule, one.name, {{"name", name}}));
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
        issue.start = begin_ + function.place.start;
        const std::uint32_t line = source_.line_of(issue.start);
        issue.end = std::min(begin_ + function.place.end,
                             source_.line_start(line) +
                                 static_cast<std::uint32_t>(source_.line(line).size()));
        issue.message = filled(language_.word(rule, tongue_), holes);
        issue.suggestion = filled(language_.word(std::string(rule) + "-advice", tongue_), holes);
        issue.rule = rule;
        issue.category = "size";
        issues_.push_back(std::move(issue));
    }

    /// What is too long may hold something that can be taken out.
    void add_hint(const Extract& found) {
        Issue::Hint hint;
        hint.first_line = source_.line_of(begin_ + found.place.start);
        hint.last_line = source_.line_of(begin_ + found.place.end);
        std::string names;
        for (const Place& name : found.names) {
            hint.names.push_back(shown(text(name)));
            names += (names.empty() ? "" : ", ") + hint.names.back();
        }
        const std::string first = std::to_string(hint.first_line + 1);
        const std::string last = std::to_string(hint.last_line + 1);
        const char* word = names.empty() ? "extract-alone" : "extract";
        Issue& issue = issues_.back();
        issue.suggestion = filled(language_.word(word, tongue_),
                                  {{"first", first}, {"last", last}, {"names", names}});
        issue.extract = std::move(hint);
    }

    void tell_sizes(const Facts& facts) {
        const Thresholds& most = language_.thresholds;
        for (const FunctionMetrics& one : facts.functions) {
            too_much("too-complex", one.cyclomatic, most.cyclomatic, one);
            too_much("too-tangled", one.cognitive, most.cognitive, one);
            const std::size_t before = issues_.size();
            too_much("too-long", one.lines, most.function_lines, one);
            if (one.extract && issues_.size() > before) add_hint(*one.extract);
            too_much("too-deep", one.nesting, most.nesting, one);
            too_much("too-many-parameters", one.parameters, most.parameters, one);
        }
    }

    const Document& document_;
    const Language& language_;
    const Source& source_;
    Tongue tongue_;
    Budget& budget_;
    std::uint32_t begin_ = 0;      ///< of the part that is told of
    bool names_are_known_ = false; ///< nothing keeps them from being seen
    std::vector<Issue> issues_{};
    std::set<std::pair<const Rule*, std::uint64_t>> said_{};
    std::vector<std::uint32_t> broken_{}; ///< lines
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

std::vector<Issue> find_issues(const Document& document, Tongue tongue, Budget& budget) {
    return Finder(document, tongue, budget).find();
}

} // namespace cloister::analyst
