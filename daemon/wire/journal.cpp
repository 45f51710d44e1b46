// By hand: the keeper knows no JSON library while it serves.
#include "daemon/wire/journal.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <unistd.h>

namespace cloister::wire {
namespace {

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte >= 0x7f) {
            std::array<char, 8> escaped{};
            (void)std::snprintf(escaped.data(), escaped.size(), "\\u%04x", byte);
            out += escaped.data(); // bytes beyond ASCII appear as Latin-1: all of it stays one line
        } else {
            out += c;
        }
    }
    out += '"';
}

/// "2026-01-15T10:30:00.123Z"
std::string now() {
    timespec at{};
    (void)::clock_gettime(CLOCK_REALTIME, &at);
    tm parts{};
    (void)::gmtime_r(&at.tv_sec, &parts);
    std::array<char, 64> seconds{};
    std::array<char, 128> whole{};
    (void)std::strftime(seconds.data(), seconds.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    (void)std::snprintf(whole.data(), whole.size(), "%s.%03ldZ", seconds.data(),
                        at.tv_nsec / 1'000'000);
    return whole.data();
}

} // namespace

JournalLine::JournalLine(std::string_view event) : line_("{\"time\":\"" + now() + '"') {
    text("event", event);
}

void JournalLine::key(std::string_view name) {
    line_ += ",\"";
    line_ += name;
    line_ += "\":";
}

JournalLine& JournalLine::text(std::string_view name, std::string_view value) {
    key(name);
    append_quoted(line_, value);
    return *this;
}

JournalLine& JournalLine::number(std::string_view name, std::int64_t value) {
    key(name);
    line_ += std::to_string(value);
    return *this;
}

JournalLine& JournalLine::seconds(std::string_view name, std::chrono::nanoseconds value) {
    key(name);
    std::array<char, 32> text{};
    (void)std::snprintf(text.data(), text.size(), "%.6f",
                        std::chrono::duration<double>(value).count());
    line_ += text.data();
    return *this;
}

JournalLine& JournalLine::flag(std::string_view name, bool value) {
    key(name);
    line_ += value ? "true" : "false";
    return *this;
}

void JournalLine::write() const {
    const std::string whole = line();
    (void)!::write(STDERR_FILENO, whole.data(), whole.size());
}

} // namespace cloister::wire
