// The front's own locks, in the order in which each is still possible. A front that is taken over
// can speak to the sockets it has, change the store of rooms, which is open, ask the keeper for
// what the permit table allows, and end.
#include "daemon/front/confine.h"

#include "isolate/fd.h"

#include <array>
#include <csignal>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <span>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <seccomp.h>

namespace cloister::front {
namespace {

using isolate::check;
using isolate::Fd;
using isolate::SysError;

/// All but these, of the first 32.
void keep_capabilities(std::uint32_t kept) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> sets{};
    sets[0].permitted = kept;
    sets[0].effective = kept;
    check(::syscall(SYS_capset, &header, sets.data()), "drop capabilities");
}

void drop_identity(const Identity& identity) {
    // The bounding set goes first: dropping from it needs a capability.
    for (unsigned long capability = 0; capability < 64; ++capability) {
        if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno != EINVAL)
            throw SysError(errno, "drop the bounding set");
    }
    (void)::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); // absent before 4.3: nothing
                                                                      // to clear
    check(::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keep a capability");
    check(::setgroups(0, nullptr), "drop groups");
    check(::setresgid(identity.gid, identity.gid, identity.gid), "drop the group");
    check(::setresuid(identity.uid, identity.uid, identity.uid), "drop the user");
}

void set_limits() {
    const rlimit none{0, 0};
    check(::setrlimit(RLIMIT_CORE, &none), "forbid core files");
    rlimit files{};
    check(::getrlimit(RLIMIT_NOFILE, &files), "read the limit of open files");
    files.rlim_cur = files.rlim_max;
    check(::setrlimit(RLIMIT_NOFILE, &files), "raise the limit of open files");
}

/// What may still be opened: terminals. On a host without them requests for one are refused.
constexpr const char* kTerminals[] = {"/dev/ptmx", "/dev/pts"};

struct Group {
    std::string_view reason;
    std::span<const int> calls;
};

constexpr int kMemory[] = {SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap),
                           SCMP_SYS(madvise)};
constexpr int kBytes[] = {SCMP_SYS(read),   SCMP_SYS(write), SCMP_SYS(readv),
                          SCMP_SYS(writev), SCMP_SYS(close), SCMP_SYS(lseek)};
constexpr int kSockets[] = {SCMP_SYS(accept),     SCMP_SYS(accept4),     SCMP_SYS(recvmsg),
                            SCMP_SYS(sendmsg),    SCMP_SYS(recvfrom),    SCMP_SYS(sendto),
                            SCMP_SYS(shutdown),   SCMP_SYS(getsockname), SCMP_SYS(getpeername),
                            SCMP_SYS(getsockopt), SCMP_SYS(setsockopt)};
constexpr int kWaiting[] = {
    SCMP_SYS(epoll_wait),      SCMP_SYS(epoll_pwait),    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_create1),   SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime),
    SCMP_SYS(eventfd2),        SCMP_SYS(poll),           SCMP_SYS(ppoll),
    SCMP_SYS(restart_syscall), SCMP_SYS(futex)};
constexpr int kRuns[] = {SCMP_SYS(memfd_create), SCMP_SYS(openat), SCMP_SYS(fstat),
                         SCMP_SYS(newfstatat)};
constexpr int kStore[] = {SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(fdatasync),
                          SCMP_SYS(fsync), SCMP_SYS(ftruncate)};
constexpr int kClock[] = {SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(getrandom)};
constexpr int kSelf[] = {SCMP_SYS(exit),         SCMP_SYS(exit_group),   SCMP_SYS(getpid),
                         SCMP_SYS(gettid),       SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask),
                         SCMP_SYS(rt_sigaction), SCMP_SYS(sigaltstack),  SCMP_SYS(sched_yield)};

constexpr Group kAllowed[] = {
    {"the allocator; mprotect is left out, since nothing of ours becomes executable", kMemory},
    {"pipes, sockets, the bundle's memory", kBytes},
    {"connections that come in; socket, connect and bind are left out", kSockets},
    {"Asio's loop and its timers", kWaiting},
    {"terminal and bundle of a run; what openat may reach is Landlock's matter", kRuns},
    {"the store of rooms, whose two files are open; nothing is made, named or removed", kStore},
    {"time stamps, deadlines, ids", kClock},
    {"ending, signals of our own faults", kSelf},
};

/// Calls that serving never makes and that an intruder would: the first one ends the process.
constexpr int kDeadly[] = {SCMP_SYS(execve),
                           SCMP_SYS(execveat),
                           SCMP_SYS(fork),
                           SCMP_SYS(vfork),
                           SCMP_SYS(clone),
                           SCMP_SYS(clone3),
                           SCMP_SYS(ptrace),
                           SCMP_SYS(process_vm_readv),
                           SCMP_SYS(process_vm_writev),
                           SCMP_SYS(socket),
                           SCMP_SYS(connect),
                           SCMP_SYS(bind),
                           SCMP_SYS(mount),
                           SCMP_SYS(unshare),
                           SCMP_SYS(setns),
                           SCMP_SYS(bpf),
                           SCMP_SYS(io_uring_setup),
                           SCMP_SYS(userfaultfd)};

