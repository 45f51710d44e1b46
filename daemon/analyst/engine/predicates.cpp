// What predicates ask. Every walk is a loop over the array, and bounded where a stranger could make
// it long: ancestors by kMaxClimb, texts by kMaxText.
#include "daemon/analyst/engine/language.h"

#include <algorithm>

namespace cloister::analyst {
namespace {

constexpr unsigned kMaxClimb = 256;
constexpr std::size_t kMaxText = 4096;
constexpr Index kMaxSame = 2048; ///< nodes that are compared

bool has(const std::vector<bool>& symbols, TSSymbol symbol) {
    return symbol < symbols.size() && symbols[symbol];
}

bool is_inside(const Subject& subject, Index node, const std::vector<bool>& symbols,
               bool same_function) {
    Index at = subject.tree[node].parent;
    for (unsigned i = 0; at != kNone && i < kMaxClimb; ++i, at = subject.tree[at].parent) {
        if (has(symbols, subject.tree[at].symbol)) return true;
        if (same_function && subject.language.is(subject.tree[at].symbol, Language::kFunction))
            return false;
    }
    return false;
}

/// Below `node`, inner functions aside.
template <typename Test>
bool is_below(const Subject& subject, Index node, Test&& test) {
    const Tree& tree = subject.tree;
    for (Index i = node + 1; i < tree.end_of(node);) {
        if (test(tree[i].symbol)) return true;
        i = subject.language.is(tree[i].symbol, Language::kFunction) ? tree.end_of(i) : i + 1;
    }
    return false;
}

std::uint32_t named_children(const Subject& subject, Index node) {
    std::uint32_t count = 0;
    const Tree& tree = subject.tree;
    for (Index i = tree.first_child(node); i < tree.end_of(node); i = tree.end_of(i))
        count += tree[i].named && !tree[i].extra ? 1U : 0U;
    return count;
}

bool is_last(const Subject& subject, Index node) {
    const Tree& tree = subject.tree;
    const Index parent = tree[node].parent;
    if (parent == kNone || tree.is_above(parent)) return subject.is_last;
    for (Index i = tree.end_of(node); i < tree.end_of(parent); i = tree.end_of(i)) {
        if (tree[i].named && !tree[i].extra) return false;
    }
    return true;
}

bool is_pure(const Subject& subject, Index node) {
    const auto impure = [&](TSSymbol symbol) {
        return subject.language.is(symbol, Language::kImpure);
    };
    return !impure(subject.tree[node].symbol) && !is_below(subject, node, impure);
}

} // namespace

bool same_tokens(const Subject& subject, Index one, Index other) {
    const Tree& tree = subject.tree;
    const Index one_end = tree.end_of(one);
    const Index other_end = tree.end_of(other);
    const auto next = [&](Index& at, Index end) {
        while (at < end && (!tree.is_leaf(at) || tree[at].extra)) ++at;
        return at < end;
    };
    for (Index left = kMaxSame; left > 0; --left, ++one, ++other) {
        const bool more = next(one, one_end);
        if (more != next(other, other_end)) return false;
        if (!more) return true;
        if (tree[one].symbol != tree[other].symbol || tree[one].word != tree[other].word)
            return false;
    }
    return false;
}

namespace {

/// One character against one place of a glob; how long that place is.
bool matches_one(char c, std::string_view glob, std::size_t& size) {
    size = 1;
    if (glob[0] == '?') return true;
    const std::size_t close = glob[0] == '[' ? glob.find(']', 1) : std::string_view::npos;
    if (close == std::string_view::npos) return glob[0] == c;
    size = close + 1;
    for (std::size_t i = 1; i < close; ++i) {
        if (i + 2 < close && glob[i + 1] == '-') {
            if (glob[i] <= c && c <= glob[i + 2]) return true;
            i += 2;
        } else if (glob[i] == c) {
            return true;
        }
    }
    return false;
}

} // namespace

bool is_like(std::string_view text, std::string_view glob) {
    // The last star takes as little as it can; going back further is never needed.
    std::size_t at = 0;
    std::size_t in_glob = 0;
    std::size_t star = std::string_view::npos;
    std::size_t star_at = 0;
    while (at < text.size()) {
        std::size_t size = 0;
        if (in_glob < glob.size() && glob[in_glob] == '*') {
            star = in_glob++;
            star_at = at;
        } else if (in_glob < glob.size() && matches_one(text[at], glob.substr(in_glob), size)) {
            in_glob += size;
            ++at;
        } else if (star != std::string_view::npos) {
            in_glob = star + 1;
            at = ++star_at;
        } else {
            return false;
        }
    }
    while (in_glob < glob.size() && glob[in_glob] == '*') ++in_glob;
    return in_glob == glob.size();
}

bool Judge::is_repeated(Index node) {
    const Tree& tree = subject_.tree;
    const Index sibling = tree[node].parent;
    if (sibling == kNone || tree[sibling].parent == kNone) return false;
    const Index container = tree[sibling].parent;
    if (tree.is_above(container)) return false; // its other children are not here
    const auto key =
        std::pair(container, std::uint32_t{tree[node].field} << 16U | tree[sibling].symbol);
    const auto [known, fresh] = seen_.try_emplace(key);
    auto& first = known->second;
    if (fresh) {
        for (Index i = tree.first_child(container); i < tree.end_of(container);
             i = tree.end_of(i)) {
            if (tree[i].symbol != tree[sibling].symbol) continue;
            const Index part = tree.child_by_field(i, tree[node].field);
            if (part != kNone) first.try_emplace(subject_.text(part), part);
        }
    }
    const auto found = first.find(subject_.text(node));
    return found != first.end() && found->second < node;
}

bool Judge::holds(const Predicate& predicate, const Match& match) {
    const Index node = match[predicate.capture];
    if (node == kNone) return predicate.wanted; // of another branch of the pattern
    const Tree& tree = subject_.tree;
    const std::string_view text = subject_.text(node).substr(0, kMaxText);
    const Index other = match[predicate.other];
    using enum Predicate::Kind;
    switch (predicate.kind) {
    case equal:
        if (predicate.other != ~std::uint32_t{0})
            return other != kNone && text == subject_.text(other);
        return !predicate.texts.empty() && text == predicate.texts[0];
    case one_of:
        return std::find(predicate.texts.begin(), predicate.texts.end(), text) !=
               predicate.texts.end();
    case like:
        return std::any_of(predicate.texts.begin(), predicate.texts.end(),
                           [&](const std::string& glob) { return is_like(text, glob); });
    case same: return other != kNone && same_tokens(subject_, node, other);
    case pure: return is_pure(subject_, node);
    case inside: return is_inside(subject_, node, predicate.symbols, false);
    case within: return is_inside(subject_, node, predicate.symbols, true);
    case Predicate::Kind::has:
        return is_below(subject_, node,
                        [&](TSSymbol symbol) { return analyst::has(predicate.symbols, symbol); });
    case parent:
        return tree[node].parent != kNone &&
               analyst::has(predicate.symbols, tree[tree[node].parent].symbol);
    case kind: return analyst::has(predicate.symbols, tree[node].symbol);
    case count: return named_children(subject_, node) == predicate.number;
    case field: return tree.child_by_field(node, predicate.field) != kNone;
    case last: return is_last(subject_, node);
    case bound: return predicate.wanted; // asked when the whole file is known
    case repeated: return is_repeated(node);
    }
    return false;
}

bool Judge::holds(const std::vector<Predicate>& predicates, const Match& match) {
    return std::all_of(predicates.begin(), predicates.end(),
                       [&](const Predicate& one) { return holds(one, match) == one.wanted; });
}

} // namespace cloister::analyst
