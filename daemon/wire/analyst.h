// What front and analyst say to each other. One SOCK_SEQPACKET pair, the control socket, leads from
// the front to the analyst's first process; it brings a stream socket for each worker. A worker is
// for one request: a length (4 bytes, little endian) and so many bytes of JSON go each way once.
// Neither side trusts the other: what comes is bounded, and checked before it is used.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace cloister::wire {

/// A source as JSON: six bytes for one in the worst case.
inline constexpr std::uint32_t kMaxAnalystRequest = 2 * 1024 * 1024;
inline constexpr std::uint32_t kMaxAnalystAnswer = 1024 * 1024;
/// Workers that wait or work at one time. The front lets fewer work, so that one always waits, and
/// their memory together stays below the box's.
inline constexpr std::size_t kAnalystWorkers = 3;
inline constexpr std::size_t kAnalystBusy = 2;

struct AnalystNote {
    enum class Kind : std::uint32_t {
        // analyst to front
        ready = 1,  ///< `text`: the languages it knows, separated by spaces
        failed = 2, ///< `text`: why it cannot serve; the last word
        worker = 3, ///< with its socket; `worker` is its name
        // front to analyst
        kill = 101, ///< that worker is late
    };
    Kind kind = Kind::ready;
    std::uint32_t reserved = 0;
    std::uint64_t worker = 0;
    std::array<char, 496> text{}; ///< ends with a NUL
};
static_assert(std::is_trivially_copyable_v<AnalystNote> && sizeof(AnalystNote) == 512);

} // namespace cloister::wire
