// What a run may use. A plain value: the same names, units and defaults appear in JSON, documents
// and logs. Zero and absent never mean "no limit"; whoever reads a request replaces them by the
// policy's value before a Limits is made.
#pragma once

#include <chrono>
#include <cstdint>

namespace cloister::isolate {

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;

/// Bounds of one box, each for the whole process tree unless it says otherwise.
struct Limits {
    std::uint64_t memory_bytes = 128 * kMiB; ///< everything charged: heap, tmpfs, sockets; no swap
    std::uint32_t cpu_percent = 50;          ///< of one core, in each 100 ms; 100 = a core
    std::chrono::milliseconds wall_time{10'000}; ///< from the program's start to its end
    std::chrono::milliseconds cpu_time{10'000};  ///< user + system, all processes together
    std::uint32_t processes = 64;                ///< processes and threads at one time
    std::uint64_t output_bytes = 1 * kMiB;       ///< kept of each stream; the reader enforces it
    std::uint64_t file_bytes = 64 * kMiB;        ///< written to /box and /tmp together
    std::uint32_t file_count = 16'384;           ///< inodes of /box and /tmp together
    std::uint32_t open_files = 1'024;            ///< descriptors per process
    std::uint64_t stack_bytes = 8 * kMiB;        ///< main thread's stack, per process

    bool operator==(const Limits&) const = default;
};

/// True when no field of `asked` exceeds the same field of `ceiling` and none is zero.
constexpr bool within(const Limits& asked, const Limits& ceiling) {
    const auto fits = [](auto value, auto most) {
        return value > decltype(value){} && value <= most;
    };
    return fits(asked.memory_bytes, ceiling.memory_bytes) &&
           fits(asked.cpu_percent, ceiling.cpu_percent) &&
           fits(asked.wall_time, ceiling.wall_time) && fits(asked.cpu_time, ceiling.cpu_time) &&
           fits(asked.processes, ceiling.processes) &&
           fits(asked.output_bytes, ceiling.output_bytes) &&
           fits(asked.file_bytes, ceiling.file_bytes) &&
           fits(asked.file_count, ceiling.file_count) &&
           fits(asked.open_files, ceiling.open_files) &&
           fits(asked.stack_bytes, ceiling.stack_bytes);
}

} // namespace cloister::isolate
