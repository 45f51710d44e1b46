// One pass makes the scopes, one goes over all names by their words.
#include "daemon/analyst/engine/naming.h"

#include <algorithm>

namespace cloister::analyst {
namespace {

using Is = Language::Capture::Is;
using Reach = Language::Reach;

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

} // namespace

void Naming::take(const Match& match) {
    Drafted draft;
    Index reference = kNone;
    const Rule* rule = nullptr;
    for (const std::uint32_t i : match.used) {
        const Index node = match.nodes[i];
        const Language::Capture& capture = language_.captures[i];
        switch (capture.is) {
        case Is::scope: opens_[node] = kPlain; break;
        case Is::block: opens_[node] = kBlock; break;
        case Is::type: opens_[node] = kClass; break;
        case Is::clause: opens_[node] = kClause; break;
        case Is::code: marks_[node] |= kCode; break;
        case Is::without: marks_[node] |= capture.rule->silence; break;
        case Is::dynamic: dynamic_.emplace_back(node, capture.reach); break;
        case Is::reference: reference = node; break;
        case Is::whole: draft.made.whole = {tree_[node].start, tree_[node].end}; break;
        case Is::rule: rule = capture.rule; break;
        case Is::define:
            draft.name = node;
            draft.made.kind = capture.kind;
            draft.outer = capture.outer;
            draft.hoisted = capture.hoisted;
            draft.free = capture.free;
            draft.global = capture.global;
            break;
        default: break;
        }
    }
    if (draft.name != kNone) {
        draft.kept = reference == draft.name;
        draft.made.rule = rule;
        drafted_.push_back(draft);
    } else if (reference != kNone && rule != nullptr) {
        if (refers_.empty()) refers_.assign(tree_.size(), nullptr);
        refers_[reference] = rule;
    }
}

Word Naming::word_of(Index node) {
    return tree_[node].word != 0 ? tree_[node].word : words_.of(subject_.text(node));
}

void Naming::place(std::span<const Scope> around) {
    outer_ = static_cast<std::uint32_t>(around.size());
    facts_.scopes.assign(around.begin(), around.end());
    in_class_ = std::any_of(around.begin(), around.end(),
                            [](const Scope& scope) { return scope.is_class; });
    make_scopes();
    for (const Drafted& one : drafted_) {
        if (one.free) free_.emplace_back(word_of(one.name), scope_of_[one.name]);
        if (one.kept) marks_[one.name] |= kKept;
    }
    std::sort(free_.begin(), free_.end());
    if (!drafted_.empty()) defines_.assign(tree_.size(), kNone);
    for (Drafted& one : drafted_) place(one);
    std::sort(owned_.begin(), owned_.end(),
              [](const Owned& one, const Owned& other) { return one.key() < other.key(); });
    const auto last =
        std::unique(owned_.begin(), owned_.end(),
                    [](const Owned& one, const Owned& other) { return one.key() == other.key(); });
    owned_.erase(last, owned_.end());
    unseen_.assign(nodes_of_scopes_.size(), false);
    for (const auto& [node, reach] : dynamic_) take_dynamic(node, reach);
}

void Naming::make_scopes() {
    scope_of_.assign(tree_.size(), outer_ - 1);
    for (Index i = tree_.top(); i < tree_.size(); ++i) {
        std::uint32_t scope = scope_of_[i];
        if (i > tree_.top()) {
            const Index parent = tree_[i].parent;
            const std::uint8_t opened = opens_[parent];
            std::uint8_t passed = marks_[parent];
            if (opened != 0) {
                const bool header = (opened & kHasBody) != 0 && tree_[i].field != language_.body;
                passed = static_cast<std::uint8_t>((passed & ~kHeader) | (header ? kHeader : 0));
            }
            marks_[i] |= passed & static_cast<std::uint8_t>(~kKept);
            scope = scope_of_[parent];
        }
        if (opens_[i] != 0) {
            const std::uint8_t kind = opens_[i];
            facts_.scopes.push_back({.place = {tree_[i].start, tree_[i].end},
                                     .parent = scope,
                                     .is_block = kind == kBlock || kind == kClause,
                                     .is_class = kind == kClass});
            nodes_of_scopes_.push_back(i);
            clauses_.push_back(kind == kClause);
            scope = static_cast<std::uint32_t>(facts_.scopes.size()) - 1;
            if (language_.body != 0 && tree_.child_by_field(i, language_.body) != kNone)
                opens_[i] |= kHasBody;
        }
        scope_of_[i] = scope;
    }
}

bool Naming::is_free(Word word, std::uint32_t scope) const {
    return !free_.empty() && std::binary_search(free_.begin(), free_.end(), std::pair(word, scope));
}

void Naming::place(Drafted& draft) {
    std::uint32_t scope = scope_of_[draft.name];
    if (draft.outer || draft.free) scope = draft.global ? 0 : facts_.scopes[scope].parent;
    while (draft.hoisted && facts_.scopes[scope].is_block) scope = facts_.scopes[scope].parent;
    Definition& made = draft.made;
    made.scope = scope;
    made.name = {tree_[draft.name].start, tree_[draft.name].end};
    made.word = word_of(draft.name);
    // A name of another scope, which this one said before: nobody knows here who uses it.
    const bool is_elsewhere = draft.free || is_free(made.word, scope);
    if (is_elsewhere || (made.rule != nullptr && (marks_[draft.name] & made.rule->silence) != 0))
        made.rule = nullptr;
    facts_.definitions.push_back(made);
    if (is_elsewhere) return;
    defines_[draft.name] = scope;
    if (is_own(scope)) owned_.push_back({.word = made.word, .scope = scope});
}

void Naming::take_dynamic(Index node, Reach reach) {
    std::uint32_t scope = scope_of_[node];
    if (reach == Reach::all) {
        facts_.dynamic = true;
        return;
    }
    if (reach == Reach::scope || reach == Reach::own) {
        bool in_function = false;
        for (; is_own(scope); scope = facts_.scopes[scope].parent) {
            unseen_[scope - outer_] = true;
            in_function = in_function || !facts_.scopes[scope].is_block;
        }
        if (in_function && reach == Reach::own) return;
        // What a class defines nobody misses.
        if (reach == Reach::own && facts_.scopes[scope].is_class) reach = Reach::bound;
    }
    facts_.may_bind = true;
    if (reach != Reach::bound) facts_.may_use = true;
}

void Naming::take_code(Index node) {
    for (std::uint32_t at = tree_[node].start; at < tree_[node].end;) {
        const std::uint32_t start = at;
        while (at < tree_[node].end && is_word(subject_.part[at])) ++at;
        if (at > start) {
            const Word word = words_.of(subject_.part.substr(start, at - start));
            stands_at(word, node);
            if (is_code(node)) facts_.coded.push_back(word);
        } else {
            ++at;
        }
    }
}

void Naming::resolve() {
    std::sort(stands_.begin(), stands_.end());
    auto owner = owned_.begin();
    for (auto at = stands_.begin(); at != stands_.end();) {
        const Word word = at->first;
        while (owner != owned_.end() && owner->word < word) ++owner;
        const auto first = owner;
        while (owner != owned_.end() && owner->word == word) ++owner;
        const Owners owners(first, owner);
        std::uint32_t outside = 0;
        for (; at != stands_.end() && at->first == word; ++at)
            outside += reaches_out(word, at->second, owners) ? 1U : 0U;
        if (outside > 0) facts_.names.emplace_back(word, outside);
    }
    std::sort(facts_.coded.begin(), facts_.coded.end());
    facts_.coded.erase(std::unique(facts_.coded.begin(), facts_.coded.end()), facts_.coded.end());
    find_unused();
}

/// Whether the name that stands there may mean something that is not of the part's own scopes.
bool Naming::reaches_out(Word word, Index node, Owners owners) {
    const bool is_use = defines_.empty() || defines_[node] == kNone || (marks_[node] & kKept) != 0;
    const std::uint32_t defined = is_use ? kNone : defines_[node];
    if (!is_use && !is_own(defined) && (defined == 0 || !language_.whole_scopes))
        facts_.outer_names.emplace_back(defined, word);
    // Where a name may mean something else before its definition, even another's is a use.
    if (!is_use && language_.whole_scopes) return defined == 0;
    if (owners.empty() && refers_.empty()) return true;
    bool cut = false; // by the body of a function, which does not see the names of classes
    bool found = false;
    bool open = false; // the scope said that it means one of another scope
    bool header = (marks_[node] & kHeader) != 0;
    for (std::uint32_t at = scope_of_[node]; is_own(at); at = facts_.scopes[at].parent) {
        const Scope& scope = facts_.scopes[at];
        const auto own = std::find_if(owners.begin(), owners.end(),
                                      [&](const Owned& one) { return one.scope == at; });
        open = open || is_free(word, at);
        if (own != owners.end()) {
            if (defined != at) own->used = true;
            found = found || !scope.is_class || !cut;
            const bool certain = !scope.is_class && !clauses_[at - outer_] && !header && !open;
            if (certain && language_.whole_scopes) return false;
        }
        cut = cut || (!scope.is_block && !scope.is_class && !header);
        header = (marks_[nodes_of_scopes_[at - outer_]] & kHeader) != 0;
    }
    if (!found && !refers_.empty() && refers_[node] != nullptr &&
        (marks_[node] & refers_[node]->silence) == 0)
        facts_.references.push_back({.name = {tree_[node].start, tree_[node].end},
                                     .word = word,
                                     .rule = refers_[node],
                                     .sees_class = in_class_ && !cut});
    return true;
}

/// Of the part's own scopes; who uses what a container's scope defines is not known here. A name
/// that gets several meanings is told once, of the last.
void Naming::find_unused() {
    std::vector<std::pair<std::uint32_t, Owned*>> unused;
    for (std::uint32_t i = 0; i < facts_.definitions.size(); ++i) {
        const Definition& one = facts_.definitions[i];
        if (!is_own(one.scope) || one.rule == nullptr || one.name.start == one.name.end ||
            unseen_[one.scope - outer_])
            continue;
        const auto own =
            std::lower_bound(owned_.begin(), owned_.end(), std::pair(one.word, one.scope),
                             [](const Owned& known, const auto& key) { return known.key() < key; });
        if (own == owned_.end() || own->key() != std::pair(one.word, one.scope) || own->used)
            continue;
        unused.emplace_back(i, &*own);
        const Definition* const last = own->last;
        if (last == nullptr || last->name.start < one.name.start) own->last = &one;
    }
    for (const auto& [i, own] : unused) {
        if (&facts_.definitions[i] == own->last) facts_.unused.push_back(i);
    }
}

} // namespace cloister::analyst
