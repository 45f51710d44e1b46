// Captures of scopes.scm:
//   @scope, @scope.block, @scope.class     a node whose inside is a scope
//   @def.KIND                              a name that gets a meaning in the innermost scope
//   @def.KIND.outer                        … in the scope around that one (a function's own name)
//   @def.KIND.hoisted                      … in the innermost scope that is no block
//   @rule.ID                               beside @def: finds the name when nobody uses it;
//                                          beside @ref: finds the name when nothing defines it
//   @whole                                 beside them: what the fix takes away
//   @ref                                   a name that is used
//   @dynamic                               something that makes names uncertain
#include "daemon/analyst/engine/scopes.h"

#include <algorithm>

namespace cloister::analyst {
namespace {

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

} // namespace

Scopes::Scopes(const Language& language, const Source& source, const Tree& tree, Budget& budget)
    : language_(language), source_(source), tree_(tree) {
    const Query& query = language.scopes;
    std::vector<Match> matches;
    const Subject subject{language, source, tree, {}};
    const std::uint32_t function = query.capture("scope");
    const std::uint32_t block = query.capture("scope.block");
    const std::uint32_t type = query.capture("scope.class");
    std::vector<std::uint8_t> opens(tree.size());
    query.run(subject, budget, [&](const Match& match) {
        if (match[function] != kNone) opens[match[function]] = 1;
        if (match[block] != kNone) opens[match[block]] = 2;
        if (match[type] != kNone) opens[match[type]] = 3;
        matches.push_back(match);
    });
    scopes_.push_back({});
    scope_of_node_.resize(tree.size());
    for (Index i = 0; i < tree.size(); ++i) {
        const std::size_t around = i == 0 ? 0 : scope_of_node_[tree[i].parent];
        if (i > 0 && opens[i] != 0) {
            scope_of_node_[i] = scopes_.size();
            scopes_.push_back({.node = i,
                               .parent = around,
                               .is_block = opens[i] == 2,
                               .is_class = opens[i] == 3});
        } else {
            scope_of_node_[i] = around;
        }
    }
    for (const Match& match : matches) take(match, query, tree);
    count_words();
}

void Scopes::take(const Match& match, const Query& query, const Tree& tree) {
    Definition definition;
    bool outside = false;
    bool hoisted = false;
    std::string_view rule;
    Index reference = kNone;
    for (std::uint32_t i = 0; i < match.nodes.size(); ++i) {
        if (match.nodes[i] == kNone) continue;
        std::string_view name = query.captures()[i];
        if (name == "dynamic") dynamic_ = true;
        else if (name == "ref") reference = match.nodes[i];
        else if (name == "whole") definition.whole = match.nodes[i];
        else if (name.starts_with("rule.")) rule = name.substr(5);
        if (!name.starts_with("def.")) continue;
        definition.name = match.nodes[i];
        name = name.substr(4);
        outside = name.ends_with(".outer");
        hoisted = name.ends_with(".hoisted");
        definition.kind = name.substr(0, name.find('.'));
    }
    if (reference != kNone) references_.push_back({reference, rule});
    if (definition.name == kNone) return;
    definition.text = source_.slice(tree[definition.name].start, tree[definition.name].end);
    definition.rule = rule;
    place(definition, outside, hoisted);
}

void Scopes::place(Definition definition, bool outside, bool hoisted) {
    std::size_t scope = scope_of_node_[definition.name];
    if (outside) scope = scopes_[scope].parent;
    while (hoisted && scopes_[scope].is_block) scope = scopes_[scope].parent;
    definition.scope = scope;
    bound_.insert(definition.text);
    defines_[definition.name] = scope;
    definitions_.push_back(definition);
}

void Scopes::count_words() {
    for (Index i = 0; i < tree_.size();) {
        const Node& node = tree_[i];
        if (language_.comments.has(node.symbol)) {
            if (language_.names_in_comments) take_words(node);
            i = node.past;
        } else if (language_.names_in_strings && language_.quiet.has(node.symbol)) {
            take_words(node);
            i = node.past;
        } else {
            if (tree_.is_leaf(i) && language_.identifiers.has(node.symbol))
                names_[source_.slice(node.start, node.end)].push_back(i);
            ++i;
        }
    }
}

/// A string may hold code, or a list of what others see of this file.
void Scopes::take_words(const Node& node) {
    for (std::uint32_t at = node.start; at < node.end;) {
        const std::uint32_t start = at;
        while (at < node.end && is_word(source_.text()[at])) ++at;
        if (at > start) words_.insert(source_.slice(start, at));
        else ++at;
    }
}

std::size_t Scopes::scope_at(std::uint32_t byte) const {
    // The last that begins before the byte and ends behind it is the innermost.
    std::size_t found = 0;
    for (std::size_t i = 1; i < scopes_.size(); ++i) {
        const Node& node = tree_[scopes_[i].node];
        if (node.start <= byte && byte <= node.end) found = i;
    }
    return found;
}

bool Scopes::is_used(const Definition& definition) const {
    // Asked once for each name and scope: a source may define one name on each of its lines.
    const auto [answer, fresh] = used_.try_emplace({definition.text, definition.scope}, true);
    if (!fresh) return answer->second;
    if (words_.contains(definition.text)) return true;
    const auto known = names_.find(definition.text);
    // A definition may itself be no name: an import's path in Go.
    if (known == names_.end()) return answer->second = false;
    const Node& scope = tree_[scopes_[definition.scope].node];
    for (const Index name : known->second) {
        if (tree_[name].start < scope.start || tree_[name].end > scope.end) continue;
        const auto defined = defines_.find(name);
        if (defined == defines_.end() || defined->second != definition.scope) return true;
    }
    return answer->second = false;
}

} // namespace cloister::analyst
