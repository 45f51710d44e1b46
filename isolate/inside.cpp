// Init, the first process of a box: a straight list of steps, in the order in which the kernel sees
// them. Start reading at be_init(), near the end; what init starts is in program.cpp.
#include "isolate/inside.h"

#include "isolate/collect.h"
#include "isolate/contained.h"
#include "isolate/fence.h"
#include "isolate/program.h"
#include "isolate/report.h"
#include "isolate/weaken.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cloister::isolate {

std::int64_t nanoseconds_of(clockid_t clock) {
    timespec now{};
    (void)::clock_gettime(clock, &now);
    return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

bool send_report(int socket, Report report, int fd) {
    if (report.time == 0) report.time = nanoseconds_of(CLOCK_MONOTONIC);
    return send_packet(socket, bytes_of(report), {&fd, fd >= 0 ? 1U : 0U});
}

void fail(int report_fd, Step step, int error) {
    Report report{Report::Kind::failed};
    report.value = static_cast<std::int32_t>(step);
    report.detail = error;
    (void)send_report(report_fd, report);
    ::_exit(127);
}

namespace {

bool keeper_is_gone(int report_fd) {
    pollfd watched{.fd = report_fd, .events = 0, .revents = 0};
    return ::poll(&watched, 1, 0) > 0 && (watched.revents & (POLLHUP | POLLERR)) != 0;
}

bool write_text(const char* path, const char* text) {
    const int fd = ::open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return false;
    const bool good = ::write(fd, text, std::strlen(text)) >= 0;
    (void)::close(fd);
    return good;
}

/// The signal dispositions and mask that the keeper set for itself would be inherited through
/// execve.
void reset_signals() {
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    for (int number = 1; number < SIGRTMIN; ++number) (void)::sigaction(number, &standard, nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    (void)::pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

// ---------------------------------------------------------------------------------------------------
// init, as root. Nothing of the client's has been opened yet.

/// PR_SET_PDEATHSIG fires when the creating thread ends; it is cleared by a change of user id, so
/// it is set again after each. The keeper may have died before the call: hence the second look.
void die_with_keeper(const Inside& inside) {
    const Steps steps(inside.report_fd);
    if (!weakened(Layer::death_signal))
        steps.require_call(Step::die_with_keeper, ::prctl(PR_SET_PDEATHSIG, SIGKILL));
    if (keeper_is_gone(inside.report_fd)) ::_exit(127);
}

void join_cgroups(const Inside& inside) {
    for (const int tasks : inside.join_fds) {
        if (::write(tasks, "0", 1) != 1) fail(inside.report_fd, Step::join_cgroup);
    }
}

/// Leaves the host's mounts for a private copy of the template's: from here on no host path exists.
void enter_root(const Inside& inside) {
    const Steps steps(inside.report_fd);
    steps.require_call(Step::enter_root, ::setns(inside.root_namespace, CLONE_NEWNS));
    const int groups = weakened(Layer::cgroup_namespace) ? 0 : CLONE_NEWCGROUP;
    steps.require_call(Step::enter_root, ::unshare(CLONE_NEWNS | groups));
    steps.require_call(Step::enter_root, ::chdir("/"));
}

void attach(const Inside& inside, int tree, const char* path, Step step) {
    Steps(inside.report_fd)
        .require_call(step, ::move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH));
}

/// /box and /tmp are two folders of one tmpfs, so that one bound holds for both.
void mount_files(const Inside& inside) {
    const Steps steps(inside.report_fd);
    const unsigned long no_exec = weakened(Layer::no_exec) ? 0 : MS_NOEXEC;
    const unsigned long flags = MS_NOSUID | MS_NODEV | no_exec;
    const unsigned long files_flags = inside.executable_files ? MS_NOSUID | MS_NODEV : flags;
    steps.require_call(Step::mount_files,
                       ::mount("files", "/tmp", "tmpfs", files_flags, inside.files_options));
    if (inside.work_mount >= 0) {
        attach(inside, inside.work_mount, "/box", Step::attach_work);
    } else {
        // Fresh folders that nobody else has seen: giving them away by path is safe.
        for (const char* folder : {"/tmp/box", "/tmp/tmp"}) {
            steps.require_call(Step::mount_files, ::mkdir(folder, 0700));
            steps.require_call(Step::mount_files,
                               ::chown(folder, inside.owner.user, inside.owner.group));
        }
        const int box = ::open_tree(AT_FDCWD, "/tmp/box", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        const int tmp = ::open_tree(AT_FDCWD, "/tmp/tmp", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        steps.require(Step::mount_files, box >= 0 && tmp >= 0);
        attach(inside, box, "/box", Step::mount_files);
        attach(inside, tmp, "/tmp", Step::mount_files);
    }
    steps.require_call(Step::mount_shm,
                       ::mount("shm", "/dev/shm", "tmpfs", flags, inside.shm_options));
    if (inside.kit_mount >= 0) attach(inside, inside.kit_mount, "/kit", Step::attach_kit);
}

/// Made before the host's is out of sight: who is not root may make one only where one is seen.
int make_proc(const Inside& inside) {
    const Steps steps(inside.report_fd);
    const int proc = ::fsopen("proc", FSOPEN_CLOEXEC);
    steps.require_call(Step::mount_proc, proc);
    // Without /proc/sys, kcore, keys, sysrq-trigger…: what does not exist needs no masking.
    if (!weakened(Layer::small_proc)) {
        steps.require_call(Step::mount_proc,
                           ::fsconfig(proc, FSCONFIG_SET_STRING, "hidepid", "invisible", 0));
        steps.require_call(Step::mount_proc,
                           ::fsconfig(proc, FSCONFIG_SET_STRING, "subset", "pid", 0));
    }
    steps.require_call(Step::mount_proc,
                       ::fsconfig(proc, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0));
    const int tree =
        ::fsmount(proc, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    steps.require_call(Step::mount_proc, tree);
    (void)::close(proc);
    return tree;
}

void mount_proc(const Inside& inside, int tree) {
    attach(inside, tree, "/proc", Step::mount_proc);
    (void)::close(tree);
    // When the host runs out of memory, boxes go first. Raising needs no privilege; without it we
    // would still be within our own limits, so a refusal is no failure.
    (void)write_text("/proc/self/oom_score_adj", "500");
}

void name_host(const Inside& inside) {
    if (weakened(Layer::host_name)) return;
    Steps(inside.report_fd).require_call(Step::name_host, ::sethostname("sandbox", 7));
}

void enter_network(const Inside& inside) {
    if (weakened(Layer::network_namespace)) return;
    const Steps steps(inside.report_fd);
    if (inside.network_namespace >= 0)
        return steps.require_call(Step::enter_network,
                                  ::setns(inside.network_namespace, CLONE_NEWNET));
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    steps.require_call(Step::enter_network, socket);
    ifreq request{};
    std::memcpy(request.ifr_name, "lo", sizeof "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    steps.require_call(Step::enter_network, ::ioctl(socket, SIOCSIFFLAGS, &request));
    (void)::close(socket);
}

/// Streams of a warm interpreter, else fillers, at 0 to 2; the report socket at 3; nothing above:
/// what was open in the keeper belongs to other runs, whose streams must end.
/// `fence`, if there is one, comes to kFenceFd.
void put_descriptors_in_order(const Inside& inside, int fence = -1) {
    const Steps steps(inside.report_fd);
    for (int target = 0; target < kReportFd; ++target) {
        const int stream = inside.streams[static_cast<std::size_t>(target)];
        steps.require_call(Step::set_streams,
                           ::dup2(stream >= 0 ? stream : inside.report_fd, target));
    }
    if (inside.report_fd != kReportFd)
        steps.require_call(Step::set_streams, ::dup3(inside.report_fd, kReportFd, O_CLOEXEC));
    if (fence >= 0) steps.require_call(Step::set_streams, ::dup3(fence, kFenceFd, O_CLOEXEC));
    if (!weakened(Layer::close_descriptors))
        steps.require_call(Step::set_streams,
                           ::close_range((fence >= 0 ? kFenceFd : kReportFd) + 1, ~0U, 0));
}

// ---------------------------------------------------------------------------------------------------
// init and its children.

/// Starts pid 2 and returns once it has called execve, or ended: then the last copy of a pipe's end
/// is closed. (CLONE_VFORK would do the same, but a box may wait for hours in between, and a
/// process that waits so counts as load.) Returns its pid in the box.
template <typename Life>
pid_t start_and_wait(Life&& life) {
    const Steps steps(kReportFd);
    int ends[2];
    steps.require_call(Step::start_program, ::pipe2(ends, O_CLOEXEC));
    void* const shared = ::mmap(nullptr, sizeof(Launch::Moment), PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    steps.require(Step::start_program, shared != MAP_FAILED);
    const Launch launch{.exec_fd = ends[1], .moment = static_cast<Launch::Moment*>(shared)};
    int pidfd = -1;
    clone_args arguments{};
    arguments.flags = CLONE_PIDFD;
    arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
    arguments.exit_signal = SIGCHLD;
    const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) {
        (void)::close(ends[0]);
        life(launch);
    }
    steps.require_call(Step::start_program, pid);
    (void)::close(ends[1]);
    char nothing = 0;
    while (::read(ends[0], &nothing, 1) < 0 && errno == EINTR) {}
    (void)::close(ends[0]);
    const Launch::Moment moment = *launch.moment;
    (void)::munmap(shared, sizeof(Launch::Moment));
    // All that the box had used by then: ours, and the process's before it was the program.
    const std::int64_t used = nanoseconds_of(CLOCK_PROCESS_CPUTIME_ID) + moment.cpu_time;
    Report report{Report::Kind::started};
    report.time = moment.time;
    report.cpu_time = used;
    steps.require(Step::start_program, send_report(kReportFd, report, pidfd));
    (void)::close(pidfd);
    return static_cast<pid_t>(pid);
}

pid_t start_program(const Inside& inside) {
    return start_and_wait([&](const Launch& launch) { be_program(inside, launch); });
}

/// The interpreter as pid 2, the stager as pid 3.
pid_t start_warm(const Inside& inside) {
    const Steps steps(kReportFd);
    int go[2];
    int ready[2];
    steps.require_call(Step::start_program, ::pipe2(go, O_CLOEXEC));
    steps.require_call(Step::start_program, ::pipe2(ready, O_CLOEXEC));
    const WarmPipes pipes{
        .go_read = go[0], .go_write = go[1], .ready_read = ready[0], .ready_write = ready[1]};
    // A starter that cannot use inherited descriptors opens them by /proc/self/fd, as itself.
    for (const int end : {pipes.go_read, pipes.ready_write})
        steps.require_call(Step::start_program,
                           ::fchown(end, inside.owner.user, inside.owner.group));
    const pid_t interpreter =
        start_and_wait([&](const Launch& launch) { be_interpreter(inside, pipes, launch); });
    clone_args arguments{};
    arguments.exit_signal = SIGCHLD;
    const long stager = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    if (stager == 0) be_stager(inside, pipes);
    steps.require_call(Step::start_program, stager);
    return interpreter;
}

/// From here on init needs nothing but its report socket. A user id of its own keeps the program's
/// signals and debuggers away; it never calls execve, so that it stays undumpable.
void become_nobody(const Inside& inside) {
    if (weakened(Layer::sealed_init)) return;
    for (int fd = 0; fd < kReportFd; ++fd) (void)::close(fd);
    (void)::close_range(kReportFd + 1, ~0U, 0);
    // Its bounding set may stay: what never calls execve cannot gain from it.
    // With all capabilities until they are given away one line later, because a user id that files
    // are opened with is set by itself.
    if (inside.means == Means::root) {
        if (!weakened(Layer::own_identity))
            Steps(kReportFd).require_call(Step::drop_identity,
                                          ::prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP));
        drop_identity(kReportFd, inside.user_id + 1);
        open_files_as(kReportFd, inside.user_id);
    }
    keep_kill_capability(kReportFd);
    if (!weakened(Layer::death_signal))
        Steps(kReportFd).require_call(Step::die_with_keeper, ::prctl(PR_SET_PDEATHSIG, SIGKILL));
    if (keeper_is_gone(kReportFd)) ::_exit(127);
    forbid_new_privileges(kReportFd);
    (void)::prctl(PR_SET_DUMPABLE, 0);
}

/// Reaps whatever is orphaned to pid 1 until the program itself ends; reads back what was asked
/// for.
[[noreturn]] void wait_for_program(pid_t program) {
    for (;;) {
        int status = 0;
        const pid_t ended = ::waitpid(-1, &status, __WALL);
        if (ended < 0 && errno == EINTR) continue;
        if (ended != program && ended >= 0) continue;
        Report report{Report::Kind::ended};
        report.value = status;
        report.detail = ended < 0 ? errno : 0;
        (void)send_report(kReportFd, report);
        collect(kReportFd, false);
        ::_exit(0); // the kernel kills the rest of the namespace and waits for it
    }
}

// ---------------------------------------------------------------------------------------------------
// init behind whose back nothing ends by itself: no namespace, but one process group for all of the
// run, which no member can leave (fenced_policy.h), and the orphans come to init.

constexpr std::array kFencedDevices = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                       "/dev/urandom"};
/// What libraries look up, and take amiss when it is there and closed.
constexpr std::array kFencedFiles = {"/etc/ld.so.cache",    "/etc/passwd", "/etc/group",
                                     "/etc/nsswitch.conf",  "/etc/hosts",  "/etc/localtime",
                                     "/etc/ssl/openssl.cnf"};

/// What is not on this host is not shown; who needs it will say so.
bool show_path(int fence, const char* path, Shown what) {
    const int place = ::open(path, O_PATH | O_CLOEXEC);
    if (place < 0) return errno == ENOENT;
    const bool good = show(fence, place, what);
    (void)::close(place);
    return good;
}

/// The rules of all that is known before the order, at a descriptor that nothing is moved to.
int collect_rules(const Inside& inside) {
    const Steps steps(inside.report_fd);
    const int fence = make_fence();
    steps.require_call(Step::enter_root, fence);
    for (const int shown : inside.shown)
        steps.require(Step::enter_root, show(fence, shown, Shown::program));
    for (const char* path : kFencedDevices)
        steps.require(Step::enter_root, show_path(fence, path, Shown::device));
    for (const char* path : kFencedFiles)
        steps.require(Step::enter_root, show_path(fence, path, Shown::read_only));
    const Shown rights = inside.executable_files ? Shown::own_program : Shown::own;
    for (const int own : {inside.box_folder, inside.tmp_folder})
        steps.require(Step::mount_files, show(fence, own, rights));
    steps.require_call(Step::mount_files, ::fchdir(inside.box_folder));
    const int high = ::fcntl(fence, F_DUPFD_CLOEXEC, kFenceFd + 1);
    steps.require_call(Step::enter_root, high);
    return high;
}

/// One SIGKILL for all leaves no gap for a fork. The program, its leader, is not reaped yet, so
/// that the group's number is nobody else's. Nobody is left afterwards.
void end_group(pid_t program) {
    (void)::kill(-program, SIGKILL);
    (void)::kill(program, SIGKILL); // which may not have had time to lead one
    while (::waitpid(-1, nullptr, __WALL) >= 0 || errno == EINTR) {}
}

/// A linker cannot set the mode of what it wrote; the filter refuses that.
void make_executable() {
    const int folder = ::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    alignas(8) char entries[4096];
    for (;;) {
        const long size = ::syscall(SYS_getdents64, folder, entries, sizeof entries);
        if (size <= 0) break;
        for (long at = 0; at < size;) {
            unsigned short length = 0; // of struct linux_dirent64: 8 bytes, 8 bytes, this, a type
            std::memcpy(&length, entries + at + 16, sizeof length);
            const int file =
                ::openat(folder, entries + at + 19, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
            struct stat info {};
            if (file >= 0 && ::fstat(file, &info) == 0 && S_ISREG(info.st_mode))
                (void)::fchmod(file, (info.st_mode & 0777) | 0100);
            if (file >= 0) (void)::close(file);
            at += length;
        }
    }
    (void)::close(folder);
}

/// The program's end, or -1 while it lives. It is not reaped; whoever else has ended is.
int peek_end(pid_t program) {
    for (;;) {
        siginfo_t info{};
        const int result = ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL);
        if (result < 0 && errno == EINTR) continue;
        if (result < 0 || info.si_pid == 0) return -1;
        if (info.si_pid == program)
            return info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8 : info.si_status;
        (void)::waitpid(info.si_pid, nullptr, __WALL | WNOHANG);
    }
}

[[noreturn]] void watch_group(pid_t program, bool leaves_programs) {
    sigset_t children;
    ::sigemptyset(&children);
    ::sigaddset(&children, SIGCHLD);
    (void)::pthread_sigmask(SIG_BLOCK, &children, nullptr);
    const int signals = ::signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0) end_group(program);
    Steps(kReportFd).require_call(Step::start_program, signals);
    for (;;) {
        if (const int status = peek_end(program); status >= 0) {
            end_group(program);
            if (leaves_programs) make_executable();
            Report report{Report::Kind::ended};
            report.value = status;
            (void)send_report(kReportFd, report);
            collect(kReportFd, true, ".");
            ::_exit(0);
        }
        pollfd watched[] = {{.fd = kReportFd, .events = 0, .revents = 0},
                            {.fd = signals, .events = POLLIN, .revents = 0}};
        (void)::poll(watched, 2, -1);
        if ((watched[0].revents & (POLLHUP | POLLERR)) != 0) { // it is to end, or the keeper is
                                                               // gone
            end_group(program);
            ::_exit(0);
        }
        signalfd_siginfo info{};
        (void)!::read(signals, &info, sizeof info);
    }
}

/// An ordinary process of the user's, which stays outside of the fence that it makes.
[[noreturn]] void be_fenced_init(const Inside& inside) {
    (void)::prctl(PR_SET_DUMPABLE, 0);
    forbid_new_privileges(inside.report_fd);
    const Steps steps(inside.report_fd);
    steps.require_call(Step::own_session, ::setsid()); // a terminal's signals are for the daemon
    steps.require_call(Step::die_with_keeper, ::prctl(PR_SET_CHILD_SUBREAPER, 1));
    put_descriptors_in_order(inside, collect_rules(inside));
    const pid_t program = start_program(inside);
    (void)::close_range(kFenceFd, ~0U, 0);
    watch_group(program, inside.leaves_programs);
}

// ---------------------------------------------------------------------------------------------------
// pid 1 of a container.

/// A process of the same user as the program's, so that nothing but this keeps the two apart: who
/// is not dumpable cannot be traced, and its files in /proc are root's.
void close_up() { (void)::prctl(PR_SET_DUMPABLE, 0); }

/// When memory is short the program goes, not the one that tells of it.
void go_before_init() {
    (void)::prctl(PR_SET_DUMPABLE, 1); // its own files in /proc; nobody else runs here yet
    (void)write_text("/proc/self/oom_score_adj", "1000");
    close_up();
}

/// Ends everything else in the container. Whoever is about to fork is killed before it can.
void end_the_rest() {
    for (;;) {
        (void)::kill(-1, SIGKILL);
        if (::waitpid(-1, nullptr, __WALL) < 0 && errno == ECHILD) return;
    }
}

/// Reaps until the program ends; says so; stays until the keeper has closed the socket.
[[noreturn]] void watch_program(pid_t program) {
    sigset_t children;
    ::sigemptyset(&children);
    ::sigaddset(&children, SIGCHLD);
    (void)::pthread_sigmask(SIG_BLOCK, &children, nullptr);
    const int signals = ::signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    Steps(kReportFd).require_call(Step::start_program, signals);
    for (bool told = false;;) {
        int status = 0;
        pid_t ended = -1;
        while (!told && (ended = ::waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
            if (ended != program) continue;
            end_the_rest();
            Report report{Report::Kind::ended};
            report.value = status;
            (void)send_report(kReportFd, report);
            collect(kReportFd, true);
            (void)send_report(kReportFd, Report{Report::Kind::collected});
            told = true;
        }
        pollfd watched[] = {{.fd = kReportFd, .events = 0, .revents = 0},
                            {.fd = signals, .events = POLLIN, .revents = 0}};
        (void)::poll(watched, 2, -1);
        if ((watched[0].revents & (POLLHUP | POLLERR)) != 0) ::_exit(0);
        signalfd_siginfo info{};
        (void)!::read(signals, &info, sizeof info);
    }
}

} // namespace

void be_contained_init(const Inside& inside) {
    close_up();
    reset_signals();
    forbid_new_privileges(inside.report_fd);
    put_descriptors_in_order(inside);
    const pid_t program = start_and_wait([&](const Launch& launch) {
        go_before_init();
        be_contained(inside, launch);
    });
    watch_program(program);
}

void be_init(const Inside& inside) {
    (void)::close(inside.keeper_fd);
    reset_signals();
    if (inside.means == Means::fence) be_fenced_init(inside);
    join_cgroups(inside);
    die_with_keeper(inside);
    const int proc = make_proc(inside);
    enter_root(inside);
    mount_proc(inside, proc);
    mount_files(inside);
    name_host(inside);
    enter_network(inside);
    put_descriptors_in_order(inside);
    const pid_t program = inside.warm_command.empty() ? start_program(inside) : start_warm(inside);
    become_nobody(inside);
    wait_for_program(program);
}

} // namespace cloister::isolate
