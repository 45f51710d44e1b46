// Nothing is copied but the part that is wanted; how many parts are looked at, and how long their
// heads may be, is bounded.
#include "daemon/front/go_judge/multipart.h"

#include "daemon/front/utf8.h"

#include <algorithm>

namespace cloister::front::go_judge {
namespace {

constexpr std::size_t kMostParts = 16;
constexpr std::size_t kMostHead = 8 * 1024; ///< of one part
constexpr std::size_t kMostBoundary = 70;   // RFC 2046, 5.1.1
constexpr std::size_t kMostName = 255;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool begins(std::string_view text, std::string_view with) {
    return text.size() >= with.size() &&
           std::ranges::equal(text.substr(0, with.size()), with,
                              [](char one, char other) { return lower(one) == lower(other); });
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The value of a parameter, `; name=value` or `; name="value"`, behind the first word.
std::optional<std::string> parameter(std::string_view text, std::string_view name) {
    for (auto at = text.find(';'); at != std::string_view::npos;) {
        std::string_view rest = trimmed(text.substr(at + 1));
        const auto equals = rest.find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        const std::string_view key = trimmed(rest.substr(0, equals));
        rest.remove_prefix(equals + 1);
        std::string value;
        std::size_t used = 0;
        if (rest.starts_with('"')) {
            for (used = 1; used < rest.size() && rest[used] != '"'; ++used) {
                if (rest[used] == '\\' && used + 1 < rest.size()) ++used;
                value += rest[used];
            }
            if (used >= rest.size()) return std::nullopt; // it never ends
        } else {
            used = std::min(rest.find(';'), rest.size());
            value = trimmed(rest.substr(0, used));
        }
        if (key.size() == name.size() && begins(key, name)) return value;
        text = rest.substr(std::min(used, rest.size()));
        at = text.find(';');
    }
    return std::nullopt;
}

/// The value of a head's field; empty when it is not there.
std::string_view field_of(std::string_view head, std::string_view name) {
    while (!head.empty()) {
        const auto end = std::min(head.find("\r\n"), head.size());
        const std::string_view line = head.substr(0, end);
        head.remove_prefix(std::min(end + 2, head.size()));
        if (begins(line, name) && line.size() > name.size() && line[name.size()] == ':')
            return trimmed(line.substr(name.size() + 1));
    }
    return {};
}

/// A name without the folders that a client may have put before it.
std::string plain_name(std::string_view given) {
    const auto slash = given.find_last_of("/\\");
    if (slash != std::string_view::npos) given.remove_prefix(slash + 1);
    return repaired(given.substr(0, kMostName));
}

} // namespace

bool is_form(std::string_view type) {
    constexpr std::string_view kForm = "multipart/form-data";
    const std::string_view main = trimmed(type.substr(0, type.find(';')));
    return main.size() == kForm.size() && begins(main, kForm);
}

std::optional<Upload> file_in_form(std::string_view type, std::string_view body,
                                   std::string_view field) {
    const auto boundary = is_form(type) ? parameter(type, "boundary") : std::nullopt;
    if (!boundary || boundary->empty() || boundary->size() > kMostBoundary) return std::nullopt;
    const std::string mark = "--" + *boundary;
    auto at = body.starts_with(mark) ? 0 : body.find("\r\n" + mark);
    if (at != 0 && at != std::string_view::npos) at += 2;
    for (std::size_t part = 0; part < kMostParts && at != std::string_view::npos; ++part) {
        const auto start = body.find("\r\n", at + mark.size());
        if (start == std::string_view::npos) break;
        if (body.substr(at + mark.size()).starts_with("--")) break; // the last mark
        const auto head_end = body.find("\r\n\r\n", start);
        if (head_end == std::string_view::npos || head_end - start > kMostHead) break;
        const auto end = body.find("\r\n" + mark, head_end + 2);
        if (end == std::string_view::npos) break; // cut off
        const std::string_view head =
            head_end > start ? body.substr(start + 2, head_end - start - 2) : std::string_view{};
        const std::string_view disposition = field_of(head, "content-disposition");
        if (begins(disposition, "form-data") && parameter(disposition, "name") == field) {
            Upload upload;
            upload.name = plain_name(parameter(disposition, "filename").value_or(""));
            const std::size_t content = head_end + 4;
            if (end > content) upload.content = body.substr(content, end - content);
            return upload;
        }
        at = end + 2;
    }
    return std::nullopt;
}

} // namespace cloister::front::go_judge
