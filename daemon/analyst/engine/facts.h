// What is known of one part of a source, whatever is around it: who is called what there, how large
// and tangled it is, what looks wrong. A part is a child of the root or of a container; bytes and
// lines count from its beginning. Each figure's definition and source: docs/analysis.md.
#pragma once

#include "daemon/analyst/engine/language.h"
#include "daemon/analyst/engine/source.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cloister::analyst {

struct Place {
    std::uint32_t start = 0;
    std::uint32_t end = 0;
};

/// The scopes of containers come first, then a part's own.
struct Scope {
    Place place{};
    std::uint32_t parent = 0; ///< its own number for the outermost
    bool is_block = false;    ///< a name that is hoisted goes further out
    bool is_class = false;    ///< its names are members, not seen by the functions in it
};

struct Definition {
    Place name{};
    Word word = 0;
    std::string_view kind{}; ///< parameter, variable, function, class, import, field…
    std::uint32_t scope = 0;
    const Rule* rule = nullptr; ///< of nobody using it; none: that is no fault
    Place whole{};              ///< what to take away when nobody uses it; empty: nothing
};

struct Reference {
    Place name{};
    Word word = 0;
    const Rule* rule = nullptr; ///< of nobody defining it
    bool sees_class = false;    ///< the members of a class around the part, too
};

/// A rule's pattern matched.
struct Finding {
    const Rule* rule = nullptr;
    Index node = 0; ///< of @here; to tell two of one place apart
    Place here{};
    std::vector<std::pair<std::uint32_t, Place>> captures{}; ///< by the capture's number
    std::vector<std::pair<Word, bool>> bound{}; ///< names that the file must, or must not, bind
};

/// A block that could be a function of its own, and the names of the one around that it needs.
struct Extract {
    Place place{};
    std::vector<Place> names{};
    std::uint32_t lines = 0;
};

struct FunctionMetrics {
    std::string name{};
    Place place{};
    std::uint32_t lines = 0;
    std::uint32_t cyclomatic = 1;
    std::uint32_t cognitive = 0;
    std::uint32_t nesting = 0; ///< the deepest
    std::uint32_t parameters = 0;
    std::optional<Extract> extract{}; ///< looked for where the function is too long
};

/// What tree-sitter had to skip or to invent.
struct Break {
    bool missing = false;
    bool has_leaf = false; ///< whether something in this part stands before it
    TSSymbol symbol = 0;   ///< of what is missing
    TSStateId state = 0;   ///< the parser's, behind what stands before it
    Place found{};         ///< what could not be understood
    bool is_whole = false; ///< `found` is the whole error: it has nothing in it
};

struct Facts {
    std::vector<Scope> scopes{};
    std::vector<Definition> definitions{};
    std::vector<std::uint32_t> unused{}; ///< definitions that nobody uses, by number
    std::vector<Reference> references{}; ///< to what the part's own scopes do not define
    std::vector<Finding> findings{};
    std::vector<FunctionMetrics> functions{}; ///< in the order of the text
    std::vector<Break> breaks{};
    /// How often each stands and may mean something outside of the part's own scopes; sorted.
    std::vector<std::pair<Word, std::uint32_t>> names{};
    /// Which of them are the definitions of a container's scope.
    std::vector<std::pair<std::uint32_t, Word>> outer_names{};
    std::vector<Word> tokens{}; ///< each once
    std::vector<Word> quoted{}; ///< words of comments and macros that may mean names; each once
    std::vector<Word> coded{};  ///< words of code in strings, which may define what they name; each
                                ///< once
    std::uint32_t token_count = 0;
    enum Line : std::uint8_t { blank, comment, code };
    std::vector<std::uint8_t> lines{};
    std::uint32_t classes = 0;
    std::uint32_t statements = 0;
    std::uint32_t decisions = 0; ///< outside of functions
    std::uint32_t cognitive = 0; ///< outside of functions
    std::uint32_t nesting = 0;   ///< outside of functions
    bool has_token = false;
    bool dynamic = false;   ///< any names of the file may be used in ways that cannot be seen
    bool may_use = false;   ///< those of containers' scopes may be
    bool may_bind = false;  ///< those of the outermost scope may be defined so
    bool truncated = false; ///< something was left out
};

/// What a part stands in.
struct Around {
    std::span<const Scope> scopes{}; ///< of containers, the outermost first
    bool is_last = false;            ///< it is the last named child
    bool names_alone = false;        ///< neither rules nor figures are asked for
};

/// Of a part, of which `tree` is the array. `source` is the whole one, `begin` where the part
/// begins in it.
Facts facts_of_part(const Language& language, const Tree& tree, const Source& source,
                    std::uint32_t begin, const Around& around, Words& words, Budget& budget);

/// Of what a container has beside its children: patterns that begin at itself. Sets `opens`: 0: no
/// scope, 1: one, 2: a block's, 3: a class's.
Facts facts_of_container(const Language& language, TSNode root, const Source& source,
                         std::span<const Above> above, std::span<const Scope> scopes,
                         std::uint8_t& opens, Words& words, Budget& budget);

} // namespace cloister::analyst
