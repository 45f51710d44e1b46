// Who is called what, and where. Good for suggestions and for rules about names that nobody uses;
// deliberately careful: what cannot be told for sure counts as used.
#pragma once

#include "daemon/analyst/engine/language.h"

#include <string_view>
#include <unordered_map>
#include <vector>

namespace cloister::analyst {

struct Scope {
    Index node = 0;
    std::size_t parent = 0; ///< its own number for the outermost
    bool is_block = false;  ///< a name that is hoisted goes further out
    bool is_class = false;  ///< its names are members, not seen by the functions in it
};

struct Definition {
    Index name = kNone;
    std::string_view text{};
    std::string_view kind{}; ///< parameter, variable, function, class, import, field…
    std::size_t scope = 0;
    std::string_view rule{}; ///< of nobody using it; empty: that is no fault
    Index whole = kNone;     ///< what to take away when nobody uses it
};

class Scopes {
public:
    Scopes(const Language& language, const Source& source, const Tree& tree, Budget& budget);

    const std::vector<Scope>& scopes() const { return scopes_; }
    const std::vector<Definition>& definitions() const { return definitions_; }
    bool is_bound(std::string_view name) const { return bound_.contains(name); }
    /// The file may bind or use names in ways that cannot be seen (eval, a star import).
    bool is_dynamic() const { return dynamic_; }
    struct Reference {
        Index name;
        std::string_view rule;
    };
    const std::vector<Reference>& references() const { return references_; }
    /// The innermost scope that holds the byte.
    std::size_t scope_at(std::uint32_t byte) const;
    /// Whether the name stands anywhere in the scope but where it is defined; also as a word of a
    /// string, where code of some languages can be.
    bool is_used(const Definition& definition) const;

private:
    void take(const Match& match, const Query& query, const Tree& tree);
    void place(Definition definition, bool outside, bool hoisted);
    void count_words();
    void take_words(const Node& node);

    const Language& language_;
    const Source& source_;
    const Tree& tree_;
    std::vector<Scope> scopes_;
    std::vector<std::size_t> scope_of_node_; ///< by node: the innermost that it is in or is
    std::vector<Definition> definitions_;
    std::vector<Reference> references_;
    std::unordered_map<std::string_view, std::vector<Index>> names_; ///< where each stands
    std::unordered_set<std::string_view> bound_;
    std::unordered_set<std::string_view> words_;     ///< of strings
    std::unordered_map<Index, std::size_t> defines_; ///< by name: the scope that it is defined in
    mutable std::map<std::pair<std::string_view, std::size_t>, bool> used_;
    bool dynamic_ = false;
};

} // namespace cloister::analyst
