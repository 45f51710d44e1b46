// Cutting into parts, telling the same from the new, and the sums over all of them.
#include "daemon/analyst/engine/document.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <unordered_map>

namespace cloister::analyst {

/// tree-sitter makes many nodes anew that are as they were, so its own identities tell too little:
/// a part is the same when its text is, and its kind, and the number of nodes in it, and what it
/// stands in. Where there is an error, the parser's guess may depend on what is far away.
struct Document::Shape {
    explicit Shape(const TSNode& node)
        : symbol(::ts_node_symbol(node)), nodes(::ts_node_descendant_count(node)),
          broken(::ts_node_has_error(node)), begin(::ts_node_start_byte(node)),
          size(::ts_node_end_byte(node) - begin) {}
    TSSymbol symbol;
    std::uint32_t nodes;
    bool broken;
    std::uint32_t begin;
    std::uint32_t size;
};

struct Document::Seen {
    TSNode node{};
    TSFieldId field = 0;
    std::uint32_t container = 0;
    bool is_last = false;
};

namespace {

/// Containers in each other that are cut up; what is deeper is a part.
constexpr std::uint32_t kMaxDepth = 8;
/// A part costs about a kilobyte. A source of 256 KiB that people wrote has some thousands.
constexpr std::size_t kMaxParts = 50'000;
/// Words are never forgotten while a document is edited; with so many bytes it begins anew.
constexpr std::size_t kMaxWords = 6 * std::size_t{1024} * 1024;

std::uint64_t mixed(std::uint64_t one, std::uint64_t other) {
    return (one ^ (other + 0x9E3779B97F4A7C15U + (one << 6U) + (one >> 2U))) * 0xBF58476D1CE4E5B9U;
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

/// From the first byte that is another to the last; whole characters.
Edit difference(std::string_view before, std::string_view after) {
    const std::size_t most = std::min(before.size(), after.size());
    std::size_t start = static_cast<std::size_t>(
        std::mismatch(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(most),
                      after.begin())
            .first -
        before.begin());
    const auto inside = [&](std::size_t at) {
        return (at < before.size() && is_continuation(before[at])) ||
               (at < after.size() && is_continuation(after[at]));
    };
    while (start > 0 && inside(start)) --start;
    std::size_t same = 0;
    while (same < most - start &&
           before[before.size() - 1 - same] == after[after.size() - 1 - same])
        ++same;
    while (same > 0 && is_continuation(before[before.size() - same])) --same;
    return {.start = static_cast<std::uint32_t>(start),
            .old_end = static_cast<std::uint32_t>(before.size() - same),
            .new_end = static_cast<std::uint32_t>(after.size() - same)};
}

} // namespace

void Document::Cut::set(const Shape& shape) {
    symbol = shape.symbol;
    nodes = shape.nodes;
    broken = shape.broken;
    begin = shape.begin;
    size = shape.size;
}

bool Document::Cut::has_shape(const Shape& shape) const {
    return !broken && !shape.broken && symbol == shape.symbol && nodes == shape.nodes &&
           size == shape.size;
}

Document::Document(const Language& language) : language_(language) { forget(); }

void Document::forget() {
    parts_.clear();
    containers_.clear();
    tree_ = {};
    words_ = {};
    for (const std::string& builtin : language_.builtins) builtins_ = words_.of(builtin);
    totals_ = {};
}

bool Document::set(std::string text, Budget& budget) {
    const Edit edit = difference(*text_, text);
    return update(edit, std::move(text), budget);
}

bool Document::set_around(std::string text, Position place, Budget& budget) {
    place_ = place;
    return set(std::move(text), budget);
}

/// Whether only its names are wanted.
bool Document::is_aside(const Part& part) const {
    if (!place_) return false;
    const std::uint32_t line = source_.line_of(source_.byte(*place_));
    return source_.line_of(part.begin) > line || source_.line_of(part.begin + part.size) < line;
}

bool Document::edit(std::uint32_t start, std::uint32_t removed, std::string_view inserted,
                    Budget& budget) {
    const auto size = static_cast<std::uint32_t>(text_->size());
    start = std::min(start, size);
    removed = std::min(removed, size - start);
    std::string text;
    text.reserve(text_->size() - removed + inserted.size());
    text.append(*text_, 0, start).append(inserted).append(*text_, start + removed);
    const Edit done{.start = start,
                    .old_end = start + removed,
                    .new_end = start + static_cast<std::uint32_t>(inserted.size())};
    return update(done, std::move(text), budget);
}

bool Document::update(const Edit& edit, std::string text, Budget& budget) {
    count_allocations();
    if (tree_ && edit.start == edit.old_end && edit.start == edit.new_end) return true;
    if (words_.bytes() > kMaxWords) forget();
    const std::unique_ptr<const std::string> old_text =
        std::exchange(text_, std::make_unique<const std::string>(std::move(text)));
    source_ = Source(*text_);
    SyntaxTree old_tree = std::move(tree_);
    tree_ = old_tree ? old_tree.parse_again(language_.grammar, *old_text, *text_, edit, budget)
                     : SyntaxTree::parse(language_.grammar, *text_, budget);
    std::vector<Seen> seen;
    bool whole = static_cast<bool>(tree_);
    if (whole) {
        const auto before = std::move(containers_);
        containers_.clear();
        container_nodes_.clear();
        find_parts(seen);
        whole = seen.size() <= kMaxParts &&
                look_at_containers(before, *old_text, container_nodes_, budget) &&
                look_at_parts(seen, *old_text, budget);
        container_nodes_.clear();
    }
    if (!whole) forget();
    return whole;
}

/// In the order of the text; containers before what is in them.
void Document::find_parts(std::vector<Seen>& seen) {
    const auto begin_container = [&](const TSNode& node, TSFieldId field, std::uint32_t parent) {
        auto made = std::make_unique<Container>();
        made->set(Shape(node));
        made->parent = parent;
        made->field = field;
        made->named = ::ts_node_is_named(node);
        containers_.push_back(std::move(made));
        container_nodes_.push_back(node);
        return static_cast<std::uint32_t>(containers_.size()) - 1;
    };
    std::uint32_t container = begin_container(tree_.root(), 0, 0);
    Cursor cursor(tree_.root());
    // By depth: the container, and its last named child so far.
    std::vector<std::pair<std::uint32_t, std::size_t>> open = {{container, ~std::size_t{0}}};
    if (!::ts_tree_cursor_goto_first_child(cursor.get())) return;
    for (;;) {
        const TSNode node = ::ts_tree_cursor_current_node(cursor.get());
        const TSFieldId field = ::ts_tree_cursor_current_field_id(cursor.get());
        const bool counts = ::ts_node_is_named(node) && !::ts_node_is_extra(node);
        const bool is_container = language_.is(::ts_node_symbol(node), Language::kContainer) &&
                                  open.size() < kMaxDepth &&
                                  ::ts_tree_cursor_goto_first_child(cursor.get());
        if (is_container) {
            if (counts) open.back().second = ~std::size_t{0};
            open.emplace_back(begin_container(node, field, open.back().first), ~std::size_t{0});
            continue;
        }
        if (counts) open.back().second = seen.size();
        seen.push_back({node, field, open.back().first, false});
        while (!::ts_tree_cursor_goto_next_sibling(cursor.get())) {
            if (open.back().second != ~std::size_t{0}) seen[open.back().second].is_last = true;
            open.pop_back();
            if (open.empty()) return;
            (void)::ts_tree_cursor_goto_parent(cursor.get());
        }
    }
}

std::vector<Above> Document::above(std::uint32_t container) const {
    std::vector<Above> all;
    for (std::uint32_t at = container;; at = containers_[at]->parent) {
        const Container& one = *containers_[at];
        all.push_back({one.symbol, one.field, one.named});
        if (at == 0) break;
    }
    std::reverse(all.begin(), all.end());
    return all;
}

bool Document::look_at_containers(const std::vector<std::unique_ptr<Container>>& before,
                                  std::string_view old_text, const std::vector<TSNode>& nodes,
                                  Budget& budget) {
    std::unordered_multimap<std::string_view, Container*> known;
    for (const auto& one : before) known.emplace(old_text.substr(one->begin, one->size), one.get());
    for (std::uint32_t i = 0; i < containers_.size(); ++i) {
        Container& one = *containers_[i];
        const bool is_root = i == 0;
        one.around = is_root ? 1 : containers_[one.parent]->key;
        if (!is_root) one.scopes = containers_[one.parent]->scopes;
        const auto [first, last] =
            known.equal_range(std::string_view(*text_).substr(one.begin, one.size));
        const auto found = std::find_if(first, last, [&](const auto& each) {
            return each.second->around == one.around && each.second->field == one.field &&
                   each.second->has_shape(Shape(nodes[i]));
        });
        if (found != last) {
            one.opens = found->second->opens;
            one.facts = std::move(found->second->facts);
            known.erase(found);
        } else {
            std::vector<Above> chain = above(i);
            chain.pop_back();
            const std::span<const Scope> scopes =
                is_root ? std::span<const Scope>{} : containers_[one.parent]->facts.scopes;
            one.facts = facts_of_container(language_, nodes[i], source_, chain, scopes, one.opens,
                                           words_, budget);
            count(one.facts, true);
        }
        if (one.opens != 0 || is_root) one.scopes.push_back(i);
        one.key = mixed(mixed(one.around, std::uint64_t{one.symbol} << 16U | one.field),
                        std::uint64_t{one.opens} << 1U | std::uint64_t{one.named});
        if (budget.is_spent()) return false;
    }
    for (const auto& [text, one] : known) count(one->facts, false);
    return true;
}

bool Document::look_at_parts(const std::vector<Seen>& seen, std::string_view old_text,
                             Budget& budget) {
    std::vector<std::unique_ptr<Part>> before = std::move(parts_);
    parts_.clear();
    parts_.resize(seen.size());
    const auto text_now = [&](const Shape& shape) {
        return std::string_view(*text_).substr(shape.begin, shape.size);
    };
    const auto keep = [&](std::size_t old, std::size_t now) {
        const Seen& one = seen[now];
        const Part& part = *before[old];
        const Shape shape(one.node);
        return part.has_shape(shape) && part.is_last == one.is_last &&
               part.around == mixed(containers_[one.container]->key, one.field) &&
               old_text.substr(part.begin, part.size) == text_now(shape);
    };
    const auto take = [&](std::size_t old, std::size_t now) {
        parts_[now] = std::move(before[old]);
        parts_[now]->begin = ::ts_node_start_byte(seen[now].node);
        parts_[now]->container = seen[now].container;
    };
    std::size_t front = 0;
    while (front < before.size() && front < seen.size() && keep(front, front)) {
        take(front, front);
        ++front;
    }
    std::size_t old_back = before.size();
    std::size_t back = seen.size();
    while (old_back > front && back > front && keep(old_back - 1, back - 1))
        take(--old_back, --back);
    std::unordered_map<std::string_view, std::size_t> known;
    for (std::size_t i = front; i < old_back; ++i)
        known.emplace(old_text.substr(before[i]->begin, before[i]->size), i);
    std::vector<std::size_t> fresh;
    for (std::size_t i = front; i < back; ++i) {
        const auto found = known.find(text_now(Shape(seen[i].node)));
        if (found != known.end() && keep(found->second, i)) {
            take(found->second, i);
            known.erase(found);
        } else {
            fresh.push_back(i);
        }
    }
    for (const auto& part : before) {
        if (part) count(part->facts, false);
    }
    for (const std::size_t i : fresh) {
        if (budget.is_spent()) return false;
        parts_[i] = std::make_unique<Part>();
        if (!look(*parts_[i], seen[i], budget)) return false;
    }
    return true;
}

bool Document::look(Part& part, const Seen& seen, Budget& budget) {
    const Container& container = *containers_[seen.container];
    part.set(Shape(seen.node));
    part.around = mixed(container.key, seen.field);
    part.container = seen.container;
    part.is_last = seen.is_last;
    const std::vector<Above> chain = above(seen.container);
    if (!part.tree.flatten(language_, seen.node, seen.field, chain, *text_, words_, budget))
        return false;
    const Around around{
        .scopes = container.facts.scopes, .is_last = seen.is_last, .names_alone = is_aside(part)};
    part.facts = facts_of_part(language_, part.tree, source_, part.begin, around, words_, budget);
    count(part.facts, true);
    return true;
}

void Document::count(const Facts& facts, bool adds) {
    const std::size_t size = words_.size();
    for (std::vector<std::uint32_t>* all :
         {&totals_.names, &totals_.bound, &totals_.quoted, &totals_.tokens, &totals_.of_root,
          &totals_.bound_of_root}) {
        if (all->size() < size) all->resize(size + size / 4);
    }
    const std::uint32_t one = adds ? 1U : ~0U; // minus one, as unsigned numbers add
    const auto times = [&](std::uint32_t number) { return adds ? number : 0U - number; };
    for (const auto& [word, number] : facts.names) totals_.names[word] += times(number);
    for (const Definition& each : facts.definitions) {
        totals_.bound[each.word] += one;
        if (each.scope == 0) totals_.bound_of_root[each.word] += one;
    }
    for (const Word word : facts.coded) totals_.bound_of_root[word] += one;
    for (const Word word : facts.quoted) totals_.quoted[word] += one;
    for (const auto& [scope, word] : facts.outer_names)
        if (scope == 0) totals_.of_root[word] += one;
    for (const Word word : facts.tokens) {
        totals_.distinct -= totals_.tokens[word] > 0 ? 1U : 0U;
        totals_.tokens[word] += one;
        totals_.distinct += totals_.tokens[word] > 0 ? 1U : 0U;
    }
    totals_.token_count =
        adds ? totals_.token_count + facts.token_count : totals_.token_count - facts.token_count;
    totals_.dynamic += facts.dynamic ? one : 0U;
    totals_.may_use += facts.may_use ? one : 0U;
    totals_.may_bind += facts.may_bind ? one : 0U;
    totals_.functions += times(static_cast<std::uint32_t>(facts.functions.size()));
    totals_.classes += times(facts.classes);
    totals_.statements += times(facts.statements);
    totals_.decisions += times(facts.decisions);
    totals_.cognitive += times(facts.cognitive);
    for (const FunctionMetrics& each : facts.functions) {
        totals_.decisions += times(each.cyclomatic - 1);
        totals_.cognitive += times(each.cognitive);
    }
}

bool Document::is_truncated() const {
    const auto cut = [](const auto& one) { return one->facts.truncated; };
    return std::any_of(parts_.begin(), parts_.end(), cut) ||
           std::any_of(containers_.begin(), containers_.end(), cut);
}

bool Document::is_unused(std::uint32_t container, Word word) const {
    if (is_quoted(word)) return false;
    if (container == 0) return totals_.names[word] == totals_.of_root[word];
    const Container& scope = *containers_[container];
    const auto level = static_cast<std::uint32_t>(scope.scopes.size() - 1);
    std::uint32_t uses = 0;
    const auto add = [&](const Facts& facts) {
        const auto found =
            std::lower_bound(facts.names.begin(), facts.names.end(), std::pair(word, 0U));
        if (found != facts.names.end() && found->first == word) uses += found->second;
        uses -= static_cast<std::uint32_t>(
            std::count(facts.outer_names.begin(), facts.outer_names.end(), std::pair(level, word)));
    };
    for (const auto& part : parts_) {
        if (part->begin >= scope.begin && part->begin < scope.begin + scope.size) add(part->facts);
    }
    for (const auto& one : containers_) {
        if (one->begin >= scope.begin && one->begin < scope.begin + scope.size) add(one->facts);
    }
    return uses == 0;
}

void Document::count_lines(Metrics& metrics) const {
    std::vector<std::uint8_t> lines(source_.lines(), Facts::blank);
    std::uint32_t line = 0;
    for (const auto& part : parts_) {
        line = source_.line_from(line, part->begin);
        for (std::size_t i = 0; i < part->facts.lines.size() && line + i < lines.size(); ++i)
            lines[line + i] = std::max(lines[line + i], part->facts.lines[i]);
    }
    for (std::uint32_t i = 0; i < source_.lines(); ++i) {
        const std::string_view text = source_.line(i);
        const bool empty = text.find_first_not_of(" \t\f\v") == std::string_view::npos;
        if (empty && i + 1 == source_.lines()) continue; // behind the last line's end
        ++metrics.lines;
        if (empty) ++metrics.blank_lines;
        else if (lines[i] == Facts::comment) ++metrics.comment_lines;
        else ++metrics.code_lines;
    }
}

Metrics Document::measure() const {
    Metrics metrics;
    count_lines(metrics);
    metrics.functions = totals_.functions;
    metrics.classes = totals_.classes;
    metrics.statements = totals_.statements;
    metrics.cyclomatic = 1 + totals_.decisions;
    metrics.cognitive = totals_.cognitive;
    for (const auto& part : parts_) {
        metrics.nesting = std::max(metrics.nesting, part->facts.nesting);
        for (const FunctionMetrics& one : part->facts.functions)
            metrics.nesting = std::max(metrics.nesting, one.nesting);
    }
    // The index of Oman and Hagemeister as radon scales it, with Halstead's volume over the tree's
    // tokens.
    if (totals_.token_count == 0 || metrics.code_lines == 0) return metrics;
    const double volume = static_cast<double>(totals_.token_count) *
                          std::log2(std::max(2.0, double(totals_.distinct)));
    const double share = static_cast<double>(metrics.comment_lines) /
                         static_cast<double>(metrics.code_lines + metrics.comment_lines);
    const double comments = 50 * std::sin(std::sqrt(2.4 * share * 100 * std::numbers::pi / 180));
    const double index = 171 - 5.2 * std::log(volume) - 0.23 * metrics.cyclomatic -
                         16.2 * std::log(static_cast<double>(metrics.code_lines)) + comments;
    metrics.maintainability = std::clamp(index * 100 / 171, 0.0, 100.0);
    return metrics;
}

const Document::Part* Document::part_at(std::uint32_t byte) const {
    auto at = std::partition_point(parts_.begin(), parts_.end(), [&](const auto& part) {
        return part->begin + part->size < byte;
    });
    for (; at != parts_.end() && (*at)->begin <= byte; ++at) {
        if ((*at)->size > 0 && byte <= (*at)->begin + (*at)->size) return at->get();
    }
    return nullptr;
}

std::uint32_t Document::container_at(std::uint32_t byte) const {
    std::uint32_t found = 0;
    for (std::uint32_t i = 1; i < containers_.size(); ++i) {
        const Container& one = *containers_[i];
        if (one.begin <= byte && byte <= one.begin + one.size) found = i;
    }
    return found;
}

std::size_t Document::memory() const {
    std::size_t bytes = allocated_bytes() + words_.bytes() + 2 * text_->size();
    for (const auto& part : parts_)
        bytes += sizeof(Part) + part->tree.nodes().capacity() * sizeof(Node) +
                 part->facts.references.capacity() * sizeof(Reference) +
                 part->facts.definitions.capacity() * sizeof(Definition) +
                 part->facts.names.capacity() * sizeof(std::pair<Word, std::uint32_t>) +
                 part->facts.findings.size() * (sizeof(Finding) + 64);
    return bytes;
}

} // namespace cloister::analyst
