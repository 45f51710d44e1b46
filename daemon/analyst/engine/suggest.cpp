// What could stand at a place: members behind a dot, else names that can be seen from there, then
// words of the language and snippets. Nothing inside strings and comments. Where nothing is typed
// yet, what would mend the line.
#include "daemon/analyst/engine/analysis.h"
#include "daemon/analyst/engine/issues.h"
#include "daemon/analyst/engine/writer.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace cloister::analyst {
namespace {

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
    Completing(const Document& document, Position position, Tongue tongue, Budget& budget)
        : document_(document), language_(document.language()), source_(document.source()),
          tongue_(tongue), budget_(budget), cursor_(source_.byte(position)) {}

    std::vector<Suggestion> find() {
        find_prefix();
        if (is_quiet()) return {};
        find_scopes();
        if (is_behind(".") || is_behind("::")) add_members();
        else add_names();
        std::vector<Suggestion> all = ranked();
        if (prefix_.empty()) add_fixes(all);
        return all;
    }

    std::uint32_t start() const { return start_; }
    std::uint32_t cursor() const { return cursor_; }

private:
    /// A scope that can be seen from the place: of a part, or of a container.
    struct Seen {
        const Document::Part* part = nullptr;
        std::uint32_t number = 0; ///< of the part's scope, or of the container
        bool is_class = false;
    };

    /// The innermost first.
    void find_scopes() {
        const Document::Part* part = document_.part_at(start_);
        // Where two parts meet, what is typed belongs to the second.
        if (part != nullptr && part->begin + part->size == start_) {
            const Document::Part* next = document_.part_at(start_ + 1);
            if (next != nullptr && next->begin == start_) part = next;
        }
        std::uint32_t container = document_.container_at(start_);
        if (part != nullptr) {
            container = part->container;
            const auto outer =
                static_cast<std::uint32_t>(document_.containers()[container]->scopes.size());
            const auto& scopes = part->facts.scopes;
            // The last that begins before the place and ends behind it is the innermost.
            std::uint32_t found = outer - 1;
            for (std::uint32_t i = outer; i < scopes.size(); ++i) {
                const Place& place = scopes[i].place;
                if (part->begin + place.start <= start_ && start_ <= part->begin + place.end)
                    found = i;
            }
            for (; found >= outer; found = scopes[found].parent)
                seen_.push_back({part, found, scopes[found].is_class});
        }
        const auto& outside = document_.containers()[container]->scopes;
        for (auto at = outside.rbegin(); at != outside.rend(); ++at)
            seen_.push_back({nullptr, *at, document_.containers()[*at]->opens == 3});
    }

    /// The place among seen_ of the scope that a part defines something in; its size: none.
    std::size_t place_of(const Document::Part* part, const std::vector<std::uint32_t>& outside,
                         std::uint32_t scope) const {
        const bool is_outer = scope < outside.size();
        for (std::size_t i = 0; i < seen_.size(); ++i) {
            const bool same = is_outer
                                  ? seen_[i].part == nullptr && seen_[i].number == outside[scope]
                                  : seen_[i].part == part && seen_[i].number == scope;
            if (same) return i;
        }
        return seen_.size();
    }

    /// Calls back with each definition, where its part begins, and its place among seen_.
    template <typename Take>
    void each_definition(Take&& take) const {
        for (const auto& one : document_.containers()) {
            for (const Definition& each : one->facts.definitions)
                take(each, one->begin, place_of(nullptr, one->scopes, each.scope));
        }
        for (const auto& one : document_.parts()) {
            const auto& outside = document_.containers()[one->container]->scopes;
            for (const Definition& each : one->facts.definitions)
                take(each, one->begin, place_of(one.get(), outside, each.scope));
        }
    }

    void find_prefix() {
        start_ = cursor_;
        const std::string_view text = source_.text();
        while (start_ > 0 && is_word(text[start_ - 1])) --start_;
        prefix_ = text.substr(start_, cursor_ - start_);
    }

