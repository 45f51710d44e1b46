// Syntax trees. SyntaxTree is tree-sitter's, made anew or out of an earlier one and what was edited
// since. Tree is a part of it as one array in preorder: a node's subtree is the nodes from itself
// to `past`. tree-sitter's own parent function walks from the root each time, and its trees can be
// as deep as a source is long, so everything of ours is a loop over this array; nothing is
// recursive.
//
// Bytes in an array count from the beginning of its part, so that it stays right wherever the part
// is moved.
#pragma once

#include "daemon/analyst/engine/budget.h"
#include "daemon/analyst/engine/words.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <tree_sitter/api.h>
#include <vector>

namespace cloister::analyst {

struct Language;

using Index = std::uint32_t;
inline constexpr Index kNone = ~Index{0};

struct Edit {
    std::uint32_t start = 0; ///< bytes
    std::uint32_t old_end = 0;
    std::uint32_t new_end = 0;
};

class SyntaxTree {
public:
    SyntaxTree() = default;
    /// Holds nothing when the budget is spent.
    static SyntaxTree parse(const TSLanguage* language, std::string_view text, Budget& budget);
    /// Parsed out of this tree, which is of no other use afterwards; `edit` is what was done to its
    /// own text, `before`.
    SyntaxTree parse_again(const TSLanguage* language, std::string_view before,
                           std::string_view text, const Edit& edit, Budget& budget);

    explicit operator bool() const { return tree_ != nullptr; }
    TSNode root() const { return ::ts_tree_root_node(tree_.get()); }

private:
    struct Delete {
        void operator()(TSTree* tree) const { ::ts_tree_delete(tree); }
    };
    explicit SyntaxTree(TSTree* tree) : tree_(tree) {}
    static TSTree* run(const TSLanguage* language, std::string_view text, const TSTree* old,
                       Budget& budget);

    std::unique_ptr<TSTree, Delete> tree_{};
};

struct Node {
    std::uint32_t start = 0; ///< bytes
    std::uint32_t end = 0;
    Index parent = kNone;
    Index past = 0;
    Word word = 0; ///< its text, of a leaf that is no comment, or of something quiet
    TSSymbol symbol = 0;
    TSFieldId field = 0;
    TSStateId next_state = 0; ///< of a leaf of a part with errors: the parser's behind it
    bool named = false;
    bool extra = false; ///< comments, mostly
    bool error = false;
    bool missing = false;
};

/// A node above a part: what `inside?` and the like see of it.
struct Above {
    TSSymbol symbol = 0;
    TSFieldId field = 0;
    bool named = false;
};

class Tree {
public:
    /// False when the budget is spent. `above`: the nodes above `root`, the outermost first; they
    /// come first in the array, and hold nothing but this part. `text` is that of the whole source.
    bool flatten(const Language& language, TSNode root, TSFieldId field,
                 std::span<const Above> above, std::string_view text, Words& words,
                 const Budget& budget);
    /// The same, so that it can find().
    bool flatten_to_find(const Language& language, TSNode root, TSFieldId field,
                         std::span<const Above> above, std::string_view text, Words& words,
                         const Budget& budget);

    const std::vector<Node>& nodes() const { return nodes_; }
    const Node& operator[](Index index) const { return nodes_[index]; }
    Index size() const { return static_cast<Index>(nodes_.size()); }
    /// The first node of the part itself.
    Index top() const { return top_; }
    bool is_above(Index index) const { return index < top_; }

    /// kNone for a node of another part. After flatten_to_find() alone.
    Index find(const TSNode& node) const;
    bool is_leaf(Index index) const { return nodes_[index].past == index + 1; }
    /// The first child; `end_of` it when there is none. The next one begins at a child's `past`.
    Index first_child(Index index) const { return index + 1; }
    Index end_of(Index index) const { return nodes_[index].past; }
    Index child_by_field(Index index, TSFieldId field) const;
    /// The deepest node that holds the byte, or the one that ends there.
    Index at(std::uint32_t byte) const;

private:
    void index_ids();
    std::size_t place_of(const void* id) const;

    std::vector<Node> nodes_{};
    Index top_ = 0;
    bool keeps_ids_ = false;
    std::vector<const void*> ids_{}; ///< tree-sitter's, by node
    std::vector<Index> places_{};    ///< of nodes by their id
};

/// Walks over children: tree-sitter's cursor, and its memory.
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

} // namespace cloister::analyst
