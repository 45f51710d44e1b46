// One run of the query, one walk over the part. Captures of scopes.scm:
//   @scope, @scope.block, @scope.class     a node whose inside is a scope
//   @def.KIND                              a name that gets a meaning in the innermost scope
//   @def.KIND.outer                        … in the scope around that one (a function's own name)
//   @def.KIND.hoisted                      … in the innermost scope that is no block
//   @rule.ID                               beside @def: finds the name when nobody uses it;
//                                          beside @ref: finds the name when nothing defines it
//   @whole                                 beside them: what the fix takes away
//   @ref                                   a name that is used
//   @dynamic                               something that makes names uncertain
// Captures of metrics.scm are listed in measuring.h.
#include "daemon/analyst/engine/facts.h"

#include "daemon/analyst/engine/measuring.h"

#include <algorithm>
#include <map>

namespace cloister::analyst {
namespace {

using Is = Language::Capture::Is;

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

/// A name in quotes or a type, and no sentence: spaces stand behind commas or beside bars.
bool may_be_code(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n') return false;
        if (text[i] != ' ') continue;
        const bool fits = (i > 0 && (text[i - 1] == ',' || text[i - 1] == '|')) ||
                          (i + 1 < text.size() && text[i + 1] == '|');
        if (!fits) return false;
    }
    return true;
}

template <typename T>
void sort_once(std::vector<T>& all) {
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
}

Place place_of(const Node& node) { return {node.start, node.end}; }

/// A definition as its pattern says it, before its scope is known.
struct Drafted {
    Definition made{};
    Index name = kNone;
    bool outer = false;
    bool hoisted = false;
};

class Collecting {
public:
    Collecting(const Language& language, const Subject& subject, Words& words, Facts& facts)
        : language_(language), subject_(subject), tree_(subject.tree), words_(words), facts_(facts),
          measuring_(language, subject, facts), opens_(tree_.size()) {}

    void take(const Match& match) {
        switch (language_.part_of(match.pattern)) {
        case Language::Part::rules: return take_finding(match);
        case Language::Part::scopes: return take_name(match);
        case Language::Part::metrics: return measuring_.take(match);
        }
    }

    void finish(const Around& parts, const Source& source, std::uint32_t begin) {
        const std::span<const Scope> around = parts.scopes;
        make_scopes(around);
        for (Drafted& one : drafted_) place(one);
        walk(source, begin);
        count_names();
        find_unused(static_cast<std::uint32_t>(around.size()));
        if (!parts.names_alone) measuring_.finish(source, begin);
    }

private:
    void take_finding(const Match& match) {
        Finding made;
        made.rule = language_.pattern_rules[match.pattern - language_.first_rule];
        made.node = kNone;
        for (const std::uint32_t i : match.used) {
            made.captures.emplace_back(i, place_of(tree_[match.nodes[i]]));
            if (language_.captures[i].is != Is::here) continue;
            made.node = match.nodes[i];
            made.here = made.captures.back().second;
        }
        if (made.node == kNone) return;
        for (const Predicate& one : language_.query.predicates(match.pattern)) {
            if (one.kind != Predicate::Kind::bound || match[one.capture] == kNone) continue;
            made.bound.emplace_back(words_.of(subject_.text(match[one.capture])), one.wanted);
        }
        facts_.findings.push_back(std::move(made));
    }

    void take_name(const Match& match) {
        Drafted draft;
        Index reference = kNone;
        const Rule* rule = nullptr;
        for (const std::uint32_t i : match.used) {
            const Index node = match.nodes[i];
            const Language::Capture& capture = language_.captures[i];
            switch (capture.is) {
            case Is::scope: opens_[node] = 1; break;
            case Is::block: opens_[node] = 2; break;
            case Is::type: opens_[node] = 3; break;
            case Is::dynamic: facts_.dynamic = true; break;
            case Is::reference: reference = node; break;
            case Is::whole: draft.made.whole = place_of(tree_[node]); break;
            case Is::rule: rule = capture.rule; break;
            case Is::define:
                draft.name = node;
                draft.made.kind = capture.kind;
                draft.outer = capture.outer;
                draft.hoisted = capture.hoisted;
                break;
            default: break;
            }
        }
        if (reference != kNone && rule != nullptr)
            facts_.references.push_back({place_of(tree_[reference]), word_of(reference), rule});
        if (draft.name == kNone) return;
        draft.made.rule = rule;
        drafted_.push_back(draft);
    }

