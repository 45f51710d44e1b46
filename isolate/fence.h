// What a process may reach where it can have no mounts of its own: Landlock, by which a process
// that has no privilege gives up all files but those that it names, every process but those behind
// the same fence, and network and abstract sockets. What Landlock does not know of, modes and times
// of files above all, the system call filter has to refuse (fenced_policy.h).
#pragma once

#include <cstdint>

namespace cloister::isolate {

/// The form of Landlock (ABI) from which a fence keeps signals in: Linux 6.12. With an older one a
/// program could end whatever else its user runs.
inline constexpr int kFenceForm = 6;

/// What this kernel has; 0 when it has none, or was started without.
int landlock_form();

enum class Shown : std::uint8_t {
    read_only,   ///< to read
    program,     ///< to read and execute
    device,      ///< to read and write
    own,         ///< everything but executing and device nodes
    own_program, ///< the same, and to execute
};

/// A descriptor to collect rules in. Below 0: errno.
int make_fence();
/// Beneath `path_fd`, or the file itself; it may be an O_PATH descriptor. False: errno.
bool show(int fence, int path_fd, Shown what);
/// For this process, which has no_new_privs, and all that it will start: for good. False: errno.
bool enter_fence(int fence);

} // namespace cloister::isolate
