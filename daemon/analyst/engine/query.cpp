// Compiling and running. Predicates are in predicates.cpp.
#include "daemon/analyst/engine/query.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <stdexcept>

namespace cloister::analyst {
namespace {

struct Name {
    std::string_view text;
    Predicate::Kind kind;
};

constexpr Name kNames[] = {
    {"eq", Predicate::Kind::equal},          {"any-of", Predicate::Kind::one_of},
    {"like", Predicate::Kind::like},         {"same", Predicate::Kind::same},
    {"pure", Predicate::Kind::pure},         {"inside", Predicate::Kind::inside},
    {"within", Predicate::Kind::within},     {"has", Predicate::Kind::has},
    {"parent", Predicate::Kind::parent},     {"kind", Predicate::Kind::kind},
    {"count", Predicate::Kind::count},       {"field", Predicate::Kind::field},
    {"last", Predicate::Kind::last},         {"bound", Predicate::Kind::bound},
    {"repeated", Predicate::Kind::repeated},
};

[[noreturn]] void fail(const std::string& place, const std::string& sentence) {
    throw std::runtime_error(place + ": " + sentence);
}

const char* fault(TSQueryError error) {
    switch (error) {
    case TSQueryErrorSyntax: return "the query's syntax is wrong";
    case TSQueryErrorNodeType: return "the grammar has no such node";
    case TSQueryErrorField: return "the grammar has no such field";
    case TSQueryErrorCapture: return "no such capture";
    case TSQueryErrorStructure: return "this pattern can never match";
    case TSQueryErrorLanguage: return "the grammar does not fit the parser";
    case TSQueryErrorNone: break;
    }
    return "an unknown fault";
}

bool takes_kinds(Predicate::Kind asked) {
    using Kind = Predicate::Kind;
    return asked == Kind::inside || asked == Kind::within || asked == Kind::has ||
           asked == Kind::parent || asked == Kind::kind;
}

/// All symbols of that name: aliases and supertypes make several.
std::vector<bool> symbols_of(const TSLanguage* language, const std::vector<std::string>& names,
                             const std::string& place) {
    std::vector<bool> symbols(::ts_language_symbol_count(language));
    for (const std::string& name : names) {
        bool found = false;
        for (std::size_t symbol = 0; symbol < symbols.size(); ++symbol) {
            const char* known = ::ts_language_symbol_name(language, static_cast<TSSymbol>(symbol));
            if (known == nullptr || name != known) continue;
            // Whether the place is named or a word of the language, the name tells apart.
            symbols[symbol] = found = true;
        }
        if (!found) fail(place, "the grammar has no node '" + name + "'");
    }
    return symbols;
}

constexpr Index kNodesBetweenLooks = 256;

struct DeleteCursor {
    void operator()(TSQueryCursor* cursor) const { ::ts_query_cursor_delete(cursor); }
};

bool is_over(TSQueryCursorState* state) {
    auto* budget = static_cast<Budget*>(state->payload);
    if (!budget->is_spent()) return false;
    budget->truncated = true;
    return true;
}

} // namespace

namespace {

/// Where a byte of all pieces together is.
std::string place_in(const std::vector<QueryPiece>& pieces, std::size_t byte) {
    for (const QueryPiece& piece : pieces) {
        if (byte <= piece.text.size()) {
            const auto end = piece.text.begin() + static_cast<std::ptrdiff_t>(byte);
            return piece.place + ":" +
                   std::to_string(std::count(piece.text.begin(), end, '\n') + 1);
        }
        byte -= piece.text.size() + 1;
    }
    return "behind the end";
}

} // namespace

Query::Query(const TSLanguage* language, const std::vector<QueryPiece>& pieces) {
    std::string text;
    std::vector<std::size_t> begins;
    for (const QueryPiece& piece : pieces) {
        begins.push_back(text.size());
        text += piece.text + "\n";
    }
    std::uint32_t offset = 0;
    TSQueryError error = TSQueryErrorNone;
    query_.reset(::ts_query_new(language, text.data(), static_cast<std::uint32_t>(text.size()),
                                &offset, &error));
    if (!query_) {
        fail(place_in(pieces, offset),
             std::string(fault(error)) + " at '" + text.substr(offset, 30) + "'");
    }
    for (std::uint32_t i = 0; i < ::ts_query_capture_count(query_.get()); ++i) {
        std::uint32_t size = 0;
        const char* name = ::ts_query_capture_name_for_id(query_.get(), i, &size);
        captures_.emplace_back(name, size);
    }
    const std::uint32_t count = ::ts_query_pattern_count(query_.get());
    predicates_.resize(count);
    properties_.resize(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint32_t byte = ::ts_query_start_byte_for_pattern(query_.get(), i);
        while (firsts_.size() < pieces.size() && begins[firsts_.size()] <= byte)
            firsts_.push_back(i);
        const std::string place = place_in(pieces, byte);
        // Parts of a source are looked at one by one.
        if (!::ts_query_is_pattern_rooted(query_.get(), i))
            fail(place, "a pattern has one node at its top");
        read_predicates(language, i, place);
        const std::uint32_t end = ::ts_query_end_byte_for_pattern(query_.get(), i);
        take_plain(language, std::string_view(text).substr(byte, end - byte), i);
    }
    firsts_.resize(pieces.size(), count);
}

namespace {

/// Reads `(kind)`, `[(kind) (kind)]` or one of them in parentheses with predicates, and the
/// captures behind it; nothing else is plain.
class PlainPattern {
public:
    explicit PlainPattern(std::string_view text) : text_(text) {}

