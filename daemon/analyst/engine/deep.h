// The deep tier: what a language's own checkers printed about a source (in a box, before), read by
// the language's deep.jsonc and put beside what the engine found itself, each fault once.
#pragma once

#include "daemon/analyst/engine/issues.h"

#include <deque>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::analyst {

/// One form of line that a checker prints.
struct DeepPattern {
    enum class Field : std::uint8_t { line, column, severity, code, message };
    std::regex form{};
    std::vector<Field> fields{}; ///< of the form's groups, in their order
    std::string checker{};
    bool utf16 = false;  ///< columns, from 1, count UTF-16 units; else bytes
    bool caret = false;  ///< the column is where a later line has a lone '^'
    bool syntax = false; ///< what it finds does not compile because of its form
};

/// deep.jsonc of a language.
struct DeepPlan {
    std::vector<std::string> checkers{}; ///< that may have run; the first one has, if none says so
    std::vector<DeepPattern> patterns{};
    /// By a checker's code or its word for a severity; "ignore" drops the line.
    std::map<std::string, std::optional<Severity>, std::less<>> severities{};
    /// The engine's rules that find the same, by the checker's code.
    std::map<std::string, std::vector<std::string>, std::less<>> same{};
};

/// Throws std::runtime_error that names the place. `rules` are those that may be named.
std::shared_ptr<const DeepPlan> read_deep_plan(
    const std::string& text, const std::string& place,
    const std::map<std::string, Rule, std::less<>>& rules);

/// As the front tells it.
struct Checked {
    std::string problem{}; ///< "absent", "busy", "late", "failed", or nothing
    int exit_code = 0;
    std::string output{};
};

/// What is said of a deep analysis beside its issues.
struct DeepReport {
    std::vector<std::string> checkers{}; ///< that ran
    std::deque<std::string> texts{};     ///< what the issues' views are of
    std::string problem{};               ///< why none did; its sentence is the word "deep-…"
};

/// Adds what `checked` brings to `issues`, in the order of the text.
DeepReport merge_checked(const Document& document, Tongue tongue, const Checked& checked,
                         Budget& budget, std::vector<Issue>& issues);

} // namespace cloister::analyst
