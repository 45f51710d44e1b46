// The one file of a form (multipart/form-data, RFC 7578), as browsers and HTTP libraries send it.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cloister::front::go_judge {

struct Upload {
    std::string name{}; ///< that the client gives the file; text
    std::string content{};
};

/// True when a Content-Type announces a form.
bool is_form(std::string_view type);

/// The part called `field` of a form whose Content-Type is `type`; nothing when it has none, or is
/// no form.
std::optional<Upload> file_in_form(std::string_view type, std::string_view body,
                                   std::string_view field);

} // namespace cloister::front::go_judge
