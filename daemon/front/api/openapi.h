// What describes the HTTP interface (openapi.json), served from memory.
#pragma once

#include <string_view>

namespace cloister::front {

std::string_view openapi();

} // namespace cloister::front
