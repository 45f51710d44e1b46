// Three bytes are four characters.
#include "daemon/wire/base64.h"

#include <array>
#include <cstdint>

namespace cloister::wire {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The value of each base64 character, -1 for every other byte.
constexpr std::array<int, 256> kBase64Values = [] {
    std::array<int, 256> values{};
    values.fill(-1);
    for (std::size_t i = 0; i < kBase64.size(); ++i)
        values[static_cast<unsigned char>(kBase64[i])] = static_cast<int>(i);
    return values;
}();

} // namespace

std::string to_base64(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t left = bytes.size() - i;
        std::uint32_t word = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            word = word << 8 | (k < left ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        }
        out.push_back(kBase64[word >> 18]);
        out.push_back(kBase64[word >> 12 & 63]);
        out.push_back(left > 1 ? kBase64[word >> 6 & 63] : '=');
        out.push_back(left > 2 ? kBase64[word & 63] : '=');
    }
    return out;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::string out;
    out.reserve(text.size() / 4 * 3);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const bool last = i + 4 == text.size();
        std::uint32_t word = 0;
        std::size_t padding = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            const char c = text[i + k];
            const int value = kBase64Values[static_cast<unsigned char>(c)];
            if (c == '=' && last && k >= 2) {
                ++padding;
                word <<= 6;
            } else if (value < 0 || padding > 0) {
                return std::nullopt;
            } else {
                word = word << 6 | static_cast<std::uint32_t>(value);
            }
        }
        // Bits that the padding leaves over must be zero: one value has one spelling.
        if ((padding == 1 && (word & 0xFF) != 0) || (padding == 2 && (word & 0xFFFF) != 0))
            return std::nullopt;
        out.push_back(static_cast<char>(word >> 16 & 0xFF));
        if (padding < 2) out.push_back(static_cast<char>(word >> 8 & 0xFF));
        if (padding < 1) out.push_back(static_cast<char>(word & 0xFF));
    }
    return out;
}

} // namespace cloister::wire
