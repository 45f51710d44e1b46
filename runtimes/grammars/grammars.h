// The grammars that this build has, by name. A language's own file says which of them is its.
#pragma once

#include <string_view>

struct TSLanguage;

namespace cloister::grammars {

/// nullptr when this build has none of that name.
const TSLanguage* find(std::string_view name);

} // namespace cloister::grammars
