// UTF-8, twice: strict validation of what clients send, and repair of what programs print. Repair
// works across chunk boundaries, so a character that arrives in two reads is one character.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace cloister::front {

/// True when every byte belongs to a well-formed sequence: no surrogates, no overlong forms,
/// nothing above U+10FFFF, nothing cut off at the end.
bool is_utf8(std::string_view bytes);

/// Replaces each ill-formed part by one U+FFFD, as browsers do (the "maximal subpart" practice).
class Utf8Repair {
public:
    /// Appends the text of `bytes` to `out`; up to three bytes of an unfinished character are held.
    void feed(std::string_view bytes, std::string& out);
    /// The stream is over: a held, unfinished character becomes U+FFFD.
    void finish(std::string& out);

private:
    std::array<char, 4> held_{};
    std::size_t held_count_ = 0;
};

/// The whole of `bytes`, repaired.
std::string repaired(std::string_view bytes);

} // namespace cloister::front
