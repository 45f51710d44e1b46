// The tools as data: names, descriptions, schemas (tools.json), in memory.
#pragma once

#include <string_view>

namespace cloister::front::mcp {

/// `{"parts": {NAME: schema}, "tools": [...]}`; `{"$part": NAME}` within a tool stands for a part.
std::string_view tools_text();

} // namespace cloister::front::mcp
