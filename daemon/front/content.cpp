// Both fields are lists of short words; what is malformed is no match, and costs only bytes.
#include "daemon/front/content.h"

#include <algorithm>
#include <optional>

namespace cloister::front {
namespace {

constexpr std::string_view kBlank = " \t";

std::string_view trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// Takes what comes before the next `separator` off `rest`.
std::string_view take(std::string_view& rest, char separator) {
    const std::size_t end = std::min(rest.find(separator), rest.size());
    const std::string_view taken = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return trim(taken);
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

/// "q=0", "q=0." and "q=0.000" refuse; every other weight, and none, accepts.
bool refuses(std::string_view parameters) {
    while (!parameters.empty()) {
        const std::string_view one = take(parameters, ';');
        if (one.size() < 3 || lower(one[0]) != 'q' || one[1] != '=') continue;
        const std::string_view weight = trim(one.substr(2));
        return weight.starts_with('0') && weight.find_first_not_of("0.") == std::string_view::npos;
    }
    return false;
}

} // namespace

std::string_view name_of(Coding coding) {
    switch (coding) {
    case Coding::identity: return "";
    case Coding::gzip: return "gzip";
    case Coding::brotli: return "br";
    }
    return "";
}

bool accepts(std::string_view accept_encoding, Coding coding) {
    if (coding == Coding::identity) return true;
    std::optional<bool> any; // what "*" says, unless the coding is named
    while (!accept_encoding.empty()) {
        std::string_view entry = take(accept_encoding, ',');
        const std::string_view name = take(entry, ';');
        if (same(name, name_of(coding))) return !refuses(entry);
        if (coding == Coding::gzip && same(name, "x-gzip")) return !refuses(entry);
        if (name == "*") any = !refuses(entry);
    }
    return any.value_or(false);
}

bool is_known(std::string_view if_none_match, std::string_view etag) {
    while (!if_none_match.empty()) {
        std::string_view one = take(if_none_match, ',');
        if (one == "*") return true;
        if (one.starts_with("W/")) one.remove_prefix(2);
        if (one == etag) return true;
    }
    return false;
}

} // namespace cloister::front
