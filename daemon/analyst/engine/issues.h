// What is wrong, or looks so: a document's findings in people's words.
#pragma once

#include "daemon/analyst/engine/document.h"

#include <optional>
#include <string>
#include <vector>

namespace cloister::analyst {

struct Fix {
    std::uint32_t start = 0; ///< bytes that `text` takes the place of
    std::uint32_t end = 0;
    std::string text{};
};

struct Issue {
    Severity severity = Severity::warning;
    std::uint32_t start = 0;
    std::uint32_t end = 0;
    std::string message{};
    std::string suggestion{};
    std::string_view rule{};
    std::string_view category{};
    std::string_view peer{};
    bool syntax = false;
    bool deep = false; ///< a checker's, not the engine's
    std::optional<Fix> fix{};
    /// Of a function that is too long: what could be one by itself, and the names that it needs.
    struct Hint {
        std::uint32_t first_line = 0; ///< from 0
        std::uint32_t last_line = 0;
        std::vector<std::string> names{};
    };
    std::optional<Hint> extract{};
};

inline constexpr std::size_t kMaxIssues = 500;
inline constexpr std::size_t kMaxSyntaxIssues = 20;

/// In the order of the text, at most kMaxIssues (then the budget says that it is cut). The views
/// are of the language.
std::vector<Issue> find_issues(const Document& document, Tongue tongue, Budget& budget);

/// Errors of syntax alone: where, and what could stand there.
void find_syntax_errors(const Document& document, Tongue tongue, Budget& budget,
                        std::vector<Issue>& issues);

/// `text` with each {name} replaced.
std::string filled(const std::string& text,
                   const std::vector<std::pair<std::string_view, std::string_view>>& holes);

} // namespace cloister::analyst
