// The patterns of submissions.yaml: `*` within one part of a path, braces, nothing else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cloister::package {

inline constexpr std::size_t kMaxBraces = 256; ///< what one pattern may stand for

/// The patterns without braces that `pattern` stands for. Throws Wrong when there are too many, or
/// a brace is not closed.
std::vector<std::string> without_braces(const std::string& pattern);

/// Whether `pattern` (with braces, perhaps) matches `path` or one of the folders that it lies in.
bool matches(const std::string& pattern, std::string_view path);

} // namespace cloister::package
