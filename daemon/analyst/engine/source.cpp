// Lines are found once; columns are counted when somebody asks.
#include "daemon/analyst/engine/source.h"

#include <algorithm>

namespace cloister::analyst {
namespace {

constexpr bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }
/// A character beyond the basic plane takes two UTF-16 units, and four bytes.
constexpr std::uint32_t units(char lead) {
    return is_continuation(lead) ? 0 : static_cast<unsigned char>(lead) >= 0xF0U ? 2 : 1;
}

bool is_blank(std::string_view line) {
    return std::ranges::all_of(
        line, [](char c) { return c == ' ' || c == '\t' || c == '\f' || c == '\v' || c == '\r'; });
}

} // namespace

Source::Source(std::string_view text) : text_(text) {
    starts_.reserve(text.size() / 24 + 1);
    starts_.push_back(0);
    const bool is_plain = text.find('\r') == std::string_view::npos; // nearly always
    for (std::size_t i = is_plain ? text.find('\n') : std::string_view::npos;
         i != std::string_view::npos; i = text.find('\n', i + 1))
        starts_.push_back(static_cast<std::uint32_t>(i) + 1);
    for (std::uint32_t i = 0; !is_plain && i < text.size(); ++i) {
        const bool ends =
            text[i] == '\n' || (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n'));
        if (ends) starts_.push_back(i + 1);
    }
}

std::uint32_t Source::line_of(std::uint32_t byte) const {
    const auto after = std::upper_bound(starts_.begin(), starts_.end(), byte);
    return static_cast<std::uint32_t>(after - starts_.begin()) - 1;
}

std::string_view Source::line(std::uint32_t line) const {
    const std::uint32_t end = line + 1 < starts_.size() ? starts_[line + 1] : size();
    std::string_view whole = slice(starts_[line], end);
    while (!whole.empty() && (whole.back() == '\n' || whole.back() == '\r')) whole.remove_suffix(1);
    return whole;
}

Position Source::position(std::uint32_t byte) const {
    byte = std::min(byte, size());
    Position found{.line = line_of(byte), .column = 0};
    for (const char c : slice(starts_[found.line], byte)) found.column += units(c);
    return found;
}

std::uint32_t Source::byte(Position position) const {
    const std::uint32_t line = std::min(position.line, lines() - 1);
    const std::string_view text = this->line(line);
    std::uint32_t column = 0;
    std::uint32_t at = 0;
    while (at < text.size() && column < position.column) {
        column += units(text[at++]);
        while (at < text.size() && is_continuation(text[at])) ++at;
    }
    return starts_[line] + at;
}

std::uint32_t lines_with_text(std::string_view text) {
    const Source source(text);
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < source.lines(); ++i) count += is_blank(source.line(i)) ? 0U : 1U;
    return count;
}

} // namespace cloister::analyst
