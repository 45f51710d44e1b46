// SHA-256, to tell texts apart that strangers made.
#pragma once

#include <string>
#include <string_view>

namespace cloister::tokens {

/// 64 hexadecimal digits.
std::string digest(std::string_view bytes);

} // namespace cloister::tokens
