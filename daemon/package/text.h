// Bytes of strangers as text that can be shown.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cloister::package {

bool is_utf8(std::string_view text);

/// `text` for a terminal or XML: valid UTF-8, no control characters but line ends, at most `most`
/// bytes. One line when `most` is kLine.
inline constexpr std::size_t kLine = 300;
std::string shown(std::string_view text, std::size_t most = kLine);

} // namespace cloister::package
