// The inside of a box: a straight list of steps, in the order in which the kernel sees them. Start
// reading at be_init(), near the end.
#include "isolate/inside.h"

#include "isolate/bundle.h"
#include "isolate/weaken.h"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cloister::isolate {
namespace {

/// Where the report socket sits in the program's process until execve closes it.
constexpr int kReportFd = 3;

bool send_report(int socket, const Report& report, int fd = -1) {
    iovec part{const_cast<Report*>(&report), sizeof report};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    return ::sendmsg(socket, &message, MSG_NOSIGNAL) >= 0;
}

/// Names the step that failed to the keeper and ends the child.
[[noreturn]] void fail(int report_fd, Step step, int error = errno) {
    const Report report{
        .kind = Report::Kind::failed, .value = static_cast<std::int32_t>(step), .detail = error};
    (void)send_report(report_fd, report);
    ::_exit(127);
}

/// One step: its name, and whether it went well.
class Steps {
public:
    explicit Steps(int report_fd) : report_fd_(report_fd) {}
    void require(Step step, bool good) const {
        if (!good) fail(report_fd_, step);
    }
    void require_call(Step step, long result) const { require(step, result >= 0); }

private:
    int report_fd_;
};

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
    steps.require_call(Step::mount_files,
                       ::mount("files", "/tmp", "tmpfs", flags, inside.files_options));
    if (inside.work_mount >= 0) {
        attach(inside, inside.work_mount, "/box", Step::attach_work);
    } else {
        // Fresh folders that nobody else has seen: giving them away by path is safe.
        for (const char* folder : {"/tmp/box", "/tmp/tmp"}) {
            steps.require_call(Step::mount_files, ::mkdir(folder, 0700));
            steps.require_call(Step::mount_files, ::chown(folder, inside.user_id, inside.user_id));
        }
        const int box = ::open_tree(AT_FDCWD, "/tmp/box", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        const int tmp = ::open_tree(AT_FDCWD, "/tmp/tmp", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        steps.require(Step::mount_files, box >= 0 && tmp >= 0);
        attach(inside, box, "/box", Step::mount_files);
        attach(inside, tmp, "/tmp", Step::mount_files);
    }
    steps.require_call(Step::mount_shm,
                       ::mount("shm", "/dev/shm", "tmpfs", flags, inside.shm_options));
    if (inside.artifact_mount >= 0)
        attach(inside, inside.artifact_mount, "/app", Step::attach_artifact);
}

void mount_proc(const Inside& inside) {
    // Without /proc/sys, kcore, keys, sysrq-trigger…: what does not exist needs no masking.
    const char* options = weakened(Layer::small_proc) ? "" : "hidepid=invisible,subset=pid";
    Steps(inside.report_fd)
        .require_call(Step::mount_proc,
                      ::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, options));
    // When the host runs out of memory, boxes go first. Raising needs no privilege; without it we
    // would still be within our own limits, so a refusal is no failure.
    (void)write_text("/proc/self/oom_score_adj", "500");
}

void name_host(const Inside& inside) {
    if (weakened(Layer::host_name)) return;
    Steps(inside.report_fd).require_call(Step::name_host, ::sethostname("sandbox", 7));
}

void raise_loopback(const Inside& inside) {
    if (weakened(Layer::network_namespace)) return;
    const Steps steps(inside.report_fd);
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    steps.require_call(Step::raise_loopback, socket);
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    steps.require_call(Step::raise_loopback, ::ioctl(socket, SIOCSIFFLAGS, &request));
    (void)::close(socket);
}

// ---------------------------------------------------------------------------------------------------
// The program's process, still as root.

void set_streams(const Inside& inside) {
    const Steps steps(inside.report_fd);
    for (int target = 0; target < 3; ++target) {
        steps.require_call(Step::set_streams,
                           ::dup2(inside.streams[static_cast<std::size_t>(target)], target));
    }
    if (inside.report_fd != kReportFd)
        steps.require_call(Step::set_streams, ::dup3(inside.report_fd, kReportFd, O_CLOEXEC));
    if (inside.terminal) steps.require_call(Step::set_streams, ::ioctl(0, TIOCSCTTY, 0));
    // Everything from 4 on was the keeper's. The report socket closes itself at execve.
    if (!weakened(Layer::close_descriptors))
        steps.require_call(Step::set_streams, ::close_range(kReportFd + 1, ~0U, 0));
}

void set_limits(const Inside& inside) {
    if (weakened(Layer::resource_limits)) return;
    for (const ResourceLimit& limit : inside.limits) {
        if (::setrlimit(static_cast<__rlimit_resource>(limit.resource), &limit.value) != 0)
            fail(kReportFd, Step::set_limits);
    }
}

void forget_keys() {
    if (weakened(Layer::session_keyring)) return;
    // A session keyring of its own: root's would hand keys from run to run. A kernel without key
    // management has nothing to forget.
    if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0 && errno != ENOSYS)
        fail(kReportFd, Step::forget_keys);
}

