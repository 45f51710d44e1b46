// The keeper's half of a box.
#include "isolate/box.h"

#include "isolate/child_memory.h"
#include "isolate/collect.h"
#include "isolate/packet.h"
#include "isolate/weaken.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <fcntl.h>
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

/// PIDFD_SIGNAL_PROCESS_GROUP (Linux 6.9): by the leader's descriptor, so that nobody else is met.
constexpr unsigned kToGroup = 4;
/// Beside a run's own processes, for who looks only now and then.
constexpr rlim_t kUnseenProcesses = 256;
constexpr int kWarmUpSeconds = 10; ///< of processor time, more than any starter takes
/// What a process may have beside its limit where it is only looked at: runtimes reserve more than
/// they use, and those that keep to the limit must not notice.
constexpr std::uint64_t kUnseenMemory = 2'048 * kMiB;

std::string files_options(const Limits& limits, Owner owner) {
    std::string options =
        "mode=700,uid=" + std::to_string(owner.user) + ",gid=" + std::to_string(owner.group);
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

/// A box without mounts has its folders somewhere else: "/box/x" becomes FOLDER "/box/x".
std::string placed(const std::string& text, const std::string& folder) {
    if (folder.empty()) return text;
    constexpr std::array<std::string_view, 3> kPlaces = {"/box", "/tmp", "/app"};
    std::string result;
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view rest = std::string_view(text).substr(at);
        const bool begins = at == 0 || std::strchr("=:,", text[at - 1]) != nullptr;
        const auto* const place =
            std::find_if(kPlaces.begin(), kPlaces.end(), [&](std::string_view one) {
                return begins && rest.starts_with(one) &&
                       (rest.size() == one.size() || std::strchr("/:,", rest[one.size()]));
            });
        if (place != kPlaces.end()) {
            result.append(folder).append(*place);
            at += place->size();
        } else {
            result += text[at++];
        }
    }
    return result;
}

/// A NULL-terminated array over `first`, then `second`.
const char* const* pointers(ChildMemory& memory, const std::string& folder,
                            std::span<const std::string> first,
                            std::span<const std::string> second) {
    std::vector<const char*> all;
    for (const std::string& entry : first) all.push_back(memory.put(placed(entry, folder)));
    for (const std::string& entry : second) all.push_back(memory.put(placed(entry, folder)));
    if (weakened(Layer::clean_environment)) {
        for (char** entry = ::environ; *entry != nullptr; ++entry)
            all.push_back(memory.put(*entry));
    }
    all.push_back(nullptr);
    return memory.put(std::span<const char* const>(all)).data();
}

std::span<const Word> words(ChildMemory& memory, const std::string& folder,
                            std::span<const Word> command) {
    std::vector<Word> all(command.begin(), command.end());
    for (Word& word : all) {
        word.text = memory.put(placed(word.text, folder));
        word.after = memory.put(word.after);
    }
    return memory.put(std::span<const Word>(all));
}

/// The network namespace is made by its owner (network.h) and entered, or is the box's own.
std::uint64_t namespaces(Means means, bool own_network) {
    std::uint64_t flags = 0;
    if (means == Means::fence) return flags;
    if (own_network && !weakened(Layer::network_namespace)) flags |= CLONE_NEWNET;
    if (!weakened(Layer::pid_namespace)) flags |= CLONE_NEWPID;
    if (!weakened(Layer::ipc_namespace)) flags |= CLONE_NEWIPC;
    if (!weakened(Layer::host_name)) flags |= CLONE_NEWUTS;
    return flags;
}

} // namespace

