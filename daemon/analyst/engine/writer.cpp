// Texts and numbers.
#include "daemon/analyst/engine/writer.h"

#include <charconv>

namespace cloister::analyst {
namespace {

/// Bytes of the character that begins here; 0 when it is none.
std::size_t character(std::string_view text) {
    const auto at = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const auto follows = [&](std::size_t i) { return (at(i) & 0xC0U) == 0x80U; };
    const unsigned first = at(0);
    if (first < 0x80U) return 1;
    if (first >= 0xC2U && first <= 0xDFU) return follows(1) ? 2 : 0;
    if (first >= 0xE0U && first <= 0xEFU) {
        const bool fits = first == 0xE0U ? at(1) >= 0xA0U : first != 0xEDU || at(1) < 0xA0U;
        return fits && follows(1) && follows(2) ? 3 : 0;
    }
    if (first >= 0xF0U && first <= 0xF4U) {
        const bool fits = first == 0xF0U ? at(1) >= 0x90U : first != 0xF4U || at(1) < 0x90U;
        return fits && follows(1) && follows(2) && follows(3) ? 4 : 0;
    }
    return 0;
}

constexpr bool is_plain(char c) {
    return static_cast<unsigned char>(c) >= 0x20U && static_cast<unsigned char>(c) < 0x80U &&
           c != '"' && c != '\\';
}

} // namespace

Writer& Writer::value(std::string_view text) {
    static constexpr char kHex[] = "0123456789abcdef";
    separate();
    out_ += '"';
    for (std::size_t i = 0; i < text.size();) {
        std::size_t end = i;
        while (end < text.size() && is_plain(text[end])) ++end;
        out_ += text.substr(i, end - i);
        i = end;
        if (i == text.size()) break;
        const char c = text[i];
        if (c == '"' || c == '\\') {
            (out_ += '\\') += c;
            ++i;
        } else if (static_cast<unsigned char>(c) < 0x20U) {
            if (c == '\n') out_ += "\\n";
            else if (c == '\t') out_ += "\\t";
            else if (c == '\r') out_ += "\\r";
            else ((out_ += "\\u00") += kHex[c >> 4]) += kHex[c & 15];
            ++i;
        } else {
            const std::size_t size = character(text.substr(i));
            if (size == 0) out_ += "\xEF\xBF\xBD";
            else out_ += text.substr(i, size);
            i += size == 0 ? 1 : size;
        }
    }
    out_ += '"';
    return *this;
}

Writer& Writer::value(double number) {
    char text[64];
    const double rounded = std::round(number * 1000) / 1000;
    const auto done = std::to_chars(text, text + sizeof text, std::isfinite(rounded) ? rounded : 0);
    std::string_view written(text, static_cast<std::size_t>(done.ptr - text));
    raw(written);
    if (written.find_first_of(".e") == std::string_view::npos) out_ += ".0";
    return *this;
}

} // namespace cloister::analyst
