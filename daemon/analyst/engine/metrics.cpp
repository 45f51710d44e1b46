// Captures of metrics.scm:
//   @function       a function that has figures of its own; @name beside it
//   @class
//   @decision       one more way through: cyclomatic + 1
//   @nest           cognitive + 1 + how deep it stands, and what is inside stands deeper
//   @flat           cognitive + 1
//   @deeper         what is inside stands deeper
// Operators of logic are counted from the language's lists: each is a decision, and each change of
// operator within a chain makes a condition harder to read (cognitive + 1).
#include "daemon/analyst/engine/metrics.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <unordered_set>

namespace cloister::analyst {
namespace {

struct Marks {
    std::uint16_t decisions = 0;
    std::uint8_t flat = 0;
    bool nest = false;
    bool deeper = false;
};

class Measuring {
public:
    Measuring(const Language& language, const Source& source, const Tree& tree)
        : language_(language), source_(source), tree_(tree), subject_{language, source, tree, {}} {}

    Metrics measure(Budget& budget) {
        mark(budget);
        walk();
        count_lines();
        maintainability();
        return std::move(metrics_);
    }

private:
    static constexpr std::size_t kFile = ~std::size_t{0};

    void mark(Budget& budget) {
        marks_.resize(tree_.size());
        function_.assign(tree_.size(), kFile);
        const Query& query = language_.metrics;
        const std::uint32_t function = query.capture("function");
        const std::uint32_t name = query.capture("name");
        const std::uint32_t type = query.capture("class");
        const std::uint32_t decision = query.capture("decision");
        const std::uint32_t nest = query.capture("nest");
        const std::uint32_t flat = query.capture("flat");
        const std::uint32_t deeper = query.capture("deeper");
        query.run(subject_, budget, [&](const Match& match) {
            if (match[function] != kNone) names_.emplace_back(match[function], match[name]);
            if (match[type] != kNone) ++metrics_.classes;
            if (match[decision] != kNone) ++marks_[match[decision]].decisions;
            if (match[flat] != kNone) ++marks_[match[flat]].flat;
            if (match[nest] != kNone) marks_[match[nest]].nest = true;
            if (match[deeper] != kNone) marks_[match[deeper]].deeper = true;
        });
        std::sort(names_.begin(), names_.end());
        for (const auto& [node, named] : names_) {
            if (function_[node] != kFile) continue; // two patterns saw one function
            function_[node] = metrics_.functions.size();
            FunctionMetrics made;
            made.node = node;
            if (named != kNone) made.name = subject_.text(named).substr(0, 200);
            made.line = source_.line_of(tree_[node].start);
            made.lines = source_.line_of(last_byte(node)) - made.line + 1;
            made.parameters = parameters(node);
            metrics_.functions.push_back(std::move(made));
        }
    }

    std::uint32_t last_byte(Index node) const {
        return tree_[node].end > tree_[node].start ? tree_[node].end - 1 : tree_[node].start;
    }

    std::uint32_t parameters(Index function) const {
        for (Index i = tree_.first_child(function); i < tree_.end_of(function);
             i = tree_.end_of(i)) {
            if (!language_.parameters.has(tree_[i].symbol)) continue;
            std::uint32_t count = 0;
            for (Index j = tree_.first_child(i); j < tree_.end_of(i); j = tree_.end_of(j))
                count += tree_[j].named && !tree_[j].extra ? 1U : 0U;
            return count;
        }
        return 0;
    }

    /// The operator of a node of logic, or nothing.
    std::string_view operator_of(Index node) const {
        if (!language_.booleans.has(tree_[node].symbol)) return {};
        for (Index i = tree_.first_child(node); i < tree_.end_of(node); i = tree_.end_of(i)) {
            if (tree_[i].named || !tree_.is_leaf(i)) continue;
            const std::string_view text = subject_.text(i);
            if (language_.boolean_operators.contains(text)) return text;
        }
        return {};
    }

    /// True when the operator around it, parentheses aside, is another one or none.
    bool begins_chain(Index node, std::string_view own) const {
        Index around = tree_[node].parent;
        for (unsigned i = 0;
             i < 16 && around != kNone && language_.wrappers.has(tree_[around].symbol); ++i)
            around = tree_[around].parent;
        return around == kNone || operator_of(around) != own;
    }

