// Two cursors that go over the texts side by side. White space is what C calls so in its own
// locale; letters are those of ASCII, so that the answer depends on no locale.
#include "daemon/front/judge/compare.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace cloister::judge {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_word(std::string_view a, std::string_view b, bool case_sensitive) {
    if (case_sensitive) return a == b;
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

/// The whole word as a finite decimal number.
std::optional<double> number_in(std::string_view word) {
    if (word.starts_with('+')) {
        word.remove_prefix(1);
        if (word.starts_with('-')) return std::nullopt;
    }
    double number = 0;
    const char* end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data(), end, number);
    if (error != std::errc{} || stop != end || !std::isfinite(number)) return std::nullopt;
    return number;
}

bool same_token(std::string_view expected, std::string_view printed, const TokenRules& rules) {
    if (same_word(expected, printed, rules.case_sensitive)) return true;
    if (!rules.absolute && !rules.relative) return false;
    const auto right = number_in(expected);
    const auto given = number_in(printed);
    if (!right || !given) return false;
    // Written so that what is not a number is far from every number.
    const double error = std::fabs(*right - *given);
    return (rules.absolute && error <= *rules.absolute) ||
           (rules.relative && error <= *rules.relative * std::fabs(*right));
}

/// Walks over a text in words and the white space between them.
class Words {
public:
    explicit Words(std::string_view text) : text_(text) {}
    /// The white space before the next word.
    std::string_view space() {
        return take([](char c) { return is_space(c); });
    }
    std::string_view word() {
        return take([](char c) { return !is_space(c); });
    }
    std::size_t offset() const { return at_; }

private:
    template <typename Belongs>
    std::string_view take(const Belongs& belongs) {
        const std::size_t begin = at_;
        while (at_ < text_.size() && belongs(text_[at_])) ++at_;
        return text_.substr(begin, at_ - begin);
    }
    std::string_view text_;
    std::size_t at_ = 0;
};

std::size_t line_at(std::string_view text, std::size_t offset) {
    const auto until = text.substr(0, offset);
    return 1 + static_cast<std::size_t>(std::count(until.begin(), until.end(), '\n'));
}

std::string shown(std::string_view text) { return std::string(text.substr(0, kMaxShown)); }

std::optional<Difference> compare_tokens(std::string_view expected, std::string_view printed,
                                         const TokenRules& rules) {
    Words right(expected);
    Words given(printed);
    for (std::size_t token = 1;; ++token) {
        const std::size_t before = given.offset();
        const std::string_view right_space = right.space();
        const std::string_view given_space = given.space();
        const std::size_t at = given.offset();
        const std::string_view right_word = right.word();
        const std::string_view given_word = given.word();
        const bool other_space = rules.space_sensitive && right_space != given_space;
        const bool other_word = !same_token(right_word, given_word, rules);
        if (other_space || other_word) {
            Difference found;
            found.token = token;
            found.offset = other_space ? before : at;
            found.line = line_at(printed, found.offset);
            found.expected = shown(other_space && !other_word ? right_space : right_word);
            found.printed = shown(other_space && !other_word ? given_space : given_word);
            found.expected_ends = right_word.empty();
            found.printed_ends = given_word.empty();
            return found;
        }
        if (right_word.empty()) return std::nullopt; // both, since they are the same
    }
}

std::optional<Difference> compare_bytes(std::string_view expected, std::string_view printed) {
    const auto [right, given] = std::ranges::mismatch(expected, printed);
    if (right == expected.end() && given == printed.end()) return std::nullopt;
    Difference found;
    found.offset = static_cast<std::size_t>(given - printed.begin());
    found.line = line_at(printed, found.offset);
    found.expected = shown(expected.substr(found.offset));
    found.printed = shown(printed.substr(found.offset));
    found.expected_ends = right == expected.end();
    found.printed_ends = given == printed.end();
    return found;
}

/// Cuts the first line off `text`, without the white space at its end.
std::string_view next_line(std::string_view& text) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    while (!line.empty() && is_space(line.back())) line.remove_suffix(1);
    return line;
}

std::string_view without_end(std::string_view text) {
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

std::optional<Difference> compare_lines(std::string_view expected, std::string_view printed) {
    std::string_view right = without_end(expected);
    std::string_view given = without_end(printed);
    for (std::size_t number = 1; !right.empty() || !given.empty(); ++number) {
        const bool right_ends = right.empty();
        const bool given_ends = given.empty();
        const std::size_t offset =
            given_ends ? printed.size() : static_cast<std::size_t>(given.data() - printed.data());
        const std::string_view right_line = next_line(right);
        const std::string_view given_line = next_line(given);
        if (right_line == given_line && right_ends == given_ends) continue;
        Difference found;
        found.line = number;
        found.offset = offset;
        found.expected = shown(right_line);
        found.printed = shown(given_line);
        found.expected_ends = right_ends;
        found.printed_ends = given_ends;
        return found;
    }
    return std::nullopt;
}

} // namespace

std::optional<Difference> compare(std::string_view expected, std::string_view printed,
                                  Manner manner, const TokenRules& rules) {
    std::optional<Difference> found;
    switch (manner) {
    case Manner::exact: found = compare_bytes(expected, printed); break;
    case Manner::lines: found = compare_lines(expected, printed); break;
    case Manner::token: found = compare_tokens(expected, printed, rules); break;
    }
    if (!found) return found;
    TokenRules words;
    words.case_sensitive = manner != Manner::token || rules.case_sensitive;
    words.absolute = rules.absolute;
    words.relative = rules.relative;
    if (manner != Manner::token) words.absolute = words.relative = std::nullopt;
    found->space_only = !compare_tokens(expected, printed, words);
    return found;
}

} // namespace cloister::judge
