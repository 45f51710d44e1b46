// Our own way to look for patterns against tree-sitter's: each pattern of each language, over the
// sources that the other tests have, which are whole and broken.
#include "daemon/analyst/engine/pattern.h"
#include "daemon/analyst/engine/tree.h"
#include "tests/analysis/fixture.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

using namespace cloister::analyst;

namespace {

using Match =
    std::vector<std::pair<std::uint32_t, Index>>; ///< captures and what they are of; sorted
using Matches = std::set<Match>;

struct DeleteQuery {
    void operator()(TSQuery* query) const { ::ts_query_delete(query); }
};
struct DeleteCursor {
    void operator()(TSQueryCursor* cursor) const { ::ts_query_cursor_delete(cursor); }
};

/// A file of patterns, read by both.
struct Patterns {
    Patterns(const Language& language, const std::string& text) {
        std::uint32_t at = 0;
        TSQueryError error = TSQueryErrorNone;
        query.reset(::ts_query_new(language.grammar, text.data(),
                                   static_cast<std::uint32_t>(text.size()), &at, &error));
        REQUIRE(query);
        const auto number = [this](std::string_view name) {
            for (std::uint32_t i = 0; i < ::ts_query_capture_count(query.get()); ++i) {
                std::uint32_t size = 0;
                const char* const known = ::ts_query_capture_name_for_id(query.get(), i, &size);
                if (name == std::string_view(known, size)) return i;
            }
            throw std::runtime_error("no capture " + std::string(name));
        };
        for (std::uint32_t i = 0; i < ::ts_query_pattern_count(query.get()); ++i) {
            const std::uint32_t begin = ::ts_query_start_byte_for_pattern(query.get(), i);
            const std::uint32_t end = ::ts_query_end_byte_for_pattern(query.get(), i);
            ways.push_back(ways_of(language.grammar,
                                   std::string_view(text).substr(begin, end - begin), number,
                                   "pattern " + std::to_string(i)));
        }
    }
    std::unique_ptr<TSQuery, DeleteQuery> query{};
    std::vector<std::vector<Steps>> ways{};
};

std::vector<Matches> ours(const Patterns& patterns, const Tree& tree) {
    std::vector<Matches> all(patterns.ways.size());
    Matcher matcher(tree);
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (const Steps& steps : patterns.ways[i]) {
            for (Index root = tree.top(); root < tree.size(); ++root) {
                if (std::ranges::count(steps[0].symbols, tree[root].symbol) == 0) continue;
                CHECK(matcher.find(steps, root, [&](std::span<const Index> nodes) {
                    Match match;
                    for (std::size_t j = 0; j < nodes.size(); ++j)
                        for (const std::uint32_t capture : steps[j].captures)
                            match.emplace_back(capture, nodes[j]);
                    std::ranges::sort(match);
                    all[i].insert(match);
                }));
            }
        }
    }
    return all;
}

std::vector<Matches> theirs(const Patterns& patterns, TSNode root, const Tree& tree) {
    std::vector<Matches> all(patterns.ways.size());
    const std::unique_ptr<TSQueryCursor, DeleteCursor> cursor(::ts_query_cursor_new());
    ::ts_query_cursor_exec(cursor.get(), patterns.query.get(), root);
    TSQueryMatch found;
    while (::ts_query_cursor_next_match(cursor.get(), &found)) {
        Match match;
        for (const TSQueryCapture& one : std::span(found.captures, found.capture_count))
            match.emplace_back(one.index, tree.find(one.node));
        std::ranges::sort(match);
        all[found.pattern_index].insert(match);
    }
    return all;
}

std::vector<std::string> files_below(const std::string& folder, const std::string& ending) {
    std::vector<std::string> paths;
    for (const auto& one : std::filesystem::recursive_directory_iterator(folder))
        if (one.path().string().ends_with(ending)) paths.push_back(one.path().string());
    std::ranges::sort(paths);
    return paths;
}

} // namespace

TEST_CASE("patterns are found where tree-sitter finds them", "[patterns]") {
    std::size_t found = 0;
    for (const auto& [id, language] : all_languages()) {
        std::vector<std::string> sources = {samples_path(id)};
        for (const std::string& path :
             files_below(CLOISTER_SOURCE "/tests/analysis/golden", ".txt"))
            sources.push_back(path);
        for (const std::string& path :
             files_below(CLOISTER_SOURCE "/runtimes/" + id + "/analysis", ".scm")) {
            const Patterns patterns(*language, read_file(path));
            for (const std::string& place : sources) {
                INFO(path << " over " << place);
                const std::string text = read_file(place);
                Budget budget(std::chrono::seconds(60), std::chrono::seconds(60), 1U << 30U);
                const SyntaxTree parsed = SyntaxTree::parse(language->grammar, text, budget);
                REQUIRE(parsed);
                Tree tree;
                Words words;
                REQUIRE(tree.flatten_to_find(*language, parsed.root(), 0, {}, text, words, budget));
                const auto mine = ours(patterns, tree);
                const auto other = theirs(patterns, parsed.root(), tree);
                for (std::size_t i = 0; i < mine.size(); ++i) {
                    INFO("pattern " << i);
                    CHECK(mine[i] == other[i]);
                    found += mine[i].size();
                }
            }
        }
    }
    CHECK(found > 10'000);
}

TEST_CASE("what a pattern may not ask is refused", "[patterns]") {
    const auto& python = *all_languages().at("python");
    const auto refused = [&](std::string_view pattern) -> std::string {
        try {
            (void)ways_of(
                python.grammar, pattern, [](std::string_view) { return 0U; }, "here:1");
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return "";
    };
    CHECK(refused("(call (_)* @x)").find("here:1: repetition") == 0);
    CHECK(refused("(call function: (_)? @x)").find("repetition") != std::string::npos);
    CHECK(refused("(expression) @x").find("no kind of one node") != std::string::npos);
    CHECK(refused("(ERROR) @x").find("no kind of one node") != std::string::npos);
    CHECK(refused("(_) @x").find("top has a kind") != std::string::npos);
    CHECK(refused("((call) (call)) @x").find("one node at its top") != std::string::npos);
    CHECK(refused("(call .) @x").find("anchor") != std::string::npos);
    CHECK(refused("(call nowhere: (_)) @x").find("nowhere") != std::string::npos);
    CHECK(refused("(call (_) @x").find("missing") != std::string::npos);
    CHECK(refused("(call \"x").find("missing") != std::string::npos);
    std::string choices = "(call";
    for (int i = 0; i < 9; ++i) choices += " [(string) (call (_))]";
    CHECK(refused(choices + ") @x").find("too many choices") != std::string::npos);
    CHECK(refused("(call function: [(identifier) (attribute)] @x . (_)) ; why").empty());
}

TEST_CASE("one pattern at one node tries so many places, and says when there are more",
          "[patterns]") {
    const auto said = [](int pairs) {
        std::string text = "int *f(void) {\n";
        for (int i = 0; i < pairs; ++i) text += "  int v" + std::to_string(i) + ";\n  return &w;\n";
        Asked asked;
        asked.content = text + "}\n";
        const Budget patient(std::chrono::seconds(60), std::chrono::seconds(60), 1U << 30U);
        return analyse(*all_languages().at("c"), asked, patient);
    };
    const std::string more = said(180);
    CHECK(more.find("\"success\":true") != std::string::npos);
    CHECK(more.find("\"truncated\":true") != std::string::npos);
    CHECK(said(60).find("\"truncated\":false") != std::string::npos);
}
