// The page, bundled at build time from daemon/front/page/ and served from memory.
#pragma once

#include <string_view>

namespace cloister::front::page {

std::string_view html();
std::string_view script();
std::string_view style();
/// What describes the HTTP interface (api/openapi.json).
std::string_view openapi();

} // namespace cloister::front::page
