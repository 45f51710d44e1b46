// One run of the query, one walk over the part. Captures of scopes.scm:
//   @scope, @scope.block, @scope.class     a node whose inside is a scope
//   @scope.clause                          … a block whose names others may give a value, too
//   @def.KIND                              a name that gets a meaning in the innermost scope
//   @def.KIND.outer                        … in the scope around that one (a function's own name)
//   @def.KIND.hoisted                      … in the innermost scope that is no block
//   @def.KIND.nonlocal, @def.KIND.global   … which this scope says is a name of one around, or of
//   the file
//   @rule.ID                               beside @def: finds the name when nobody uses it;
//                                          beside @ref: finds the name when nothing defines it
//   @whole                                 beside them: what the fix takes away
//   @ref                                   a name that is used; beside @def: it is used there, too
//   @without.ID                            in which that rule of names says nothing
//   @code                                  whose strings, or which comment, may name and define
//   what the file does
//   @dynamic                               something that may use any name of the file in ways
//   unseen
//   @dynamic.scope                         … use what the scopes around define, define what the
//   file does (eval)
//   @dynamic.own                           … use what the function around defines
//   @dynamic.global, @dynamic.bound        … use or define, only define, what is of the whole file
// Captures of metrics.scm are listed in measuring.h.
#include "daemon/analyst/engine/facts.h"

#include "daemon/analyst/engine/measuring.h"
#include "daemon/analyst/engine/naming.h"

#include <algorithm>
#include <map>

namespace cloister::analyst {
namespace {

using Is = Language::Capture::Is;

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

template <typename T>
void sort_once(std::vector<T>& all) {
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
}

Place place_of(const Node& node) { return {node.start, node.end}; }

class Collecting {
public:
    Collecting(const Language& language, const Subject& subject, Words& words, Facts& facts)
        : language_(language), subject_(subject), tree_(subject.tree), words_(words), facts_(facts),
          naming_(language, subject, words, facts), measuring_(language, subject, facts) {}

    void take(const Match& match) {
        switch (language_.part_of(match.pattern)) {
        case Language::Part::rules: return take_finding(match);
        case Language::Part::scopes: return naming_.take(match);
        case Language::Part::metrics: return measuring_.take(match);
        }
    }

    void finish(const Around& parts, const Source& source, std::uint32_t begin) {
        naming_.place(parts.scopes);
        walk(source, begin);
        naming_.resolve();
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
                if (naming_.is_code(i) || has_prompt(i)) naming_.take_code(i);
                names_from = node.past;
            } else if (language_.words_in.has(node.symbol)) {
                take_words(node);
                names_from = node.past;
            } else if ((bits & Language::kQuiet) != 0) {
                // And go on to what it embeds.
                if (naming_.is_code(i) || has_prompt(i)) naming_.take_code(i);
            } else if (leaf && (bits & Language::kIdentifier) != 0 && !is_member(node)) {
                naming_.stands_at(naming_.word_of(i), i);
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

    /// Whether code is shown in a string or comment, as at a prompt.
    bool has_prompt(Index node) const {
        return !language_.prompt.empty() &&
               subject_.text(node).find(language_.prompt) != std::string_view::npos;
    }

    /// A comment or macro may mean names.
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

    static constexpr std::size_t kMaxBreaks = 40;

    const Language& language_;
    const Subject& subject_;
    const Tree& tree_;
    Words& words_;
    Facts& facts_;
    Naming naming_;
    Measuring measuring_;
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
