// What happens inside a box between clone and exec, and what its init does after that. Everything
// is worked out before the clone: the child walks ready arrays, allocates nothing, throws nothing,
// and a step that fails names itself on the report socket and ends.
//
// Theory of operation. Three processes: the KEEPER (root, outside, one thread) clones INIT (pid 1
// of the box's pid namespace), which makes the box around itself and starts the PROGRAM (pid 2).
// Init waits for the program with vfork's semantics until it has called execve, then becomes
// nobody, and waits for its end. One SOCK_SEQPACKET pair leads from both to the keeper; the
// program's copy closes with its execve. When init ends the kernel kills all that is left in the
// namespace.
#pragma once

#include "isolate/step.h"

#include <array>
#include <cstdint>
#include <linux/filter.h>
#include <span>
#include <sys/resource.h>
#include <sys/types.h>

namespace cloister::isolate {

/// One word of a command. All kinds but text are filled in from the bundle, behind every lock.
struct Word {
    enum class Kind { text, entry, main_name, sources, arguments } kind = Kind::text;
    const char* text = ""; ///< of Kind::text
};

struct ResourceLimit {
    int resource;
    rlimit value;
};

/// All pointers and descriptors stay valid until the child has called execve; the keeper's copies
/// may then go.
struct Inside {
    int report_fd = -1; ///< the child's end
    int keeper_fd =
        -1; ///< the keeper's end, closed first: its hang-up tells that the keeper is gone
    std::span<const int> join_fds{}; ///< v1 `tasks` files
    int root_namespace = -1;
    const char* files_options = ""; ///< tmpfs options of /tmp, and of /box when there is no work
    const char* shm_options = "";
    int work_mount = -1;     ///< shown writable at /box; -1: /box is a tmpfs of its own
    int artifact_mount = -1; ///< shown read-only at /app; -1: none
    std::array<int, 3> streams{-1, -1, -1};
    int bundle_fd = -1;
    uid_t user_id = 0; ///< the program's; init takes the next one
    std::span<const ResourceLimit> limits{};
    std::span<const Word> command{};
    const char* const* environment = nullptr;
    std::span<const sock_filter> filter{};
    bool has_listener = false;
    bool terminal = false; ///< make stdin the controlling terminal
    mode_t umask = 077;
};

inline constexpr std::size_t kMaxWords = 640; ///< of a filled-in command

/// What the inside tells the keeper, one packet each.
struct Report {
    enum class Kind : std::uint32_t {
        failed = 1,   ///< value: step, detail: errno
        started = 2,  ///< with the program's pidfd
        ended = 3,    ///< value: wait status of the program
        listener = 4, ///< with the listener of a filter that kills by name
    } kind = Kind::failed;
    std::int32_t value = 0;
    std::int32_t detail = 0;
};

/// The whole life of a box's pid 1.
[[noreturn]] void be_init(const Inside& inside);

} // namespace cloister::isolate
