// Clocks, and an allocator that counts.
#include "daemon/analyst/engine/budget.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <new>
#include <tree_sitter/api.h>
#include <utility>

namespace cloister::analyst {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CLOISTER_WATCHES_BLOCKS
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define CLOISTER_WATCHES_BLOCKS
#endif

// tree-sitter makes and drops small blocks by the hundred thousand: they come from lists by size,
// and go back there. Where somebody watches each block, all are the system's.
constexpr std::size_t kStep = 16; ///< what a block is aligned to
#if defined(CLOISTER_WATCHES_BLOCKS)
constexpr std::size_t kMostSmall = 0;
#else
constexpr std::size_t kMostSmall = 512;
#endif
constexpr std::size_t kSlab = 32 * std::size_t{1024};

/// Before each block.
struct alignas(kStep) Head {
    std::size_t size = 0; ///< of what is behind it
};
struct Free {
    Free* next = nullptr;
};

// One thread.
std::size_t held = 0;
std::array<Free*, kMostSmall / kStep + 1> dropped{}; ///< by size in steps
std::byte* slab = nullptr;
std::size_t slab_left = 0;

// tree-sitter has no way to survive a failed allocation; neither has this process, which is made to
// be replaced.
void* sure(void* block) {
    if (block == nullptr) std::abort();
    return block;
}

void* of_slab(std::size_t size) {
    if (slab_left < size) {
        slab = static_cast<std::byte*>(sure(std::malloc(kSlab)));
        slab_left = kSlab;
    }
    slab_left -= size;
    return std::exchange(slab, slab + size);
}

void* take(std::size_t wanted) {
    if (wanted > SIZE_MAX - sizeof(Head) - kStep) std::abort();
    const std::size_t size = std::max(kStep, (wanted + kStep - 1) / kStep * kStep);
    held += size;
    if (size <= kMostSmall && dropped[size / kStep] != nullptr) {
        Free* const block = dropped[size / kStep];
        dropped[size / kStep] = block->next;
        return block;
    }
    const std::size_t whole = sizeof(Head) + size;
    void* const place = size <= kMostSmall ? of_slab(whole) : sure(std::malloc(whole));
    return new (place) Head{size} + 1;
}

void* take_zeroed(std::size_t count, std::size_t size) {
    if (size != 0 && count > SIZE_MAX / size) std::abort();
    return std::memset(take(count * size), 0, count * size);
}

void give_back(void* block) {
    if (block == nullptr) return;
    Head* const head = static_cast<Head*>(block) - 1;
    held -= head->size;
    if (head->size > kMostSmall) return std::free(head);
    Free*& first = dropped[head->size / kStep];
    first = new (block) Free{first};
}

void* resize(void* block, std::size_t wanted) {
    if (block == nullptr) return take(wanted);
    const std::size_t size = (static_cast<Head*>(block) - 1)->size;
    if (wanted <= size && size <= kMostSmall) return block;
    if (size > kMostSmall && wanted > kMostSmall && wanted < SIZE_MAX / 2) {
        const std::size_t whole = (wanted + kStep - 1) / kStep * kStep;
        void* const moved = sure(std::realloc(static_cast<Head*>(block) - 1, sizeof(Head) + whole));
        held += whole - size;
        return new (moved) Head{whole} + 1;
    }
    void* const made = take(wanted);
    std::memcpy(made, block, std::min(size, wanted));
    give_back(block);
    return made;
}

std::chrono::nanoseconds processor_time_used() {
    timespec now{};
    (void)::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

} // namespace

Budget::Budget(std::chrono::milliseconds time, std::chrono::milliseconds processor_time,
               std::size_t bytes)
    : deadline(Clock::now() + time), processor_end(processor_time_used() + processor_time),
      most_bytes(bytes) {}

bool Budget::is_spent() const {
    // The processor's clock is a system call, which costs as much as a thousand steps of a parser.
    constexpr unsigned kSteps = 8;
    constexpr unsigned kCalls = 64;
    if (asked_ % kSteps == 0 && Clock::now() >= deadline) is_late_ = true;
    if (asked_ % kCalls == 0 && processor_time_used() >= processor_end) is_late_ = true;
    ++asked_;
    return is_late_ || held > most_bytes;
}

void count_allocations() {
    static const bool kOnce = (::ts_set_allocator(take, take_zeroed, resize, give_back), true);
    (void)kOnce;
}

std::size_t allocated_bytes() { return held; }

} // namespace cloister::analyst
