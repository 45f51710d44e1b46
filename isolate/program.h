// The processes that init starts: the program's own, the interpreter of a warm box, and the stager
// beside it. Each is root for as long as only the keeper speaks to it, and locked in before it
// reads a byte of a client's.
#pragma once

#include "isolate/inside.h"

namespace cloister::isolate {

/// The pipes between a warm interpreter and its stager. The interpreter has `go_read` at descriptor
/// 3 and `ready_write` at 4.
struct WarmPipes {
    int go_read = -1;
    int go_write = -1;
    int ready_read = -1;
    int ready_write = -1;
};

/// What init learns of an execve.
struct Launch {
    /// The last that a process notes before it: clocks in nanoseconds. In memory that it shares
    /// with init until then, because init may get a processor long after the program has one.
    struct Moment {
        std::int64_t time = 0;     ///< CLOCK_MONOTONIC; 0: it has not come so far
        std::int64_t cpu_time = 0; ///< of the process
    };
    int exec_fd = -1; ///< a pipe's end, kept open until execve closes it
    Moment* moment = nullptr;
};

/// Waits for the order, locks itself in, unpacks and executes. Its report socket is kReportFd.
[[noreturn]] void be_program(const Inside& inside, const Launch& launch);
/// Locks itself in and executes the warm command; its streams are in place.
[[noreturn]] void be_interpreter(const Inside& inside, const WarmPipes& pipes,
                                 const Launch& launch);
/// Waits for the interpreter, then for the order; locks itself in, unpacks, passes the words on.
[[noreturn]] void be_stager(const Inside& inside, const WarmPipes& pipes);

/// In a container (contained.h): waits for the order, puts on the locks that it brings, unpacks and
/// executes. Nothing here needs a privilege.
[[noreturn]] void be_contained(const Inside& inside, const Launch& launch);

/// Locks that init needs for itself, too.
void drop_identity(int report_fd, uid_t id);
void drop_capabilities(int report_fd);
void forbid_new_privileges(int report_fd);

} // namespace cloister::isolate
