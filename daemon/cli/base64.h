// Base64 (RFC 4648, section 4): how bytes of any kind travel in a message.
#pragma once

#include <string>
#include <string_view>

namespace cloister::cli {

std::string to_base64(std::string_view bytes);

/// What stands before the first character that is none of the alphabet's.
std::string from_base64(std::string_view text);

} // namespace cloister::cli
