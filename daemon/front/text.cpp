// Writers of the small texts.
#include "daemon/front/text.h"

#include "daemon/front/utf8.h"
#include "daemon/wire/base64.h"
#include "isolate/fd.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <sys/random.h>

namespace cloister::front {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

/// Seconds with up to six decimals, at least one: "0.05", "3.0".
std::string decimal_seconds(std::chrono::nanoseconds value) {
    const auto micro = std::chrono::duration_cast<std::chrono::microseconds>(value).count();
    std::string fraction = std::to_string(1'000'000 + micro % 1'000'000).substr(1);
    while (fraction.size() > 1 && fraction.back() == '0') fraction.pop_back();
    return std::to_string(micro / 1'000'000) + "." + fraction;
}

} // namespace

void append_quoted(std::string& out, std::string_view text) {
    out.push_back('"');
    std::size_t plain = 0; // start of the stretch that needs no escape
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        out.append(text.substr(plain, i - plain));
        plain = i + 1;
        out.push_back('\\');
        switch (c) {
        case '"': out.push_back('"'); break;
        case '\\': out.push_back('\\'); break;
        case '\n': out.push_back('n'); break;
        case '\r': out.push_back('r'); break;
        case '\t': out.push_back('t'); break;
        default:
            out += "u00";
            out.push_back(kHex[c >> 4]);
            out.push_back(kHex[c & 15]);
        }
    }
    out.append(text.substr(plain));
    out.push_back('"');
}

void JsonObject::begin(std::string_view key) {
    if (out_.size() > 1) out_.push_back(',');
    out_.push_back('"');
    out_.append(key);
    out_ += "\":";
}

JsonObject& JsonObject::text(std::string_view key, std::string_view value) {
    begin(key);
    append_quoted(out_, value);
    return *this;
}

JsonObject& JsonObject::number(std::string_view key, std::int64_t value) {
    return raw(key, std::to_string(value));
}

JsonObject& JsonObject::count(std::string_view key, std::uint64_t value) {
    return raw(key, std::to_string(value));
}

JsonObject& JsonObject::seconds(std::string_view key, std::chrono::nanoseconds value) {
    return raw(key, decimal_seconds(value < std::chrono::nanoseconds{} ? std::chrono::nanoseconds{}
                                                                       : value));
}

JsonObject& JsonObject::flag(std::string_view key, bool value) {
    return raw(key, value ? "true" : "false");
}

JsonObject& JsonObject::none(std::string_view key) { return raw(key, "null"); }

JsonObject& JsonObject::raw(std::string_view key, std::string_view json) {
    begin(key);
    out_.append(json);
    return *this;
}

JsonObject& JsonObject::bytes(std::string_view key, std::string_view value, bool base64) {
    return text(key, base64 ? to_base64(value) : repaired(value));
}

JsonObject& JsonObject::maybe(std::string_view key, const std::optional<std::string>& value) {
    return value ? text(key, *value) : *this;
}

std::string JsonObject::close() {
    out_.push_back('}');
    return std::move(out_);
}

std::string to_base64(std::string_view bytes) { return wire::to_base64(bytes); }

std::optional<std::string> from_base64(std::string_view text) { return wire::from_base64(text); }

std::chrono::milliseconds wall_clock() {
    timespec now{};
    (void)::clock_gettime(CLOCK_REALTIME, &now); // cannot fail with this clock
    return std::chrono::milliseconds(now.tv_sec * 1'000 + now.tv_nsec / 1'000'000);
}

std::string from_loose_base64(std::string_view text) {
    std::string bytes;
    unsigned bits = 0;
    unsigned held = 0;
    for (const char c : text) {
        unsigned value = 0;
        if (c >= 'A' && c <= 'Z') value = static_cast<unsigned>(c - 'A');
        else if (c >= 'a' && c <= 'z') value = static_cast<unsigned>(c - 'a') + 26;
        else if (c >= '0' && c <= '9') value = static_cast<unsigned>(c - '0') + 52;
        else if (c == '+' || c == '-') value = 62;
        else if (c == '/' || c == '_') value = 63;
        else if (c == '=') break;
        else continue;
        held = (held << 6U | value) & 0xffffffU;
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes += static_cast<char>(held >> bits & 0xffU);
    }
    return bytes;
}

std::string timestamp() { return timestamp(wall_clock()); }

std::string timestamp(std::chrono::milliseconds at) {
    const std::time_t whole = at.count() / 1'000;
    tm parts{};
    (void)::gmtime_r(&whole, &parts);
    std::array<char, 32> seconds{};
    (void)std::strftime(seconds.data(), seconds.size(), "%Y-%m-%dT%H:%M:%S.", &parts);
    const std::string milli = std::to_string(1'000 + at.count() % 1'000).substr(1);
    return seconds.data() + milli + "Z";
}

std::string fresh_uuid() {
    std::array<unsigned char, 16> random{};
    isolate::check(::getrandom(random.data(), random.size(), 0), "draw a random id");
    random[6] = static_cast<unsigned char>((random[6] & 0x0F) | 0x40);
    random[8] = static_cast<unsigned char>((random[8] & 0x3F) | 0x80);
    std::string out;
    for (std::size_t i = 0; i < random.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
        out.push_back(kHex[random[i] >> 4]);
        out.push_back(kHex[random[i] & 15]);
    }
    return out;
}

std::string fresh_word() {
    std::array<unsigned char, 8> random{};
    isolate::check(::getrandom(random.data(), random.size(), 0), "draw a random id");
    std::string out;
    for (const unsigned char byte : random) {
        out.push_back(kHex[byte >> 4]);
        out.push_back(kHex[byte & 15]);
    }
    return out;
}

std::string fresh_nonce() {
    std::array<char, 16> random{};
    isolate::check(::getrandom(random.data(), random.size(), 0), "draw a nonce");
    return to_base64({random.data(), random.size()});
}

std::string readable_bytes(std::uint64_t bytes) {
    constexpr std::uint64_t kKiB = 1024;
    if (bytes >= kKiB * kKiB && bytes % (kKiB * kKiB) == 0)
        return std::to_string(bytes / kKiB / kKiB) + " MiB";
    if (bytes >= kKiB && bytes % kKiB == 0) return std::to_string(bytes / kKiB) + " KiB";
    return std::to_string(bytes) + " bytes";
}

std::string readable_seconds(std::chrono::nanoseconds value) {
    std::string out = decimal_seconds(value);
    if (out.ends_with(".0")) out.resize(out.size() - 2);
    return out + " s";
}

} // namespace cloister::front
