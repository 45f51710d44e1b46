// Matching is linear in the two texts but for the last star, to which it goes back.
#include "daemon/package/glob.h"

#include "daemon/package/error.h"

namespace cloister::package {
namespace {

/// Where the brace that opens at `open` closes; npos: nowhere.
std::size_t closing(const std::string& text, std::size_t open) {
    std::size_t depth = 0;
    for (std::size_t i = open; i < text.size(); ++i) {
        if (text[i] == '{') ++depth;
        if (text[i] == '}' && --depth == 0) return i;
    }
    return std::string::npos;
}

void expand(const std::string& text, std::vector<std::string>& into) {
    const std::size_t open = text.find('{');
    if (open == std::string::npos) {
        if (into.size() >= kMaxBraces) wrong(text, "its braces stand for too many patterns");
        into.push_back(text);
        return;
    }
    const std::size_t close = closing(text, open);
    if (close == std::string::npos) wrong(text, "a brace is not closed");
    const std::string before = text.substr(0, open);
    const std::string after = text.substr(close + 1);
    std::size_t depth = 0;
    std::size_t begin = open + 1;
    for (std::size_t i = open; i <= close; ++i) {
        if (text[i] == '{') ++depth;
        if (text[i] == '}') --depth;
        const bool ends = (text[i] == ',' && depth == 1) || i == close;
        if (!ends) continue;
        expand(before + text.substr(begin, i - begin) + after, into);
        begin = i + 1;
    }
}

bool matches_whole(std::string_view pattern, std::string_view text) {
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;
    std::size_t back = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            back = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos && text[back] != '/') {
            p = star + 1;
            t = ++back;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

} // namespace

std::vector<std::string> without_braces(const std::string& pattern) {
    std::vector<std::string> all;
    expand(pattern, all);
    return all;
}

bool matches(const std::string& pattern, std::string_view path) {
    for (const std::string& one : without_braces(pattern)) {
        std::string_view rest = path;
        for (;;) {
            if (matches_whole(one, rest)) return true;
            const std::size_t slash = rest.rfind('/');
            if (slash == std::string_view::npos) break;
            rest = rest.substr(0, slash);
        }
    }
    return false;
}

} // namespace cloister::package