ResourceLimits resource_limits(const Limits& limits, Means means, bool warm) {
    // What an interpreter used to come up is not its program's; the keeper's clock is exact.
    const auto cpu_seconds = std::chrono::ceil<std::chrono::seconds>(limits.cpu_time).count() + 1 +
                             (warm ? kWarmUpSeconds : 0);
    // Above the group's limit, also for forks on many cores at once, so that the group refuses
    // first: it counts its refusals. Without a group this is the limit itself, of the user
    // namespace.
    // Behind a fence it is of all that the user runs.
    rlim_t processes = limits.processes + (means == Means::root ? 256U : 0U);
    if (means == Means::fence) processes += tasks_of_user() + kUnseenProcesses;
    // Between two looks a program may outgrow its memory, but not without end.
    const rlim_t data = means == Means::root ? RLIM_INFINITY : limits.memory_bytes + kUnseenMemory;
    ResourceLimits wanted = {{
        // 1, not 0: with a core_pattern that pipes, the kernel ignores 0 and starts the handler as
        // the
        // host's root; 1 is its own value for "abort the dump" (fs/coredump.c).
        {RLIMIT_CORE, {1, 1}},
        {RLIMIT_CPU, {static_cast<rlim_t>(cpu_seconds), static_cast<rlim_t>(cpu_seconds)}},
        {RLIMIT_DATA, {data, data}},
        {RLIMIT_FSIZE, {limits.file_bytes, limits.file_bytes}},
        {RLIMIT_MEMLOCK, {64 * kKiB, 64 * kKiB}},
        {RLIMIT_MSGQUEUE, {0, 0}},
        {RLIMIT_NICE, {0, 0}},
        {RLIMIT_NOFILE, {limits.open_files, limits.open_files}},
        {RLIMIT_NPROC, {processes, processes}},
        {RLIMIT_RTPRIO, {0, 0}},
        {RLIMIT_STACK, {limits.stack_bytes, limits.stack_bytes}},
    }};
    static const std::array<rlim_t, RLIM_NLIMITS> kOwn = [] {
        std::array<rlim_t, RLIM_NLIMITS> most{};
        for (std::size_t i = 0; i < most.size(); ++i) {
            rlimit own{};
            const bool known = ::getrlimit(static_cast<__rlimit_resource>(i), &own) == 0;
            most[i] = known ? own.rlim_max : RLIM_INFINITY;
        }
        return most;
    }();
    for (ResourceLimit& limit : wanted) {
        const rlim_t most = kOwn[static_cast<std::size_t>(limit.resource)];
        limit.value = {std::min(limit.value.rlim_cur, most), std::min(limit.value.rlim_max, most)};
    }
    return wanted;
}

Box Box::make(CgroupTree* groups, const BoxSpec& spec) {
    Box box;
    box.limits_ = spec.limits;
    box.owner_ = spec.owner;
    box.means_ = spec.means;
    box.warm_ = !spec.warm_command.empty();
    Step step = Step::make_cgroup;
    try {
        if (groups != nullptr) box.cgroup_ = groups->make(spec.name, spec.limits);
        step = Step::clone_init;
        int ends[2];
        check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "report socket");
        box.report_ = Fd(ends[0]);
        const Fd child_end(ends[1]);

        // One keeper, one thread, one box at a time.
        static ChildMemory memory;
        memory.clear();
        const Inside inside{
            .report_fd = child_end.get(),
            .keeper_fd = box.report_.get(),
            .join_fds = memory.put(std::span<const int>(box.cgroup_.join_fds())),
            .root_namespace = spec.root_namespace,
            .network_namespace = spec.network_namespace,
            .files_options = memory.put(files_options(spec.limits, spec.owner)),
            .shm_options = memory.put(shm_options(spec.limits)),
            .work_mount = spec.work_mount,
            .kit_mount = spec.kit_mount,
            .executable_files = spec.executable_files,
            .shown = memory.put(spec.shown),
            .box_folder = spec.box_folder,
            .tmp_folder = spec.tmp_folder,
            .leaves_programs = spec.leaves_programs,
            .means = spec.means,
            .user_id = spec.user_id,
            .owner = spec.owner,
            .limits = resource_limits(spec.limits, spec.means, box.warm_),
            .command = words(memory, spec.folder, spec.command),
            .environment = pointers(memory, spec.folder, spec.environment, {}),
            .live_environment =
                pointers(memory, spec.folder, spec.environment, spec.live_environment),
            .filter = memory.put(spec.filter->instructions()),
            .has_listener = spec.filter->has_listener(),
            .umask = spec.umask,
            .warm_command = words(memory, spec.folder, spec.warm_command),
            .warm_memory_mib = static_cast<std::uint32_t>(spec.limits.memory_bytes / kMiB),
            .warm_environment = pointers(memory, spec.folder, spec.warm_environment, {}),
            .streams = spec.streams,
        };

        int pidfd = -1;
        clone_args arguments{};
        arguments.flags = CLONE_PIDFD | namespaces(spec.means, spec.network_namespace < 0);
        arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
        arguments.exit_signal = SIGCHLD;
        if (box.cgroup_.clone_fd() >= 0) {
            arguments.flags |= CLONE_INTO_CGROUP;
            arguments.cgroup = static_cast<unsigned>(box.cgroup_.clone_fd());
        }
        long pid = -1;
        int error = 0;
        {
            const ChildMemory::Alone alone(memory);
            pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
            if (pid == 0) be_init(inside);
            error = errno;
        }
        if (pid < 0) throw SysError(error, "clone init");
        box.init_ = Fd(pidfd);
        box.init_pid_ = static_cast<pid_t>(pid);
        if (groups == nullptr) box.tree_.emplace(box.init_pid_, spec.limits);
        return box;
    } catch (const SysError& error) {
        (void)box.cgroup_.remove();
        throw BoxError(step, error);
    }
}

