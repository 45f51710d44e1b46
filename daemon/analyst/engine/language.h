// A language as data: which nodes are what, and its queries, compiled. Everything that is known
// about a language is in runtimes/ID/analysis/; nothing here, and nothing that uses this, asks
// which language it has before it.
#pragma once

#include "daemon/analyst/engine/query.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tree_sitter/api.h>
#include <unordered_set>
#include <vector>

namespace cloister::analyst {

/// In English and Korean; the other places are for whoever adds a language of people.
enum class Tongue : std::uint8_t { en, ko };
using Spoken = std::array<std::string, 2>;

enum class Severity : std::uint8_t { error, warning, info };

/// Replaces what was captured as `at` by `text`, whose holes are filled with captured texts.
struct FixPlan {
    std::string at{};
    std::string text{};
    bool whole_line = false; ///< when the line holds nothing else
};

struct Rule {
    std::string id{};
    std::string peer{}; ///< the rule of a known tool that it corresponds to
    std::string category{};
    Severity severity = Severity::warning;
    bool syntax = false;      ///< what it finds does not compile
    std::uint8_t silence = 0; ///< the mark of where it says nothing (kFirstSilence and up)
    Spoken message{};         ///< {name} stands for what was captured so
    Spoken suggestion{};
    std::optional<FixPlan> fix{};
};

struct Snippet {
    std::string label;
    std::string insert;
    Spoken detail{};
};

struct Thresholds {
    std::uint32_t cyclomatic = 10;
    std::uint32_t cognitive = 15;
    std::uint32_t function_lines = 60;
    std::uint32_t nesting = 4;
    std::uint32_t parameters = 7;
    std::uint32_t file_lines = 1000;
};

/// Node kinds of one meaning.
class Kinds {
public:
    Kinds() = default;
    /// Throws std::runtime_error for a name that the grammar does not have.
    Kinds(const TSLanguage* language, const std::vector<std::string>& names,
          const std::string& place);
    bool has(TSSymbol symbol) const { return symbol < has_.size() && has_[symbol]; }

private:
    std::vector<bool> has_;
};

struct Member {
    std::string name;
    std::string detail;
};

struct DeepPlan; // deep.h

/// What extracting.h has to know.
struct ExtractPlan {
    bool is_known = false;
    Kinds blocks{};       ///< statements that hold others
    Kinds loops{};        ///< those that `jumps` within them stay in
    Kinds jumps{};        ///< `break` and `continue`
    Kinds stops{};        ///< what means something else, or nothing, in another function
    Kinds writes{};       ///< what gives its first child a value
    Kinds places{};       ///< first children of these that are no names: a[i], a.b
    Kinds declarations{}; ///< that may have no `value`
    std::set<std::string, std::less<>> words{}; ///< names that mean something of the function
};

struct Language {
    std::string id{};
    const TSLanguage* grammar = nullptr;

    /// The kinds below as bits, by symbol.
    static constexpr std::uint16_t kComment = 1;
    static constexpr std::uint16_t kQuiet = 2;
    static constexpr std::uint16_t kInterpolated = 4;
    static constexpr std::uint16_t kIdentifier = 8;
    static constexpr std::uint16_t kFunction = 16;
    static constexpr std::uint16_t kImpure = 32;
    static constexpr std::uint16_t kBoolean = 64;
    static constexpr std::uint16_t kWrapper = 128;
    static constexpr std::uint16_t kParameters = 256;
    static constexpr std::uint16_t kStatement = 512;
    static constexpr std::uint16_t kContainer = 1024;
    std::vector<std::uint16_t> bits{};
    bool is(TSSymbol symbol, unsigned wanted) const {
        return symbol < bits.size() && (bits[symbol] & wanted) != 0;
    }

    Kinds comments{};
    Kinds quiet{};        ///< strings and the like: nothing is suggested inside
    Kinds interpolated{}; ///< code inside of what is quiet
    Kinds identifiers{};  ///< leaves that are names
    Kinds functions{};    ///< where walks up and down within one function stop
    Kinds impure{};       ///< what may do something when it is evaluated
    Kinds booleans{};     ///< nodes with one of boolean_operators as a child
    std::set<std::string, std::less<>> boolean_operators{};
    Kinds wrappers{};   ///< parentheses: seen through where operators are followed
    Kinds parameters{}; ///< lists of parameters
    Kinds statements{};
    /// What holds parts that are looked at one by one, and again only when they change: bodies of
    /// classes. The root is always one. Neither functions nor what nests, and nothing whose members
    /// `repeated?` compares.
    Kinds containers{};

