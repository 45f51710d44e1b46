// What could stand at a place: members behind a dot, else names that can be seen from there, then
// words of the language and snippets. Nothing inside strings and comments. Where nothing is typed
// yet, what would mend the line.
#include "daemon/analyst/engine/analysis.h"
#include "daemon/analyst/engine/issues.h"

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

namespace cloister::analyst {
namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t kMaxSuggestions = 50;

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

struct Suggestion {
    std::string label;
    std::string insert;
    std::string kind;
    std::string detail;
    std::string source;
    double score = 0;
    std::optional<std::pair<std::uint32_t, std::uint32_t>> range{}; ///< instead of what is typed
};

class Completing {
public:
    Completing(const Language& language, const Asked& asked, Budget& budget)
        : language_(language), asked_(asked), source_(asked.content), budget_(budget),
          cursor_(source_.byte(asked.position)) {}

    std::vector<Suggestion> find() {
        find_prefix();
        const auto tree = Tree::parse(language_.grammar, source_, budget_);
        if (!tree || is_quiet(*tree)) return {};
        const Scopes scopes(language_, source_, *tree, budget_);
        if (start_ > 0 && source_.text()[start_ - 1] == '.') add_members(*tree, scopes);
        else add_names(*tree, scopes);
        std::vector<Suggestion> all = ranked();
        if (prefix_.empty()) add_fixes(*tree, scopes, all);
        return all;
    }

    std::uint32_t start() const { return start_; }
    std::uint32_t cursor() const { return cursor_; }
    const Source& source() const { return source_; }

private:
    void find_prefix() {
        start_ = cursor_;
        const std::string_view text = source_.text();
        while (start_ > 0 && is_word(text[start_ - 1])) --start_;
        prefix_ = text.substr(start_, cursor_ - start_);
    }

    /// True inside a string or comment, unless code is embedded there. A place right behind the
    /// closing quote is outside.
    bool is_quiet(const Tree& tree) const {
        if (!prefix_.empty() && prefix_.front() >= '0' && prefix_.front() <= '9') return true;
        const std::uint32_t place = cursor_;
        Index at = tree.at(place);
        for (unsigned i = 0; at != kNone && i < 256; ++i, at = tree[at].parent) {
            const Node& node = tree[at];
            if (language_.interpolated.has(node.symbol) && node.start < place) return false;
            const bool within = node.start < place && place < node.end;
            // A comment goes to the end of its line, and so does whoever writes it.
            if (language_.comments.has(node.symbol) && node.start < place &&
                (within || source_.line_of(node.start) == source_.line_of(place)))
                return true;
            if (language_.quiet.has(node.symbol) && within) return true;
        }
        return is_open_string();
    }

    /// A string that is not closed yet is no string for the parser.
    bool is_open_string() const {
        const std::uint32_t line = source_.line_of(cursor_);
        char quote = '\0';
        for (std::uint32_t i = source_.line_start(line); i < cursor_; ++i) {
            const char c = source_.text()[i];
            if (quote != '\0' && c == '\\') ++i;
            else if (quote != '\0' && c == quote) quote = '\0';
            else if (quote == '\0' && (c == '"' || c == '\'')) quote = c;
        }
        return quote != '\0';
    }

    /// How well the label fits what is typed; 0: not at all.
    double fit(std::string_view label) const {
        if (label.size() < prefix_.size() || label == prefix_) return 0;
        bool exact = true;
        for (std::size_t i = 0; i < prefix_.size(); ++i) {
            if (lower(label[i]) != lower(prefix_[i])) return 0;
            exact = exact && label[i] == prefix_[i];
        }
        return exact ? 1.0 : 0.7;
    }

    void add(std::string_view label, std::string insert, std::string_view kind, std::string detail,
             std::string_view source, double weight) {
        const double fits = fit(label);
        if (fits <= 0) return;
        Suggestion made{.label = std::string(label),
                        .insert = insert.empty() ? std::string(label) : std::move(insert),
                        .kind = std::string(kind),
                        .detail = std::move(detail),
                        .source = std::string(source),
                        .score = fits * weight};
        const auto [known, fresh] = found_.try_emplace(made.label, made);
        if (!fresh && known->second.score < made.score) known->second = std::move(made);
    }

    void add_names(const Tree&, const Scopes& scopes) {
        const std::size_t here = scopes.scope_at(start_);
        for (const Definition& one : scopes.definitions()) {
            if (one.kind == "member") continue;
            if (one.name != kNone && is_at_cursor(scopes, one)) continue;
            const double near = nearness(scopes, here, one.scope);
            if (near <= 0) continue;
            add(one.text, "", one.kind, "", "scope", 10 * near);
        }
        for (const std::string& word : language_.builtins)
            add(word, "", "builtin", "", "language", 4);
        for (const std::string& word : language_.keywords)
            add(word, "", "keyword", "", "language", 5);
        if (!at_line_start()) return;
        for (const Snippet& one : language_.snippets)
            add(one.label, indented(one.insert), "snippet",
                one.detail.at(static_cast<std::size_t>(asked_.tongue)), "language", 4.5);
    }

    /// The word that is being typed is no suggestion for itself.
    bool is_at_cursor(const Scopes&, const Definition& one) const {
        return one.text == prefix_ && one.text.data() == source_.text().data() + start_;
    }

