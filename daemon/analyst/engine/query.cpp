// Compiling and running. Predicates are in predicates.cpp.
#include "daemon/analyst/engine/query.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <stdexcept>
#include <tuple>
#include <utility>

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
        take_ways(language, std::string_view(text).substr(byte, end - byte), i, place);
    }
    firsts_.resize(pieces.size(), count);
}

namespace {

/// Whether two of its matches may capture the same: by other choices, or by other children that
/// nobody captures.
bool may_repeat(const std::vector<Steps>& ways) {
    const auto repeats = [](const Steps& steps) {
        std::vector<bool> told(steps.size());
        for (std::size_t i = steps.size(); i-- > 1;) {
            told[i] = told[i] || !steps[i].captures.empty();
            if (told[i]) told[steps[i].parent] = true;
            else if (!steps[i].first_fit) return true;
        }
        return false;
    };
    return ways.size() > 1 || std::any_of(ways.begin(), ways.end(), repeats);
}

} // namespace

std::array<Query::KindSet, 2> Query::needs_of(const Steps& steps) {
    std::array<KindSet, 2> needs{};
    std::size_t count = 0;
    for (const Step& step : steps) {
        if (step.parent != 0 || step.symbols.empty() || count == needs.size()) continue;
        for (const TSSymbol symbol : step.symbols) needs[count] |= kind_bit(symbol);
        ++count;
    }
    return needs;
}

Query::KindSet Query::kinds_below(const Tree& tree, Index node) {
    KindSet kinds = 0;
    for (Index i = tree.first_child(node); i < tree.end_of(node); i = tree.end_of(i))
        kinds |= kind_bit(tree[i].symbol);
    return kinds;
}

