// Writes JSON, in the order in which it is told; commas come by themselves. A document of 10,000
// lines has an answer of 100 KB, which a tree of values would make in several milliseconds.
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace cloister::analyst {

class Writer {
public:
    Writer& open(char bracket) {
        separate();
        out_ += bracket;
        fresh_ = true;
        return *this;
    }
    Writer& close(char bracket) {
        out_ += bracket;
        fresh_ = false;
        return *this;
    }
    Writer& key(std::string_view name) {
        value(name);
        out_ += ':';
        fresh_ = true;
        return *this;
    }
    /// What is not UTF-8 in it is written as U+FFFD.
    Writer& value(std::string_view text);
    Writer& value(const char* text) { return value(std::string_view(text)); }
    Writer& value(bool flag) { return raw(flag ? "true" : "false"); }
    /// Three digits behind the point.
    Writer& value(double number);
    template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>) Writer& value(T number) { return raw(std::to_string(number)); }
    Writer& value(int number) { return raw(std::to_string(number)); }
    /// JSON already.
    Writer& raw(std::string_view text) {
        separate();
        out_ += text;
        return *this;
    }
    template <typename T>
    Writer& field(std::string_view name, const T& content) {
        return key(name).value(content);
    }
    std::string take() { return std::move(out_); }

private:
    void separate() {
        if (!fresh_) out_ += ',';
        fresh_ = false;
    }

    std::string out_{};
    bool fresh_ = true; ///< nothing stands before, on this level
};

} // namespace cloister::analyst
