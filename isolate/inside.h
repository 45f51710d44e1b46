// What happens inside a box between clone and exec, and what its init does after that. Everything
// is worked out before the clone: the child walks ready arrays, allocates nothing, throws nothing,
// and a step that fails names itself on the report socket and ends.
//
// Theory of operation. The KEEPER (root, outside, one thread) clones INIT (pid 1 of the box's pid
// namespace), which makes the box around itself and starts the PROGRAM's process (pid 2). That one
// waits, still as root, for the keeper's ORDER, which brings what only the run decides: limits,
// streams, sources. A box may be made long before its order; a cold one finds the order waiting.
// Then the process locks itself in, unpacks the sources and executes the program. Init waits
// until that has happened, becomes nobody, and waits for the program's end. When the run asked for
// files, it then reads them back (collect.cpp).
//
// In a WARM box pid 2 is the runtime's interpreter: it has been locked in and executed ahead, and
// waits at a pipe. Then the process that waits for the order is pid 3, the STAGER: it locks itself
// in likewise, unpacks the sources, passes the command's words to the interpreter, and ends.
//
// One SOCK_SEQPACKET pair leads from all of them to the keeper; the program's copy closes with its
// execve. When init ends the kernel kills all that is left in the namespace.
#pragma once

#include "isolate/means.h"
#include "isolate/packet.h"
#include "isolate/step.h"

#include <array>
#include <cstdint>
#include <linux/filter.h>
#include <span>
#include <sys/resource.h>
#include <sys/types.h>

namespace cloister::isolate {

/// One word of a command. `text` and `memory` are the operator's; the others are filled in from the
/// bundle, behind every lock.
struct Word {
    enum class Kind {
        text,
        memory, ///< text, the memory limit in MiB, `after`
        entry,
        main_name,
        sources,
        arguments,
        options,
    } kind = Kind::text;
    const char* text = "";
    const char* after = "";
};

struct ResourceLimit {
    int resource;
    rlimit value;
};
inline constexpr std::size_t kResourceLimits = 11;
using ResourceLimits = std::array<ResourceLimit, kResourceLimits>;

/// Whose something is, as the kernel's host knows it.
struct Owner {
    uid_t user = 0;
    gid_t group = 0;
};

/// What is known when the box is made. All pointers lead into the part of the keeper's memory that
/// the child gets a copy of (child_memory.h).
struct Inside {
    int report_fd = -1; ///< the child's end
    int keeper_fd =
        -1; ///< the keeper's end, closed first: its hang-up tells that the keeper is gone
    std::span<const int> join_fds{}; ///< v1 `tasks` files
    int root_namespace = -1;
    int network_namespace = -1;     ///< its loopback is up; -1: init is in a fresh one
    const char* files_options = ""; ///< tmpfs options of /tmp, and of /box when there is no work
    const char* shm_options = "";
    int work_mount = -1;           ///< shown writable at /box; -1: /box is a tmpfs of its own
    int kit_mount = -1;            ///< shown read-only at /kit; -1: none
    bool executable_files = false; ///< what is in /box and /tmp may be executed
    // of Means::fence, where files lie where they are, and no mount shows them
    std::span<const int> shown{}; ///< descriptors of what the program may read and execute
    int box_folder = -1;          ///< its own, and its working directory
    int tmp_folder = -1;          ///< its own, too
    bool leaves_programs = false; ///< what it wrote is executed by another box
    Means means = Means::root;
    uid_t user_id = 0;       ///< the program's; init takes the next one, where it may
    Owner owner{};           ///< of the program's files: `user_id`, or the only user that there is
    ResourceLimits limits{}; ///< of a warm interpreter
    std::span<const Word> command{}; ///< of the program
    const char* const* environment = nullptr;
    const char* const* live_environment = nullptr; ///< when its output is watched as it happens
    std::span<const sock_filter> filter{};
    bool has_listener = false;
    mode_t umask = 077;
    // of a warm box
    std::span<const Word> warm_command{}; ///< empty: the box is not warm
    std::uint32_t warm_memory_mib = 0;
    const char* const* warm_environment = nullptr;
    std::array<int, 3> streams{-1, -1, -1}; ///< the program's ends, each above 2
};

inline constexpr std::size_t kMaxWords = 640; ///< of a filled-in command
inline constexpr std::size_t kMaxOptions = 128;

/// What only the run decides: one packet from the keeper. Descriptors come with it, in this order:
/// stdin, stdout, stderr (not for a warm box), the bundle, and an artifact's mount if there is one.
struct Order {
    static constexpr std::uint32_t kTerminal = 1; ///< make stdin the controlling terminal
    static constexpr std::uint32_t kLive = 2;
    static constexpr std::uint32_t kArtifact = 4;
    static constexpr std::uint32_t kResize = 8; ///< the tmpfs get the options below
    /// A packet for init follows (collect.h): it has to be there before the program can end.
    static constexpr std::uint32_t kCollects = 64;
    // of a container (contained.h), whose order brings the filter as its last descriptor
    static constexpr std::uint32_t kFilter = 16;
    static constexpr std::uint32_t kListener = 32; ///< the filter has a listener
    std::uint32_t flags = 0;
    std::uint32_t memory_mib = 0;
    ResourceLimits limits{};
    std::array<char, kMaxOptions> files_options{};
    std::array<char, kMaxOptions> shm_options{};
};
inline constexpr std::size_t kMaxOrderFds = kMaxPacketFds;

/// What the inside tells the keeper, one packet each.
struct Report {
    enum class Kind : std::uint32_t {
        failed = 1,    ///< value: step, detail: errno
        ready = 2,     ///< waits for its order
        started = 3,   ///< with the pidfd of the program, or of the warm interpreter
        resumed = 4,   ///< the warm interpreter has been told to go on
        ended = 5,     ///< value: wait status of the program
        listener = 6,  ///< with the listener of a filter that kills by name
        collected = 7, ///< of a container: what was asked for has been read back
    } kind = Kind::failed;
    Report() = default;
    explicit Report(Kind what) : kind(what) {}
    std::int32_t value = 0;
    std::int32_t detail = 0;
    /// CLOCK_MONOTONIC in nanoseconds: the keeper may be late to read it. 0: when it is sent.
    std::int64_t time = 0;
    std::int64_t cpu_time = 0; ///< started: nanoseconds that the box had used by then
};

/// The whole life of a box's pid 1.
[[noreturn]] void be_init(const Inside& inside);

} // namespace cloister::isolate
