// Both ways, six bits at a time.
#include "daemon/cli/base64.h"

#include <array>
#include <cstdint>

namespace cloister::cli {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The value of each base64 character, -1 for every other byte.
constexpr std::array<int, 256> kBase64Values = [] {
    std::array<int, 256> values{};
    values.fill(-1);
    for (std::size_t i = 0; i < kAlphabet.size(); ++i)
        values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<int>(i);
    return values;
}();

} // namespace

std::string to_base64(std::string_view bytes) {
    std::string out;
    std::uint32_t held = 0;
    int bits = 0;
    for (const char byte : bytes) {
        held = held << 8 | static_cast<unsigned char>(byte);
        for (bits += 8; bits >= 6; bits -= 6) out.push_back(kAlphabet[held >> (bits - 6) & 63]);
    }
    if (bits > 0) out.push_back(kAlphabet[held << (6 - bits) & 63]);
    while (out.size() % 4 != 0) out.push_back('=');
    return out;
}

std::string from_base64(std::string_view text) {
    std::string out;
    std::uint32_t held = 0;
    int bits = 0;
    for (const char c : text) {
        const int value = kBase64Values[static_cast<unsigned char>(c)];
        if (value < 0) break;
        held = held << 6 | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        out.push_back(static_cast<char>(held >> bits & 0xFF));
    }
    return out;
}

} // namespace cloister::cli
