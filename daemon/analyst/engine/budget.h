// What one request may cost: time, and memory of the parser. tree-sitter asks back every hundred
// steps of its own and can be told to stop; what it allocates is counted here. Neither is airtight
// (recovery from an error can miss its turn for seconds), so the process has a hard bound beside.
#pragma once

#include <chrono>
#include <cstddef>

namespace cloister::analyst {

using Clock = std::chrono::steady_clock;

struct Budget {
    /// Of the clock, which goes on while others have the processor, and of our own processor time.
    static constexpr std::chrono::milliseconds kTime{400};
    static constexpr std::chrono::milliseconds kProcessorTime{200};
    static constexpr std::size_t kBytes = 64 * std::size_t{1024} * 1024;
    /// Matches of a container's own patterns in flight, which are left to tree-sitter: its engine
    /// takes time with the square of their number. Of others: Matcher::kMostTries.
    static constexpr unsigned kMatches = 256;

    Budget() : Budget(kTime, kProcessorTime, kBytes) {}
    Budget(std::chrono::milliseconds time, std::chrono::milliseconds processor_time,
           std::size_t bytes);

    Clock::time_point deadline;
    std::chrono::nanoseconds processor_end;
    std::size_t most_bytes;
    bool truncated = false; ///< something was left out; what is said holds, but may not be all

    /// Cheap enough for each step: only now and then does it look at the clocks.
    bool is_spent() const;

private:
    mutable unsigned asked_ = 0;
    mutable bool is_late_ = false;
};

/// Counts what tree-sitter allocates from here on. To be called before anything of it; what it had
/// before, this could not free.
void count_allocations();
/// Held by tree-sitter at the moment.
std::size_t allocated_bytes();

} // namespace cloister::analyst
