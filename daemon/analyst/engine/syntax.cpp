// Errors of syntax. tree-sitter leaves two marks: what it had to skip (ERROR) and what it had to
// invent (MISSING). What could stand at a place is asked of the grammar itself: the words that its
// table knows in the state that the parser was in.
#include "daemon/analyst/engine/issues.h"

#include <algorithm>
#include <memory>

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
    Errors(const Inspection& inspection, std::vector<Issue>& issues)
        : in_(inspection), issues_(issues) {}

    void find(Budget& budget) {
        Index last_leaf = kNone;
        for (Index i = 0; i < in_.tree.size(); ++i) {
            const Node& node = in_.tree[i];
            if (issues_.size() >= kMaxSyntaxIssues) {
                budget.truncated = true;
                return;
            }
            if (node.missing) add_missing(i);
            else if (node.error) add_error(i, last_leaf);
            if (in_.tree.is_leaf(i) && !node.extra && !node.missing) last_leaf = i;
        }
    }

private:
    void add(std::uint32_t start, std::uint32_t end, const char* word,
             const std::vector<std::pair<std::string_view, std::string_view>>& holes) {
        // One place, one error: what the parser stumbled over next is most often the same.
        const std::uint32_t line = in_.source.line_of(start);
        if (!issues_.empty() && in_.source.line_of(issues_.back().start) == line) return;
        Issue issue;
        issue.severity = Severity::error;
        issue.start = start;
        issue.end = end;
        issue.message = filled(in_.language.word(word, in_.tongue), holes);
        issue.suggestion =
            filled(in_.language.word(std::string(word) + "-advice", in_.tongue), holes);
        issue.rule = "syntax-error";
        issue.category = "syntax";
        issue.syntax = true;
        issues_.push_back(std::move(issue));
    }

    void add_missing(Index index) {
        std::string name = ::ts_language_symbol_name(in_.language.grammar, in_.tree[index].symbol);
        const bool is_word =
            ::ts_language_symbol_type(in_.language.grammar, in_.tree[index].symbol) ==
            TSSymbolTypeAnonymous;
        if (is_word) name = "'" + name + "'";
        else std::replace(name.begin(), name.end(), '_', ' ');
        const std::uint32_t at = in_.tree[index].start;
        add(at, at, "syntax-missing", {{"expected", name}});
    }

    void add_error(Index index, Index last_leaf) {
        // The first leaf inside is what could not be understood; where the error begins with what
        // was understood so far, that is its last one.
        const Node& error = in_.tree[index];
        Index culprit = index;
        for (Index i = index + 1; i < error.past && culprit == index; ++i) {
            if (in_.tree.is_leaf(i) && in_.tree[i].end > in_.tree[i].start) culprit = i;
        }
        const std::uint32_t start = in_.tree[culprit].start;
        std::uint32_t end = std::min(in_.tree[culprit].end, start + 40);
        if (culprit == index) {
            const std::string_view rest = in_.source.line(in_.source.line_of(start));
            const std::uint32_t line_end = in_.source.line_start(in_.source.line_of(start)) +
                                           static_cast<std::uint32_t>(rest.size());
            end = std::min(end, std::max(start, line_end));
        }
        while (end > start && end < in_.source.size() &&
               (static_cast<unsigned char>(in_.source.text()[end]) & 0xC0U) == 0x80U)
            --end;
        const std::string_view found = in_.source.slice(start, end);
        const std::vector<std::string> words =
            last_leaf == kNone
                ? std::vector<std::string>{}
                : expected_after(in_.language.grammar, in_.tree[last_leaf].next_state);
        const std::string expected = listed(words);
        if (expected.empty()) add(start, end, "syntax-unexpected", {{"found", found}});
        else add(start, end, "syntax-expected", {{"found", found}, {"expected", expected}});
    }

    const Inspection& in_;
    std::vector<Issue>& issues_;
};

} // namespace

void find_syntax_errors(const Inspection& inspection, Budget& budget, std::vector<Issue>& issues) {
    if (inspection.tree.has_error()) Errors(inspection, issues).find(budget);
}

} // namespace cloister::analyst