    Word word_of(Index node) {
        return tree_[node].word != 0 ? tree_[node].word : words_.of(subject_.text(node));
    }

    void make_scopes(std::span<const Scope> around) {
        scope_of_.assign(tree_.size(), static_cast<std::uint32_t>(around.size()) - 1);
        facts_.scopes.assign(around.begin(), around.end());
        for (Index i = tree_.top(); i < tree_.size(); ++i) {
            std::uint32_t scope = scope_of_[i];
            if (i > tree_.top()) scope = scope_of_[tree_[i].parent];
            if (opens_[i] != 0) {
                facts_.scopes.push_back({.place = place_of(tree_[i]),
                                         .parent = scope,
                                         .is_block = opens_[i] == 2,
                                         .is_class = opens_[i] == 3});
                nodes_of_scopes_.push_back(i);
                scope = static_cast<std::uint32_t>(facts_.scopes.size()) - 1;
            }
            scope_of_[i] = scope;
        }
    }

    void place(Drafted& draft) {
        std::uint32_t scope = scope_of_[draft.name];
        if (draft.outer) scope = facts_.scopes[scope].parent;
        while (draft.hoisted && facts_.scopes[scope].is_block) scope = facts_.scopes[scope].parent;
        draft.made.scope = scope;
        draft.made.name = place_of(tree_[draft.name]);
        draft.made.word = word_of(draft.name);
        facts_.definitions.push_back(draft.made);
        if (defines_.empty()) defines_.assign(tree_.size(), kNone);
        defines_[draft.name] = scope;
    }

    /// Tokens, names, lines.
    void walk(const Source& source, std::uint32_t begin) {
        const std::uint32_t first = source.line_of(begin);
        std::uint32_t line = first;
        const std::uint32_t end = begin + tree_[tree_.top()].end;
        facts_.lines.assign(source.line_of(end > begin ? end - 1 : begin) - first + 1,
                            Facts::blank);
        Index names_from = 0;
        Index tokens_from = 0;
        Index last = kNone;
        for (Index i = tree_.top(); i < tree_.size(); ++i) {
            const Node& node = tree_[i];
            const unsigned bits = language_.is(node.symbol, ~0U) ? language_.bits[node.symbol] : 0U;
            const bool leaf = tree_.is_leaf(i);
            if ((bits & Language::kStatement) != 0) ++facts_.statements;
            if (node.missing || node.error) add_break(i, last);
            if (leaf && !node.extra && !node.missing) last = i;
            const bool is_comment = (bits & Language::kComment) != 0;
            // A string is one thing, however many lines it has.
            const bool whole = (bits & (Language::kComment | Language::kQuiet)) != 0;
            if (i >= tokens_from && (whole || leaf)) {
                tokens_from = node.past;
                if (node.end > node.start) {
                    line = source.line_from(line, begin + node.start);
                    for (const std::uint32_t past = source.line_from(line, begin + node.end - 1);;
                         ++line) {
                        std::uint8_t& mark = facts_.lines[line - first];
                        mark =
                            std::max<std::uint8_t>(mark, is_comment ? Facts::comment : Facts::code);
                        if (line == past) break;
                    }
                    if (!node.extra) {
                        ++facts_.token_count;
                        facts_.tokens.push_back(node.word);
                    }
                }
            }
            if (i < names_from) continue;
            if (is_comment) {
                if (language_.names_in_comments) take_words(node);
                names_from = node.past;
            } else if (language_.words_in.has(node.symbol)) {
                take_words(node);
                names_from = node.past;
            } else if (language_.names_in_strings && (bits & Language::kQuiet) != 0) {
                if (may_be_code(subject_.text(i))) take_words(node); // and go on to what it embeds
            } else if (leaf && (bits & Language::kIdentifier) != 0 && !is_member(node)) {
                stands_.emplace_back(word_of(i), i);
            }
        }
        facts_.has_token = last != kNone;
        sort_once(facts_.tokens);
        sort_once(facts_.quoted);
    }

