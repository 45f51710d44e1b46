// Parsing under a budget, and the one walk that makes the array.
#include "daemon/analyst/engine/tree.h"

#include "daemon/analyst/engine/language.h"
#include "runtimes/grammars/walk.h"

#include <algorithm>

namespace cloister::analyst {
namespace {

struct Text {
    std::string_view text;
};

const char* read(void* payload, std::uint32_t byte, TSPoint, std::uint32_t* size) {
    const std::string_view text = static_cast<const Text*>(payload)->text;
    *size = byte < text.size() ? static_cast<std::uint32_t>(text.size()) - byte : 0;
    return *size > 0 ? text.data() + byte : "";
}

bool is_over(TSParseState* state) { return static_cast<const Budget*>(state->payload)->is_spent(); }

struct DeleteParser {
    void operator()(TSParser* parser) const { ::ts_parser_delete(parser); }
};

/// tree-sitter's lines end at \n alone, its columns are bytes.
TSPoint point_of(std::string_view text, std::uint32_t byte) {
    const std::string_view before = text.substr(0, byte);
    const auto rows = static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n'));
    const std::size_t line = before.rfind('\n');
    return {rows,
            line == std::string_view::npos ? byte : byte - static_cast<std::uint32_t>(line) - 1};
}

constexpr Index kNodesBetweenLooks = 4096;

/// A walk, and its memory.
class Walk {
public:
    explicit Walk(TSNode root) { ::cloister_walk_begin(&walk_, root); }
    ~Walk() { ::cloister_walk_end(&walk_); }
    Walk(const Walk&) = delete;
    Walk& operator=(const Walk&) = delete;
    CloisterWalk* get() { return &walk_; }

private:
    CloisterWalk walk_{};
};

} // namespace

TSTree* SyntaxTree::run(const TSLanguage* language, std::string_view text, const TSTree* old,
                        Budget& budget) {
    const std::unique_ptr<TSParser, DeleteParser> parser(::ts_parser_new());
    if (!::ts_parser_set_language(parser.get(), language)) return nullptr;
    Text payload{text};
    const TSInput input{
        .payload = &payload, .read = read, .encoding = TSInputEncodingUTF8, .decode = nullptr};
    const TSParseOptions options{.payload = &budget, .progress_callback = is_over};
    return ::ts_parser_parse_with_options(parser.get(), old, input, options);
}

SyntaxTree SyntaxTree::parse(const TSLanguage* language, std::string_view text, Budget& budget) {
    return SyntaxTree(run(language, text, nullptr, budget));
}

SyntaxTree SyntaxTree::parse_again(const TSLanguage* language, std::string_view before,
                                   std::string_view text, const Edit& edit, Budget& budget) {
    const TSInputEdit done{.start_byte = edit.start,
                           .old_end_byte = edit.old_end,
                           .new_end_byte = edit.new_end,
                           .start_point = point_of(before, edit.start),
                           .old_end_point = point_of(before, edit.old_end),
                           .new_end_point = point_of(text, edit.new_end)};
    ::ts_tree_edit(tree_.get(), &done);
    return SyntaxTree(run(language, text, tree_.get(), budget));
}

bool Tree::flatten(const Language& language, TSNode root, TSFieldId field,
                   std::span<const Above> above, std::string_view text, Words& words,
                   const Budget& budget) {
    const bool errors = ::ts_node_has_error(root);
    const std::uint32_t base = ::ts_node_start_byte(root);
    top_ = static_cast<Index>(above.size());
    nodes_.reserve(::ts_node_descendant_count(root) + above.size());
    if (keeps_ids_) ids_.reserve(nodes_.capacity());
    Index parent = kNone;
    for (const Above& one : above) {
        Node made;
        made.end = ::ts_node_end_byte(root) - base;
        made.parent = parent;
        made.symbol = one.symbol;
        made.field = one.field;
        made.named = one.named;
        parent = static_cast<Index>(nodes_.size());
        nodes_.push_back(made);
        if (keeps_ids_) ids_.push_back(nullptr);
    }
    Walk walk(root);
    CloisterWalked walked{.node = root,
                          .start = base,
                          .end = ::ts_node_end_byte(root),
                          .depth = 0,
                          .symbol = ::ts_node_symbol(root),
                          .field = field,
                          .named = ::ts_node_is_named(root),
                          .extra = ::ts_node_is_extra(root),
                          .error = ::ts_node_is_error(root),
                          .missing = ::ts_node_is_missing(root),
                          .is_leaf = ::ts_node_child_count(root) == 0};
    std::uint32_t depth = 0; // of the node after this one, when it is a child of `parent`
    do {
        const auto index = static_cast<Index>(nodes_.size());
        for (; index > top_ && depth > walked.depth; --depth) {
            nodes_[parent].past = index;
            parent = nodes_[parent].parent;
        }
        Node& made = nodes_.emplace_back();
        if (keeps_ids_) ids_.push_back(walked.node.id);
        made.start = walked.start - base;
        made.end = walked.end - base;
        made.parent = parent;
        made.symbol = walked.symbol;
        made.field = walked.field;
        made.named = walked.named;
        made.extra = walked.extra;
        made.error = walked.error;
        made.missing = walked.missing;
        if (index % kNodesBetweenLooks == 0 && budget.is_spent()) return false;
        const bool quiet = language.is(made.symbol, Language::kQuiet);
        if ((quiet || walked.is_leaf) && !made.extra)
            made.word =
                words.of(text.substr(base + made.start, made.end - made.start), made.symbol);
        if (walked.is_leaf) {
            if (errors) made.next_state = ::ts_node_next_parse_state(walked.node);
            made.past = index + 1;
        } else {
            parent = index;
            depth += index > top_ ? 1U : 0U;
        }
    } while (::cloister_walk_next(walk.get(), &walked));
    for (; parent != kNone; parent = nodes_[parent].parent) nodes_[parent].past = size();
    return true;
}

bool Tree::flatten_to_find(const Language& language, TSNode root, TSFieldId field,
                           std::span<const Above> above, std::string_view text, Words& words,
                           const Budget& budget) {
    keeps_ids_ = true;
    if (!flatten(language, root, field, above, text, words, budget)) return false;
    index_ids();
    return true;
}

// By hashing: nodes that begin at one place, among which one could look otherwise, can be as many
// as the tree is deep.
void Tree::index_ids() {
    std::size_t places = 16;
    while (places < nodes_.size() * 2) places *= 2;
    places_.assign(places, kNone);
    for (Index i = top_; i < size(); ++i) {
        std::size_t place = place_of(ids_[i]);
        while (places_[place] != kNone) place = (place + 1) & (places_.size() - 1);
        places_[place] = i;
    }
}

std::size_t Tree::place_of(const void* id) const {
    const auto number = reinterpret_cast<std::uintptr_t>(id);
    return static_cast<std::size_t>((number >> 3U) * 0x9E3779B97F4A7C15U >> 20U) &
           (places_.size() - 1);
}

Index Tree::find(const TSNode& node) const {
    std::size_t place = place_of(node.id);
    for (; places_[place] != kNone; place = (place + 1) & (places_.size() - 1)) {
        if (ids_[places_[place]] == node.id) return places_[place];
    }
    return kNone;
}

Index Tree::child_by_field(Index index, TSFieldId field) const {
    for (Index child = first_child(index); child < end_of(index); child = nodes_[child].past) {
        if (nodes_[child].field == field) return child;
    }
    return kNone;
}

Index Tree::at(std::uint32_t byte) const {
    Index found = top_;
    for (Index child = first_child(top_); child < end_of(found);) {
        const Node& node = nodes_[child];
        if (node.start <= byte && byte <= node.end && node.end > node.start) {
            found = child;
            child = first_child(child);
        } else {
            child = node.past;
        }
    }
    return found;
}

} // namespace cloister::analyst
