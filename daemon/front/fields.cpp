// Absent and null are the same: clients of typed languages send null for what they leave out.
#include "daemon/front/fields.h"

#include <cmath>

#include <nlohmann/json.hpp>

namespace cloister::front::fields {

using nlohmann::json;

namespace {

/// The number, when it is whole and not below zero.
std::optional<std::uint64_t> number_in(const json& value) {
    if (value.is_number_unsigned()) return value.get<std::uint64_t>();
    if (!value.is_number_float()) return std::nullopt;
    const double number = value.get<double>();
    if (number >= 0 && number < 1e15 && number == std::floor(number))
        return static_cast<std::uint64_t>(number);
    return std::nullopt;
}

} // namespace

void wrong(const std::string& message) { throw Wrong{"bad_message", message}; }

std::string name_of_field(const char* key) { return "The field '" + std::string(key) + "'"; }

const json* find(const json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::optional<std::string> maybe_text(const json& object, const char* key) {
    const json* value = find(object, key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) wrong(name_of_field(key) + " must be a text.");
    return value->get<std::string>();
}

std::string text_or(const json& object, const char* key, std::string otherwise) {
    auto value = maybe_text(object, key);
    return value ? *std::move(value) : std::move(otherwise);
}

std::string need_text(const json& object, const char* key) {
    auto value = maybe_text(object, key);
    if (!value) wrong(name_of_field(key) + " is missing.");
    return *std::move(value);
}

bool flag(const json& object, const char* key) {
    const json* value = find(object, key);
    if (value == nullptr) return false;
    if (!value->is_boolean()) wrong(name_of_field(key) + " must be true or false.");
    return value->get<bool>();
}

std::uint64_t whole(const json& value, const std::string& field) {
    const auto number = number_in(value);
    if (!number || *number == 0) wrong(field + " must be a whole number above zero.");
    return *number;
}

std::optional<std::uint64_t> maybe_whole(const json& object, const char* key,
                                         const std::string& where) {
    const json* value = find(object, key);
    if (value == nullptr) return std::nullopt;
    return whole(*value, "The field '" + where + key + "'");
}

std::uint64_t count(const json& value, const std::string& field) {
    const auto number = number_in(value);
    if (!number) wrong(field + " must be a whole number, 0 or more.");
    return *number;
}

std::optional<std::uint64_t> maybe_count(const json& object, const char* key) {
    const json* value = find(object, key);
    if (value == nullptr) return std::nullopt;
    return count(*value, name_of_field(key));
}

std::uint64_t need_count(const json& object, const char* key) {
    const auto number = maybe_count(object, key);
    if (!number) wrong(name_of_field(key) + " is missing.");
    return *number;
}

} // namespace cloister::front::fields