    /// True inside a string or comment, unless code is embedded there. A place right behind the
    /// closing quote is outside.
    bool is_quiet() const {
        if (!prefix_.empty() && prefix_.front() >= '0' && prefix_.front() <= '9') return true;
        const Document::Part* part = document_.part_at(cursor_);
        if (part == nullptr) return is_open_string();
        const Tree& tree = part->tree;
        const std::uint32_t place = cursor_ - part->begin;
        Index at = tree.at(place);
        for (unsigned i = 0; at != kNone && i < 256; ++i, at = tree[at].parent) {
            const Node& node = tree[at];
            if (language_.is(node.symbol, Language::kInterpolated) && node.start < place)
                return false;
            const bool within = node.start < place && place < node.end;
            // A comment goes to the end of its line, and so does whoever writes it.
            if (language_.is(node.symbol, Language::kComment) && node.start < place &&
                (within || source_.line_of(part->begin + node.start) == source_.line_of(cursor_)))
                return true;
            if (language_.is(node.symbol, Language::kQuiet) && within) return true;
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

    bool is_behind(std::string_view operation) const {
        return source_.text().substr(0, start_).ends_with(operation);
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

    void add_names() {
        each_definition([&](const Definition& one, std::uint32_t begin, std::size_t place) {
            if (one.kind == "member" || place == seen_.size() || is_at_cursor(one, begin)) return;
            const bool members = seen_[place].is_class && place > 0;
            if (members) return; // not seen by the functions in it
            add(text_of(one, begin), "", one.kind, "", "scope", 10 * std::pow(0.9, place));
        });
        for (const std::string& word : language_.builtins)
            add(word, "", "builtin", "", "language", 4);
        for (const std::string& word : language_.keywords)
            add(word, "", "keyword", "", "language", 5);
        if (!language_.header_lines.empty() && !prefix_.empty()) add_headers();
        if (!at_line_start()) return;
        for (const Snippet& one : language_.snippets)
            add(one.label, indented(one.insert), "snippet",
                one.detail.at(static_cast<std::size_t>(tongue_)), "language", 4.5);
    }

    /// What the headers that the file names declare.
    void add_headers() {
        for (std::uint32_t i = 0; i < source_.lines(); ++i) {
            const std::string_view line = source_.line(i);
            if (!line.starts_with(language_.header_lines)) continue;
            const std::size_t open = line.find('<');
            const std::size_t close = line.find('>');
            if (open >= close || close == std::string_view::npos) continue;
            const auto known = language_.members.find(line.substr(open + 1, close - open - 1));
            if (known == language_.members.end()) continue;
            for (const Member& one : known->second)
                add(one.name, "", "function", one.detail, "library", 6);
        }
    }

    std::string_view text_of(const Definition& one, std::uint32_t begin) const {
        return source_.slice(begin + one.name.start, begin + one.name.end);
    }

    /// The word that is being typed is no suggestion for itself.
    bool is_at_cursor(const Definition& one, std::uint32_t begin) const {
        return begin + one.name.start == start_ && text_of(one, begin) == prefix_;
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

    void add_members() {
        const std::uint32_t end = start_ - (is_behind("::") ? 2 : 1);
        std::uint32_t begin = end;
        while (begin > 0 && is_word(source_.text()[begin - 1])) --begin;
        const std::string_view object = source_.slice(begin, end);
        if (!language_.receiver.empty() && object == language_.receiver) add_own();
        const auto known = language_.members.find(object);
        if (known != language_.members.end()) {
            for (const Member& one : known->second)
                add(one.name, "", "member", one.detail, "library",
                    one.name.starts_with('_') ? 2 : 6);
        } else {
            add_seen(object);
        }
    }

    /// Members of the class around the place.
    void add_own() {
        std::size_t around = 0;
        while (around < seen_.size() && !seen_[around].is_class) ++around;
        if (around == seen_.size()) return;
        const Seen& type = seen_[around];
        Place place;
        if (type.part != nullptr) {
            const Place& own = type.part->facts.scopes[type.number].place;
            place = {type.part->begin + own.start, type.part->begin + own.end};
        } else {
            const Document::Container& own = *document_.containers()[type.number];
            place = {own.begin, own.begin + own.size};
        }
        each_definition([&](const Definition& one, std::uint32_t begin, std::size_t scope) {
            const bool inside =
                place.start <= begin + one.name.start && begin + one.name.end <= place.end;
            if (!inside || begin + one.name.start == start_) return;
            if (scope == around || one.kind == "member")
                add(text_of(one, begin), "", one.kind == "member" ? "field" : one.kind, "", "scope",
                    9);
        });
    }

    /// Of an object that nothing is known about: what the file calls on anything by that name.
    void add_seen(std::string_view object) {
        const Word wanted = document_.words().find(object);
        const Word point = document_.words().find(".");
        if (wanted == 0 || point == 0) return;
        for (const auto& part : document_.parts()) {
            const Tree& tree = part->tree;
            for (Index i = tree.top(); i + 2 < tree.size(); ++i) {
                if (tree[i].word != wanted || !tree.is_leaf(i)) continue;
                Index dot = i + 1;
                while (dot < tree.size() && !tree.is_leaf(dot)) ++dot;
                Index name = dot + 1;
                while (name < tree.size() && !tree.is_leaf(name)) ++name;
                if (name >= tree.size() || tree[dot].word != point) continue;
                if (part->begin + tree[name].start == start_ ||
                    !language_.is(tree[name].symbol, Language::kIdentifier))
                    continue;
                add(source_.slice(part->begin + tree[name].start, part->begin + tree[name].end), "",
                    "member", "", "scope", 7);
            }
        }
    }

    /// Edits that mend something on this line: certain ones come first.
    void add_fixes(std::vector<Suggestion>& all) {
        std::vector<Suggestion> fixes;
        for (const Issue& issue : find_issues(document_, tongue_, budget_)) {
            if (!issue.fix || source_.line_of(issue.start) != source_.line_of(cursor_)) continue;
            fixes.push_back({.label = issue.suggestion,
                             .insert = issue.fix->text,
                             .kind = "fix",
                             .detail = issue.message,
                             .source = "rule " + std::string(issue.rule),
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

    const Document& document_;
    const Language& language_;
    const Source& source_;
    Tongue tongue_;
    Budget& budget_;
    std::uint32_t cursor_ = 0;
    std::uint32_t start_ = 0;
    std::string_view prefix_{};
    std::vector<Seen> seen_{};
    std::map<std::string, Suggestion> found_{};
};

void write_position(Writer& out, Position position) {
    out.open('{').field("line", position.line).field("column", position.column).close('}');
}

} // namespace

std::string suggestions_of(const Document& document, Position position, Tongue tongue,
                           Budget& budget) {
    Completing completing(document, position, tongue, budget);
    Writer out;
    out.open('[');
    for (const Suggestion& one : completing.find()) {
        const auto [first, last] =
            one.range.value_or(std::pair(completing.start(), completing.cursor()));
        out.open('{').field("label", one.label).field("insert", one.insert);
        out.field("kind", one.kind).field("detail", one.detail);
        out.key("range").open('{').key("start");
        write_position(out, document.source().position(first));
        out.key("end");
        write_position(out, document.source().position(last));
        out.close('}').field("source", one.source).field("score", one.score).close('}');
    }
    return out.close(']').take();
}

std::string suggest(const Language& language, const Asked& asked, Budget budget) {
    Document document(language);
    if (!document.set_around(asked.content, asked.position, budget)) return "[]";
    return suggestions_of(document, asked.position, asked.tongue, budget);
}

} // namespace cloister::analyst
