// What a program printed, held against what was expected. Pure; linear in time, without copies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cloister::judge {

/// How texts are compared.
enum class Manner : std::uint8_t {
    exact, ///< byte for byte
    lines, ///< byte for byte, but for white space at the ends of lines and of the text
    token, ///< word for word
};

/// Of Manner::token, as the default validator of ICPC packages has them.
struct TokenRules {
    bool case_sensitive = false;
    bool space_sensitive = false; ///< white space must be the same, too
    /// A number that is so close is right; either one suffices. With none, numbers are words.
    std::optional<double> absolute{};
    std::optional<double> relative{};
};

/// The first place where they differ.
struct Difference {
    std::size_t line = 1;       ///< of what was printed, from 1
    std::size_t token = 0;      ///< number of the word, from 1; 0 when bytes were compared
    std::size_t offset = 0;     ///< in bytes, of what was printed
    std::string expected{};     ///< what stands there, cut to kMaxShown bytes
    std::string printed{};      ///< likewise
    bool expected_ends = false; ///< nothing more was expected
    bool printed_ends = false;  ///< nothing more was printed
    bool space_only = false;    ///< the words are the same, case included
};
inline constexpr std::size_t kMaxShown = 80;

/// Nothing when `printed` is right.
std::optional<Difference> compare(std::string_view expected, std::string_view printed,
                                  Manner manner, const TokenRules& rules = {});

} // namespace cloister::judge