    /// 1 for the innermost scope, less further out, 0 where the name cannot be seen.
    static double nearness(const Scopes& scopes, std::size_t here, std::size_t wanted) {
        double near = 1;
        for (std::size_t at = here;; at = scopes.scopes()[at].parent, near *= 0.9) {
            const bool members = scopes.scopes()[at].is_class && at != here;
            if (at == wanted) return members ? 0 : near;
            if (at == 0) return 0;
        }
    }

    bool at_line_start() const {
        const std::uint32_t line = source_.line_start(source_.line_of(start_));
        return source_.slice(line, start_).find_first_not_of(" \t") == std::string_view::npos;
    }

    std::string indented(const std::string& text) const {
        const std::uint32_t line = source_.line_start(source_.line_of(start_));
        const std::string margin(source_.slice(line, start_));
        std::string out;
        for (const char c : text) {
            out += c;
            if (c == '\n') out += margin;
        }
        return out;
    }

    void add_members(const Tree& tree, const Scopes& scopes) {
        std::uint32_t begin = start_ - 1;
        while (begin > 0 && is_word(source_.text()[begin - 1])) --begin;
        const std::string_view object = source_.slice(begin, start_ - 1);
        if (!language_.receiver.empty() && object == language_.receiver) add_own(tree, scopes);
        const auto known = language_.members.find(object);
        if (known != language_.members.end()) {
            for (const Member& one : known->second)
                add(one.name, "", "member", one.detail, "library",
                    one.name.starts_with('_') ? 2 : 6);
        } else {
            add_seen(tree, object);
        }
    }

    /// Members of the class around the place.
    void add_own(const Tree& tree, const Scopes& scopes) {
        std::size_t around = scopes.scope_at(start_);
        while (around != 0 && !scopes.scopes()[around].is_class)
            around = scopes.scopes()[around].parent;
        if (around == 0) return;
        const Node& type = tree[scopes.scopes()[around].node];
        for (const Definition& one : scopes.definitions()) {
            const Node& name = tree[one.name];
            const bool inside = type.start <= name.start && name.end <= type.end;
            if (!inside || one.text.data() == source_.text().data() + start_) continue;
            if (one.scope == around || one.kind == "member")
                add(one.text, "", one.kind == "member" ? "field" : one.kind, "", "scope", 9);
        }
    }

    /// Of an object that nothing is known about: what the file calls on anything by that name.
    void add_seen(const Tree& tree, std::string_view object) {
        for (Index i = 0; i + 2 < tree.size(); ++i) {
            if (!tree.is_leaf(i) || source_.slice(tree[i].start, tree[i].end) != object) continue;
            Index dot = i + 1;
            while (dot < tree.size() && !tree.is_leaf(dot)) ++dot;
            Index name = dot + 1;
            while (name < tree.size() && !tree.is_leaf(name)) ++name;
            if (name >= tree.size() || source_.slice(tree[dot].start, tree[dot].end) != ".")
                continue;
            if (tree[name].start == start_ || !language_.identifiers.has(tree[name].symbol))
                continue;
            add(source_.slice(tree[name].start, tree[name].end), "", "member", "", "scope", 7);
        }
    }

    /// Edits that mend something on this line: certain ones come first.
    void add_fixes(const Tree& tree, const Scopes& scopes, std::vector<Suggestion>& all) {
        const Metrics metrics = measure(language_, source_, tree, budget_);
        const Inspection inspection{language_, source_, tree, scopes, metrics, asked_.tongue};
        std::vector<Suggestion> fixes;
        for (const Issue& issue : find_issues(inspection, budget_)) {
            if (!issue.fix || source_.line_of(issue.start) != source_.line_of(cursor_)) continue;
            fixes.push_back({.label = issue.suggestion,
                             .insert = issue.fix->text,
                             .kind = "fix",
                             .detail = issue.message,
                             .source = "rule " + issue.rule,
                             .score = 20,
                             .range = std::pair(issue.fix->start, issue.fix->end)});
        }
        all.insert(all.begin(), fixes.begin(), fixes.end());
    }

    std::vector<Suggestion> ranked() {
        std::vector<Suggestion> all;
        for (auto& [label, one] : found_) all.push_back(std::move(one));
        std::stable_sort(
            all.begin(), all.end(),
            [](const Suggestion& one, const Suggestion& other) { return one.score > other.score; });
        if (all.size() > kMaxSuggestions) all.resize(kMaxSuggestions);
        return all;
    }

    const Language& language_;
    const Asked& asked_;
    Source source_;
    Budget& budget_;
    std::uint32_t cursor_ = 0;
    std::uint32_t start_ = 0;
    std::string_view prefix_{};
    std::map<std::string, Suggestion> found_{};
};

json position_json(Position position) {
    return {{"line", position.line}, {"column", position.column}};
}

} // namespace

std::string suggest(const Language& language, const Asked& asked, Budget budget) {
    count_allocations();
    Completing completing(language, asked, budget);
    json out = json::array();
    for (const Suggestion& one : completing.find()) {
        const auto [first, last] =
            one.range.value_or(std::pair(completing.start(), completing.cursor()));
        const json range = {{"start", position_json(completing.source().position(first))},
                            {"end", position_json(completing.source().position(last))}};
        out.push_back({{"label", one.label},
                       {"insert", one.insert},
                       {"kind", one.kind},
                       {"detail", one.detail},
                       {"range", range},
                       {"source", one.source},
                       {"score", one.score}});
    }
    return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace cloister::analyst
