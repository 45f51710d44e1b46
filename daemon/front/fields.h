// Reading fields of a client's message: small functions that name the field they find wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace cloister::front::fields {

/// One field is wrong. Never leaves the sources that parse.
struct Wrong {
    std::string code;
    std::string message;
};

[[noreturn]] void wrong(const std::string& message);

/// "The field 'key'"
std::string name_of_field(const char* key);
/// Null when it is absent or null.
const nlohmann::json* find(const nlohmann::json& object, const char* key);
std::optional<std::string> maybe_text(const nlohmann::json& object, const char* key);
std::string text_or(const nlohmann::json& object, const char* key, std::string otherwise);
std::string need_text(const nlohmann::json& object, const char* key);
bool flag(const nlohmann::json& object, const char* key);

/// A whole number above zero. `2.0` counts as whole, since some clients know only floating point.
std::uint64_t whole(const nlohmann::json& value, const std::string& field);
std::optional<std::uint64_t> maybe_whole(const nlohmann::json& object, const char* key,
                                         const std::string& where);
/// A whole number, zero included.
std::uint64_t count(const nlohmann::json& value, const std::string& field);
std::optional<std::uint64_t> maybe_count(const nlohmann::json& object, const char* key);
std::uint64_t need_count(const nlohmann::json& object, const char* key);

} // namespace cloister::front::fields
