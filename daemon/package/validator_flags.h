// The arguments of the default output validator.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace cloister::package {

/// How a default validator compares; nothing else distinguishes two of them.
struct Comparing {
    bool case_sensitive = false;
    bool space_sensitive = false;
    std::optional<double> absolute{};
    std::optional<double> relative{};
    bool operator==(const Comparing&) const = default;
};

/// Throws Wrong for an argument that it does not have.
Comparing read_flags(const std::vector<std::string>& words, const std::string& where);

/// A text of arguments as a shell would see it: words, with quotes. Throws Wrong.
std::vector<std::string> split_words(const std::string& text, const std::string& where);

} // namespace cloister::package
