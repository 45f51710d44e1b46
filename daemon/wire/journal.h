// What happened, for the operator: one event, one line of JSON, on standard error, from where a
// service manager takes it into its journal. Both halves write such lines. They hold numbers, words
// of ours and sentences of ours: never a byte of a program, of its input or output, a token, or
// anything else that a client chose.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace cloister::wire {

class JournalLine {
public:
    /// Begins with the time and the event's name, a literal of ours.
    explicit JournalLine(std::string_view event);

    /// A word or sentence of ours, or of the system's.
    JournalLine& text(std::string_view key, std::string_view value);
    JournalLine& number(std::string_view key, std::int64_t value);
    JournalLine& seconds(std::string_view key, std::chrono::nanoseconds value);
    JournalLine& flag(std::string_view key, bool value);

    /// The finished line, with its end.
    std::string line() const { return line_ + "}\n"; }
    /// Writes it in one piece, so that lines of two processes do not mix. A journal that is gone
    /// stops nobody.
    void write() const;

private:
    void key(std::string_view name);
    std::string line_;
};

} // namespace cloister::wire
