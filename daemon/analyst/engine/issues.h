// What is wrong, or looks so.
#pragma once

#include "daemon/analyst/engine/metrics.h"
#include "daemon/analyst/engine/scopes.h"

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
    std::string rule{};
    std::string category{};
    std::string peer{};
    bool syntax = false;
    std::optional<Fix> fix{};
};

inline constexpr std::size_t kMaxIssues = 500;
inline constexpr std::size_t kMaxSyntaxIssues = 20;

struct Inspection {
    const Language& language;
    const Source& source;
    const Tree& tree;
    const Scopes& scopes;
    const Metrics& metrics;
    Tongue tongue = Tongue::en;
};

/// In the order of the text, at most kMaxIssues (then the budget says that it is cut).
std::vector<Issue> find_issues(const Inspection& inspection, Budget& budget);

/// Errors of syntax alone: where, and what could stand there.
void find_syntax_errors(const Inspection& inspection, Budget& budget, std::vector<Issue>& issues);

/// `text` with each {name} replaced.
std::string filled(const std::string& text,
                   const std::vector<std::pair<std::string_view, std::string_view>>& holes);

} // namespace cloister::analyst
