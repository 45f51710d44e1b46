// Strict reading of the operator's JSON files: comments and a last comma are welcome; unknown or
// repeated keys, wrong types and values out of range are errors that name file, key and what was
// expected. For the loaders' sources only: json.hpp costs seconds in each of them.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace cloister::strict_json {

using nlohmann::json;

[[noreturn]] inline void fail(const std::string& place, const std::string& sentence) {
    throw std::runtime_error(place + ": " + sentence);
}

/// As people would quote it in a message: short, on one line.
inline std::string quoted(const json& value) {
    std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
    if (text.size() > 60) text = text.substr(0, 57) + "...";
    return text;
}

/// Blanks each comma that only white space and comments separate from a closing bracket, so that
/// the last of some lines can be commented out. Positions stay as they are, for messages.
inline std::string without_last_commas(std::string text) {
    std::size_t last = std::string::npos; // what came last that is neither white space nor comment
    char before = '\0';                   // and what came before it
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
        if (c == '/' && text.compare(i, 2, "//") == 0) {
            i = std::min(text.find('\n', i), text.size());
            continue;
        }
        if (c == '/' && text.compare(i, 2, "/*") == 0) {
            const std::size_t end = text.find("*/", i + 2);
            i = end == std::string::npos ? text.size() : end + 1;
            continue;
        }
        const bool follows_comma = last != std::string::npos && text[last] == ',';
        if ((c == '}' || c == ']') && follows_comma &&
            std::string_view("[{,:").find(before) == std::string_view::npos) {
            text[last] = ' ';
        }
        before = last == std::string::npos ? '\0' : text[last];
        last = i;
        if (c == '"') {
            for (++i; i < text.size() && text[i] != '"'; ++i) i += text[i] == '\\' ? 1U : 0U;
        }
    }
    return text;
}

/// Parses `text`; `place` (the file) begins every message.
inline json parse(const std::string& text, const std::string& place) {
    std::vector<std::set<std::string>> seen; // the keys of each object that is open
    const auto watch = [&](int, json::parse_event_t event, json& parsed) {
        if (event == json::parse_event_t::object_start) {
            seen.emplace_back();
        } else if (event == json::parse_event_t::object_end) {
            seen.pop_back();
        } else if (event == json::parse_event_t::key &&
                   !seen.back().insert(parsed.get<std::string>()).second) {
            fail(place, "the key " + quoted(parsed) + " is given twice");
        }
        return true;
    };
    try {
        return json::parse(without_last_commas(text), watch, true, true);
    } catch (const json::exception& error) { // a number may be beyond any double, too
        const std::string_view what = error.what();
        const std::size_t cut =
            what.find("] "); // "[json.exception.parse_error.101] parse error at line …"
        fail(place, std::string(cut == std::string_view::npos ? what : what.substr(cut + 2)));
    }
}

/// "64m" or "65536" as a number of bytes: k, m and g in any case, each with or without "b".
inline std::optional<std::uint64_t> parse_size(std::string_view text) {
    std::uint64_t number = 0;
    std::size_t at = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
        const auto digit = static_cast<std::uint64_t>(text[at] - '0');
        if (number > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) return std::nullopt;
        number = number * 10 + digit;
    }
    if (at == 0) return std::nullopt;
    std::string unit;
    for (; at < text.size(); ++at) unit += static_cast<char>(text[at] | 0x20); // to lower case
    if (!unit.empty() && unit.back() == 'b') unit.pop_back();
    const unsigned shift = unit == "k" ? 10 : unit == "m" ? 20 : unit == "g" ? 30 : 0;
    if (shift == 0 && !unit.empty()) return std::nullopt;
    if (number > std::numeric_limits<std::uint64_t>::max() >> shift) return std::nullopt;
    return number << shift;
}

inline std::string read_text(const json& value, const std::string& place) {
    if (!value.is_string()) fail(place, "expected a text, found " + quoted(value));
    auto text = value.get<std::string>();
    if (text.find('\0') != std::string::npos) fail(place, "a NUL has no place in a text");
    return text;
}

inline std::vector<std::string> read_texts(const json& value, const std::string& place) {
    if (!value.is_array()) fail(place, "expected a list of texts, found " + quoted(value));
    std::vector<std::string> texts;
    for (const json& item : value)
        texts.push_back(read_text(item, place + "[" + std::to_string(texts.size()) + "]"));
    return texts;
}

inline std::uint64_t read_count(const json& value, const std::string& place, std::uint64_t least,
                                std::uint64_t most) {
    const std::string range = std::to_string(least) + " to " + std::to_string(most);
    if (!value.is_number_unsigned())
        fail(place, "expected a whole number, " + range + ", found " + quoted(value));
    const auto number = value.get<std::uint64_t>();
    if (number < least || number > most)
        fail(place, "expected " + range + ", found " + quoted(value));
    return number;
}

inline std::uint64_t read_size(const json& value, const std::string& place, std::uint64_t least,
                               std::uint64_t most) {
    std::optional<std::uint64_t> size;
    if (value.is_number_unsigned()) size = value.get<std::uint64_t>();
    if (value.is_string()) size = parse_size(value.get_ref<const std::string&>());
    if (!size)
        fail(place, "expected a number of bytes or a size such as \"64m\", found " + quoted(value));
    if (*size < least || *size > most) {
        fail(place, "expected " + std::to_string(least) + " to " + std::to_string(most) +
                        " bytes, found " + quoted(value));
    }
    return *size;
}

/// Seconds, which may have a fraction down to the millisecond.
inline std::chrono::milliseconds read_seconds(const json& value, const std::string& place,
                                              double most) {
    constexpr double kLeast = 0.001;
    if (!value.is_number()) fail(place, "expected a number of seconds, found " + quoted(value));
    const auto seconds = value.get<double>();
    if (!(seconds >= kLeast && seconds <= most)) {
        fail(place, "expected more than 0 and at most " +
                        std::to_string(static_cast<std::uint64_t>(most)) + " seconds, found " +
                        quoted(value));
    }
    return std::chrono::milliseconds(std::llround(seconds * 1000));
}

/// One JSON object whose keys are taken one by one; those that nobody took are errors.
class Object {
public:
    /// `inner`: `place` is a key of another object, no file.
    Object(const json& value, std::string place, bool inner = false)
        : value_(value), place_(std::move(place)), inner_(inner) {
        if (!value_.is_object()) fail(place_, "expected an object { … }, found " + quoted(value_));
    }

    /// nullptr when the key is absent.
    const json* take(const std::string& key) {
        taken_.insert(key);
        const auto found = value_.find(key);
        return found == value_.end() ? nullptr : &*found;
    }

    const json& need(const std::string& key) {
        const json* found = take(key);
        if (found == nullptr) fail(place_, "the key \"" + key + "\" is missing");
        return *found;
    }

    /// "FILE: outer.inner" for messages.
    std::string place_of(const std::string& key) const {
        return place_ + (inner_ ? "." : ": ") + key;
    }

    /// To be called last: names the first key that was not taken, and those that could have been.
    void done() const {
        for (const auto& item : value_.items()) {
            if (taken_.contains(item.key())) continue;
            std::string known;
            for (const std::string& key : taken_) known += (known.empty() ? "" : ", ") + key;
            fail(place_of(item.key()), "unknown key; known here: " + known);
        }
    }

private:
    const json& value_;
    std::string place_;
    bool inner_;
    std::set<std::string> taken_{};
};

} // namespace cloister::strict_json
