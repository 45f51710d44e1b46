// Text as editors count it: UTF-16 units, every line break one "\n". Converts from and to UTF-8,
// repairs what is not text, and hashes. Offsets on the wire are offsets into this form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cloister::rooms {

/// Each ill-formed part becomes one U+FFFD, as in browsers (the "maximal subpart" practice).
std::u16string from_utf8(std::string_view bytes);
/// A surrogate without its other half becomes U+FFFD.
std::string to_utf8(std::u16string_view text);
/// Bytes of to_utf8(text), without making it.
std::size_t utf8_size(std::u16string_view text);
void append_utf8(std::string& out, std::u16string_view text);

/// A file's content as it came: its text, and the line break it is to be given back with.
struct Ingested {
    std::u16string text;
    std::string eol; ///< "\n" or "\r\n": the first one decides
};
/// Turns "\r\n" and "\r" into "\n".
Ingested ingest(std::string_view utf8);

constexpr bool is_high_surrogate(char16_t unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
constexpr bool is_low_surrogate(char16_t unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }
/// True when `position` lies between the two halves of one character.
bool is_inside_pair(std::u16string_view text, std::size_t position);

/// CRC-32C (Castagnoli) of `bytes`, continued from `crc` of what came before.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0);
/// CRC-32C of the text in UTF-8.
std::uint32_t hash_of(std::u16string_view text);
/// As on the wire: "crc32c:8a1b2c3d".
std::string hash_name(std::uint32_t hash);

} // namespace cloister::rooms
