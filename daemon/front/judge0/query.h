// The query of a request's address: names and values, decoded. Pure.
#pragma once

#include <string>
#include <string_view>

namespace cloister::front::judge0 {

/// The value of the first parameter of that name; empty when there is none.
std::string query_value(std::string_view target, std::string_view name);

} // namespace cloister::front::judge0
