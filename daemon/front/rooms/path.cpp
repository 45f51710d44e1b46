// Hangul is put together by arithmetic (Unicode 15, 3.12); no table is needed for it.
#include "daemon/front/rooms/path.h"

#include "daemon/front/rooms/text16.h"

namespace cloister::rooms {
namespace {

constexpr char16_t kSyllables = 0xAC00;
constexpr char16_t kLeading = 0x1100;
constexpr char16_t kVowels = 0x1161;
constexpr char16_t kTrailing = 0x11A7; // the first is "none"
constexpr int kLeadingCount = 19;
constexpr int kVowelCount = 21;
constexpr int kTrailingCount = 28;

/// Which of `count` letters from `first` on, or -1.
int index_of(char16_t unit, char16_t first, int count) {
    const int index = unit - first;
    return index >= 0 && index < count ? index : -1;
}

} // namespace

std::string why_bad_path(std::string_view path, std::size_t part_bytes, std::size_t path_bytes) {
    if (path.empty()) return "A path is empty.";
    if (path.size() > path_bytes)
        return "A path is longer than " + std::to_string(path_bytes) + " bytes.";
    if (path.front() == '/') return "A path must be relative.";
    // Compilers and interpreters would take such a name for an option, or for a file of options.
    if (path.front() == '-' || path.front() == '@') return "A path must not begin with '-' or '@'.";
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) return "A path holds a control character.";
        if (c == '\\') return "A path's parts are parted by '/', not by a backslash.";
    }
    for (std::string_view rest = path;;) {
        const std::size_t slash = rest.find('/');
        const std::string_view part = rest.substr(0, slash);
        if (part.empty()) return "A path holds an empty part.";
        if (part == "." || part == "..") return "A path must not hold '.' or '..'.";
        if (part.size() > part_bytes)
            return "A part of a path is longer than " + std::to_string(part_bytes) + " bytes.";
        if (slash == std::string_view::npos) return {};
        rest.remove_prefix(slash + 1);
    }
}

std::string composed(std::string_view path) {
    const std::u16string text = from_utf8(path);
    std::u16string out;
    for (const char16_t unit : text) {
        if (!out.empty()) {
            const int leading = index_of(out.back(), kLeading, kLeadingCount);
            const int vowel = index_of(unit, kVowels, kVowelCount);
            if (leading >= 0 && vowel >= 0) {
                out.back() = static_cast<char16_t>(kSyllables + (leading * kVowelCount + vowel) *
                                                                    kTrailingCount);
                continue;
            }
            const int syllable =
                index_of(out.back(), kSyllables, kLeadingCount * kVowelCount * kTrailingCount);
            const int trailing = index_of(unit, kTrailing, kTrailingCount);
            if (syllable >= 0 && syllable % kTrailingCount == 0 && trailing > 0) {
                out.back() = static_cast<char16_t>(out.back() + trailing);
                continue;
            }
        }
        out.push_back(unit);
    }
    return to_utf8(out);
}

bool is_beneath(std::string_view path, std::string_view folder) {
    return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

} // namespace cloister::rooms
