// What front and analyst say to each other. One SOCK_SEQPACKET pair, the control socket, leads from
// the front to the analyst's first process; it brings a stream socket for each worker. On that go a
// head and so many bytes of JSON, each way once; or, with a worker that holds a document, again and
// again, and the later requests bring only what was edited. The mark of the text that a request is
// about goes both ways, so that no answer can be about another one. Neither side trusts the other:
// what comes is bounded, and checked before it is used.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace cloister::wire {

/// A source as JSON: six bytes for one in the worst case.
inline constexpr std::uint32_t kMaxAnalystRequest = 2 * 1024 * 1024;
inline constexpr std::uint32_t kMaxAnalystAnswer = 1024 * 1024;
/// Workers that wait or work at one time, those that hold a document aside. The front lets fewer
/// work, so that one always waits.
inline constexpr std::size_t kAnalystWorkers = 3;
inline constexpr std::size_t kAnalystBusy = 2;
/// Documents that are held, each by a worker of its own, and their memory: of one, above which it
/// is not held any more, and of all. Beside them the box's memory has to do for kAnalystBusy
/// workers that take all that they may (policies/analyst.jsonc).
inline constexpr std::size_t kAnalystHeld = 24;
inline constexpr std::size_t kAnalystHeldBytes = 48 * std::size_t{1024} * 1024;
inline constexpr std::size_t kAnalystHeldTogether = 160 * std::size_t{1024} * 1024;

/// Before each request; in this machine's own order of bytes.
struct AnalystRequest {
    enum class Kind : std::uint32_t {
        once = 1,   ///< a whole text; the worker answers and ends
        hold = 2,   ///< a whole text; the worker keeps it when it can
        follow = 3, ///< an edit of what the worker keeps
    };
    std::uint32_t size = 0; ///< of the JSON that follows
    Kind kind = Kind::once;
    std::uint64_t text_bytes = 0; ///< of the text that it is about
    std::uint64_t text_mark = 0;
};
static_assert(std::is_trivially_copyable_v<AnalystRequest> && sizeof(AnalystRequest) == 24);

struct AnalystAnswer {
    std::uint32_t size = 0;
    std::uint32_t held_kib = 0; ///< memory that the worker keeps for its document; 0: it ends now
    std::uint64_t text_mark = 0;
};
static_assert(std::is_trivially_copyable_v<AnalystAnswer> && sizeof(AnalystAnswer) == 16);

/// Tells texts apart; 64 bits, for those that do not try to be taken for each other.
inline std::uint64_t mark_of(std::string_view text) {
    constexpr std::uint64_t kPrime = 0x9E3779B97F4A7C15U;
    std::uint64_t mark = text.size() * kPrime + 1;
    while (!text.empty()) {
        std::uint64_t word = 0;
        const std::size_t size = text.size() < sizeof word ? text.size() : sizeof word;
        std::memcpy(&word, text.data(), size);
        mark = (mark ^ word) * kPrime;
        mark ^= mark >> 29U;
        text.remove_prefix(size);
    }
    return mark;
}

struct AnalystNote {
    enum class Kind : std::uint32_t {
        // analyst to front
        ready = 1,  ///< `text`: the languages it knows, separated by spaces
        failed = 2, ///< `text`: why it cannot serve; the last word
        worker = 3, ///< with its socket; `worker` is its name
        // front to analyst
        kill = 101, ///< that worker is late, or not needed any more
        hold = 102, ///< that worker keeps its document: there is to be another one in its place
    };
    Kind kind = Kind::ready;
    std::uint32_t reserved = 0;
    std::uint64_t worker = 0;
    std::array<char, 496> text{}; ///< ends with a NUL
};
static_assert(std::is_trivially_copyable_v<AnalystNote> && sizeof(AnalystNote) == 512);

} // namespace cloister::wire