    void walk() {
        std::vector<std::size_t> owner(tree_.size(), kFile);
        std::vector<std::uint32_t> depth(tree_.size());
        for (Index i = 0; i < tree_.size(); ++i) {
            const Index parent = tree_[i].parent;
            std::size_t own = parent == kNone ? kFile : owner[parent];
            std::uint32_t deep = parent == kNone ? 0 : depth[parent];
            if (parent != kNone && (marks_[parent].nest || marks_[parent].deeper)) ++deep;
            if (function_[i] != kFile) {
                own = function_[i];
                deep = 0; // of this function; what it stands in is counted there
            }
            owner[i] = own;
            depth[i] = deep;
            if (language_.statements.has(tree_[i].symbol)) ++metrics_.statements;
            count(i, own, deep);
        }
        for (const FunctionMetrics& one : metrics_.functions) {
            metrics_.cyclomatic += one.cyclomatic - 1;
            metrics_.cognitive += one.cognitive;
            metrics_.nesting = std::max(metrics_.nesting, one.nesting);
        }
    }

    void count(Index node, std::size_t own, std::uint32_t deep) {
        std::uint32_t decisions = marks_[node].decisions;
        std::uint32_t cognitive = marks_[node].flat + (marks_[node].nest ? 1 + deep : 0);
        if (const std::string_view logic = operator_of(node); !logic.empty()) {
            ++decisions;
            cognitive += begins_chain(node, logic) ? 1U : 0U;
        }
        std::uint32_t* const nesting =
            own == kFile ? &metrics_.nesting : &metrics_.functions[own].nesting;
        if (marks_[node].nest) *nesting = std::max(*nesting, deep + 1);
        (own == kFile ? metrics_.cyclomatic : metrics_.functions[own].cyclomatic) += decisions;
        (own == kFile ? metrics_.cognitive : metrics_.functions[own].cognitive) += cognitive;
    }

    void count_lines() {
        enum : std::uint8_t { blank, comment, code };
        std::vector<std::uint8_t> lines(source_.lines(), blank);
        for (Index i = 0; i < tree_.size();) {
            const bool is_comment = language_.comments.has(tree_[i].symbol);
            // A string is one thing, however many lines it has.
            const bool whole = is_comment || language_.quiet.has(tree_[i].symbol);
            if (!whole && !tree_.is_leaf(i)) {
                ++i;
                continue;
            }
            if (tree_[i].end > tree_[i].start) {
                const std::uint32_t first = source_.line_of(tree_[i].start);
                const std::uint32_t last = source_.line_of(tree_[i].end - 1);
                for (std::uint32_t line = first; line <= last; ++line)
                    lines[line] = std::max<std::uint8_t>(lines[line], is_comment ? comment : code);
            }
            i = tree_.end_of(i);
        }
        for (std::uint32_t i = 0; i < source_.lines(); ++i) {
            const std::string_view text = source_.line(i);
            const bool empty = text.find_first_not_of(" \t\f\v") == std::string_view::npos;
            if (empty && i + 1 == source_.lines()) continue; // behind the last line's end
            ++metrics_.lines;
            if (empty) ++metrics_.blank_lines;
            else if (lines[i] == comment) ++metrics_.comment_lines;
            else ++metrics_.code_lines;
        }
    }

    /// The index of Oman and Hagemeister as radon scales it, with Halstead's volume over the tree's
    /// tokens: words of the language are operators, everything named is an operand.
    void maintainability() {
        std::unordered_set<std::string_view> distinct;
        std::uint64_t tokens = 0;
        for (Index i = 0; i < tree_.size();) {
            const bool whole =
                language_.quiet.has(tree_[i].symbol) || language_.comments.has(tree_[i].symbol);
            if (!whole && !tree_.is_leaf(i)) {
                ++i;
                continue;
            }
            if (!tree_[i].extra && tree_[i].end > tree_[i].start) {
                ++tokens;
                distinct.insert(subject_.text(i));
            }
            i = tree_.end_of(i);
        }
        if (tokens == 0 || metrics_.code_lines == 0) return;
        const double volume = static_cast<double>(tokens) *
                              std::log2(std::max<double>(2, static_cast<double>(distinct.size())));
        const double share = static_cast<double>(metrics_.comment_lines) /
                             static_cast<double>(metrics_.code_lines + metrics_.comment_lines);
        const double comments =
            50 * std::sin(std::sqrt(2.4 * share * 100 * std::numbers::pi / 180));
        const double index = 171 - 5.2 * std::log(volume) - 0.23 * metrics_.cyclomatic -
                             16.2 * std::log(static_cast<double>(metrics_.code_lines)) + comments;
        metrics_.maintainability = std::clamp(index * 100 / 171, 0.0, 100.0);
    }

    const Language& language_;
    const Source& source_;
    const Tree& tree_;
    Subject subject_;
    Metrics metrics_{};
    std::vector<Marks> marks_{};
    std::vector<std::size_t> function_{}; ///< by node
    std::vector<std::pair<Index, Index>> names_{};
};

} // namespace

Metrics measure(const Language& language, const Source& source, const Tree& tree, Budget& budget) {
    return Measuring(language, source, tree).measure(budget);
}

} // namespace cloister::analyst
