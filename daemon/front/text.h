// Small texts: JSON objects written field by field, base64, time stamps, fresh ids. Writing JSON by
// hand keeps the order of fields as documented and copies a megabyte of output once, not thrice.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cloister::front {

/// Appends `text` (well-formed UTF-8) as a quoted JSON string.
void append_quoted(std::string& out, std::string_view text);

/// An object under construction. Keys are literals of ours and need no escaping.
class JsonObject {
public:
    JsonObject& text(std::string_view key, std::string_view value);
    JsonObject& number(std::string_view key, std::int64_t value);
    JsonObject& count(std::string_view key, std::uint64_t value);
    JsonObject& seconds(std::string_view key, std::chrono::nanoseconds value);
    JsonObject& flag(std::string_view key, bool value);
    JsonObject& none(std::string_view key);
    /// `json` is a complete JSON value.
    JsonObject& raw(std::string_view key, std::string_view json);
    /// A base64 string when `base64`, else the bytes repaired to text.
    JsonObject& bytes(std::string_view key, std::string_view value, bool base64);
    /// Absent when empty.
    JsonObject& maybe(std::string_view key, const std::optional<std::string>& value);
    /// The finished object. Nothing may be added afterwards.
    std::string close();

private:
    void begin(std::string_view key);
    std::string out_ = "{";
};

std::string to_base64(std::string_view bytes);
/// Strict: standard alphabet, padding where it belongs, nothing else. Absent when it is not that.
std::optional<std::string> from_base64(std::string_view text);

/// What can be read of it: both alphabets, whatever is none of their letters is passed over, the
/// padding may be missing. For clients of services that read it so.
std::string from_loose_base64(std::string_view text);

/// Now, in UTC: "2024-01-15T10:30:00.123Z".
std::string timestamp();
/// The same for a time since 1970.
std::string timestamp(std::chrono::milliseconds at);
/// Now, since 1970.
std::chrono::milliseconds wall_clock();

/// A random UUID (version 4) from the kernel.
std::string fresh_uuid();
/// 64 random bits in hexadecimal.
std::string fresh_word();
/// 128 random bits in base64, for a page's policy and what it trusts.
std::string fresh_nonce();

/// `bytes` for people: "128 MiB", "64 KiB", "1000 bytes".
std::string readable_bytes(std::uint64_t bytes);
/// A duration for people: "10 s", "0.25 s".
std::string readable_seconds(std::chrono::nanoseconds value);

} // namespace cloister::front
