// A few short files: searching them is looking at each.
#include "daemon/front/judge/feedback.h"

#include <algorithm>
#include <charconv>

namespace cloister::judge {

const std::string* Feedback::find(std::string_view name) const {
    const auto found = std::ranges::find(
        files, name, [](const auto& file) { return std::string_view(file.first); });
    return found == files.end() ? nullptr : &found->second;
}

std::optional<std::string> Feedback::take(std::string_view name) {
    const auto found = std::ranges::find(
        files, name, [](const auto& file) { return std::string_view(file.first); });
    if (found == files.end()) return std::nullopt;
    std::string content = std::move(found->second);
    files.erase(found);
    return content;
}

bool is_feedback_name(std::string_view name) {
    constexpr std::size_t kMost = 255;
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    };
    if (name.empty() || name.size() > kMost || !plain(name.front())) return false;
    return std::ranges::all_of(name, [&](char c) { return plain(c) || c == '.' || c == '-'; });
}

std::optional<double> score_in(std::string_view text) {
    constexpr double kMost = 1e9;
    constexpr std::string_view kBlank = " \t\r\n";
    const std::size_t first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return std::nullopt;
    text = text.substr(first, text.find_last_not_of(kBlank) - first + 1);
    double number = -1;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || stop != end || !(number >= 0) || number > kMost)
        return std::nullopt;
    return number;
}

} // namespace cloister::judge
