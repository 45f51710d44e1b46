// The page, bundled at build time from daemon/front/page/ and served from memory.
#pragma once

#include <string_view>

namespace cloister::front::page {

std::string_view html();
std::string_view script();
std::string_view style();

} // namespace cloister::front::page
