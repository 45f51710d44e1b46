// Errors of syntax. tree-sitter leaves two marks: what it had to skip (ERROR) and what it had to
// invent (MISSING). What could stand at a place is asked of the grammar itself: the words that its
// table knows in the state that the parser was in.
#include "daemon/analyst/engine/issues.h"

#include <algorithm>
#include <memory>
#include <unordered_set>
#include <utility>

namespace cloister::analyst {
namespace {

constexpr std::size_t kMaxExpected = 6; ///< more than these help nobody

struct DeleteIterator {
    void operator()(TSLookaheadIterator* one) const { ::ts_lookahead_iterator_delete(one); }
};

/// Words as they are written; kinds of nodes as they are called.
std::vector<std::string> expected_after(const TSLanguage* language, TSStateId state) {
    std::vector<std::string> words;
    const std::unique_ptr<TSLookaheadIterator, DeleteIterator> known(
        ::ts_lookahead_iterator_new(language, state));
    if (!known) return words;
    while (::ts_lookahead_iterator_next(known.get())) {
        const TSSymbol symbol = ::ts_lookahead_iterator_current_symbol(known.get());
        const TSSymbolType type = ::ts_language_symbol_type(language, symbol);
        const char* name = ::ts_lookahead_iterator_current_symbol_name(known.get());
        const bool shown = type == TSSymbolTypeRegular || type == TSSymbolTypeAnonymous;
        if (!shown || name == nullptr || symbol == 0) continue;
        std::string word = type == TSSymbolTypeAnonymous ? "'" + std::string(name) + "'" : name;
        std::replace(word.begin(), word.end(), '_', ' ');
        if (word.size() > 24 || word == "ERROR" || word == "comment" || word == "line comment" ||
            word == "block comment" || word.find('\n') != std::string::npos)
            continue;
        if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
        if (words.size() > kMaxExpected) return {};
    }
    return words;
}

std::string listed(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

class Errors {
public:
    Errors(const Document& document, Tongue tongue, std::vector<Issue>& issues)
        : document_(document), language_(document.language()), source_(document.source()),
          tongue_(tongue), issues_(issues) {}

    void find(Budget& budget) {
        if (::ts_node_is_error(document_.root()) && !language_.macros) add_whole();
        for (const auto& part : document_.parts()) {
            for (const Break& one : part->facts.breaks) {
                if (issues_.size() >= kMaxSyntaxIssues) {
                    budget.truncated = true;
                    return;
                }
                if (is_doubtful(*part, one)) continue;
                if (one.missing) add_missing(part->begin, one);
                else add_error(part->begin, one, state_before(*part, one));
            }
        }
    }

private:
    /// Where a macro may stand for anything, what does not parse may well compile. What looks like
    /// a macro: a word in capitals, one that begins with two underscores, one that the file
    /// defines; and a condition of the preprocessor cuts a text into pieces.
    bool is_doubtful(const Document::Part& part, const Break& one) {
        if (!language_.macros) return false;
        const std::uint32_t at = source_.line_of(part.begin + one.found.start);
        const std::uint32_t end = source_.line_of(part.begin + one.found.end);
        if (is_gap(at, std::min(end, at + 3))) return true;
        constexpr std::uint32_t kNear = 12; // lines
        const std::uint32_t first = at > kNear ? at - kNear : 0;
        const std::uint32_t last = std::min(std::min(end, at + 40) + kNear, source_.lines() - 1);
        for (std::uint32_t line = first; line <= last; ++line) {
            if (has_macro(source_.line(line).substr(0, 400))) return true;
        }
        return false;
    }

    /// The grammar does not know all of the language.
    bool is_gap(std::uint32_t first, std::uint32_t last) const {
        for (std::uint32_t line = first; line <= last; ++line) {
            for (const std::string& glob : language_.gaps) {
                if (is_like(source_.line(line).substr(0, 400), glob)) return true;
            }
        }
        return false;
    }

    bool has_macro(std::string_view line) {
        const std::size_t hash = line.find_first_not_of(" \t");
        if (hash != std::string_view::npos && line[hash] == '#') {
            const std::size_t word = std::min(line.find_first_not_of(" \t", hash + 1), line.size());
            const std::string_view what = line.substr(word);
            return !what.starts_with("include") && !what.starts_with("define");
        }
        for (std::size_t at = 0; at < line.size();) {
            const std::size_t start = at;
            while (at < line.size() && is_part(line[at])) ++at;
            if (at == start) ++at;
            else if (is_macro(line.substr(start, at - start))) return true;
        }
        return false;
    }

    static bool is_capital(char c) {
        return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    }
    static bool is_part(char c) { return is_capital(c) || (c >= 'a' && c <= 'z'); }

    bool is_macro(std::string_view word) {
        const bool number = word[0] >= '0' && word[0] <= '9';
        const bool capitals = word.size() > 1 && std::all_of(word.begin(), word.end(), is_capital);
        if (capitals && !number && !language_.builtins.contains(std::string(word))) return true;
        return word.starts_with("__") || macros().contains(word);
    }

    /// What `#define` stands before in this file.
    const std::unordered_set<std::string_view>& macros() {
        if (std::exchange(macros_known_, true)) return macros_;
        for (std::uint32_t line = 0; line < source_.lines(); ++line) {
            const std::string_view text = source_.line(line);
            if (!text.starts_with("#define ")) continue;
            std::size_t end = 8;
            while (end < text.size() && is_part(text[end])) ++end;
            macros_.insert(text.substr(8, end - 8));
        }
        return macros_;
    }

    void add(std::uint32_t start, std::uint32_t end, const char* word,
             const std::vector<std::pair<std::string_view, std::string_view>>& holes) {
        // One place, one error: what the parser stumbled over next is most often the same.
        const std::uint32_t line = source_.line_of(start);
        if (!issues_.empty() && source_.line_of(issues_.back().start) == line) return;
        Issue issue;
        issue.severity = Severity::error;
        issue.start = start;
        issue.end = end;
        issue.message = filled(language_.word(word, tongue_), holes);
        issue.suggestion = filled(language_.word(std::string(word) + "-advice", tongue_), holes);
        issue.rule = "syntax-error";
        issue.category = "syntax";
        issue.syntax = true;
        issues_.push_back(std::move(issue));
    }

    void add_missing(std::uint32_t begin, const Break& one) {
        std::string name = ::ts_language_symbol_name(language_.grammar, one.symbol);
        const bool is_word =
            ::ts_language_symbol_type(language_.grammar, one.symbol) == TSSymbolTypeAnonymous;
        if (is_word) name = "'" + name + "'";
        else std::replace(name.begin(), name.end(), '_', ' ');
        const std::uint32_t at = begin + one.found.start;
        add(at, at, "syntax-missing", {{"expected", name}});
    }

    /// The parser's behind the last token before the place; 0: nothing is before it.
    TSStateId state_before(const Document::Part& part, const Break& one) const {
        if (one.has_leaf) return one.state;
        const auto& parts = document_.parts();
        auto at = std::find_if(parts.begin(), parts.end(),
                               [&](const auto& each) { return each.get() == &part; });
        while (at != parts.begin()) {
            --at;
            if (!(*at)->facts.has_token) continue;
            const Tree& tree = (*at)->tree;
            Index leaf = tree.size() - 1;
            while (!tree.is_leaf(leaf) || tree[leaf].extra || tree[leaf].missing) --leaf;
            const TSNode node = ::ts_node_descendant_for_byte_range(
                document_.root(), (*at)->begin + tree[leaf].start, (*at)->begin + tree[leaf].end);
            return ::ts_node_next_parse_state(node);
        }
        return 0;
    }

    /// The whole file is one error: it is told at the first thing in it.
    void add_whole() {
        for (const auto& part : document_.parts()) {
            const Tree& tree = part->tree;
            for (Index i = tree.top(); i < tree.size(); ++i) {
                if (!tree.is_leaf(i) || tree[i].end == tree[i].start) continue;
                Break one;
                one.found = {tree[i].start, tree[i].end};
                return add_error(part->begin, one, 0);
            }
        }
        const std::uint32_t start = ::ts_node_start_byte(document_.root());
        Break nothing;
        nothing.is_whole = true;
        nothing.found = {0, ::ts_node_end_byte(document_.root()) - start};
        add_error(start, nothing, 0);
    }

    void add_error(std::uint32_t begin, const Break& one, TSStateId state) {
        const std::uint32_t start = begin + one.found.start;
        std::uint32_t end = std::min(begin + one.found.end, start + 40);
        if (one.is_whole) {
            const std::uint32_t line = source_.line_of(start);
            const std::uint32_t line_end =
                source_.line_start(line) + static_cast<std::uint32_t>(source_.line(line).size());
            end = std::min(end, std::max(start, line_end));
        }
        while (end > start && end < source_.size() &&
               (static_cast<unsigned char>(source_.text()[end]) & 0xC0U) == 0x80U)
            --end;
        const std::string_view found = source_.slice(start, end);
        const std::string expected =
            state == 0 ? std::string() : listed(expected_after(language_.grammar, state));
        if (expected.empty()) add(start, end, "syntax-unexpected", {{"found", found}});
        else add(start, end, "syntax-expected", {{"found", found}, {"expected", expected}});
    }

    const Document& document_;
    const Language& language_;
    const Source& source_;
    Tongue tongue_;
    std::vector<Issue>& issues_;
    std::unordered_set<std::string_view> macros_{};
    bool macros_known_ = false;
};

} // namespace

void find_syntax_errors(const Document& document, Tongue tongue, Budget& budget,
                        std::vector<Issue>& issues) {
    if (document.has_error()) Errors(document, tongue, issues).find(budget);
}

} // namespace cloister::analyst
