// A syntax tree as one array in preorder: a node's subtree is the nodes from itself to `past`.
// tree-sitter's own parent function walks from the root each time, and its trees can be as deep as
// a source is long, so everything of ours is a loop over this array; nothing is recursive.
#pragma once

#include "daemon/analyst/engine/budget.h"
#include "daemon/analyst/engine/source.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <tree_sitter/api.h>
#include <vector>

namespace cloister::analyst {

using Index = std::uint32_t;
inline constexpr Index kNone = ~Index{0};

struct Node {
    const void* id = nullptr; ///< tree-sitter's
    std::uint32_t start = 0;  ///< bytes
    std::uint32_t end = 0;
    Index parent = kNone;
    Index past = 0;
    TSSymbol symbol = 0;
    TSFieldId field = 0;
    TSStateId next_state = 0; ///< of a leaf of a tree with errors: what the parser was in behind it
    bool named = false;
    bool extra = false; ///< comments, mostly
    bool error = false;
    bool missing = false;
};

class Tree {
public:
    /// Absent when the budget is spent.
    static std::optional<Tree> parse(const TSLanguage* language, const Source& source,
                                     Budget& budget);

    TSNode root() const { return ::ts_tree_root_node(tree_.get()); }
    bool has_error() const { return ::ts_node_has_error(root()); }
    const std::vector<Node>& nodes() const { return nodes_; }
    const Node& operator[](Index index) const { return nodes_[index]; }
    Index size() const { return static_cast<Index>(nodes_.size()); }

    /// kNone for a node of another tree.
    Index find(const TSNode& node) const;
    bool is_leaf(Index index) const { return nodes_[index].past == index + 1; }
    /// The first child; `end_of` it when there is none. The next one begins at a child's `past`.
    Index first_child(Index index) const { return index + 1; }
    Index end_of(Index index) const { return nodes_[index].past; }
    Index child_by_field(Index index, TSFieldId field) const;
    /// The deepest node that holds the byte, or the one that ends there.
    Index at(std::uint32_t byte) const;

private:
    struct Delete {
        void operator()(TSTree* tree) const { ::ts_tree_delete(tree); }
    };
    explicit Tree(TSTree* tree) : tree_(tree) {}
    bool flatten(const Budget& budget);
    void index();
    std::size_t place_of(const void* id) const;

    std::unique_ptr<TSTree, Delete> tree_;
    std::vector<Node> nodes_;
    std::vector<Index> places_; ///< of nodes by their id
};

} // namespace cloister::analyst
