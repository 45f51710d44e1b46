// Conversions write into room made once: a document is converted whole, and often.
#include "daemon/front/rooms/text16.h"

#include <algorithm>
#include <array>

namespace cloister::rooms {
namespace {

constexpr char16_t kReplacement = 0xFFFD;

struct Character {
    char32_t code = kReplacement;
    std::size_t length = 1; ///< in the source's units
};

/// The first character of `bytes`, which is not empty. Unicode 15, table 3-7.
Character first_of(std::string_view bytes) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const unsigned first = at(0);
    if (first < 0x80) return {first, 1};
    std::size_t more = 0;
    unsigned low = 0x80;
    unsigned high = 0xBF;
    char32_t code = 0;
    if (first >= 0xC2 && first <= 0xDF) {
        more = 1;
        code = first & 0x1F;
    } else if (first >= 0xE0 && first <= 0xEF) {
        more = 2;
        code = first & 0x0F;
        if (first == 0xE0) low = 0xA0;
        if (first == 0xED) high = 0x9F;
    } else if (first >= 0xF0 && first <= 0xF4) {
        more = 3;
        code = first & 0x07;
        if (first == 0xF0) low = 0x90;
        if (first == 0xF4) high = 0x8F;
    } else {
        return {};
    }
    for (std::size_t i = 1; i <= more; ++i) {
        if (i >= bytes.size() || at(i) < low || at(i) > high) return {kReplacement, i};
        code = code << 6 | (at(i) & 0x3FU);
        low = 0x80;
        high = 0xBF;
    }
    return {code, more + 1};
}

/// The first character of `text`, which is not empty.
Character first_of(std::u16string_view text) {
    const char16_t unit = text[0];
    if (is_high_surrogate(unit) && text.size() > 1 && is_low_surrogate(text[1]))
        return {0x10000U + ((unit - 0xD800U) << 10) + (text[1] - 0xDC00U), 2};
    if (is_high_surrogate(unit) || is_low_surrogate(unit)) return {};
    return {unit, 1};
}

/// Eight tables, so that eight bytes are folded in at once.
using Tables = std::array<std::array<std::uint32_t, 256>, 8>;
constexpr Tables kCrcTables = [] {
    Tables tables{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82F63B78U : 0U);
        tables[0][i] = crc;
    }
    for (std::size_t k = 1; k < 8; ++k)
        for (std::size_t i = 0; i < 256; ++i)
            tables[k][i] = tables[k - 1][i] >> 8 ^ tables[0][tables[k - 1][i] & 0xFF];
    return tables;
}();

} // namespace

std::u16string from_utf8(std::string_view bytes) {
    std::u16string out;
    out.reserve(bytes.size());
    while (!bytes.empty()) {
        const Character seen = first_of(bytes);
        bytes.remove_prefix(seen.length);
        if (seen.code < 0x10000) {
            out.push_back(static_cast<char16_t>(seen.code));
        } else {
            out.push_back(static_cast<char16_t>(0xD800 + ((seen.code - 0x10000) >> 10)));
            out.push_back(static_cast<char16_t>(0xDC00 + ((seen.code - 0x10000) & 0x3FF)));
        }
    }
    return out;
}

void append_utf8(std::string& out, std::u16string_view text) {
    while (!text.empty()) {
        const Character seen = first_of(text);
        text.remove_prefix(seen.length);
        const auto byte = [&](char32_t value) { out.push_back(static_cast<char>(value)); };
        if (seen.code < 0x80) {
            byte(seen.code);
        } else if (seen.code < 0x800) {
            byte(0xC0 | seen.code >> 6);
            byte(0x80 | (seen.code & 0x3F));
        } else if (seen.code < 0x10000) {
            byte(0xE0 | seen.code >> 12);
            byte(0x80 | (seen.code >> 6 & 0x3F));
            byte(0x80 | (seen.code & 0x3F));
        } else {
            byte(0xF0 | seen.code >> 18);
            byte(0x80 | (seen.code >> 12 & 0x3F));
            byte(0x80 | (seen.code >> 6 & 0x3F));
            byte(0x80 | (seen.code & 0x3F));
        }
    }
}

std::string to_utf8(std::u16string_view text) {
    std::string out;
    out.reserve(utf8_size(text));
    append_utf8(out, text);
    return out;
}

std::size_t utf8_size(std::u16string_view text) {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < text.size();) {
        const Character seen = first_of(text.substr(i));
        bytes += seen.code < 0x80 ? 1 : seen.code < 0x800 ? 2 : seen.code < 0x10000 ? 3 : 4;
        i += seen.length;
    }
    return bytes;
}

Ingested ingest(std::string_view utf8) {
    Ingested out{from_utf8(utf8), "\n"};
    const std::size_t first = out.text.find_first_of(u"\r\n");
    if (first == std::u16string::npos) return out;
    if (out.text.compare(first, 2, u"\r\n") == 0) out.eol = "\r\n";
    std::size_t kept = 0;
    for (std::size_t i = 0; i < out.text.size(); ++i) {
        const char16_t unit = out.text[i];
        if (unit == u'\r' && i + 1 < out.text.size() && out.text[i + 1] == u'\n') continue;
        out.text[kept++] = unit == u'\r' ? u'\n' : unit;
    }
    out.text.resize(kept);
    return out;
}

bool is_inside_pair(std::u16string_view text, std::size_t position) {
    return position > 0 && position < text.size() && is_high_surrogate(text[position - 1]) &&
           is_low_surrogate(text[position]);
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    crc = ~crc;
    while (bytes.size() >= 8) {
        const std::uint32_t low = crc ^ (at(0) | std::uint32_t{at(1)} << 8 |
                                         std::uint32_t{at(2)} << 16 | std::uint32_t{at(3)} << 24);
        crc = kCrcTables[7][low & 0xFF] ^ kCrcTables[6][low >> 8 & 0xFF] ^
              kCrcTables[5][low >> 16 & 0xFF] ^ kCrcTables[4][low >> 24] ^ kCrcTables[3][at(4)] ^
              kCrcTables[2][at(5)] ^ kCrcTables[1][at(6)] ^ kCrcTables[0][at(7)];
        bytes.remove_prefix(8);
    }
    for (std::size_t i = 0; i < bytes.size(); ++i)
        crc = crc >> 8 ^ kCrcTables[0][(crc ^ at(i)) & 0xFF];
    return ~crc;
}

std::uint32_t hash_of(std::u16string_view text) {
    constexpr std::size_t kPiece = 4096;
    std::string bytes;
    std::uint32_t crc = 0;
    while (!text.empty()) {
        std::size_t end = std::min(kPiece, text.size());
        if (is_inside_pair(text, end)) ++end;
        bytes.clear();
        append_utf8(bytes, text.substr(0, end));
        crc = crc32c(bytes, crc);
        text.remove_prefix(end);
    }
    return crc;
}

std::string hash_name(std::uint32_t hash) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string out = "crc32c:";
    for (int shift = 28; shift >= 0; shift -= 4) out.push_back(kHex[hash >> shift & 15]);
    return out;
}

} // namespace cloister::rooms
