// The version ranges that Piston's clients write, which are those of node's semver: "*", "3.x",
// "^3.10", "~1.2", ">=3.9 <4", "1.2 - 3", "2 || 3". Our versions have no prerelease tags, so a tag
// in a range only says that the release itself comes behind it. Pure.
#pragma once

#include <string_view>

namespace cloister::front::piston {

/// Whether `version`, one to three numbers ("3.11.2", "1.19"), lies in `range`. A range that is
/// none holds nothing.
bool is_in_range(std::string_view version, std::string_view range);

/// Whether `left` is a later version than `right`; what is no version is the earliest.
bool is_later(std::string_view left, std::string_view right);

} // namespace cloister::front::piston
