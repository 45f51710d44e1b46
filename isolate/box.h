// One program run: the groups, the namespaces and the processes of a box, from clone to proven end.
// A box is made, perhaps long before anybody needs it, and then begun, once. The owner waits for
// its descriptors (report, init, out-of-memory) and calls the matching function.
#pragma once

#include "isolate/cgroup_tree.h"
#include "isolate/inside.h"
#include "isolate/process_tree.h"
#include "isolate/seccomp_program.h"
#include "isolate/verdict.h"

#include <array>
#include <optional>
#include <span>
#include <string>

namespace cloister::isolate {

/// What a box is made from. Everything is borrowed until Box::make returns.
struct BoxSpec {
    std::string name{};        ///< of its control groups; ours
    Means means = Means::root; ///< what `groups` and namespaces come from
    uid_t user_id = 0;         ///< the program's, as it sees it
    Owner owner{};             ///< the same as the keeper sees it: whose its files and pipes are
    Limits limits{};           ///< the most that its order may say
    int root_namespace = -1;
    int network_namespace = -1; ///< -1: a fresh one
    // of Means::fence
    std::span<const int> shown{};
    int box_folder = -1;
    int tmp_folder = -1;
    std::string folder{}; ///< what stands in words and variables for "/box", "/tmp" and "/app"'s
                          ///< "/"
    bool leaves_programs = false;
    const SeccompProgram* filter = nullptr;
    std::span<const Word> command{};
    std::span<const std::string> environment{};      ///< NAME=value
    std::span<const std::string> live_environment{}; ///< added when the order says so
    int work_mount = -1;
    int kit_mount = -1;
    bool executable_files = false; ///< what is in /box and /tmp may be executed
    mode_t umask = 077;
    /// Of a warm box. Its order must have these limits, wall_time, cpu_time, cpu_percent and
    /// output_bytes aside: an interpreter's own limits cannot be changed once it is up.
    std::span<const Word> warm_command{};
    std::span<const std::string> warm_environment{}; ///< whole
    std::array<int, 3> streams{-1, -1, -1};          ///< each above 2
};

/// What a run brings. Descriptors are borrowed.
struct BoxOrder {
    Limits limits{};                        ///< none above the box's
    std::array<int, 3> streams{-1, -1, -1}; ///< each above 2; not for a warm box
    int bundle_fd = -1;                     ///< memfd with a packed Bundle
    int artifact_mount = -1;                ///< -1: none
    int collect_pipe = -1; ///< for the files that the bundle names, once the program has ended
    bool terminal = false;
    bool live = false;
};

/// A step of the keeper's own failed.
class BoxError : public SysError {
public:
    BoxError(Step step, const SysError& cause) : SysError(cause), step_(step) {}
    Step step() const { return step_; }

private:
    Step step_;
};

/// The program's rlimits, never above what this process may itself have: without CAP_SYS_RESOURCE
/// nobody can raise a hard limit, and a lower one than asked for is safe.
ResourceLimits resource_limits(const Limits& limits, Means means, bool warm);

class Box {
public:
    /// Makes the groups and clones init into them. Throws BoxError, leaving nothing behind.
    /// `groups`: null where there are none; then somebody must look().
    static Box make(CgroupTree* groups, const BoxSpec& spec);
    /// For a box that waits: does ahead what else would take time of its run, and of its answer.
    void get_ready() {
        if (!tree_) cgroup_.open_files();
    }
    /// Once, and at any time after `make`: the box becomes ready and runs the program. Throws
    /// BoxError; then the box is only good to be killed.
    void begin(const BoxOrder& order);

    int report_fd() const { return report_.get(); }       ///< readable: next_report()
    int init_fd() const { return init_.get(); }           ///< readable: init has ended; then reap()
    int oom_event() const { return cgroup_.oom_event(); } ///< or -1
    int listener_fd() const { return listener_.get(); }   ///< readable: forbidden_call(); or -1
    int program_fd() const { return program_.get(); }     ///< readable: it has ended; or -1

    /// The next report, if one is waiting. Descriptors that came with it are kept here.
    std::optional<Report> next_report();
    /// True once the box's side of the report socket is closed.
    bool reports_ended() const { return reports_ended_; }
    /// The number of the system call that the policy answers with death (-1 when it cannot be
    /// told).
    int forbidden_call() const;
    /// True once nobody is left behind the filter, whose listener then stays readable for nothing.
    bool listener_is_over() const;
    /// SIGKILL to init: the kernel then ends all of the namespace. Behind a fence to the program's
    /// group, upon which init ends; or to init, when the group is empty.
    void kill();
    /// SIGKILL to the program alone: init ends the rest if it is to collect files, and ends. False
    /// when there is no program to end; then only `kill` helps.
    bool end_program();
    /// A signal for the program itself. False when it has not started or has ended.
    bool signal(int number);
    /// Takes the ended init's status. False while it lives.
    bool reap();
    /// Kills what is left and proves the groups empty. False: call again soon.
    bool is_over();
    /// Removes the groups. False: the kernel still holds one; call again soon.
    bool remove();
    void set_idle(bool idle) {
        if (!tree_) cgroup_.set_idle(idle);
    }
    /// Holds the box's mounts, so that init can end without taking them down: that waits for the
    /// kernel's other processors. They are seen by nobody then, and go with `take_mounts`' result.
    /// Only between init's first report and its end; a failure means that init takes them down.
    void hold_mounts();
    Fd take_mounts() { return std::move(mounts_); }

    /// Nobody but look() sees what the box uses; it wants to be called each kLookPause.
    bool is_watched() const { return tree_.has_value(); }
    /// True when the box has more memory than it may.
    bool look() { return tree_ && tree_->look(); }
    bool is_crowded() const {
        return means_ == Means::fence && tree_.has_value() && tree_->is_crowded();
    }

    /// Nothing when they cannot be read just now, for want of descriptors.
    std::optional<std::chrono::nanoseconds> cpu_time() const {
        return tree_ ? tree_->cpu_time() : cgroup_.cpu_time();
    }
    std::optional<Counters> counters() const {
        return tree_ ? tree_->counters() : cgroup_.counters();
    }
    std::uint64_t memory_bytes() const {
        return tree_ ? tree_->memory_bytes() : cgroup_.memory_bytes();
    }

private:
    bool signal_group(int number) const;

    Cgroup cgroup_;
    std::optional<ProcessTree> tree_{}; ///< instead of groups
    Limits limits_{};
    Owner owner_{};
    Means means_ = Means::root;
    bool warm_ = false;
    Fd report_;
    Fd init_;
    pid_t init_pid_ = -1; ///< good until it is reaped
    Fd mounts_;
    Fd program_;
    Fd listener_;
    bool reports_ended_ = false;
};

} // namespace cloister::isolate
