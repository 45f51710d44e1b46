// How large and how tangled. Each figure's definition and source: docs/analysis.md.
#pragma once

#include "daemon/analyst/engine/language.h"

#include <string>
#include <vector>

namespace cloister::analyst {

struct FunctionMetrics {
    std::string name{};
    Index node = kNone;
    std::uint32_t line = 0; ///< from 0
    std::uint32_t lines = 0;
    std::uint32_t cyclomatic = 1;
    std::uint32_t cognitive = 0;
    std::uint32_t nesting = 0; ///< the deepest
    std::uint32_t parameters = 0;
};

struct Metrics {
    std::uint32_t lines = 0;
    std::uint32_t code_lines = 0;
    std::uint32_t comment_lines = 0; ///< lines with nothing but comment
    std::uint32_t blank_lines = 0;
    std::uint32_t classes = 0;
    std::uint32_t statements = 0;
    std::uint32_t cyclomatic = 1; ///< 1 + what all functions and the rest of the file add
    std::uint32_t cognitive = 0;
    std::uint32_t nesting = 0;
    double maintainability = 100;
    std::vector<FunctionMetrics> functions{}; ///< in the order of the text
};

Metrics measure(const Language& language, const Source& source, const Tree& tree, Budget& budget);

} // namespace cloister::analyst