    /// Behind a dot, or before the value of an argument: a name, but not of this file.
    bool is_member(const Node& node) const {
        return node.parent != kNone && language_.is_member(tree_[node.parent].symbol, node.field);
    }

    /// A string may hold code, or a list of what others see of this file.
    void take_words(const Node& node) {
        for (std::uint32_t at = node.start; at < node.end;) {
            const std::uint32_t start = at;
            while (at < node.end && is_word(subject_.part[at])) ++at;
            if (at > start)
                facts_.quoted.push_back(words_.of(subject_.part.substr(start, at - start)));
            else ++at;
        }
    }

    void add_break(Index node, Index last) {
        if (facts_.breaks.size() > kMaxBreaks) return;
        Break made;
        made.missing = tree_[node].missing;
        made.symbol = tree_[node].symbol;
        made.found = place_of(tree_[node]);
        made.has_leaf = last != kNone;
        if (last != kNone) made.state = tree_[last].next_state;
        made.is_whole = true;
        // The first leaf inside is what could not be understood.
        for (Index i = node + 1; !made.missing && i < tree_.end_of(node) && made.is_whole; ++i) {
            if (!tree_.is_leaf(i) || tree_[i].end == tree_[i].start) continue;
            made.found = place_of(tree_[i]);
            made.is_whole = false;
        }
        facts_.breaks.push_back(made);
    }

    void count_names() {
        std::sort(stands_.begin(), stands_.end());
        for (const auto& [word, node] : stands_) {
            if (facts_.names.empty() || facts_.names.back().first != word)
                facts_.names.emplace_back(word, 0);
            ++facts_.names.back().second;
        }
    }

    /// Of the part's own scopes; who uses what a container's scope defines is not known here.
    void find_unused(std::uint32_t outer) {
        std::map<std::pair<Word, std::uint32_t>, bool> known;
        for (std::uint32_t i = 0; i < facts_.definitions.size(); ++i) {
            const Definition& one = facts_.definitions[i];
            if (one.scope < outer || one.rule == nullptr || one.name.start == one.name.end)
                continue;
            const auto [answer, fresh] = known.try_emplace({one.word, one.scope}, false);
            if (fresh) answer->second = is_used(one, nodes_of_scopes_[one.scope - outer]);
            if (!answer->second) facts_.unused.push_back(i);
        }
        if (defines_.empty()) return;
        for (const auto& [word, node] : stands_) {
            if (defines_[node] != kNone && defines_[node] < outer)
                facts_.outer_names.emplace_back(defines_[node], word);
        }
    }

    /// The name stands somewhere in the scope but where it is defined.
    bool is_used(const Definition& one, Index scope) const {
        auto at = std::lower_bound(stands_.begin(), stands_.end(), std::pair(one.word, scope));
        for (; at != stands_.end() && at->first == one.word && at->second < tree_.end_of(scope);
             ++at) {
            if (defines_[at->second] != one.scope) return true;
        }
        return false;
    }

    static constexpr std::size_t kMaxBreaks = 40;

    const Language& language_;
    const Subject& subject_;
    const Tree& tree_;
    Words& words_;
    Facts& facts_;
    Measuring measuring_;
    std::vector<std::uint8_t> opens_;
    std::vector<Drafted> drafted_{};
    std::vector<std::uint32_t> scope_of_{}; ///< by node: the innermost that it is in or is
    std::vector<Index> nodes_of_scopes_{};  ///< of the part's own
    std::vector<std::uint32_t> defines_{};  ///< by node: the scope that it is defined in
    std::vector<std::pair<Word, Index>> stands_{};
};

} // namespace

Facts facts_of_part(const Language& language, const Tree& tree, const Source& source,
                    std::uint32_t begin, const Around& around, Words& words, Budget& budget) {
    Facts facts;
    const Subject subject{language, tree, source.slice(begin, begin + tree[tree.top()].end),
                          around.is_last};
    Collecting collecting(language, subject, words, facts);
    const bool before = std::exchange(budget.truncated, false);
    const Query& query = around.names_alone ? language.names : language.query;
    query.run(subject, budget, [&](const Match& match) { collecting.take(match); });
    facts.truncated = budget.truncated;
    budget.truncated = budget.truncated || before;
    collecting.finish(around, source, begin);
    return facts;
}

