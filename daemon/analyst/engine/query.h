// A compiled query with the predicates that we evaluate ourselves. Patterns say what a place looks
// like; predicates ask what a pattern cannot: whether two pieces are the same code, whether
// something can have an effect, what is around.
#pragma once

#include "daemon/analyst/engine/pattern.h"
#include "daemon/analyst/engine/tree.h"

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::analyst {

struct Language;
class Judge;

/// One match: the first node of each capture, by the capture's number.
struct Match {
    std::uint32_t pattern = 0;
    std::vector<Index> nodes{};        ///< kNone: not captured
    std::vector<std::uint32_t> used{}; ///< the captures that are
    Index operator[](std::uint32_t capture) const {
        return capture < nodes.size() ? nodes[capture] : kNone;
    }
};

struct Predicate {
    enum class Kind : std::uint8_t {
        equal,    ///< text of a capture and a text or another capture's
        one_of,   ///< text is one of
        like,     ///< text matches one of the globs
        same,     ///< the same tokens
        pure,     ///< can have no effect
        inside,   ///< below one of these kinds
        within,   ///< the same, in the same function
        has,      ///< one of these kinds is below, in the same function
        parent,   ///< directly below one of these kinds
        kind,     ///< is one of these kinds
        count,    ///< has so many named children, comments aside
        field,    ///< has a child in this field
        last,     ///< the last named child of its parent, comments aside
        bound,    ///< the file gives this name a meaning of its own
        repeated, ///< what stands in the same field of an earlier sibling is the same text
    };
    Kind kind = Kind::equal;
    bool wanted = true; ///< false: of a "not-" predicate
    std::uint32_t capture = 0;
    std::uint32_t other = ~std::uint32_t{0}; ///< a second capture
    std::vector<std::string> texts{};
    std::vector<bool> symbols{}; ///< of kinds
    TSFieldId field = 0;
    std::uint32_t number = 0;
};

/// What predicates look at: a part of a source.
struct Subject {
    const Language& language;
    const Tree& tree;
    std::string_view part{}; ///< its text
    bool is_last = false;    ///< it is the last named child of what it is in

    std::string_view text(Index index) const {
        return part.substr(tree[index].start, tree[index].end - tree[index].start);
    }
};

/// A file of patterns.
struct QueryPiece {
    std::string place;
    std::string text;
};

class Query {
public:
    Query() = default;
    /// All pieces as one query. Throws std::runtime_error that names place, line and fault.
    Query(const TSLanguage* language, const std::vector<QueryPiece>& pieces);

    /// The number of a capture, or ~0 when no pattern has it.
    std::uint32_t capture(std::string_view name) const;
    const std::vector<std::string>& captures() const { return captures_; }
    std::uint32_t patterns() const { return static_cast<std::uint32_t>(predicates_.size()); }
    /// The first pattern of that piece, or of the first behind it that has any.
    std::uint32_t first_of(std::size_t piece) const { return firsts_[piece]; }
    /// What `#set!` says in a pattern; empty when it says nothing.
    const std::string& property(std::uint32_t pattern, const std::string& key) const;

    /// Calls back for each match whose predicates hold, in the order of the text. `bound?` is left
    /// to whoever knows the whole file: bound_by().
    void run(const Subject& subject, Budget& budget,
             const std::function<void(const Match&)>& take) const;
    /// Only patterns that begin at `root` itself. `take` is given what tree-sitter found, and looks
    /// at no predicates.
    void run_at(TSNode root, Budget& budget,
                const std::function<void(const TSQueryMatch&)>& take) const;
    static void add(Match& match, const TSQueryCapture& capture, const Tree& tree);
    const std::vector<Predicate>& predicates(std::uint32_t pattern) const {
        return predicates_[pattern];
    }

private:
    struct Delete {
        void operator()(TSQuery* query) const { ::ts_query_delete(query); }
    };
    void read_predicates(const TSLanguage* language, std::uint32_t pattern,
                         const std::string& place);
    void read_predicate(const TSLanguage* language, std::uint32_t pattern,
                        std::span<const TSQueryPredicateStep> steps, const std::string& place);
    void take_ways(const TSLanguage* language, std::string_view text, std::uint32_t pattern,
                   const std::string& place);
    std::string string_value(std::uint32_t id) const;
    TSQueryCursor* begin(TSNode root, std::uint32_t depth, Budget& budget) const;

    struct Found;
    std::vector<Found> find(const Subject& subject, Judge& judge, Match& match,
                            std::vector<std::pair<std::uint32_t, Index>>& captured,
                            Budget& budget) const;
    void run_plain(const Subject& subject, Judge& judge, Match& match, Budget& budget,
                   const std::function<void(const Match&)>& take) const;

    /// Kinds by their number modulo 64: tells what is certainly not among them.
    using KindSet = std::uint64_t;
    static KindSet kind_bit(TSSymbol symbol) { return KindSet{1} << (symbol % 64U); }
    static KindSet kinds_below(const Tree& tree, Index node);
    static std::array<KindSet, 2> needs_of(const Steps& steps);

    struct Way {
        std::uint32_t pattern = 0;
        bool may_repeat = false;
        /// Of the kinds of children that it cannot do without, two at most; 0: nothing.
        std::array<KindSet, 2> needs{};
        Steps steps{};
    };
    /// Numbers of ways by the kind of their first node.
    struct OfSymbol {
        std::vector<std::uint32_t> ways{};
        std::vector<std::uint32_t> plain{}; ///< of one node, about which nothing more is asked
    };

    std::unique_ptr<TSQuery, Delete> query_;
    std::vector<Way> ways_;
    std::vector<OfSymbol> by_symbol_;
    std::vector<std::string> captures_;
    std::vector<std::uint32_t> firsts_;
    std::vector<std::vector<Predicate>> predicates_;
    std::vector<std::map<std::string, std::string>> properties_;
};

/// The same tokens in the same order, whatever is between them.
bool same_tokens(const Subject& subject, Index one, Index other);
/// `*` any characters, `?` one, `[a-z]` one of; nothing else is special. At
/// worst in the time of one length times the other.
bool is_like(std::string_view text, std::string_view glob);

/// Evaluates a pattern's predicates. Keeps what it has worked out about containers of siblings.
class Judge {
public:
    explicit Judge(const Subject& subject) : subject_(subject) {}
    /// `bound` aside.
    bool holds(const std::vector<Predicate>& predicates, const Match& match);

private:
    bool holds(const Predicate& predicate, const Match& match);
    bool is_repeated(Index node);

    const Subject& subject_;
    /// By the children's parent and field: the first place of each text.
    std::map<std::pair<Index, std::uint32_t>, std::map<std::string_view, Index>> seen_;
};

} // namespace cloister::analyst
