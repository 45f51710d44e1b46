// A source text and its places: bytes here, lines and UTF-16 columns for the world.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace cloister::analyst {

/// Both from 0; columns in UTF-16 units, as in the Language Server Protocol.
struct Position {
    std::uint32_t line = 0;
    std::uint32_t column = 0;
};

class Source {
public:
    /// `text` is UTF-8, and stays where it is. Lines end at \n, \r\n and \r.
    explicit Source(std::string_view text);

    std::string_view text() const { return text_; }
    std::uint32_t size() const { return static_cast<std::uint32_t>(text_.size()); }
    std::uint32_t lines() const { return static_cast<std::uint32_t>(starts_.size()); }
    std::uint32_t line_of(std::uint32_t byte) const;
    /// The same, for one that is in `line` or a little behind it.
    std::uint32_t line_from(std::uint32_t line, std::uint32_t byte) const {
        while (line + 1 < starts_.size() && starts_[line + 1] <= byte) ++line;
        return line;
    }
    std::uint32_t line_start(std::uint32_t line) const { return starts_[line]; }
    /// Without its end.
    std::string_view line(std::uint32_t line) const;
    Position position(std::uint32_t byte) const;
    /// The nearest place that there is.
    std::uint32_t byte(Position position) const;
    std::string_view slice(std::uint32_t start, std::uint32_t end) const {
        return text_.substr(start, end - start);
    }

private:
    std::string_view text_;
    std::vector<std::uint32_t> starts_;
};

/// Lines that hold more than white space. All that can be said without a parser.
std::uint32_t lines_with_text(std::string_view text);

} // namespace cloister::analyst
