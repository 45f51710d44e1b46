// Patterns of tree-sitter's query language, made to be looked for in our array of nodes. A walk of
// tree-sitter's own engine costs several times as much as parsing; this is a few comparisons where
// a node has the kind that a pattern begins with. What is found is the same, in the same order.
//
// Known are kinds and words of the language, `(_)`, fields, `!field`, anchors, captures, and
// choices in brackets. No repetition, and no kind that stands for several others.
#pragma once

#include "daemon/analyst/engine/tree.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::analyst {

/// What a pattern asks of one node.
struct Step {
    static constexpr std::uint32_t kNobody = ~std::uint32_t{0};

    std::vector<TSSymbol> symbols{};  ///< one of these; none: anything named that is no error
    TSFieldId field = 0;              ///< 0: whichever
    std::vector<TSFieldId> without{}; ///< fields in which it has nothing
    std::vector<std::uint32_t> captures{};
    std::uint32_t parent = kNobody; ///< the step whose child it is
    std::uint32_t before = kNobody; ///< the step of the sibling that it stands behind
    bool immediate = false;         ///< nothing named between the two
    bool last = false;              ///< nothing named behind it
    bool first_fit = false;         ///< of several children that fit, no other is of interest
};

/// The node at the top first, and each behind its parent and the siblings before it.
using Steps = std::vector<Step>;

/// All ways to match a pattern: one for each choice that it leaves. `capture` tells the numbers of
/// names. Throws std::runtime_error, which begins with `place`, when it asks what is not known.
std::vector<Steps> ways_of(const TSLanguage* language, std::string_view pattern,
                           const std::function<std::uint32_t(std::string_view)>& capture,
                           const std::string& place);

/// Looks for ways of patterns in one tree.
class Matcher {
public:
    /// Children that are tried for one way at one node, before the rest is left out: each of
    /// several captures among siblings may stand at each of them.
    static constexpr std::uint32_t kMostTries = 20'000;

    explicit Matcher(const Tree& tree) : tree_(tree) {}

    /// Calls `take` with the nodes of all steps, for each match whose top is `root`, which has the
    /// kind for it. False when something may have been left out.
    template <typename Take>
    bool find(const Steps& steps, Index root, Take&& take) {
        if (!steps[0].without.empty() && !has_none(steps[0], root)) return true;
        nodes_.resize(steps.size());
        nodes_[0] = root;
        if (steps.size() == 1) {
            take(std::span<const Index>(nodes_));
            return true;
        }
        tries_ = kMostTries;
        go_on(steps, 1, take);
        return tries_ > 0;
    }

private:
    /// As deep as the pattern is long.
    template <typename Take>
    void go_on(const Steps& steps, std::uint32_t at, Take& take) {
        const Step& step = steps[at];
        const Index parent = nodes_[step.parent];
        const Index end = tree_.end_of(parent);
        Index child = step.before == Step::kNobody ? tree_.first_child(parent)
                                                   : tree_.end_of(nodes_[step.before]);
        for (; child < end && tries_ > 0; child = tree_.end_of(child)) {
            --tries_;
            if (fits(step, child)) {
                nodes_[at] = child;
                if (at + 1 == steps.size()) take(std::span<const Index>(nodes_));
                else go_on(steps, at + 1, take);
                if (step.first_fit) return;
            }
            if (step.immediate && tree_[child].named) return;
        }
    }

    bool fits(const Step& step, Index node) const {
        const Node& found = tree_[node];
        if (step.field != 0 && found.field != step.field) return false;
        if (step.symbols.empty() ? !found.named || found.error : !is_one_of(step, found.symbol))
            return false;
        return (!step.last || is_last(node)) && (step.without.empty() || has_none(step, node));
    }
    static bool is_one_of(const Step& step, TSSymbol symbol) {
        for (const TSSymbol one : step.symbols)
            if (one == symbol) return true;
        return false;
    }
    bool is_last(Index node) const;
    bool has_none(const Step& step, Index node) const;

    const Tree& tree_;
    std::vector<Index> nodes_{};
    std::uint32_t tries_ = 0;
};

} // namespace cloister::analyst
