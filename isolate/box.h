// One program run: the groups, the namespaces and the processes of a box, from clone to proven end.
// The owner waits for its descriptors (report, init, out-of-memory) and calls the matching
// function.
#pragma once

#include "isolate/cgroup.h"
#include "isolate/inside.h"
#include "isolate/seccomp_program.h"
#include "isolate/verdict.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace cloister::isolate {

/// What a box is made from. Everything is borrowed until Box::start returns.
struct BoxSpec {
    std::string name{}; ///< of its control groups; ours
    uid_t user_id = 0;
    Limits limits{};
    int root_namespace = -1;
    const SeccompProgram* filter = nullptr;
    std::vector<Word> command{};
    std::vector<std::string> environment{}; ///< NAME=value
    std::array<int, 3> streams{-1, -1, -1}; ///< each above 2
    int bundle_fd = -1;                     ///< memfd with a packed Bundle
    int work_mount = -1;
    int artifact_mount = -1;
    bool terminal = false;
    mode_t umask = 077;
};

/// A step of the keeper's own failed.
class BoxError : public SysError {
public:
    BoxError(Step step, const SysError& cause) : SysError(cause), step_(step) {}
    Step step() const { return step_; }

private:
    Step step_;
};

class Box {
public:
    /// Makes the groups and clones init into them. Throws BoxError, leaving nothing behind.
    static Box start(CgroupTree& tree, const BoxSpec& spec);

    int report_fd() const { return report_.get(); }       ///< readable: next_report()
    int init_fd() const { return init_.get(); }           ///< readable: init has ended; then reap()
    int oom_event() const { return cgroup_.oom_event(); } ///< or -1
    int listener_fd() const { return listener_.get(); }   ///< readable: forbidden_call(); or -1

    /// The next report, if one is waiting. Descriptors that came with it are kept here.
    std::optional<Report> next_report();
    /// True once the box's side of the report socket is closed.
    bool reports_ended() const { return reports_ended_; }
    /// The number of the system call that the policy answers with death (-1 when it cannot be
    /// told).
    int forbidden_call() const;
    /// True once nobody is left behind the filter, whose listener then stays readable for nothing.
    bool listener_is_over() const;
    /// SIGKILL to init: the kernel then ends all of the namespace.
    void kill();
    /// A signal for the program itself. False when it has not started or has ended.
    bool signal(int number);
    /// Takes the ended init's status. False while it lives.
    bool reap();
    /// Kills what is left, proves the groups empty and removes them. False: call again soon.
    bool finish();

    std::chrono::nanoseconds cpu_time() const { return cgroup_.cpu_time(); }
    Counters counters() const { return cgroup_.counters(); }

private:
    Cgroup cgroup_;
    Fd report_;
    Fd init_;
    Fd program_;
    Fd listener_;
    bool reports_ended_ = false;
};

} // namespace cloister::isolate