/// fcntl: flags of our pipe ends, copies of descriptors, seals. ioctl: a terminal's lock, peer and
/// size, and what Asio asks of a descriptor. Both by the low 32 bits, which is what the kernel
/// reads.
constexpr std::uint32_t kFcntl[] = {F_GETFL,     F_SETFL, F_DUPFD_CLOEXEC,
                                    F_ADD_SEALS, F_GETFD, F_SETFD};
constexpr std::uint32_t kIoctl[] = {TIOCSPTLCK, TIOCGPTPEER, TIOCSWINSZ,
                                    FIONBIO,    FIONREAD,    TIOCGWINSZ};

class Filter {
public:
    Filter() : context_(::seccomp_init(SCMP_ACT_ERRNO(EPERM))) {
        if (context_ == nullptr) throw SysError(ENOMEM, "make the front's filter");
        require(::seccomp_attr_set(context_, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
    }
    ~Filter() { ::seccomp_release(context_); }
    Filter(const Filter&) = delete;
    Filter& operator=(const Filter&) = delete;

    void add(std::uint32_t action, int call) {
        require(::seccomp_rule_add(context_, action, call, 0));
    }
    void add_masked(int call, unsigned argument, std::uint64_t mask, std::uint64_t value) {
        const scmp_arg_cmp test{argument, SCMP_CMP_MASKED_EQ, mask, value};
        require(::seccomp_rule_add_array(context_, SCMP_ACT_ALLOW, call, 1, &test));
    }
    /// prlimit64 as getrlimit uses it: of this process, and reading only.
    void add_getrlimit() {
        const scmp_arg_cmp tests[] = {{0, SCMP_CMP_EQ, 0, 0}, {2, SCMP_CMP_EQ, 0, 0}};
        require(::seccomp_rule_add_array(context_, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, tests));
    }
    void load() { require(::seccomp_load(context_)); }

private:
    static void require(int result) {
        if (result < 0) throw SysError(-result, "build the front's filter");
    }
    scmp_filter_ctx context_;
};

[[maybe_unused]] void filter_calls() { // see lock_in()
    Filter filter;
    for (const Group& group : kAllowed) {
        for (const int call : group.calls) filter.add(SCMP_ACT_ALLOW, call);
    }
    for (const int call : kDeadly) filter.add(SCMP_ACT_KILL_PROCESS, call);
    constexpr std::uint64_t kLow = 0xffffffff;
    for (const std::uint32_t command : kFcntl) filter.add_masked(SCMP_SYS(fcntl), 1, kLow, command);
    for (const std::uint32_t request : kIoctl) filter.add_masked(SCMP_SYS(ioctl), 1, kLow, request);
    filter.add_getrlimit();
    // abort() may signal ourselves; nobody else.
    filter.add_masked(SCMP_SYS(tgkill), 0, kLow, static_cast<std::uint64_t>(::getpid()));
    filter.load();
}

} // namespace

Identity find_identity(const std::string& user, uid_t fallback) {
    if (::geteuid() != 0) return {.uid = ::geteuid(), .gid = ::getegid()};
    const passwd* account = ::getpwnam(user.c_str()); // NOLINT(concurrency-mt-unsafe): one thread
    Identity identity;
    identity.uid = account == nullptr ? fallback : account->pw_uid;
    identity.gid = account == nullptr ? static_cast<gid_t>(fallback) : account->pw_gid;
    if (identity.uid == 0 || identity.gid == 0) throw SysError(EINVAL, "run the front as root");
    return identity;
}

void become(const Identity& identity) {
    const bool as_root = ::geteuid() == 0;
    set_limits();
    if (as_root) drop_identity(identity); // else there is nothing to drop, and nobody else to be
    // Looking through folders, and nothing else that root may: a state directory in somebody's home
    // is no less usable. What is read there belongs to this user all the same.
    keep_capabilities(as_root ? 1U << CAP_DAC_READ_SEARCH : 0);
    // Both are undone by the change of user above, so they come after it.
    check(::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "die with the keeper");
    check(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "forbid being looked into");
    check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "forbid new privileges");
}

void drop_capabilities() { keep_capabilities(0); }

void close_files(std::span<const char* const> places, std::uint64_t allowed) {
    const auto version =
        ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) return;
    landlock_ruleset_attr handled{};
    handled.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1U) - 1; // all of the first version
    const Fd rules(static_cast<int>(check(
        ::syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0), "make file rules")));
    for (const char* path : places) {
        const Fd place(::open(path, O_PATH | O_CLOEXEC));
        if (!place) continue;
        landlock_path_beneath_attr rule{};
        rule.allowed_access = allowed;
        rule.parent_fd = place.get();
        check(::syscall(SYS_landlock_add_rule, rules.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0),
              "add a file rule");
    }
    check(::syscall(SYS_landlock_restrict_self, rules.get(), 0), "close files");
}

void lock_in() {
    drop_capabilities();
    close_files(kTerminals, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
#ifndef __SANITIZE_ADDRESS__ // the sanitizers' own runtime needs more calls than the product
    filter_calls();
#endif
}

} // namespace cloister::front