void Query::take_ways(const TSLanguage* language, std::string_view text, std::uint32_t pattern,
                      const std::string& place) {
    const std::vector<Steps> ways = ways_of(
        language, text, [this](std::string_view name) { return capture(name); }, place);
    by_symbol_.resize(::ts_language_symbol_count(language));
    const bool is_plain = std::all_of(ways.begin(), ways.end(), [](const Steps& steps) {
        return steps.size() == 1 && steps[0].without.empty();
    });
    if (is_plain) ::ts_query_disable_pattern(query_.get(), pattern);
    const bool repeats = may_repeat(ways);
    for (const Steps& steps : ways) {
        const auto number = static_cast<std::uint32_t>(ways_.size());
        ways_.push_back(
            {.pattern = pattern, .may_repeat = repeats, .needs = needs_of(steps), .steps = steps});
        for (const TSSymbol symbol : steps[0].symbols) {
            OfSymbol& all = by_symbol_[symbol];
            std::vector<std::uint32_t>& kind = is_plain ? all.plain : all.ways;
            if (std::find(kind.begin(), kind.end(), number) == kind.end()) kind.push_back(number);
        }
    }
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

/// A match whose predicates hold: what it captures is a slice of all that was captured.
struct Query::Found {
    Index last = 0; ///< the last node that it needs: there it was known
    Index root = 0;
    std::uint32_t pattern = 0;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
};

namespace {

/// By number, each with the first node that was captured so.
using Captured = std::vector<std::pair<std::uint32_t, Index>>;

void fill(Match& match, const Captured& captured, std::size_t begin, std::size_t end) {
    for (const std::uint32_t capture : match.used) match.nodes[capture] = kNone;
    match.used.clear();
    for (std::size_t i = begin; i < end; ++i) {
        const auto [capture, node] = captured[i];
        if (match.nodes[capture] != kNone) continue;
        match.nodes[capture] = node;
        match.used.push_back(capture);
    }
}

} // namespace

/// In the order in which they become known while the tree is walked; of one place those of outer
/// nodes first, then by pattern.
std::vector<Query::Found> Query::find(const Subject& subject, Judge& judge, Match& match,
                                      Captured& captured, Budget& budget) const {
    std::vector<Found> found;
    const Tree& tree = subject.tree;
    Matcher matcher(tree);
    std::set<Captured> known; // of one pattern at one node
    std::uint32_t known_pattern = ~std::uint32_t{0};
    for (Index root = tree.top(); root < tree.size(); ++root) {
        if (root % kNodesBetweenLooks == 0 && budget.is_spent()) {
            budget.truncated = true;
            break;
        }
        if (tree[root].symbol >= by_symbol_.size()) continue;
        known_pattern = ~std::uint32_t{0};
        const std::vector<std::uint32_t>& ways = by_symbol_[tree[root].symbol].ways;
        const KindSet below = ways.empty() ? 0 : kinds_below(tree, root);
        for (const std::uint32_t number : ways) {
            const Way& way = ways_[number];
            const bool lacks = std::ranges::any_of(
                way.needs, [&](KindSet need) { return need != 0 && (need & below) == 0; });
            if (lacks) continue;
            const bool whole = matcher.find(way.steps, root, [&](std::span<const Index> nodes) {
                const std::size_t begin = captured.size();
                for (std::size_t i = 0; i < nodes.size(); ++i)
                    for (const std::uint32_t capture : way.steps[i].captures)
                        captured.emplace_back(capture, nodes[i]);
                if (way.may_repeat) {
                    if (std::exchange(known_pattern, way.pattern) != way.pattern) known.clear();
                    const auto from = captured.begin() + static_cast<std::ptrdiff_t>(begin);
                    if (!known.emplace(from, captured.end()).second) return captured.resize(begin);
                }
                fill(match, captured, begin, captured.size());
                if (!judge.holds(predicates_[way.pattern], match)) return captured.resize(begin);
                found.push_back({.last = nodes.back(),
                                 .root = root,
                                 .pattern = way.pattern,
                                 .begin = static_cast<std::uint32_t>(begin),
                                 .end = static_cast<std::uint32_t>(captured.size())});
            });
            if (!whole) budget.truncated = true;
        }
    }
    std::stable_sort(found.begin(), found.end(), [](const Found& one, const Found& other) {
        return std::tie(one.last, one.root, one.pattern) <
               std::tie(other.last, other.root, other.pattern);
    });
    return found;
}

void Query::run(const Subject& subject, Budget& budget,
                const std::function<void(const Match&)>& take) const {
    Judge judge(subject);
    Match match;
    match.nodes.assign(captures_.size(), kNone);
    Captured captured;
    for (const Found& one : find(subject, judge, match, captured, budget)) {
        match.pattern = one.pattern;
        fill(match, captured, one.begin, one.end);
        take(match);
    }
    fill(match, captured, 0, 0);
    run_plain(subject, judge, match, budget, take);
}

/// Those for which a look at the node's kind is all.
void Query::run_plain(const Subject& subject, Judge& judge, Match& match, Budget& budget,
                      const std::function<void(const Match&)>& take) const {
    const Tree& tree = subject.tree;
    for (Index i = tree.top(); i < tree.size(); ++i) {
        if (tree[i].symbol >= by_symbol_.size()) continue;
        for (const std::uint32_t number : by_symbol_[tree[i].symbol].plain) {
            const Way& one = ways_[number];
            match.pattern = one.pattern;
            match.used = one.steps[0].captures;
            for (const std::uint32_t capture : match.used) match.nodes[capture] = i;
            if (judge.holds(predicates_[one.pattern], match)) take(match);
            for (const std::uint32_t capture : match.used) match.nodes[capture] = kNone;
        }
        if (i % kNodesBetweenLooks == 0 && budget.is_spent()) {
            budget.truncated = true;
            break;
        }
    }
    match.used.clear();
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
    if (symbol >= by_symbol_.size()) return;
    for (const std::uint32_t number : by_symbol_[symbol].plain) {
        const Way& one = ways_[number];
        std::vector<TSQueryCapture> captures;
        for (const std::uint32_t capture : one.steps[0].captures)
            captures.push_back({root, capture});
        found = {};
        found.pattern_index = static_cast<std::uint16_t>(one.pattern);
        found.capture_count = static_cast<std::uint16_t>(captures.size());
        found.captures = captures.data();
        take(found);
    }
}

} // namespace cloister::analyst
