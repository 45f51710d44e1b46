// A counting allocator: sizes are the allocator's own, so nothing is added to a block.
#include "daemon/analyst/engine/budget.h"

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <malloc.h>
#include <tree_sitter/api.h>

namespace cloister::analyst {
namespace {

std::size_t held = 0; // one thread

// tree-sitter has no way to survive a failed allocation; neither has this process, which is made to
// be replaced.
void* counted(void* block) {
    if (block == nullptr) std::abort();
    held += ::malloc_usable_size(block);
    return block;
}

std::chrono::nanoseconds processor_time_used() {
    timespec now{};
    (void)::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

void* take(std::size_t size) { return counted(std::malloc(size > 0 ? size : 1)); }

void* take_zeroed(std::size_t count, std::size_t size) {
    return counted(std::calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void give_back(void* block) {
    held -= ::malloc_usable_size(block);
    std::free(block);
}

void* resize(void* block, std::size_t size) {
    held -= ::malloc_usable_size(block);
    return counted(std::realloc(block, size > 0 ? size : 1));
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
