// Which mappings a child needs is read once from /proc/self/maps: those of this program, of libc
// and of the loader, thread-local storage, stack, the kernel's own pages, and the place for arrays.
// What lies between them may come and go; it is never needed.
#include "isolate/child_memory.h"

#include "isolate/fd.h"
#include "isolate/inside.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <sys/auxv.h>
#include <sys/mman.h>

namespace cloister::isolate {
namespace {

/// More than a filter of the kernel's greatest length and a large environment; only what is used
/// becomes memory.
constexpr std::size_t kPlaceBytes = std::size_t{1} << 20;

/// What a thread has of its own lies around its errno: the C library's account of it, and the
/// variables of it and of the libraries that it was started with, a few KiB in all.
constexpr std::uintptr_t kAroundThread = std::uintptr_t{64} << 10;
constexpr std::uintptr_t kInPage = 4095;

struct Mapping {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    std::string name{};
    bool holds(std::uintptr_t address) const { return address >= begin && address < end; }
};

std::uintptr_t number_of(const void* address) { return reinterpret_cast<std::uintptr_t>(address); }

/// In the order of addresses.
std::vector<Mapping> mappings() {
    std::vector<Mapping> all;
    std::ifstream file("/proc/self/maps");
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        Mapping mapping;
        char dash = 0;
        std::string unused;
        words >> std::hex >> mapping.begin >> dash >> mapping.end;
        for (int skipped = 0; skipped < 4; ++skipped) words >> unused;
        words >> mapping.name;
        if (!words.bad() && mapping.end > mapping.begin) all.push_back(std::move(mapping));
    }
    return all;
}

/// A sanitizer's own memory is everywhere.
constexpr bool is_instrumented() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) ||                         \
    __has_feature(thread_sanitizer)
    return true;
#endif
#endif
    return false;
}

} // namespace

ChildMemory::ChildMemory() {
    void* const place =
        ::mmap(nullptr, kPlaceBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) throw SysError(errno, "memory for boxes");
    place_ = static_cast<std::byte*>(place);
    find_ranges();
}

ChildMemory::~ChildMemory() { (void)::munmap(place_, kPlaceBytes); }

void ChildMemory::find_ranges() {
    if (is_instrumented()) return;
    const std::vector<Mapping> all = mappings();
    const auto* const code = reinterpret_cast<const void*>(&be_init);
    const auto* const libc = reinterpret_cast<const void*>(&::write);
    const std::uintptr_t files[] = {number_of(code), number_of(libc), ::getauxval(AT_BASE)};
    // Of a nameless mapping no more than is needed: the kernel makes one of all that lie side by
    // side.
    const Range places[] = {{number_of(place_), number_of(place_) + kPlaceBytes},
                            {(number_of(&errno) - kAroundThread) & ~kInPage,
                             (number_of(&errno) + kAroundThread) & ~kInPage}};
    std::set<std::string> names = {"[stack]"};
    for (const Mapping& mapping : all) {
        for (const std::uintptr_t address : files) {
            if (mapping.holds(address) && !mapping.name.empty()) names.insert(mapping.name);
        }
    }
    bool last_was_kept = false;
    std::uintptr_t last_end = 0;
    for (const Mapping& mapping : all) {
        // Zeroed data of a file goes on, nameless, where the file's ends.
        const bool keep_all = names.contains(mapping.name) || mapping.name.starts_with("[v") ||
                              mapping.holds(number_of(&all)) ||
                              (mapping.name.empty() && last_was_kept && mapping.begin == last_end);
        last_was_kept = keep_all;
        last_end = mapping.end;
        if (keep_all) {
            keep({mapping.begin, mapping.end});
            continue;
        }
        if (!mapping.name.empty()) continue; // a library that happens to lie beside a thread's own
        std::vector<Range> parts;
        for (const Range& place : places) {
            const Range part{std::max(place.begin, mapping.begin),
                             std::min(place.end, mapping.end)};
            if (part.begin < part.end) parts.push_back(part);
        }
        std::ranges::sort(parts, {}, &Range::begin);
        for (const Range& part : parts) keep(part);
    }
}

/// In rising order.
void ChildMemory::keep(Range range) {
    const std::uintptr_t before = kept_.empty() ? 0 : kept_.back().end;
    range.begin = std::max(range.begin, before);
    if (range.begin >= range.end) return;
    if (range.begin > before) others_.push_back({before, range.begin});
    if (!kept_.empty() && range.begin == before) kept_.back().end = range.end;
    else kept_.push_back(range);
}

void* ChildMemory::take(std::size_t size, std::size_t alignment, const void* content) {
    const std::size_t start = (used_ + alignment - 1) / alignment * alignment;
    if (size > kPlaceBytes || start > kPlaceBytes - size)
        throw SysError(E2BIG, "commands and environment of a box");
    used_ = start + size;
    if (size > 0) std::memcpy(place_ + start, content, size);
    return place_ + start;
}

const char* ChildMemory::put(const char* text) {
    return static_cast<const char*>(take(std::strlen(text) + 1, 1, text));
}

bool ChildMemory::keeps(const void* address) const {
    for (const Range& range : kept_) {
        if (number_of(address) >= range.begin && number_of(address) < range.end) return true;
    }
    return false;
}

/// Over a range with holes the kernel does what it can and says ENOMEM.
bool ChildMemory::advise_others(int advice) const {
    bool good = true;
    for (const Range& range : others_) {
        void* const begin =
            reinterpret_cast<void*>(range.begin); // NOLINT(performance-no-int-to-ptr)
        if (::madvise(begin, range.end - range.begin, advice) != 0 && errno != ENOMEM) good = false;
    }
    return good;
}

ChildMemory::Alone::Alone(const ChildMemory& memory) : memory_(memory), active_(false) {
    // Another thread's stack or storage: then everything is copied, as ever.
    const int here = 0;
    if (!memory_.keeps(&here) || !memory_.keeps(&errno)) return;
    active_ = true;
    if (!memory_.advise_others(MADV_DONTFORK)) {
        (void)memory_.advise_others(MADV_DOFORK);
        active_ = false;
    }
}

ChildMemory::Alone::~Alone() {
    if (active_) (void)memory_.advise_others(MADV_DOFORK);
}

} // namespace cloister::isolate