namespace {

/// One match of a container, its predicates held.
void take_of_container(const Language& language, const TSQueryMatch& match, std::uint32_t begin,
                       const Source& source, std::uint8_t& opens, std::vector<Drafted>& drafted,
                       Words& words, Facts& facts) {
    Drafted draft;
    for (std::uint16_t i = 0; i < match.capture_count; ++i) {
        const TSNode node = match.captures[i].node;
        const Place place{::ts_node_start_byte(node) - begin, ::ts_node_end_byte(node) - begin};
        const Language::Capture& capture = language.captures[match.captures[i].index];
        switch (capture.is) {
        case Is::scope: opens = 1; break;
        case Is::block: opens = 2; break;
        case Is::type: opens = 3; break;
        case Is::dynamic: facts.dynamic = true; break;
        case Is::whole: draft.made.whole = place; break;
        case Is::rule: draft.made.rule = capture.rule; break;
        case Is::of_class: ++facts.classes; break;
        case Is::decision: ++facts.decisions; break;
        case Is::flat:
        case Is::nest: ++facts.cognitive; break;
        case Is::define:
            draft.made.name = place;
            draft.made.word = words.of(source.slice(place.start + begin, place.end + begin));
            draft.made.kind = capture.kind;
            draft.outer = capture.outer;
            draft.hoisted = capture.hoisted;
            draft.name = ::ts_node_child_count(node) == 0 &&
                                 language.is(::ts_node_symbol(node), Language::kIdentifier)
                             ? 1
                             : 0;
            break;
        default: break;
        }
    }
    if (draft.made.word != 0) drafted.push_back(draft);
}

} // namespace

Facts facts_of_container(const Language& language, TSNode root, const Source& source,
                         std::span<const Above> above, std::span<const Scope> scopes,
                         std::uint8_t& opens, Words& words, Budget& budget) {
    Facts facts;
    if (language.is(::ts_node_symbol(root), Language::kStatement)) ++facts.statements;
    const std::uint32_t begin = ::ts_node_start_byte(root);
    std::vector<Drafted> drafted;
    // Few patterns begin at a container, and fewer ask more of it than that: the whole of it as an
    // array is for those.
    Tree tree;
    opens = 0;
    const bool before = std::exchange(budget.truncated, false);
    language.query.run_at(root, budget, [&](const TSQueryMatch& found) {
        const auto& predicates = language.query.predicates(found.pattern_index);
        const bool is_rule = language.part_of(found.pattern_index) == Language::Part::rules;
        if (is_rule || !predicates.empty()) {
            if (tree.size() == 0 &&
                !tree.flatten_to_find(language, root, 0, above, source.text(), words, budget)) {
                budget.truncated = true;
                return;
            }
            const Subject subject{language, tree, source.slice(begin, ::ts_node_end_byte(root)),
                                  true};
            Match match;
            match.pattern = found.pattern_index;
            match.nodes.assign(language.captures.size(), kNone);
            for (std::uint16_t i = 0; i < found.capture_count; ++i)
                Query::add(match, found.captures[i], tree);
            if (!Judge(subject).holds(predicates, match)) return;
            if (is_rule) return Collecting(language, subject, words, facts).take(match);
        }
        take_of_container(language, found, begin, source, opens, drafted, words, facts);
    });
    facts.truncated = budget.truncated;
    budget.truncated = budget.truncated || before;
    facts.scopes.assign(scopes.begin(), scopes.end());
    if (opens != 0 || scopes.empty()) {
        const auto parent = static_cast<std::uint32_t>(scopes.empty() ? 0 : scopes.size() - 1);
        facts.scopes.push_back({.place = {0, ::ts_node_end_byte(root) - begin},
                                .parent = parent,
                                .is_block = opens == 2,
                                .is_class = opens == 3});
    }
    for (Drafted& draft : drafted) {
        auto scope = static_cast<std::uint32_t>(facts.scopes.size() - 1);
        if (draft.outer) scope = facts.scopes[scope].parent;
        while (draft.hoisted && facts.scopes[scope].is_block) scope = facts.scopes[scope].parent;
        draft.made.scope = scope;
        if (draft.name == 1) facts.outer_names.emplace_back(scope, draft.made.word);
        facts.definitions.push_back(draft.made);
    }
    return facts;
}

} // namespace cloister::analyst
