// The control groups of one box, on v2, v1 and hybrid hosts alike: one table of file names says how
// a limit is written and a counter is read. `cgroup_layout.h` says which hierarchies there are,
// `cgroup_tree.h` makes the groups.
#pragma once

#include "isolate/cgroup_layout.h"
#include "isolate/fd.h"
#include "isolate/limits.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace cloister::isolate {

/// Where a counter is read: the number after `key` in the file, or the whole file.
struct Counter {
    Controller controller;
    bool v2;
    const char* file;
    const char* key;
};

/// What a box's groups counted.
struct Counters {
    std::uint64_t memory_peak_bytes = 0;
    std::uint32_t processes_peak = 0;
    std::uint32_t oom_kills = 0;
    std::uint32_t forks_refused = 0;
};

/// One box's groups. Made for one run and never used again: after cgroup.kill some kernels kill
/// every newcomer of the group (6.12, 6.18), and a fresh group's counters start at zero. Until
/// `begin` there is no bound on the processor, so that making a box takes no longer than it must.
class Cgroup {
public:
    Cgroup() = default;

    /// The groups that somebody else made for `process` alone, to be limited, read and killed as if
    /// they were ours, not removed. `layout` must outlive them. Throws SysError; also when the
    /// process is in no group of its own.
    static Cgroup adopt(const CgroupLayout& layout, pid_t process);

    /// For CLONE_INTO_CGROUP; -1 on a host without a v2 tree.
    int clone_fd() const { return clone_fd_; }
    /// v1 `tasks` files, to which the child writes "0" as its first act. (`cgroup.procs` would wait
    /// for an RCU grace period, 7 to 15 ms.)
    const std::vector<int>& join_fds() const { return join_fds_; }
    /// Readable when the kernel has killed for memory (v1, which cannot kill a whole group); or -1.
    int oom_event() const { return oom_event_.get(); }
    /// Adopted groups on v2: a file, which tells by POLLPRI that it has changed.
    bool oom_event_is_file() const { return oom_event_is_file_; }
    /// Makes it wait for the next event.
    void take_oom_event() const;

    /// Opens ahead what `begin` writes and what is read at the end, so that neither takes a run's
    /// time. What cannot be opened is opened then.
    void open_files();
    /// The run begins: its limits, also where they differ from those that the groups were made
    /// with, and a full processor quota. Throws SysError.
    void begin(const Limits& limits);
    /// Lets everybody else go first (or no longer), where the kernel can.
    void set_idle(bool idle);

    /// These two say nothing when the host has no descriptor left to read them with: that is not 0.
    std::optional<std::chrono::nanoseconds> cpu_time() const;
    std::optional<Counters> counters() const;
    std::uint64_t memory_bytes() const; ///< charged at the moment; 0 when it cannot be read
    /// Lifts the CPU quota and lets others wait. Processes that are being killed run their own
    /// ends; under a quota, 64 of them or a full memory take a second to go.
    void hurry();
    /// Sends SIGKILL to everything inside.
    void kill();
    bool is_empty() const;
    /// Removes the groups. False when the kernel still holds one (EBUSY); call again then.
    bool remove();

private:
    friend class CgroupTree;
    struct Group {
        const Hierarchy* hierarchy;
        int parent;       ///< borrowed from the tree
        std::string name; ///< empty once removed
        Fd directory;
        Fd tasks;                                      ///< v1 only
        std::vector<std::pair<const char*, Fd>> files; ///< opened ahead; none is cgroup.procs

        const Fd* opened(std::string_view file) const; ///< or nullptr
        std::optional<std::string> try_read(const char* file) const;
    };
    const Group* group_of(Controller controller) const;
    void watch_memory(const Group& group);

    void write(const Limits& limits, bool processor);
    std::optional<std::uint64_t> read(std::span<const Counter> places) const;

    std::vector<Group> groups_;
    std::vector<int> join_fds_;
    Limits limits_{};
    bool idle_ = false;
    int clone_fd_ = -1;
    Fd oom_event_;
    bool oom_event_is_file_ = false;
    bool adopted_ = false;
};

} // namespace cloister::isolate
