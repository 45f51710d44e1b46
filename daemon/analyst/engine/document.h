// A source and all that is known of it, kept while it is edited. It is cut into parts: the children
// of the root and those of the bodies of classes. After an edit only those parts are looked at
// again that are not as they were. A document that was edited and one that was read anew say the
// same (tests/analysis/document_test.cpp).
#pragma once

#include "daemon/analyst/engine/facts.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::analyst {

/// Of a whole file; what its functions add is in it.
struct Metrics {
    std::uint32_t lines = 0;
    std::uint32_t code_lines = 0;
    std::uint32_t comment_lines = 0; ///< lines with nothing but comment
    std::uint32_t blank_lines = 0;
    std::uint32_t functions = 0;
    std::uint32_t classes = 0;
    std::uint32_t statements = 0;
    std::uint32_t cyclomatic = 1; ///< 1 + what all functions and the rest of the file add
    std::uint32_t cognitive = 0;
    std::uint32_t nesting = 0;
    double maintainability = 100;
};

class Document {
public:
    explicit Document(const Language& language);
    Document(const Document&) = delete;
    Document& operator=(const Document&) = delete;

    /// Takes the new text, and looks again at what is new in it. False when the budget is spent:
    /// then nothing is known but the text, and the next call begins anew.
    bool set(std::string text, Budget& budget);
    /// The same, for suggestions at that place alone: but for its line, only names are looked for.
    bool set_around(std::string text, Position place, Budget& budget);
    /// `removed` bytes at `start` become `inserted`.
    bool edit(std::uint32_t start, std::uint32_t removed, std::string_view inserted,
              Budget& budget);

    struct Shape; ///< by which a node is known again
    struct Cut {
        TSSymbol symbol = 0;
        std::uint32_t nodes = 0;
        bool broken = false; ///< an error of syntax is in it
        std::uint32_t begin = 0;
        std::uint32_t size = 0;
        std::uint64_t around = 0; ///< what it stands in, as one number
        void set(const Shape& shape);
        bool has_shape(const Shape& shape) const;
    };
    struct Part : Cut {
        std::uint32_t container = 0;
        bool is_last = false;
        Tree tree{};
        Facts facts{};
    };
    /// The root is the first one.
    struct Container : Cut {
        std::uint64_t key = 0; ///< `around` of what stands in it
        std::uint32_t parent = 0;
        TSFieldId field = 0;
        bool named = true;
        std::uint8_t opens = 0;
        std::vector<std::uint32_t> scopes{}; ///< containers, by the number of their scope
        Facts facts{};
    };

    const Language& language() const { return language_; }
    const std::string& text() const { return *text_; }
    const Source& source() const { return source_; }
    const Words& words() const { return words_; }
    const std::vector<std::unique_ptr<Part>>& parts() const { return parts_; }
    const std::vector<std::unique_ptr<Container>>& containers() const { return containers_; }
    TSNode root() const { return tree_.root(); }
    bool has_error() const { return ::ts_node_has_error(tree_.root()); }
    bool is_truncated() const;

    // --- Names of the whole file
    bool is_bound(Word word) const { return totals_.bound[word] > 0; }
    bool is_builtin(Word word) const { return word != 0 && word <= builtins_; }
    /// A string or comment may mean it.
    bool is_quoted(Word word) const { return totals_.quoted[word] > 0; }
    bool is_dynamic() const { return totals_.dynamic > 0; }
    /// Names that containers' scopes define may be used in ways that cannot be seen.
    bool may_be_used() const { return totals_.may_use > 0 || is_dynamic(); }
    /// Whether what stands there may mean something that the file defines.
    bool is_defined(const Reference& reference) const {
        return totals_.may_bind > 0 || totals_.bound_of_root[reference.word] > 0 ||
               (reference.sees_class && is_bound(reference.word));
    }
    /// Whether nobody uses what a container's scope defines.
    bool is_unused(std::uint32_t container, Word word) const;

    Metrics measure() const;
    /// The first part that holds the byte or ends there; null when none does.
    const Part* part_at(std::uint32_t byte) const;
    /// The innermost container that holds the byte.
    std::uint32_t container_at(std::uint32_t byte) const;
    /// About the bytes of memory that it occupies.
    std::size_t memory() const;

private:
    struct Seen; ///< a part as the new tree has it

    bool update(const Edit& edit, std::string text, Budget& budget);
    void forget();
    void find_parts(std::vector<Seen>& seen);
    bool look_at_containers(const std::vector<std::unique_ptr<Container>>& before,
                            std::string_view old_text, const std::vector<TSNode>& nodes,
                            Budget& budget);
    bool look_at_parts(const std::vector<Seen>& seen, std::string_view old_text, Budget& budget);
    bool look(Part& part, const Seen& seen, Budget& budget);
    bool is_aside(const Part& part) const;
    std::vector<Above> above(std::uint32_t container) const;
    void count(const Facts& facts, bool adds);
    void count_lines(Metrics& metrics) const;

    struct Totals {
        std::vector<std::uint32_t> names{};   ///< by word
        std::vector<std::uint32_t> bound{};   ///< by word
        std::vector<std::uint32_t> quoted{};  ///< by word
        std::vector<std::uint32_t> tokens{};  ///< parts that have it, by word
        std::vector<std::uint32_t> of_root{}; ///< places where the root's scope defines it, by word
        /// How often the root's scope, or code in strings, defines it, by word.
        std::vector<std::uint32_t> bound_of_root{};
        std::uint64_t token_count = 0;
        std::uint32_t distinct = 0;
        std::uint32_t dynamic = 0;
        std::uint32_t may_use = 0;
        std::uint32_t may_bind = 0;
        std::uint32_t functions = 0;
        std::uint32_t classes = 0;
        std::uint32_t statements = 0;
        std::uint32_t decisions = 0; ///< those of functions, too
        std::uint32_t cognitive = 0;
    };

    const Language& language_;
    std::unique_ptr<const std::string> text_ = std::make_unique<std::string>();
    Source source_{*text_};
    Words words_{};
    Word builtins_ = 0; ///< the words up to this one
    SyntaxTree tree_{};
    std::vector<std::unique_ptr<Container>> containers_{};
    std::vector<std::unique_ptr<Part>> parts_{};
    std::vector<TSNode> container_nodes_{}; ///< while the tree is looked at
    std::optional<Position> place_{};       ///< of set_around()
    Totals totals_{};
};

} // namespace cloister::analyst
