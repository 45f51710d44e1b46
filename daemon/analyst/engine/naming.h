// The names of a part: which scopes there are in it, what they give a meaning, and which of these
// meanings a name that stands somewhere can have. What it means outside of the part its document
// knows. Whatever is not certain counts as a use, and as a meaning.
#pragma once

#include "daemon/analyst/engine/facts.h"
#include "daemon/analyst/engine/language.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace cloister::analyst {

/// A definition as its pattern says it, before its scope is known.
struct Drafted {
    Definition made{};
    Index name = kNone;
    bool outer = false;
    bool hoisted = false;
    bool free = false;
    bool global = false;
    bool kept = false; ///< it is a use, too
};

class Naming {
public:
    Naming(const Language& language, const Subject& subject, Words& words, Facts& facts)
        : language_(language), subject_(subject), tree_(subject.tree), words_(words), facts_(facts),
          opens_(tree_.size()), marks_(tree_.size()) {}

    /// A match of scopes.scm.
    void take(const Match& match);
    /// When all are taken: makes scopes, and puts what is defined into them.
    void place(std::span<const Scope> around);
    /// After place(): a name stands at this node.
    void stands_at(Word word, Index node) { stands_.emplace_back(word, node); }
    Word word_of(Index node);
    /// After place(): all words of this node may be names.
    void take_code(Index node);
    bool is_code(Index node) const { return (marks_[node] & kCode) != 0; }
    /// When every name is known to stand where it does.
    void resolve();

private:
    // Bits of a node. What a rule says nothing about begins at Language::kFirstSilence.
    static constexpr std::uint8_t kHeader = 1; ///< in its scope, but not in that one's body
    static constexpr std::uint8_t kCode = 2;
    static constexpr std::uint8_t kKept = 4; ///< it defines and uses
    // Kinds of scopes, by the node that opens them.
    static constexpr std::uint8_t kPlain = 1;
    static constexpr std::uint8_t kBlock = 2;
    static constexpr std::uint8_t kClass = 3;
    static constexpr std::uint8_t kClause = 4;
    static constexpr std::uint8_t kHasBody = 8;

    /// What a scope of the part gives a meaning.
    struct Owned {
        Word word = 0;
        std::uint32_t scope = 0;
        bool used = false;
        const Definition* last = nullptr; ///< of those that nobody uses, in the text
        auto key() const { return std::pair(word, scope); }
    };
    using Owners = std::span<Owned>;

    void make_scopes();
    void place(Drafted& draft);
    void take_dynamic(Index node, Language::Reach reach);
    bool reaches_out(Word word, Index node, Owners owners);
    void refer(Word word, Index node, bool sees_class);
    void find_unused();
    bool is_free(Word word, std::uint32_t scope) const;
    bool is_own(std::uint32_t scope) const { return scope >= outer_; }

    const Language& language_;
    const Subject& subject_;
    const Tree& tree_;
    Words& words_;
    Facts& facts_;
    std::uint32_t outer_ = 0; ///< the first scope of the part's own
    bool in_class_ = false;   ///< one of those around is a class's
    std::vector<std::uint8_t> opens_;
    std::vector<std::uint8_t> marks_;
    std::vector<Drafted> drafted_{};
    std::vector<std::pair<Index, Language::Reach>> dynamic_{};
    std::vector<std::uint32_t> scope_of_{}; ///< by node: the innermost that it is in or is
    std::vector<Index> nodes_of_scopes_{};  ///< of the part's own
    std::vector<bool> clauses_{};           ///< of the part's own: whether names leak out of them
    std::vector<bool> unseen_{};            ///< of the part's own: uses may be unseen
    std::vector<std::uint32_t> defines_{};  ///< by node: the scope that it is defined in
    std::vector<const Rule*> refers_{};     ///< by node: of nobody defining it
    std::vector<std::pair<Word, std::uint32_t>> free_{}; ///< sorted
    std::vector<Owned> owned_{};                         ///< sorted
    std::vector<std::pair<Word, Index>> stands_{};
};

} // namespace cloister::analyst
