// The names of files that a validator's own sources speak of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cloister::package {

inline constexpr std::size_t kMaxKeptNames = 16;

/// What stands in quotes in `sources` and could be the name of a file that a validator keeps in its
/// feedback folder from pass to pass: those with a '.' first, at most kMaxKeptNames. The files that
/// the format names are not among them.
std::vector<std::string> feedback_names(const std::vector<std::string>& sources);

} // namespace cloister::package