void Box::begin(const BoxOrder& order) {
    Step step = Step::make_cgroup;
    try {
        if (tree_) tree_->begin(order.limits);
        else cgroup_.begin(order.limits);
        step = Step::await_order;
        Order packet;
        packet.memory_mib = static_cast<std::uint32_t>(order.limits.memory_bytes / kMiB);
        packet.limits = resource_limits(order.limits, means_, warm_);
        if (order.terminal) packet.flags |= Order::kTerminal;
        if (order.live) packet.flags |= Order::kLive;
        if (order.artifact_mount >= 0) packet.flags |= Order::kArtifact;
        if (order.collect_pipe >= 0) packet.flags |= Order::kCollects;
        const std::string files = files_options(order.limits, owner_);
        const std::string shm = shm_options(order.limits);
        const bool sized = means_ != Means::fence; // there is nothing to be resized
        if (sized && (files != files_options(limits_, owner_) || shm != shm_options(limits_))) {
            packet.flags |= Order::kResize;
            if (files.size() >= kMaxOptions || shm.size() >= kMaxOptions)
                throw SysError(ENAMETOOLONG, "options of a box's tmpfs");
            std::copy(files.begin(), files.end(), packet.files_options.begin());
            std::copy(shm.begin(), shm.end(), packet.shm_options.begin());
        }
        std::array<int, kMaxOrderFds> fds{};
        std::size_t count = 0;
        if (!warm_) {
            for (const int stream : order.streams) fds[count++] = stream;
        }
        fds[count++] = order.bundle_fd;
        if (order.artifact_mount >= 0) fds[count++] = order.artifact_mount;
        // A fresh socket has room for two packets.
        if (!send_packet(report_.get(), bytes_of(packet), std::span(fds).first(count),
                         MSG_DONTWAIT))
            throw SysError(errno, "send an order");
        if (order.collect_pipe < 0) return;
        // Whoever waits for the order takes one packet; this one is then there for init.
        const std::array for_init = {order.bundle_fd, order.collect_pipe};
        if (!send_packet(report_.get(), bytes_of(CollectOrder{}), for_init, MSG_DONTWAIT))
            throw SysError(errno, "send init's order");
    } catch (const SysError& error) {
        throw BoxError(step, error);
    }
}

std::optional<Report> Box::next_report() {
    if (reports_ended_) return std::nullopt;
    Report report;
    Packet packet = receive_packet(report_.get(), writable_bytes_of(report), MSG_DONTWAIT);
    if (packet.size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
    if (packet.size != sizeof report) {
        reports_ended_ = true;
        return std::nullopt;
    }
    if (report.kind == Report::Kind::started) program_ = std::move(packet.fds[0]);
    else if (report.kind == Report::Kind::listener) listener_ = std::move(packet.fds[0]);
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

/// False when nobody is in the program's group.
bool Box::signal_group(int number) const {
    return ::syscall(SYS_pidfd_send_signal, program_.get(), number, nullptr, kToGroup) == 0 ||
           errno != ESRCH;
}

void Box::kill() {
    if (means_ == Means::fence && !(program_ && !signal_group(SIGKILL))) {
        // Init reaps them all, and ends: what they used is told by its end.
        (void)::shutdown(report_.get(), SHUT_RDWR);
        return;
    }
    if (!tree_) cgroup_.hurry();
    if (init_) (void)::syscall(SYS_pidfd_send_signal, init_.get(), SIGKILL, nullptr, 0);
}

bool Box::end_program() {
    if (!program_) return false;
    if (!tree_) cgroup_.hurry();
    // Among all that the program has left, init has to get its turn at once to end them. Where we
    // may not say so it waits for it.
    (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(init_pid_), -20);
    // One that has just been reaped is what init tells of next.
    return signal(SIGKILL) || errno == ESRCH;
}

void Box::hold_mounts() {
    if (means_ == Means::fence) return;
    const std::string path = "/proc/" + std::to_string(init_pid_) + "/ns/mnt";
    mounts_ = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

bool Box::signal(int number) {
    return program_ && ::syscall(SYS_pidfd_send_signal, program_.get(), number, nullptr, 0) == 0;
}

bool Box::reap() {
    siginfo_t info{};
    rusage used{};
    long result;
    // glibc's waitid has no place for what was used.
    do result = ::syscall(SYS_waitid, P_PIDFD, init_.get(), &info, WEXITED | WNOHANG, &used);
    while (result < 0 && errno == EINTR);
    if (result == 0 && info.si_pid == 0) return false;
    if (tree_) tree_->ended(used);
    return true;
}

bool Box::is_over() {
    // Init has reaped them all, unless it was ended itself.
    if (means_ == Means::fence) return !program_ || !signal_group(SIGKILL);
    // With init gone the kernel has ended the whole namespace; anything that is still here anyhow
    // is killed by its group. This group is never used again.
    if (tree_ || cgroup_.is_empty() || weakened(Layer::kill_box)) return true;
    cgroup_.kill();
    return cgroup_.is_empty();
}

bool Box::remove() { return tree_ || cgroup_.remove() || weakened(Layer::kill_box); }

} // namespace cloister::isolate
