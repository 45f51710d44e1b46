// The keeper's half of a box.
#include "isolate/box.h"

#include "isolate/weaken.h"

#include <csignal>
#include <cstring>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace cloister::isolate {
namespace {

/// The program's rlimits, never above what this process may itself have: without CAP_SYS_RESOURCE
/// nobody can raise a hard limit, and a lower one than asked for is safe.
std::vector<ResourceLimit> resource_limits(const Limits& limits) {
    const auto cpu_seconds = std::chrono::ceil<std::chrono::seconds>(limits.cpu_time).count() + 1;
    const ResourceLimit wanted[] = {
        // 1, not 0: with a core_pattern that pipes, the kernel ignores 0 and starts the handler as
        // the
        // host's root; 1 is its own value for "abort the dump" (fs/coredump.c).
        {RLIMIT_CORE, {1, 1}},
        {RLIMIT_CPU, {static_cast<rlim_t>(cpu_seconds), static_cast<rlim_t>(cpu_seconds)}},
        {RLIMIT_FSIZE, {limits.file_bytes, limits.file_bytes}},
        {RLIMIT_MEMLOCK, {64 * kKiB, 64 * kKiB}},
        {RLIMIT_MSGQUEUE, {0, 0}},
        {RLIMIT_NICE, {0, 0}},
        {RLIMIT_NOFILE, {limits.open_files, limits.open_files}},
        // Above the group's limit, also for forks on many cores at once, so that the group refuses
        // first: it counts its refusals.
        {RLIMIT_NPROC, {limits.processes + 256, limits.processes + 256}},
        {RLIMIT_RTPRIO, {0, 0}},
        {RLIMIT_STACK, {limits.stack_bytes, limits.stack_bytes}},
    };
    static const std::array<rlim_t, RLIM_NLIMITS> kOwn = [] {
        std::array<rlim_t, RLIM_NLIMITS> most{};
        for (std::size_t i = 0; i < most.size(); ++i) {
            rlimit own{};
            const bool known = ::getrlimit(static_cast<__rlimit_resource>(i), &own) == 0;
            most[i] = known ? own.rlim_max : RLIM_INFINITY;
        }
        return most;
    }();
    std::vector<ResourceLimit> result;
    for (ResourceLimit limit : wanted) {
        const rlim_t most = kOwn[static_cast<std::size_t>(limit.resource)];
        limit.value = {std::min(limit.value.rlim_cur, most), std::min(limit.value.rlim_max, most)};
        result.push_back(limit);
    }
    return result;
}

std::string files_options(const Limits& limits, uid_t user_id) {
    std::string options =
        "mode=700,uid=" + std::to_string(user_id) + ",gid=" + std::to_string(user_id);
    if (weakened(Layer::file_bounds)) return options;
    // Two inodes more than the program may have: the folders that become /box and /tmp.
    return options + ",size=" + std::to_string(limits.file_bytes) +
           ",nr_inodes=" + std::to_string(limits.file_count + 3);
}

std::string shm_options(const Limits& limits) {
    if (weakened(Layer::file_bounds)) return "mode=1777";
    const std::uint64_t bytes = std::min<std::uint64_t>(16 * kMiB, limits.memory_bytes);
    return "mode=1777,size=" + std::to_string(bytes) + ",nr_inodes=1024";
}

std::uint64_t namespaces() {
    std::uint64_t flags = 0;
    if (!weakened(Layer::pid_namespace)) flags |= CLONE_NEWPID;
    if (!weakened(Layer::network_namespace)) flags |= CLONE_NEWNET;
    if (!weakened(Layer::ipc_namespace)) flags |= CLONE_NEWIPC;
    if (!weakened(Layer::host_name)) flags |= CLONE_NEWUTS;
    return flags;
}

} // namespace

