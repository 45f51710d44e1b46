// No language's grammar: a word between two equal quotes on one line, whole or behind a '/'.
#include "daemon/package/literals.h"

#include "daemon/package/folder.h"

#include <algorithm>
#include <array>

namespace cloister::package {
namespace {

constexpr std::size_t kMostLength = 64;
constexpr std::array kKnown = {"judgemessage.txt", "teammessage.txt",      "score.txt",
                               "nextpass.in",      "score_multiplier.txt", "utf-8"};

bool could_be(std::string_view word) {
    const bool has_letter = std::ranges::any_of(
        word, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
    const bool header = word.ends_with(".h") || word.ends_with(".hpp");
    return word.size() > 1 && word.size() <= kMostLength && has_letter && !header &&
           is_good_name(word) && std::ranges::find(kKnown, word) == kKnown.end();
}

void collect(std::string_view source, std::vector<std::string>& into) {
    for (std::size_t i = 0; i < source.size(); ++i) {
        const char quote = source[i];
        if (quote != '"' && quote != '\'') continue;
        const std::size_t end = source.find_first_of(quote == '"' ? "\"\n" : "'\n", i + 1);
        if (end == std::string_view::npos) return;
        if (source[end] == '\n') continue;
        std::string_view word = source.substr(i + 1, end - i - 1);
        word = word.substr(word.rfind('/') + 1);
        if (could_be(word) && std::ranges::find(into, word) == into.end()) into.emplace_back(word);
        i = end;
    }
}

} // namespace

std::vector<std::string> feedback_names(const std::vector<std::string>& sources) {
    std::vector<std::string> names;
    for (const std::string& source : sources) collect(source, names);
    // Not the one of ranges, which clang 14 does not compile.
    (void)std::stable_partition(names.begin(), names.end(), [](const std::string& name) {
        return name.find('.') != std::string::npos;
    });
    if (names.size() > kMaxKeptNames) names.resize(kMaxKeptNames);
    return names;
}

} // namespace cloister::package
