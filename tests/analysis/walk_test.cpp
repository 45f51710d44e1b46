// The walk that reads tree-sitter's own structures against tree-sitter's cursor: every node of
// every source that the other tests have, parsed by every grammar, so that most of them are broken.
#include "daemon/analyst/engine/tree.h"
#include "tests/analysis/fixture.h"

#include <filesystem>
#include <string>
#include <vector>

using namespace cloister::analyst;

namespace {

/// A node as one number after the other.
using Told = std::vector<std::uint32_t>;

std::vector<Told> by_cursor(TSNode root) {
    std::vector<Told> all;
    Cursor cursor(root);
    const std::uint32_t base = ::ts_node_start_byte(root);
    for (std::uint32_t depth = 0;;) {
        const TSNode node = ::ts_tree_cursor_current_node(cursor.get());
        all.push_back({depth, ::ts_node_start_byte(node) - base, ::ts_node_end_byte(node) - base,
                       ::ts_node_symbol(node), ::ts_tree_cursor_current_field_id(cursor.get()),
                       ::ts_node_is_named(node), ::ts_node_is_extra(node), ::ts_node_is_error(node),
                       ::ts_node_is_missing(node)});
        if (::ts_tree_cursor_goto_first_child(cursor.get())) {
            ++depth;
            continue;
        }
        while (!::ts_tree_cursor_goto_next_sibling(cursor.get())) {
            if (!::ts_tree_cursor_goto_parent(cursor.get())) return all;
            --depth;
        }
    }
}

std::vector<Told> by_walk(const Tree& tree) {
    std::vector<Told> all;
    std::vector<std::uint32_t> depths(tree.size());
    for (Index i = tree.top(); i < tree.size(); ++i) {
        const Node& node = tree[i];
        depths[i] = i == tree.top() ? 0 : depths[node.parent] + 1;
        all.push_back({depths[i], node.start, node.end, node.symbol, node.field, node.named,
                       node.extra, node.error, node.missing});
    }
    return all;
}

} // namespace

TEST_CASE("the walk sees what the cursor sees", "[walk]") {
    std::vector<std::string> sources;
    for (const auto& [id, language] : all_languages())
        sources.push_back(read_file(samples_path(id)));
    for (const auto& one :
         std::filesystem::directory_iterator(CLOISTER_SOURCE "/tests/analysis/golden"))
        if (one.path().extension() == ".txt") sources.push_back(read_file(one.path().string()));
    std::size_t nodes = 0;
    for (const auto& [id, language] : all_languages()) {
        for (const std::string& text : sources) {
            Budget budget(std::chrono::seconds(60), std::chrono::seconds(60), 1U << 30U);
            const SyntaxTree parsed = SyntaxTree::parse(language->grammar, text, budget);
            REQUIRE(parsed);
            Tree tree;
            Words words;
            REQUIRE(tree.flatten(*language, parsed.root(), 0, {}, text, words, budget));
            const std::vector<Told> told = by_walk(tree);
            INFO(id << ", " << text.substr(0, 60));
            CHECK(told == by_cursor(parsed.root()));
            nodes += told.size();
            // Parts, as a document has them: their fields are given, and so is what is above.
            for (std::uint32_t i = 0; i < ::ts_node_child_count(parsed.root()); ++i) {
                const TSNode part = ::ts_node_child(parsed.root(), i);
                Tree own;
                REQUIRE(own.flatten(*language, part, 0, {}, text, words, budget));
                CHECK(by_walk(own) == by_cursor(part));
            }
        }
    }
    CHECK(nodes > 100'000);
}
