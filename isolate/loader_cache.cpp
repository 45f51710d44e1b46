// The format is that of glibc's sysdeps/generic/dl-cache.h: a header, entries in descending order
// of their names, and the strings, whose offsets count from the file's first byte.
#include "isolate/loader_cache.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <memory>
#include <string_view>
#include <vector>

namespace cloister::isolate {
namespace {

#if defined(__x86_64__)
constexpr std::string_view kFolder = "/usr/lib/x86_64-linux-gnu";
constexpr std::int32_t kFlags = 0x0303; ///< FLAG_X8664_LIB64 | FLAG_ELF_LIBC6
#elif defined(__aarch64__)
constexpr std::string_view kFolder = "/usr/lib/aarch64-linux-gnu";
constexpr std::int32_t kFlags = 0x0a03; ///< FLAG_AARCH64_LIB64 | FLAG_ELF_LIBC6
#else
constexpr std::string_view kFolder{};
constexpr std::int32_t kFlags = 0;
#endif
constexpr std::string_view kUsr = "/usr";
constexpr std::size_t kMaxLibraries = 8192;

struct Header {
    char magic[20] = {'g', 'l', 'i', 'b', 'c', '-', 'l', 'd', '.', 's',
                      'o', '.', 'c', 'a', 'c', 'h', 'e', '1', '.', '1'};
    std::uint32_t count = 0;
    std::uint32_t string_bytes = 0;
    std::uint8_t flags = 2; ///< little-endian
    std::uint8_t padding[3] = {};
    std::uint32_t extension = 0;
    std::uint32_t unused[3] = {};
};
static_assert(sizeof(Header) == 48);

struct Entry {
    std::int32_t flags = kFlags;
    std::uint32_t key = 0;
    std::uint32_t value = 0;
    std::uint32_t version = 0;
    std::uint64_t hardware = 0;
};
static_assert(sizeof(Entry) == 24);

bool is_library(std::string_view name) {
    return (name.starts_with("lib") || name.starts_with("ld-")) &&
           name.find(".so") != std::string_view::npos;
}

bool is_shown(const MountPlan& plan, const std::string& path) {
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                           &std::free);
    if (!real) return false;
    const std::string_view place(real.get());
    return std::any_of(plan.binds.begin(), plan.binds.end(), [&](const MountPlan::Bind& bind) {
        return place == bind.source || place.starts_with(bind.source + "/");
    });
}

/// Names of the libraries in a folder that is shown whole; links that lead out of what is shown are
/// none.
void list(const MountPlan& plan, const std::string& folder, std::vector<std::string>& names) {
    const std::unique_ptr<DIR, int (*)(DIR*)> opened(::opendir(folder.c_str()), ::closedir);
    if (!opened) return;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own
    while (const dirent* entry = ::readdir(opened.get())) {
        if (!is_library(entry->d_name)) continue;
        if (is_shown(plan, folder + "/" + entry->d_name)) names.emplace_back(entry->d_name);
    }
}

/// The name when `path` lies in the loader's folder itself.
std::string_view name_in_folder(std::string_view path) {
    if (path.size() <= kFolder.size() + 1 || !path.starts_with(kFolder) ||
        path[kFolder.size()] != '/')
        return {};
    const std::string_view name = path.substr(kFolder.size() + 1);
    return name.find('/') == std::string_view::npos && is_library(name) ? name : std::string_view{};
}

std::vector<std::string> libraries(const MountPlan& plan) {
    std::vector<std::string> names;
    for (const MountPlan::Bind& bind : plan.binds) {
        if (bind.target == kFolder) list(plan, bind.source, names);
        else if (const auto name = name_in_folder(bind.target); !name.empty())
            names.emplace_back(name);
    }
    for (const MountPlan::Link& link : plan.links) {
        if (const auto name = name_in_folder(link.path); !name.empty()) names.emplace_back(name);
    }
    std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
        const int order = compare_library_names(a.c_str(), b.c_str());
        return order != 0 ? order > 0 : a < b;
    });
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

} // namespace

int compare_library_names(const char* left, const char* right) {
    const auto is_digit = [](char letter) { return letter >= '0' && letter <= '9'; };
    const auto number = [&](const char*& text) {
        std::uint32_t value = 0;
        while (is_digit(*text)) value = value * 10 + static_cast<std::uint32_t>(*text++ - '0');
        return value;
    };
    while (*left != '\0') {
        if (is_digit(*left) != is_digit(*right)) return is_digit(*left) ? 1 : -1;
        if (is_digit(*left)) {
            const std::uint32_t a = number(left);
            const std::uint32_t b = number(right);
            if (a != b) return a < b ? -1 : 1;
        } else if (*left != *right) {
            return *left - *right;
        } else {
            ++left;
            ++right;
        }
    }
    return *left - *right;
}

std::string loader_cache(const MountPlan& plan) {
    if (kFolder.empty()) return {};
    const std::vector<std::string> names = libraries(plan);
    if (names.empty() || names.size() > kMaxLibraries) return {};
    // As ldconfig writes them on a merged /usr, and as a search would find them.
    const bool merged =
        std::any_of(plan.links.begin(), plan.links.end(),
                    [](const MountPlan::Link& link) { return link.path == "/lib"; });
    const std::string folder(kFolder.substr(merged ? kUsr.size() : 0));

    std::string strings;
    std::vector<Entry> entries;
    const std::size_t start = sizeof(Header) + names.size() * sizeof(Entry);
    for (const std::string& name : names) {
        Entry entry;
        entry.value = static_cast<std::uint32_t>(start + strings.size());
        entry.key = static_cast<std::uint32_t>(entry.value + folder.size() + 1);
        strings.append(folder).append("/").append(name).push_back('\0');
        entries.push_back(entry);
    }
    Header header;
    header.count = static_cast<std::uint32_t>(names.size());
    header.string_bytes = static_cast<std::uint32_t>(strings.size());
    std::string cache(start, '\0');
    std::memcpy(cache.data(), &header, sizeof header);
    std::memcpy(cache.data() + sizeof header, entries.data(), entries.size() * sizeof(Entry));
    return cache + strings;
}

} // namespace cloister::isolate