Box Box::start(CgroupTree& tree, const BoxSpec& spec) {
    Box box;
    Step step = Step::make_cgroup;
    try {
        box.cgroup_ = tree.make(spec.name, spec.limits);
        step = Step::clone_init;
        int ends[2];
        check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "report socket");
        box.report_ = Fd(ends[0]);
        const Fd child_end(ends[1]);

        const std::vector<ResourceLimit> limits = resource_limits(spec.limits);
        const std::string files = files_options(spec.limits, spec.user_id);
        const std::string shm = shm_options(spec.limits);
        std::vector<const char*> environment;
        for (const std::string& entry : spec.environment) environment.push_back(entry.c_str());
        if (weakened(Layer::clean_environment)) {
            for (char** entry = ::environ; *entry != nullptr; ++entry)
                environment.push_back(*entry);
        }
        environment.push_back(nullptr);
        const Inside inside{
            .report_fd = child_end.get(),
            .keeper_fd = box.report_.get(),
            .join_fds = box.cgroup_.join_fds(),
            .root_namespace = spec.root_namespace,
            .files_options = files.c_str(),
            .shm_options = shm.c_str(),
            .work_mount = spec.work_mount,
            .artifact_mount = spec.artifact_mount,
            .streams = spec.streams,
            .bundle_fd = spec.bundle_fd,
            .user_id = spec.user_id,
            .limits = limits,
            .command = spec.command,
            .environment = environment.data(),
            .filter = spec.filter->instructions(),
            .has_listener = spec.filter->has_listener(),
            .terminal = spec.terminal,
            .umask = spec.umask,
        };

        int pidfd = -1;
        clone_args arguments{};
        arguments.flags = CLONE_PIDFD | namespaces();
        arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
        arguments.exit_signal = SIGCHLD;
        if (box.cgroup_.clone_fd() >= 0) {
            arguments.flags |= CLONE_INTO_CGROUP;
            arguments.cgroup = static_cast<unsigned>(box.cgroup_.clone_fd());
        }
        const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
        if (pid == 0) be_init(inside);
        check(pid, "clone init");
        box.init_ = Fd(pidfd);
        return box;
    } catch (const SysError& error) {
        (void)box.cgroup_.remove();
        throw BoxError(step, error);
    }
}

std::optional<Report> Box::next_report() {
    if (reports_ended_) return std::nullopt;
    Report report;
    iovec part{&report, sizeof report};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t size;
    do size = ::recvmsg(report_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    Fd attached;
    if (const cmsghdr* header = size >= 0 ? CMSG_FIRSTHDR(&message) : nullptr;
        header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof(int))) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
        attached = Fd(fd);
    }
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
    if (size != sizeof report) {
        reports_ended_ = true;
        return std::nullopt;
    }
    if (report.kind == Report::Kind::started) program_ = std::move(attached);
    else if (report.kind == Report::Kind::listener) listener_ = std::move(attached);
    return report;
}

int Box::forbidden_call() const {
    // Ready also when the last process behind the filter has ended; older kernels would then wait
    // in the call below for ever.
    pollfd watched{.fd = listener_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&watched, 1, 0) <= 0 || (watched.revents & POLLIN) == 0) return -1;
    seccomp_notif call{};
    if (::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) return -1;
    return call.data.nr;
}

bool Box::listener_is_over() const {
    pollfd watched{.fd = listener_.get(), .events = 0, .revents = 0};
    return ::poll(&watched, 1, 0) > 0; // POLLHUP needs no asking for
}

void Box::kill() {
    cgroup_.hurry();
    if (init_) (void)::syscall(SYS_pidfd_send_signal, init_.get(), SIGKILL, nullptr, 0);
}

bool Box::signal(int number) {
    return program_ && ::syscall(SYS_pidfd_send_signal, program_.get(), number, nullptr, 0) == 0;
}

bool Box::reap() {
    siginfo_t info{};
    int result;
    do result = ::waitid(P_PIDFD, static_cast<id_t>(init_.get()), &info, WEXITED | WNOHANG);
    while (result < 0 && errno == EINTR);
    return result < 0 || info.si_pid != 0;
}

bool Box::finish() {
    // With init gone the kernel has ended the whole namespace; anything that is still here anyhow
    // is killed by its group. This group is never used again.
    if (!weakened(Layer::kill_box) && !cgroup_.is_empty()) {
        cgroup_.kill();
        if (!cgroup_.is_empty()) return false;
    }
    return cgroup_.remove() || weakened(Layer::kill_box);
}

} // namespace cloister::isolate
