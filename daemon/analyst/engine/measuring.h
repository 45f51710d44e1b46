// The figures of a part's functions. Captures of metrics.scm:
//   @function       a function that has figures of its own; @name beside it
//   @class
//   @decision       one more way through: cyclomatic + 1
//   @nest           cognitive + 1 + how deep it stands, and what is inside stands deeper
//   @flat           cognitive + 1
//   @deeper         what is inside stands deeper
// Operators of logic are counted from the language's lists: each is a decision, and each change of
// operator within a chain makes a condition harder to read (cognitive + 1).
#pragma once

#include "daemon/analyst/engine/facts.h"

namespace cloister::analyst {

class Measuring {
public:
    Measuring(const Language& language, const Subject& subject, Facts& facts)
        : language_(language), subject_(subject), tree_(subject.tree), facts_(facts) {}

    void take(const Match& match);
    /// When all matches are taken.
    void finish(const Source& source, std::uint32_t begin);

private:
    struct Marks {
        std::uint16_t decisions = 0;
        std::uint8_t flat = 0;
        bool nest = false;
        bool deeper = false;
    };
    static constexpr std::uint32_t kOutside = ~std::uint32_t{0};

    void make_functions(const Source& source, std::uint32_t begin);
    std::uint32_t parameters(Index function) const;
    std::string_view operator_of(Index node) const;
    bool begins_chain(Index node, std::string_view own) const;
    void count(Index node, std::uint32_t own, std::uint32_t deep);

    const Language& language_;
    const Subject& subject_;
    const Tree& tree_;
    Facts& facts_;
    std::vector<Marks> marks_{};
    std::vector<std::pair<Index, Index>> named_{}; ///< functions and their names
    std::vector<std::uint32_t> function_{};        ///< by node
};

} // namespace cloister::analyst
