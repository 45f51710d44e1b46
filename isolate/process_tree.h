// What the processes of a box use, where no control group counts it: looked up in /proc now and
// then. What comes and goes between two looks is missed; the end of init tells all processor time.
#pragma once

#include "isolate/cgroup.h"

#include <chrono>
#include <cstdint>
#include <sys/types.h>
#include <vector>

struct rusage;

namespace cloister::isolate {

/// How long a box may be unwatched.
inline constexpr std::chrono::milliseconds kLookPause{10};

/// Processes and threads that this process's user has now, whoever started them.
std::uint64_t tasks_of_user();

class ProcessTree {
public:
    /// `init` is a child that is not reaped while this looks; it and what it starts are the tree.
    ProcessTree(pid_t init, const Limits& limits) : init_(init), limits_(limits) {}

    void begin(const Limits& limits) { limits_ = limits; }
    /// Looks at all, and keeps the highest. True when there is more memory than the limit allows;
    /// of several processes, when that was so at the last look, too.
    bool look();
    /// At the last look there were more processes and threads than the limit allows: the kernel
    /// counts a user's, not a run's, where there is no user namespace.
    bool is_crowded() const { return tasks_ > limits_.processes; }
    /// Init has been reaped, and with it everything.
    void ended(const rusage& used);

    std::chrono::nanoseconds cpu_time() const;
    std::uint64_t memory_bytes() const;
    /// `forks_refused` is 1 when the tree was seen at its limit of processes: the kernel refuses
    /// there and does not count.
    Counters counters() const { return peaks_; }

private:
    std::vector<pid_t> all() const;

    pid_t init_;
    Limits limits_;
    Counters peaks_{};
    std::uint32_t tasks_ = 0;
    bool was_over_ = false;
    mutable std::chrono::nanoseconds seen_cpu_time_{}; ///< the most: reaped children may hide
                                                       ///< theirs
    bool ended_ = false;
};

} // namespace cloister::isolate
