// Parsing under a budget, and the one walk that makes the array.
#include "daemon/analyst/engine/tree.h"

#include <algorithm>
#include <string>

namespace cloister::analyst {
namespace {

struct Text {
    std::string_view text;
    Budget* budget;
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

/// The cursor's memory.
class Cursor {
public:
    explicit Cursor(TSNode root) : cursor_(::ts_tree_cursor_new(root)) {}
    ~Cursor() { ::ts_tree_cursor_delete(&cursor_); }
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;
    TSTreeCursor* get() { return &cursor_; }

private:
    TSTreeCursor cursor_;
};

Node node_at(TSTreeCursor* cursor, Index parent) {
    const TSNode node = ::ts_tree_cursor_current_node(cursor);
    Node made;
    made.id = node.id;
    made.start = ::ts_node_start_byte(node);
    made.end = ::ts_node_end_byte(node);
    made.parent = parent;
    made.symbol = ::ts_node_symbol(node);
    made.field = ::ts_tree_cursor_current_field_id(cursor);
    made.named = ::ts_node_is_named(node);
    made.extra = ::ts_node_is_extra(node);
    made.error = ::ts_node_is_error(node);
    made.missing = ::ts_node_is_missing(node);
    return made;
}

constexpr Index kNodesBetweenLooks = 4096;

} // namespace

std::optional<Tree> Tree::parse(const TSLanguage* language, const Source& source, Budget& budget) {
    const std::unique_ptr<TSParser, DeleteParser> parser(::ts_parser_new());
    if (!::ts_parser_set_language(parser.get(), language)) return std::nullopt;
    Text text{source.text(), &budget};
    const TSInput input{
        .payload = &text, .read = read, .encoding = TSInputEncodingUTF8, .decode = nullptr};
    const TSParseOptions options{.payload = &budget, .progress_callback = is_over};
    TSTree* const made = ::ts_parser_parse_with_options(parser.get(), nullptr, input, options);
    if (made == nullptr) return std::nullopt;
    Tree tree(made);
    if (!tree.flatten(budget)) return std::nullopt;
    tree.index();
    return tree;
}

bool Tree::flatten(const Budget& budget) {
    const TSNode root_node = root();
    const bool errors = ::ts_node_has_error(root_node);
    nodes_.reserve(::ts_node_descendant_count(root_node));
    Cursor cursor(root_node);
    Index parent = kNone;
    for (;;) {
        const auto index = static_cast<Index>(nodes_.size());
        nodes_.push_back(node_at(cursor.get(), parent));
        if (index % kNodesBetweenLooks == 0 && budget.is_spent()) return false;
        if (::ts_tree_cursor_goto_first_child(cursor.get())) {
            parent = index;
            continue;
        }
        if (errors)
            nodes_.back().next_state =
                ::ts_node_next_parse_state(::ts_tree_cursor_current_node(cursor.get()));
        nodes_.back().past = index + 1;
        while (!::ts_tree_cursor_goto_next_sibling(cursor.get())) {
            if (parent == kNone) return true;
            (void)::ts_tree_cursor_goto_parent(cursor.get());
            nodes_[parent].past = static_cast<Index>(nodes_.size());
            parent = nodes_[parent].parent;
        }
    }
}

// By hashing: nodes that begin at one place, among which one could look otherwise, can be as many
// as the tree is deep.
void Tree::index() {
    std::size_t places = 16;
    while (places < nodes_.size() * 2) places *= 2;
    places_.assign(places, kNone);
    for (Index i = 0; i < size(); ++i) {
        std::size_t place = place_of(nodes_[i].id);
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
        if (nodes_[places_[place]].id == node.id) return places_[place];
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
    Index found = 0;
    for (Index child = first_child(0); child < end_of(found);) {
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
