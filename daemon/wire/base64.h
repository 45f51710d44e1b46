// Base64 (RFC 4648, section 4): how bytes of any kind travel in a message, on both of its sides.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cloister::wire {

std::string to_base64(std::string_view bytes);
/// Strict: standard alphabet, padding where it belongs, nothing else. Absent when it is not that.
std::optional<std::string> from_base64(std::string_view text);

} // namespace cloister::wire