void drop_bounding_set() {
    if (weakened(Layer::capabilities)) return;
    const Steps steps(kReportFd);
    // Root's number gives nothing any more, and no later exec can bring a capability back.
    const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
                               SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                               SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    steps.require_call(Step::drop_bounding_set, ::prctl(PR_SET_SECUREBITS, bits));
    for (unsigned long capability = 0; capability < 64; ++capability) {
        if (::prctl(PR_CAPBSET_DROP, capability) == 0) continue;
        if (errno == EINVAL) break; // past the kernel's last one
        fail(kReportFd, Step::drop_bounding_set);
    }
    steps.require_call(Step::drop_bounding_set,
                       ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
}

void drop_identity(int report_fd, uid_t id) {
    if (weakened(Layer::own_identity)) return;
    const Steps steps(report_fd);
    // Raw calls: glibc's wrappers would signal other threads, of which there are none.
    steps.require_call(Step::drop_identity, ::syscall(SYS_setgroups, 0, nullptr));
    steps.require_call(Step::drop_identity, ::syscall(SYS_setresgid, id, id, id));
    steps.require_call(Step::drop_identity, ::syscall(SYS_setresuid, id, id, id));
}

void drop_capabilities(int report_fd) {
    if (weakened(Layer::capabilities)) return;
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    __user_cap_data_struct nothing[2] = {};
    Steps(report_fd).require_call(Step::drop_capabilities, ::syscall(SYS_capset, &header, nothing));
}

void forbid_new_privileges(int report_fd) {
    if (weakened(Layer::no_new_privileges)) return;
    Steps(report_fd).require_call(Step::no_new_privileges,
                                  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

/// A policy that kills by name has a listener: it goes to the keeper, which asks the kernel what
/// was called and ends the box.
void load_filter(const Inside& inside) {
    if (weakened(Layer::filter)) return;
    const Steps steps(kReportFd);
    sock_fprog program{.len = static_cast<unsigned short>(inside.filter.size()),
                       .filter = const_cast<sock_filter*>(inside.filter.data())};
    const unsigned flags = inside.has_listener ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
    const long listener = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    steps.require_call(Step::load_filter, listener);
    if (!inside.has_listener) return;
    const Report report{.kind = Report::Kind::listener, .value = 0, .detail = 0};
    steps.require(Step::load_filter, send_report(kReportFd, report, static_cast<int>(listener)));
    (void)::close(static_cast<int>(listener));
}

// ---------------------------------------------------------------------------------------------------
// The program's process as the box's user, behind every lock. Here the client's bytes are first
// read.

/// Makes the folders of `path` and opens the file. `path` is a client's: relative, plain parts
/// only.
int create_file(const char* path) {
    char part[kMaxBundlePath + 1];
    const std::size_t size = std::strlen(path);
    if (size == 0 || size > kMaxBundlePath) return errno = EINVAL, -1;
    int folder = ::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (std::size_t start = 0; folder >= 0;) {
        const char* slash = std::strchr(path + start, '/');
        const std::size_t end = slash != nullptr ? static_cast<std::size_t>(slash - path) : size;
        std::memcpy(part, path + start, end - start);
        part[end - start] = '\0';
        const bool plain =
            part[0] != '\0' && std::strcmp(part, ".") != 0 && std::strcmp(part, "..") != 0;
        int next = -1;
        if (!plain && !weakened(Layer::checked_unpack)) {
            errno = EINVAL;
        } else if (slash == nullptr) {
            next =
                ::openat(folder, part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
        } else if (::mkdirat(folder, part, 0777) == 0 || errno == EEXIST) {
            next = ::openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        }
        const int error = errno;
        (void)::close(folder);
        errno = error;
        if (slash == nullptr || next < 0) return next;
        folder = next;
        start = end + 1;
    }
    return -1;
}

void unpack(const BundleView& bundle) {
    const Steps steps(kReportFd);
    for (std::size_t i = 0; i < bundle.file_count(); ++i) {
        const BundleView::File file = bundle.file(i);
        const int fd = create_file(file.path);
        steps.require_call(Step::unpack_files, fd);
        for (std::size_t done = 0; done < file.content.size();) {
            const ssize_t size =
                ::write(fd, file.content.data() + done, file.content.size() - done);
            steps.require_call(Step::unpack_files, size);
            done += static_cast<std::size_t>(size);
        }
        (void)::close(fd);
    }
}

/// Fills in the command and becomes the program.
[[noreturn]] void execute(const Inside& inside, const BundleView& bundle) {
    const char* words[kMaxWords + 1];
    std::size_t count = 0;
    const auto add = [&](const char* word) {
        if (count == kMaxWords) fail(kReportFd, Step::execute, E2BIG);
        words[count++] = word;
    };
    for (const Word& word : inside.command) {
        switch (word.kind) {
        case Word::Kind::text: add(word.text); break;
        case Word::Kind::entry: add(bundle.entry()); break;
        case Word::Kind::main_name: add(bundle.main_name()); break;
        case Word::Kind::sources:
            for (std::size_t i = 0; i < bundle.file_count(); ++i) {
                if (bundle.file(i).source) add(bundle.file(i).path);
            }
            break;
        case Word::Kind::arguments:
            for (std::size_t i = 0; i < bundle.argument_count(); ++i) add(bundle.argument(i));
            break;
        }
    }
    if (count == 0) fail(kReportFd, Step::execute, EINVAL);
    words[count] = nullptr;
    (void)::execve(words[0], const_cast<char* const*>(words),
                   const_cast<char* const*>(inside.environment));
    fail(kReportFd, Step::execute);
}

[[noreturn]] void be_program(const Inside& inside) {
    const Steps early(inside.report_fd);
    struct stat info {};
    early.require_call(Step::unpack_files, ::fstat(inside.bundle_fd, &info));
    const auto size = static_cast<std::size_t>(info.st_size);
    if (size == 0 || size > kMaxBundleBytes) fail(inside.report_fd, Step::unpack_files, EINVAL);
    void* const bytes = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, inside.bundle_fd, 0);
    if (bytes == MAP_FAILED) fail(inside.report_fd, Step::unpack_files);
    if (!weakened(Layer::own_session)) early.require_call(Step::own_session, ::setsid());
    set_streams(inside);

    const Steps steps(kReportFd);
    set_limits(inside);
    forget_keys();
    drop_bounding_set();
    drop_identity(kReportFd, inside.user_id);
    drop_capabilities(kReportFd);
    // The change of identity cleared it. Init cannot outlive the keeper, nor this process init.
    if (!weakened(Layer::death_signal))
        steps.require_call(Step::die_with_init, ::prctl(PR_SET_PDEATHSIG, SIGKILL));
    forbid_new_privileges(kReportFd);
    (void)::umask(inside.umask);
    load_filter(inside);

    BundleView bundle;
    steps.require_call(Step::unpack_files, ::chdir("/box"));
    if (!bundle.open({static_cast<const std::byte*>(bytes), size}))
        fail(kReportFd, Step::unpack_files, EBADMSG);
    unpack(bundle);
    execute(inside, bundle);
}

// ---------------------------------------------------------------------------------------------------
// init again.

/// Starts the program and returns once it has called execve (or ended): vfork's semantics, without
/// its shared memory. Returns the program's pid in the box, 2.
pid_t start_program(const Inside& inside) {
    int pidfd = -1;
    clone_args arguments{};
    arguments.flags = CLONE_PIDFD | CLONE_VFORK;
    arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
    arguments.exit_signal = SIGCHLD;
    const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) be_program(inside);
    Steps(inside.report_fd).require_call(Step::start_program, pid);
    const Report report{.kind = Report::Kind::started, .value = 0, .detail = 0};
    Steps(inside.report_fd)
        .require(Step::start_program, send_report(inside.report_fd, report, pidfd));
    return static_cast<pid_t>(pid);
}

/// From here on init needs nothing but its report socket. A user id of its own keeps the program's
/// signals and debuggers away; it never calls execve, so that it stays undumpable.
void become_nobody(const Inside& inside) {
    if (weakened(Layer::sealed_init)) return;
    const int report_fd = inside.report_fd;
    if (report_fd != kReportFd && ::dup3(report_fd, kReportFd, O_CLOEXEC) < 0)
        fail(report_fd, Step::start_program);
    for (int fd = 0; fd < kReportFd; ++fd) (void)::close(fd);
    (void)::close_range(kReportFd + 1, ~0U, 0);
    // Its bounding set may stay: what never calls execve cannot gain from it.
    drop_identity(kReportFd, inside.user_id + 1);
    drop_capabilities(kReportFd);
    if (!weakened(Layer::death_signal))
        Steps(kReportFd).require_call(Step::die_with_keeper, ::prctl(PR_SET_PDEATHSIG, SIGKILL));
    if (keeper_is_gone(kReportFd)) ::_exit(127);
    forbid_new_privileges(kReportFd);
    (void)::prctl(PR_SET_DUMPABLE, 0);
}

/// Reaps whatever is orphaned to pid 1 until the program itself ends.
[[noreturn]] void wait_for_program(int report_fd, pid_t program) {
    for (;;) {
        int status = 0;
        const pid_t ended = ::waitpid(-1, &status, __WALL);
        if (ended < 0 && errno == EINTR) continue;
        if (ended != program && ended >= 0) continue;
        const Report report{
            .kind = Report::Kind::ended, .value = status, .detail = ended < 0 ? errno : 0};
        (void)send_report(report_fd, report);
        ::_exit(0); // the kernel kills the rest of the namespace and waits for it
    }
}

} // namespace

void be_init(const Inside& inside) {
    (void)::close(inside.keeper_fd);
    reset_signals();
    join_cgroups(inside);
    die_with_keeper(inside);
    enter_root(inside);
    mount_proc(inside);
    mount_files(inside);
    name_host(inside);
    raise_loopback(inside);
    const pid_t program = start_program(inside);
    become_nobody(inside);
    wait_for_program(weakened(Layer::sealed_init) ? inside.report_fd : kReportFd, program);
}

} // namespace cloister::isolate
