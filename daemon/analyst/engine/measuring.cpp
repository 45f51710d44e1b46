// Marks first, then one walk that knows at each node which function it is in and how deep.
#include "daemon/analyst/engine/measuring.h"

#include "daemon/analyst/engine/extracting.h"

#include <algorithm>

namespace cloister::analyst {

using Is = Language::Capture::Is;

void Measuring::take(const Match& match) {
    if (marks_.empty()) marks_.resize(tree_.size());
    Index function = kNone;
    Index name = kNone;
    for (const std::uint32_t i : match.used) {
        const Index node = match.nodes[i];
        switch (language_.captures[i].is) {
        case Is::function: function = node; break;
        case Is::name: name = node; break;
        case Is::of_class: ++facts_.classes; break;
        case Is::decision: ++marks_[node].decisions; break;
        case Is::flat: ++marks_[node].flat; break;
        case Is::nest: marks_[node].nest = true; break;
        case Is::deeper: marks_[node].deeper = true; break;
        default: break;
        }
    }
    if (function != kNone) named_.emplace_back(function, name);
}

void Measuring::make_functions(const Source& source, std::uint32_t begin) {
    function_.assign(tree_.size(), kOutside);
    std::sort(named_.begin(), named_.end());
    for (const auto& [node, name] : named_) {
        if (function_[node] != kOutside) continue; // two patterns saw one function
        function_[node] = static_cast<std::uint32_t>(facts_.functions.size());
        FunctionMetrics made;
        made.place = {tree_[node].start, tree_[node].end};
        if (name != kNone) made.name = subject_.text(name).substr(0, 200);
        const std::uint32_t last =
            made.place.end > made.place.start ? made.place.end - 1 : made.place.start;
        made.lines = source.line_of(begin + last) - source.line_of(begin + made.place.start) + 1;
        made.parameters = parameters(node);
        facts_.functions.push_back(std::move(made));
    }
}

std::uint32_t Measuring::parameters(Index function) const {
    for (Index i = tree_.first_child(function); i < tree_.end_of(function); i = tree_.end_of(i)) {
        if (!language_.is(tree_[i].symbol, Language::kParameters)) continue;
        std::uint32_t count = 0;
        for (Index j = tree_.first_child(i); j < tree_.end_of(i); j = tree_.end_of(j))
            count += tree_[j].named && !tree_[j].extra ? 1U : 0U;
        return count;
    }
    return 0;
}

/// The operator of a node of logic, or nothing.
std::string_view Measuring::operator_of(Index node) const {
    if (tree_.is_above(node) || !language_.is(tree_[node].symbol, Language::kBoolean)) return {};
    for (Index i = tree_.first_child(node); i < tree_.end_of(node); i = tree_.end_of(i)) {
        if (tree_[i].named || !tree_.is_leaf(i)) continue;
        const std::string_view text = subject_.text(i);
        if (language_.boolean_operators.contains(text)) return text;
    }
    return {};
}

/// True when the operator around it, parentheses aside, is another one or none.
bool Measuring::begins_chain(Index node, std::string_view own) const {
    Index around = tree_[node].parent;
    for (unsigned i = 0;
         i < 16 && around != kNone && language_.is(tree_[around].symbol, Language::kWrapper); ++i)
        around = tree_[around].parent;
    return around == kNone || operator_of(around) != own;
}

void Measuring::finish(const Source& source, std::uint32_t begin) {
    if (marks_.empty()) marks_.resize(tree_.size());
    make_functions(source, begin);
    std::vector<std::uint32_t> owner(tree_.size(), kOutside);
    std::vector<std::uint32_t> depth(tree_.size());
    for (Index i = tree_.top(); i < tree_.size(); ++i) {
        const Index parent = tree_[i].parent;
        std::uint32_t own = i == tree_.top() ? kOutside : owner[parent];
        std::uint32_t deep = i == tree_.top() ? 0 : depth[parent];
        if (i != tree_.top() && (marks_[parent].nest || marks_[parent].deeper)) ++deep;
        if (function_[i] != kOutside) {
            own = function_[i];
            deep = 0; // of this function; what it stands in is counted there
        }
        owner[i] = own;
        depth[i] = deep;
        count(i, own, deep);
    }
    for (Index i = tree_.top(); i < tree_.size(); ++i) {
        if (function_[i] == kOutside) continue;
        FunctionMetrics& one = facts_.functions[function_[i]];
        if (one.lines > language_.thresholds.function_lines)
            one.extract = find_extract(language_, subject_, facts_, i);
    }
}

void Measuring::count(Index node, std::uint32_t own, std::uint32_t deep) {
    const Marks& marks = marks_[node];
    std::uint32_t decisions = marks.decisions;
    std::uint32_t cognitive = marks.flat + (marks.nest ? 1 + deep : 0);
    if (const std::string_view logic = operator_of(node); !logic.empty()) {
        ++decisions;
        cognitive += begins_chain(node, logic) ? 1U : 0U;
    }
    FunctionMetrics* const function = own == kOutside ? nullptr : &facts_.functions[own];
    std::uint32_t& nesting = function == nullptr ? facts_.nesting : function->nesting;
    if (marks.nest) nesting = std::max(nesting, deep + 1);
    (function == nullptr ? facts_.decisions : function->cyclomatic) += decisions;
    (function == nullptr ? facts_.cognitive : function->cognitive) += cognitive;
}

} // namespace cloister::analyst