    bool read() {
        const bool wrapped = text_.starts_with("((") || text_.starts_with("([");
        if (wrapped) ++at_;
        if (take('[')) {
            while (!take(']'))
                if (!read_kind()) return false;
        } else if (!read_kind()) {
            return false;
        }
        while (take('@')) captures.push_back(word());
        skip();
        if (!wrapped) return at_ == text_.size();
        return has_only_predicates(text_.substr(at_));
    }

    std::vector<std::string_view> kinds{};
    std::vector<std::string_view> captures{};

private:
    static bool has_only_predicates(std::string_view rest) {
        bool quoted = false;
        for (std::size_t i = 0; i < rest.size(); ++i) {
            if (quoted && rest[i] == '\\') ++i;
            else if (rest[i] == '"') quoted = !quoted;
            else if (!quoted && rest[i] == '(' && !rest.substr(i).starts_with("(#")) return false;
            else if (!quoted && rest[i] == '[') return false;
        }
        return true;
    }
    void skip() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    }
    bool take(char wanted) {
        skip();
        if (at_ >= text_.size() || text_[at_] != wanted) return false;
        ++at_;
        return true;
    }
    std::string_view word() {
        const std::size_t begin = at_;
        while (at_ < text_.size() && text_[at_] != ' ' && text_[at_] != '\n' && text_[at_] != '(' &&
               text_[at_] != ')')
            ++at_;
        return text_.substr(begin, at_ - begin);
    }
    bool read_kind() {
        if (!take('(')) return false;
        kinds.push_back(word());
        return take(')') && !kinds.back().empty();
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

} // namespace

void Query::take_plain(const TSLanguage* language, std::string_view text, std::uint32_t pattern) {
    PlainPattern read(text);
    if (!read.read() || read.captures.empty()) return;
    std::set<TSSymbol> symbols;
    for (const std::string_view kind : read.kinds) {
        const TSSymbol symbol = ::ts_language_symbol_for_name(
            language, kind.data(), static_cast<std::uint32_t>(kind.size()), true);
        // Kinds that stand for several others, and `_`, are left to tree-sitter.
        if (symbol == 0 || ::ts_language_symbol_type(language, symbol) != TSSymbolTypeRegular)
            return;
        symbols.insert(symbol);
    }
    Plain made;
    made.pattern = pattern;
    for (const std::string_view name : read.captures) {
        if (const std::uint32_t number = capture(name); number < captures_.size())
            made.captures.push_back(number);
    }
    plain_.resize(::ts_language_symbol_count(language));
    for (const TSSymbol symbol : symbols) plain_[symbol].push_back(made);
    ::ts_query_disable_pattern(query_.get(), pattern);
}

std::string Query::string_value(std::uint32_t id) const {
    std::uint32_t size = 0;
    const char* value = ::ts_query_string_value_for_id(query_.get(), id, &size);
    return {value, size};
}

std::uint32_t Query::capture(std::string_view name) const {
    const auto found = std::find(captures_.begin(), captures_.end(), name);
    return found == captures_.end() ? ~std::uint32_t{0}
                                    : static_cast<std::uint32_t>(found - captures_.begin());
}

const std::string& Query::property(std::uint32_t pattern, const std::string& key) const {
    static const std::string kNothing;
    const auto found = properties_[pattern].find(key);
    return found == properties_[pattern].end() ? kNothing : found->second;
}

void Query::read_predicates(const TSLanguage* language, std::uint32_t pattern,
                            const std::string& place) {
    std::uint32_t count = 0;
    const TSQueryPredicateStep* steps =
        ::ts_query_predicates_for_pattern(query_.get(), pattern, &count);
    const std::span all(steps, count);
    for (std::size_t begin = 0; begin < all.size();) {
        std::size_t end = begin;
        while (all[end].type != TSQueryPredicateStepTypeDone) ++end;
        read_predicate(language, pattern, all.subspan(begin, end - begin), place);
        begin = end + 1;
    }
}

void Query::read_predicate(const TSLanguage* language, std::uint32_t pattern,
                           std::span<const TSQueryPredicateStep> steps, const std::string& place) {
    std::string name = string_value(steps[0].value_id);
    std::vector<std::string> texts;
    std::vector<std::uint32_t> captures;
    for (const TSQueryPredicateStep& step : steps.subspan(1)) {
        if (step.type == TSQueryPredicateStepTypeCapture) captures.push_back(step.value_id);
        else texts.push_back(string_value(step.value_id));
    }
    if (name == "set!") {
        if (texts.size() != 2) fail(place, "#set! takes a key and a value");
        properties_[pattern][texts[0]] = texts[1];
        return;
    }
    Predicate made;
    if (name.ends_with('?')) name.pop_back();
    if (name.starts_with("not-")) {
        made.wanted = false;
        name = name.substr(4);
    }
    const auto known = std::find_if(std::begin(kNames), std::end(kNames),
                                    [&](const Name& one) { return one.text == name; });
    if (known == std::end(kNames)) fail(place, "no predicate is called #" + name + "?");
    if (captures.empty()) fail(place, "#" + name + "? needs a capture");
    made.kind = known->kind;
    made.capture = captures[0];
    if (captures.size() > 1) made.other = captures[1];
    made.texts = texts;
    if (takes_kinds(made.kind)) made.symbols = symbols_of(language, texts, place);
    if (made.kind == Predicate::Kind::same && captures.size() != 2)
        fail(place, "#same? takes two captures");
    if (made.kind == Predicate::Kind::field) {
        made.field =
            texts.size() == 1
                ? ::ts_language_field_id_for_name(language, texts[0].data(),
                                                  static_cast<std::uint32_t>(texts[0].size()))
                : TSFieldId{0};
        if (made.field == 0) fail(place, "#field? takes the name of a field");
    }
    if (made.kind == Predicate::Kind::count) {
        const char* const end = texts.size() == 1 ? texts[0].data() + texts[0].size() : nullptr;
        if (end == nullptr || std::from_chars(texts[0].data(), end, made.number).ptr != end)
            fail(place, "#count? takes a number");
    }
    predicates_[pattern].push_back(std::move(made));
}

/// One cursor serves all: what it has allocated once it keeps. There is one thread.
TSQueryCursor* Query::begin(TSNode root, std::uint32_t depth, Budget& budget) const {
    static const std::unique_ptr<TSQueryCursor, DeleteCursor> kCursor(::ts_query_cursor_new());
    // tree-sitter looks at these as long as the query runs.
    static TSQueryCursorOptions options{};
    options = {.payload = &budget, .progress_callback = is_over};
    ::ts_query_cursor_set_match_limit(kCursor.get(), Budget::kMatches);
    ::ts_query_cursor_set_max_start_depth(kCursor.get(), depth);
    ::ts_query_cursor_exec_with_options(kCursor.get(), query_.get(), root, &options);
    return kCursor.get();
}

void Query::run(const Subject& subject, TSNode root, Budget& budget,
                const std::function<void(const Match&)>& take) const {
    TSQueryCursor* const cursor = begin(root, ~std::uint32_t{0}, budget);
    Judge judge(subject);
    TSQueryMatch found;
    Match match;
    match.nodes.assign(captures_.size(), kNone);
    while (::ts_query_cursor_next_match(cursor, &found)) {
        match.pattern = found.pattern_index;
        for (const std::uint32_t capture : match.used) match.nodes[capture] = kNone;
        match.used.clear();
        for (std::uint16_t i = 0; i < found.capture_count; ++i)
            add(match, found.captures[i], subject.tree);
        if (judge.holds(predicates_[found.pattern_index], match)) take(match);
        if (budget.is_spent()) {
            budget.truncated = true;
            break;
        }
    }
    if (::ts_query_cursor_did_exceed_match_limit(cursor)) budget.truncated = true;
    for (const std::uint32_t capture : match.used) match.nodes[capture] = kNone;
    const Tree& tree = subject.tree;
    for (Index i = tree.top(); i < tree.size() && !plain_.empty(); ++i) {
        if (tree[i].symbol >= plain_.size() || !tree[i].named) continue;
        for (const Plain& one : plain_[tree[i].symbol]) {
            match.pattern = one.pattern;
            match.used = one.captures;
            for (const std::uint32_t capture : match.used) match.nodes[capture] = i;
            if (judge.holds(predicates_[one.pattern], match)) take(match);
            for (const std::uint32_t capture : match.used) match.nodes[capture] = kNone;
        }
        if (i % kNodesBetweenLooks == 0 && budget.is_spent()) {
            budget.truncated = true;
            break;
        }
    }
}

void Query::add(Match& match, const TSQueryCapture& capture, const Tree& tree) {
    Index& place = match.nodes[capture.index];
    if (place != kNone) return; // of several the first
    place = tree.find(capture.node);
    if (place != kNone) match.used.push_back(capture.index);
}

void Query::run_at(TSNode root, Budget& budget,
                   const std::function<void(const TSQueryMatch&)>& take) const {
    TSQueryCursor* const cursor = begin(root, 0, budget);
    TSQueryMatch found;
    while (::ts_query_cursor_next_match(cursor, &found)) take(found);
    if (::ts_query_cursor_did_exceed_match_limit(cursor)) budget.truncated = true;
    const TSSymbol symbol = ::ts_node_symbol(root);
    if (symbol >= plain_.size()) return;
    for (const Plain& one : plain_[symbol]) {
        std::vector<TSQueryCapture> captures;
        for (const std::uint32_t capture : one.captures) captures.push_back({root, capture});
        found = {};
        found.pattern_index = static_cast<std::uint16_t>(one.pattern);
        found.capture_count = static_cast<std::uint16_t>(captures.size());
        found.captures = captures.data();
        take(found);
    }
}

} // namespace cloister::analyst
