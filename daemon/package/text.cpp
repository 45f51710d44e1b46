// UTF-8 by its table of well-formed sequences (Unicode, table 3-7).
#include "daemon/package/text.h"

#include <algorithm>

namespace cloister::package {
namespace {

/// How many bytes of valid UTF-8 begin here; 0: none.
std::size_t sequence(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    const std::size_t size = first < 0x80                     ? 1
                             : first >= 0xC2 && first <= 0xDF ? 2
                             : first >= 0xE0 && first <= 0xEF ? 3
                             : first >= 0xF0 && first <= 0xF4 ? 4
                                                              : 0;
    if (size == 0 || size > text.size()) return 0;
    for (std::size_t i = 1; i < size; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    if (first == 0xE0 && byte(1) < 0xA0) return 0;
    if (first == 0xED && byte(1) > 0x9F) return 0; // surrogates
    if (first == 0xF0 && byte(1) < 0x90) return 0;
    if (first == 0xF4 && byte(1) > 0x8F) return 0;
    return size;
}

} // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t size = sequence(text);
        if (size == 0) return false;
        text.remove_prefix(size);
    }
    return true;
}

std::string shown(std::string_view text, std::size_t most) {
    std::string out;
    const bool one_line = most == kLine;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t size = sequence(text.substr(i));
        const auto first = static_cast<unsigned char>(text[i]);
        const bool c1 =
            size == 2 && first == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0;
        // U+FFFE and U+FFFF are no characters of XML.
        const bool none = size == 3 && text.substr(i, 2) == "\xEF\xBF" &&
                          static_cast<unsigned char>(text[i + 2]) >= 0xBE;
        const bool line_end = first == '\n' && !one_line;
        if (out.size() + std::max<std::size_t>(size, 3) > most) return out + "…";
        if (size == 0 || c1 || none) out += "\uFFFD";
        else if (size == 1 && (first < 0x20 || first == 0x7F) && !line_end) out += ' ';
        else out += text.substr(i, size);
        i += std::max<std::size_t>(size, 1);
    }
    return out;
}

} // namespace cloister::package
