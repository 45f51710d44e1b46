// Allow rules are taken out, or get one more test; what no rule names is refused.
#include "isolate/fenced_policy.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace cloister::isolate {
namespace {

constexpr std::array kClosed = {
    // Modes, owners, times and attributes of every file of the user's, wherever it lies.
    "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat", "utime",
    "utimes", "utimensat", "futimesat", "setxattr", "lsetxattr", "fsetxattr", "setxattrat",
    "removexattr", "lremovexattr", "fremovexattr", "removexattrat", "file_setattr",
    // There is no network of its own, and a socket in the file system leads out: to the user's
    // session bus, agents, container engine.
    "socket", "connect", "bind", "listen", "accept", "accept4",
    // All of a run is one process group: one signal ends it, and nobody is missed.
    "setsid", "setpgid",
    // IPC is the host's.
    "shmget", "shmat", "shmdt", "shmctl", "semget", "semop", "semctl", "semtimedop", "msgget",
    "msgsnd", "msgrcv", "msgctl", "mq_open", "mq_unlink",
    // The user's keys, watches on the user's files, other processes of the user's.
    "add_key", "request_key", "keyctl", "inotify_init", "inotify_init1", "inotify_add_watch",
    "fanotify_init", "fanotify_mark", "ptrace", "process_vm_readv", "process_vm_writev",
    "process_madvise", "process_mrelease", "pidfd_getfd", "kcmp", "migrate_pages", "move_pages",
    "sched_setaffinity", "sched_setattr", "sched_setparam", "ioprio_set", "setns", "unshare",
    // Calls that a filter cannot see.
    "io_uring_setup", "io_uring_enter", "io_uring_register", "bpf", "perf_event_open",
    "userfaultfd"};

bool is_closed(const SyscallRule& rule) {
    return rule.action == SyscallRule::Action::allow &&
           std::find(kClosed.begin(), kClosed.end(), std::string_view(rule.name)) != kClosed.end();
}

/// More that must hold for a call to be allowed.
struct Narrowed {
    std::string_view name;
    ArgumentTest test;
};
constexpr std::uint64_t kInt = 0xffffffff;
constexpr std::array kNarrowed = {
    // Of itself alone: the kernel lets a user change all of the user's processes.
    Narrowed{"prlimit64", {.argument = 0, .mask = kInt, .value = 0}},
    Narrowed{"sched_setscheduler", {.argument = 0, .mask = kInt, .value = 0}},
    Narrowed{"setpriority", {.argument = 0, .mask = kInt, .value = 0}}, // PRIO_PROCESS
    Narrowed{"setpriority", {.argument = 1, .mask = kInt, .value = 0}},
    // A pair of streams. One of datagrams could be pointed at any socket.
    Narrowed{"socketpair", {.argument = 1, .mask = 0xf, .value = 1}}};

} // namespace

SyscallPolicy fenced(SyscallPolicy policy) {
    std::erase_if(policy.rules, is_closed);
    for (SyscallRule& rule : policy.rules) {
        if (rule.action != SyscallRule::Action::allow) continue;
        for (const Narrowed& narrowed : kNarrowed) {
            if (rule.name == narrowed.name) rule.tests.push_back(narrowed.test);
        }
    }
    return policy;
}

} // namespace cloister::isolate
