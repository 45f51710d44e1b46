// What the tests of rooms share: change sets and texts from their short spellings.
#pragma once

#include "daemon/front/rooms/change_set.h"
#include "daemon/front/rooms/text16.h"

#include <string>
#include <string_view>
#include <variant>

#include <nlohmann/json.hpp>

namespace cloister::rooms {

/// From the JSON form; throws when it is refused.
inline ChangeSet changes(std::string_view json) {
    return std::get<ChangeSet>(parse_changes(nlohmann::json::parse(json)));
}

inline std::string json_of(const ChangeSet& set) {
    std::string out;
    append_json(out, set);
    return out;
}

/// `set` applied to `text`, both ways in UTF-8.
inline std::string applied(const ChangeSet& set, std::string_view text) {
    std::u16string units = from_utf8(text);
    set.apply_to(units);
    return to_utf8(units);
}

} // namespace cloister::rooms