    Thresholds thresholds{};
    std::vector<std::string> keywords{};
    std::unordered_set<std::string> builtins{};
    std::vector<Snippet> snippets{};
    Kinds words_in{}; ///< leaves whose words may be names (a macro's body)
    /// What begins a line that brings the names of `members` that are under what stands in <…>.
    std::string header_lines{};
    bool macros = false; ///< a preprocessor may change what the text means
    /// By kind: the field whose name is a member of something, and means nothing in this file.
    std::vector<TSFieldId> member_fields{};
    bool is_member(TSSymbol around, TSFieldId field) const {
        return field != 0 && around < member_fields.size() && member_fields[around] == field;
    }
    ExtractPlan extract{};
    std::vector<std::string> gaps{}; ///< globs of lines that compile, but not by the grammar
    bool names_in_comments = false;  ///< a comment may name what the file binds ({@link Name})
    /// A name that a scope gives a meaning means that everywhere in the scope, before it, too.
    bool whole_scopes = false;
    std::string prompt{};   ///< what stands before code in a string or comment (">>> ")
    TSFieldId body = 0;     ///< the field "body": what else a scope holds may mean names around it
    std::string receiver{}; ///< "self", "this": what members are reached by
    std::string ignored_prefix{}; ///< names that begin so are unused on purpose

    std::map<std::string, Rule, std::less<>> rules{};
    std::map<std::string, Spoken, std::less<>> words{}; ///< messages of every language
    std::map<std::string, std::vector<Member>, std::less<>> members{}; ///< of modules, by name

    std::shared_ptr<const DeepPlan> deep{}; ///< null: no checkers are known

    /// Scopes, then rules, then metrics: one query, so that a tree is walked once for all.
    Query query{};
    /// Scopes alone, for those who only want names; numbered as in `query`, where they come first.
    Query names{};
    enum class Part : std::uint8_t { scopes, rules, metrics };
    Part part_of(std::uint32_t pattern) const {
        return pattern < first_rule     ? Part::scopes
               : pattern < first_metric ? Part::rules
                                        : Part::metrics;
    }
    std::uint32_t first_rule = 0;   ///< pattern
    std::uint32_t first_metric = 0; ///< pattern

    /// Whose names something uses or binds in ways that cannot be seen.
    enum class Reach : std::uint8_t {
        all,    ///< used: any in the file
        scope,  ///< used: those of all scopes around it; bound: the outermost one's
        own,    ///< used: those of the function around it
        global, ///< used or bound: the outermost scope's
        bound,  ///< bound: the outermost scope's
    };
    static constexpr std::uint8_t kFirstSilence = 8;

    /// What a capture of the query means, by its number.
    struct Capture {
        enum class Is : std::uint8_t {
            other,
            here,
            scope,
            block,
            type,
            define,
            clause,
            reference,
            code,
            dynamic,
            without,
            whole,
            rule,
            function,
            name,
            of_class,
            decision,
            nest,
            flat,
            deeper
        };
        Is is = Is::other;
        std::string_view kind{}; ///< of a definition
        bool outer = false;
        bool hoisted = false;
        bool free = false;          ///< of a scope around, which the language looks for
        bool global = false;        ///< of the outermost scope
        Reach reach = Reach::all;   ///< of @dynamic
        const Rule* rule = nullptr; ///< of rule.ID and without.ID
    };
    std::vector<Capture> captures{};
    std::vector<const Rule*> pattern_rules{}; ///< of the rules' patterns, from first_rule on

    const Rule* rule(std::string_view id) const;
    const std::string& word(const std::string& id, Tongue tongue) const;
};

/// Texts of a language's folder, by file name; rules/*.scm as "rules/NAME.scm".
using Texts = std::map<std::string, std::string, std::less<>>;

/// `common` holds what languages share. Throws std::runtime_error that names file and fault.
std::unique_ptr<const Language> load_language(const std::string& id, const Texts& texts,
                                              const std::string& common);

/// By id.
using Languages = std::map<std::string, std::unique_ptr<const Language>, std::less<>>;

/// From a folder that holds `common.jsonc` and one folder for each language. Throws.
Languages load_languages(const std::string& folder);
/// From a tree like runtimes/, where each has a folder `analysis`. Throws.
Languages load_languages_of_runtimes(const std::string& folder);

} // namespace cloister::analyst
