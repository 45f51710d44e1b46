// Locking in, unpacking and executing. What a process does before its order comes costs nobody's
// time; what it does after is the shortest way to execve that leaves out no lock.
#include "isolate/program.h"

#include "isolate/bundle.h"
#include "isolate/fence.h"
#include "isolate/report.h"
#include "isolate/weaken.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace cloister::isolate {
namespace {

/// An interpreter's report socket, above the two pipes that it is given.
constexpr int kInterpreterReportFd = 16;

/// Puts what execve closes right above the report socket; nothing stays above it.
void close_the_rest(int report_fd, int exec_fd) {
    const Steps steps(report_fd);
    if (exec_fd != report_fd + 1)
        steps.require_call(Step::set_streams, ::dup3(exec_fd, report_fd + 1, O_CLOEXEC));
    if (!weakened(Layer::close_descriptors))
        steps.require_call(Step::set_streams,
                           ::close_range(static_cast<unsigned>(report_fd) + 2, ~0U, 0));
    else if (exec_fd != report_fd + 1) (void)::close(exec_fd);
}

// ---------------------------------------------------------------------------------------------------
// Ahead of the order, as root.

void forget_keys(int report_fd) {
    if (weakened(Layer::session_keyring)) return;
    // A session keyring of its own: root's would hand keys from run to run. A kernel without key
    // management has nothing to forget.
    if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0 && errno != ENOSYS)
        fail(report_fd, Step::forget_keys);
}

void drop_bounding_set(int report_fd) {
    if (weakened(Layer::capabilities)) return;
    const Steps steps(report_fd);
    // Root's number gives nothing any more, and no later exec can bring a capability back.
    const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
                               SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                               SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    steps.require_call(Step::drop_bounding_set, ::prctl(PR_SET_SECUREBITS, bits));
    for (unsigned long capability = 0; capability < 64; ++capability) {
        if (::prctl(PR_CAPBSET_DROP, capability) == 0) continue;
        if (errno == EINVAL) break; // past the kernel's last one
        fail(report_fd, Step::drop_bounding_set);
    }
    steps.require_call(Step::drop_bounding_set,
                       ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
}

/// Everything that no order changes.
void take_place(int report_fd, const Inside& inside) {
    if (!weakened(Layer::own_session)) Steps(report_fd).require_call(Step::own_session, ::setsid());
    forget_keys(report_fd);
    if (inside.means == Means::root) drop_bounding_set(report_fd);
    if (inside.means != Means::fence) return; // a pid namespace ends with its init
    Steps(report_fd).require_call(Step::die_with_init, ::prctl(PR_SET_PDEATHSIG, SIGKILL));
}

struct Taken {
    Order order{};
    std::array<int, 3> streams{-1, -1, -1};
    int artifact_mount = -1;
    std::span<const std::byte> bundle{};
    std::span<const sock_filter> filter{}; ///< of a container
};

constexpr std::size_t kMaxFilter = 4096; ///< instructions, the kernel's own bound

/// Read-only; the descriptor may be closed afterwards.
std::span<const std::byte> map_whole(int fd, std::size_t most, Step step) {
    const Steps steps(kReportFd);
    struct stat info {};
    steps.require_call(step, ::fstat(fd, &info));
    const auto bytes = static_cast<std::size_t>(info.st_size);
    if (bytes == 0 || bytes > most) fail(kReportFd, step, EINVAL);
    void* const mapped = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapped == MAP_FAILED) fail(kReportFd, step);
    return {static_cast<const std::byte*>(mapped), bytes};
}

/// Leaves the next packet where it is. A keeper that is gone has ended the box, too.
void await_another() {
    pollfd next{.fd = kReportFd, .events = POLLIN, .revents = 0};
    int result;
    do result = ::poll(&next, 1, -1);
    while (result < 0 && errno == EINTR);
    if ((next.revents & POLLIN) == 0) ::_exit(127);
}

/// Says that the box is ready and waits. A keeper that is gone needs no word.
void await_order(Taken& taken, bool with_streams) {
    const Steps steps(kReportFd);
    steps.require(Step::await_order, send_report(kReportFd, Report(Report::Kind::ready)));
    Packet packet = receive_packet(kReportFd, writable_bytes_of(taken.order));
    if (packet.size == 0) ::_exit(127);
    const bool artifact = (taken.order.flags & Order::kArtifact) != 0;
    const bool filter = (taken.order.flags & Order::kFilter) != 0;
    const std::size_t count =
        (with_streams ? 3U : 0U) + 1U + (artifact ? 1U : 0U) + (filter ? 1U : 0U);
    if (packet.size != sizeof taken.order || packet.cut || packet.fd_count != count)
        fail(kReportFd, Step::await_order, EBADMSG);
    if ((taken.order.flags & Order::kCollects) != 0) await_another();
    std::size_t next = 0;
    if (with_streams) {
        for (int& stream : taken.streams) stream = packet.fds[next++].release();
    }
    const int bundle_fd = packet.fds[next++].release();
    if (artifact) taken.artifact_mount = packet.fds[next++].release();

    // Mapped while the descriptor is there, read only behind every lock.
    taken.bundle = map_whole(bundle_fd, kMaxBundleBytes, Step::unpack_files);
    if (!filter) return;
    const auto bytes =
        map_whole(packet.fds[next].release(), kMaxFilter * sizeof(sock_filter), Step::load_filter);
    taken.filter = {reinterpret_cast<const sock_filter*>(bytes.data()),
                    bytes.size() / sizeof(sock_filter)};
}

// ---------------------------------------------------------------------------------------------------
// With the order, still as root.

void resize(const Inside& inside, const Order& order) {
    const Steps steps(kReportFd);
    const unsigned long no_exec = weakened(Layer::no_exec) ? 0 : MS_NOEXEC;
    const unsigned long flags = MS_REMOUNT | MS_NOSUID | MS_NODEV | no_exec;
    const unsigned long files_flags =
        inside.executable_files ? MS_REMOUNT | MS_NOSUID | MS_NODEV : flags;
    steps.require_call(Step::mount_files,
                       ::mount(nullptr, "/tmp", nullptr, files_flags, order.files_options.data()));
    steps.require_call(Step::mount_shm,
                       ::mount(nullptr, "/dev/shm", nullptr, flags, order.shm_options.data()));
}

/// What the order shows, and what of /proc is the program's own, are the last rules. From here on
/// nothing else of the host can be opened.
void go_behind_fence(const Taken& taken) {
    const Steps steps(kReportFd);
    const int own = ::open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    steps.require_call(Step::mount_proc, own);
    steps.require(Step::mount_proc, show(kFenceFd, own, Shown::read_only));
    (void)::close(own);
    if (taken.artifact_mount >= 0)
        steps.require(Step::attach_artifact, show(kFenceFd, taken.artifact_mount, Shown::program));
    forbid_new_privileges(kReportFd);
    steps.require(Step::enter_root, enter_fence(kFenceFd));
}

void apply(const Inside& inside, const Taken& taken) {
    if (taken.artifact_mount >= 0) {
        Steps(kReportFd).require_call(
            Step::attach_artifact,
            ::move_mount(taken.artifact_mount, "", AT_FDCWD, "/app", MOVE_MOUNT_F_EMPTY_PATH));
    }
    if ((taken.order.flags & Order::kResize) != 0) resize(inside, taken.order);
}

void set_streams(const Taken& taken, int exec_fd) {
    const Steps steps(kReportFd);
    for (int target = 0; target < 3; ++target) {
        steps.require_call(Step::set_streams,
                           ::dup2(taken.streams[static_cast<std::size_t>(target)], target));
    }
    if ((taken.order.flags & Order::kTerminal) != 0)
        steps.require_call(Step::set_streams, ::ioctl(0, TIOCSCTTY, 0));
    close_the_rest(kReportFd, exec_fd);
}

void set_limits(int report_fd, const ResourceLimits& limits) {
    if (weakened(Layer::resource_limits)) return;
    for (const ResourceLimit& limit : limits) {
        if (::setrlimit(static_cast<__rlimit_resource>(limit.resource), &limit.value) != 0)
            fail(report_fd, Step::set_limits);
    }
}

void write_map(int report_fd, const char* path, std::initializer_list<std::uint64_t> numbers) {
    char text[64];
    char* end = text;
    for (const std::uint64_t number : numbers) {
        end = std::to_chars(end, text + sizeof text - 1, number).ptr;
        *end++ = ' ';
    }
    const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
    const auto size = static_cast<std::size_t>(end - text);
    Steps(report_fd).require(Step::drop_identity,
                             fd >= 0 && ::write(fd, text, size) == static_cast<ssize_t>(size));
    (void)::close(fd);
}

/// Who is not root has one user id. In a user namespace of its own the program has another number,
/// no say over the box's mounts, and a count of processes that is its box's alone. What a namespace
/// gives its maker is taken away like root's.
void take_identity(int report_fd, const Inside& inside) {
    if (weakened(Layer::own_identity)) return;
    const Steps steps(report_fd);
    steps.require_call(Step::drop_identity, ::unshare(CLONE_NEWUSER));
    const int groups = ::open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
    steps.require(Step::drop_identity, groups >= 0 && ::write(groups, "deny", 4) == 4);
    (void)::close(groups);
    write_map(report_fd, "/proc/self/uid_map", {inside.user_id, inside.owner.user, 1});
    write_map(report_fd, "/proc/self/gid_map", {inside.user_id, inside.owner.group, 1});
    drop_bounding_set(report_fd);
}

/// A policy that kills by name has a listener: it goes to the keeper, which asks the kernel what
/// was called and ends the box.
void load_filter(int report_fd, const Inside& inside) {
    if (weakened(Layer::filter)) return;
    const Steps steps(report_fd);
    sock_fprog program{.len = static_cast<unsigned short>(inside.filter.size()),
                       .filter = const_cast<sock_filter*>(inside.filter.data())};
    const unsigned flags = inside.has_listener ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
    const long listener = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    steps.require_call(Step::load_filter, listener);
    if (!inside.has_listener) return;
    steps.require(Step::load_filter, send_report(report_fd, Report(Report::Kind::listener),
                                                 static_cast<int>(listener)));
    (void)::close(static_cast<int>(listener));
}

/// From here on the process is the box's user, behind every lock.
void lock_in(int report_fd, const Inside& inside, const ResourceLimits& limits) {
    // Before the limits: those of its maker are what a namespace may have at most.
    if (inside.means == Means::user_namespace) take_identity(report_fd, inside);
    set_limits(report_fd, limits);
    if (inside.means == Means::root) drop_identity(report_fd, inside.user_id);
    // Until execve nobody of the same user may look into it, whatever fs.suid_dumpable says.
    Steps(report_fd).require_call(Step::drop_identity, ::prctl(PR_SET_DUMPABLE, 0));
    drop_capabilities(report_fd);
    // The change of identity cleared it. Init cannot outlive the keeper, nor this process init.
    if (!weakened(Layer::death_signal))
        Steps(report_fd).require_call(Step::die_with_init, ::prctl(PR_SET_PDEATHSIG, SIGKILL));
    forbid_new_privileges(report_fd);
    (void)::umask(inside.umask);
    load_filter(report_fd, inside);
    if (inside.means != Means::fence) // where it is there already
        Steps(report_fd).require_call(Step::unpack_files, ::chdir("/box"));
}

// ---------------------------------------------------------------------------------------------------
// As the box's user, behind every lock. Here the client's bytes are first read.

/// Makes the folders of the file and what it is: opens it, or makes a link and returns -1 with
/// errno 0. Its path is a client's: relative, plain parts only. A link leads nowhere but in the
/// box, for nobody but its programs: who reads files back follows none.
int create_file(const BundleView::File& file) {
    const char* const path = file.path;
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
        } else if (slash == nullptr && file.link) {
            const auto* target = reinterpret_cast<const char*>(file.content.data());
            if (std::strlen(target) != file.content.size()) errno = EINVAL;
            else if (::symlinkat(target, folder, part) == 0) errno = 0;
        } else if (slash == nullptr) {
            next = ::openat(folder, part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                            file.executable ? 0777 : 0666);
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
        const int fd = create_file(file);
        if (file.link && fd < 0 && errno == 0) continue;
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

/// A filled-in command. Words point into the bundle, the operator's texts and `storage_`.
class Words {
public:
    explicit Words(int report_fd) : report_fd_(report_fd) {}

    /// `bundle` may be null for a command without a client's words.
    void fill(std::span<const Word> command, std::uint32_t memory_mib, const BundleView* bundle) {
        for (const Word& word : command) {
            if (word.kind == Word::Kind::text) add(word.text);
            else if (word.kind == Word::Kind::memory) add_memory(word, memory_mib);
            else if (bundle != nullptr) add_from(*bundle, word.kind);
            else fail(report_fd_, Step::execute, EINVAL);
        }
        if (count_ == 0) fail(report_fd_, Step::execute, EINVAL);
        words_[count_] = nullptr;
    }
    [[noreturn]] void execute(const char* const* environment, const Launch& launch) {
        *launch.moment = {.time = nanoseconds_of(CLOCK_MONOTONIC),
                          .cpu_time = nanoseconds_of(CLOCK_PROCESS_CPUTIME_ID)};
        environment_ = environment;
        (void)::execve(words_[0], const_cast<char* const*>(words_.data()),
                       const_cast<char* const*>(environment));
        if (errno == ENOENT && std::strchr(words_[0], '/') == nullptr) search();
        fail(report_fd_, Step::execute);
    }
    std::span<const char* const> all() const { return {words_.data(), count_}; }

private:
    /// A client's command without a slash: what is in its folder has been tried, PATH is left.
    void search() {
        const char* path = nullptr;
        for (const char* const* one = environment_; path == nullptr && *one != nullptr; ++one) {
            if (std::strncmp(*one, "PATH=", 5) == 0) path = *one + 5;
        }
        char place[kMaxBundlePath + 256];
        const std::size_t name = std::strlen(words_[0]);
        while (path != nullptr && *path != '\0') {
            const std::size_t folder = std::strcspn(path, ":");
            if (folder > 0 && folder + 1 + name < sizeof place) {
                std::memcpy(place, path, folder);
                place[folder] = '/';
                std::memcpy(place + folder + 1, words_[0], name + 1);
                (void)::execve(place, const_cast<char* const*>(words_.data()),
                               const_cast<char* const*>(environment_));
                if (errno != ENOENT && errno != ENOTDIR) return;
            }
            path += folder + (path[folder] == ':' ? 1 : 0);
        }
        errno = ENOENT;
    }
    void add(const char* word) {
        if (count_ == kMaxWords) fail(report_fd_, Step::execute, E2BIG);
        words_[count_++] = word;
    }
    void add_from(const BundleView& bundle, Word::Kind kind) {
        if (kind == Word::Kind::entry) add(bundle.entry());
        if (kind == Word::Kind::main_name) add(bundle.main_name());
        for (std::size_t i = 0; kind == Word::Kind::sources && i < bundle.file_count(); ++i) {
            if (bundle.file(i).source) add(bundle.file(i).path);
        }
        for (std::size_t i = 0; kind == Word::Kind::arguments && i < bundle.argument_count(); ++i)
            add(bundle.argument(i));
        for (std::size_t i = 0; kind == Word::Kind::options && i < bundle.option_count(); ++i)
            add(bundle.option(i));
    }
    void add_memory(const Word& word, std::uint32_t memory_mib) {
        char number[16];
        const auto [end, error] = std::to_chars(number, number + sizeof number, memory_mib);
        const std::size_t before = std::strlen(word.text);
        const auto digits = static_cast<std::size_t>(end - number);
        const std::size_t after = std::strlen(word.after) + 1;
        if (error != std::errc() || before + digits + after > storage_.size() - used_)
            fail(report_fd_, Step::execute, E2BIG);
        char* const start = storage_.data() + used_;
        std::memcpy(start, word.text, before);
        std::memcpy(start + before, number, digits);
        std::memcpy(start + before + digits, word.after, after);
        used_ += before + digits + after;
        add(start);
    }

    int report_fd_;
    std::array<const char*, kMaxWords + 1> words_{};
    std::size_t count_ = 0;
    std::array<char, 1024> storage_{};
    std::size_t used_ = 0;
    const char* const* environment_ = nullptr;
};

BundleView unpack(const Taken& taken) {
    BundleView bundle;
    if (!bundle.open(taken.bundle)) fail(kReportFd, Step::unpack_files, EBADMSG);
    unpack(bundle);
    return bundle;
}

/// The whole of what is left to do, once locked in.
[[noreturn]] void unpack_and_execute(const Inside& inside, const Taken& taken,
                                     const Launch& launch) {
    const BundleView bundle = unpack(taken);
    Words words(kReportFd);
    words.fill(inside.command, taken.order.memory_mib, &bundle);
    const bool live = (taken.order.flags & Order::kLive) != 0;
    if (!bundle.has_environment())
        words.execute(live ? inside.live_environment : inside.environment, launch);
    std::array<const char*, kMaxBundleEnvironment + 1> environment{};
    for (std::size_t i = 0; i < bundle.environment_count(); ++i)
        environment[i] = bundle.environment(i);
    words.execute(environment.data(), launch);
}

void write_whole(int fd, const char* bytes, std::size_t size) {
    while (size > 0) {
        const ssize_t done = ::write(fd, bytes, size);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) ::_exit(127); // the interpreter has ended; its status says how
        bytes += done;
        size -= static_cast<std::size_t>(done);
    }
}

/// Each followed by its NUL, and as many at once as there is room for: with every write the
/// interpreter would wake, read, and wait again.
void write_words(int fd, std::span<const char* const> words) {
    std::array<char, 4096> held{};
    std::size_t used = 0;
    for (const char* word : words) {
        const std::size_t size = std::strlen(word) + 1;
        if (size > held.size() - used) {
            write_whole(fd, held.data(), used);
            used = 0;
        }
        if (size > held.size()) {
            write_whole(fd, word, size);
            continue;
        }
        std::memcpy(held.data() + used, word, size);
        used += size;
    }
    write_whole(fd, held.data(), used);
}

} // namespace

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

void be_program(const Inside& inside, const Launch& launch) {
    take_place(kReportFd, inside);
    Taken taken;
    await_order(taken, true);
    if (inside.means == Means::fence) go_behind_fence(taken);
    else apply(inside, taken);
    set_streams(taken, launch.exec_fd);
    lock_in(kReportFd, inside, taken.order.limits);

    unpack_and_execute(inside, taken, launch);
}

void be_contained(const Inside& inside, const Launch& launch) {
    const Steps steps(kReportFd);
    steps.require_call(Step::own_session, ::setsid());
    Taken taken;
    await_order(taken, true);
    steps.require(Step::load_filter, !taken.filter.empty());
    Inside locked = inside;
    locked.filter = taken.filter;
    locked.has_listener = (taken.order.flags & Order::kListener) != 0;
    set_streams(taken, launch.exec_fd);
    // The engine may have set some of them lower, and nobody here can raise one.
    for (ResourceLimit& limit : taken.order.limits) {
        rlimit now{};
        const auto resource = static_cast<__rlimit_resource>(limit.resource);
        steps.require_call(Step::set_limits, ::getrlimit(resource, &now));
        limit.value = {std::min(limit.value.rlim_cur, now.rlim_max),
                       std::min(limit.value.rlim_max, now.rlim_max)};
    }
    set_limits(kReportFd, taken.order.limits);
    steps.require_call(Step::die_with_init, ::prctl(PR_SET_PDEATHSIG, SIGKILL));
    forbid_new_privileges(kReportFd);
    (void)::umask(inside.umask);
    load_filter(kReportFd, locked);
    steps.require_call(Step::unpack_files, ::chdir("/box"));
    unpack_and_execute(inside, taken, launch);
}

void be_interpreter(const Inside& inside, const WarmPipes& pipes, const Launch& launch) {
    const int report_fd = kInterpreterReportFd;
    const Steps early(kReportFd);
    early.require_call(Step::set_streams, ::dup3(kReportFd, report_fd, O_CLOEXEC));
    (void)::close(pipes.go_write);
    (void)::close(pipes.ready_read);
    const Steps steps(report_fd);
    close_the_rest(report_fd, launch.exec_fd);
    steps.require_call(Step::set_streams, ::dup2(pipes.go_read, kReportFd));
    steps.require_call(Step::set_streams, ::dup2(pipes.ready_write, kReportFd + 1));
    if (!weakened(Layer::close_descriptors))
        steps.require_call(Step::set_streams, ::close_range(kReportFd + 2, report_fd - 1, 0));
    take_place(report_fd, inside);
    lock_in(report_fd, inside, inside.limits);
    Words words(report_fd);
    words.fill(inside.warm_command, inside.warm_memory_mib, nullptr);
    words.execute(inside.warm_environment, launch);
}

void be_stager(const Inside& inside, const WarmPipes& pipes) {
    const Steps steps(kReportFd);
    // The streams are the interpreter's alone: their other ends must see its end.
    for (int fd = 0; fd < kReportFd; ++fd)
        steps.require_call(Step::set_streams, ::dup2(kReportFd, fd));
    (void)::close(pipes.go_read);
    (void)::close(pipes.ready_write);
    take_place(kReportFd, inside);
    char byte = 0;
    ssize_t size;
    do size = ::read(pipes.ready_read, &byte, 1);
    while (size < 0 && errno == EINTR);
    if (size != 1) fail(kReportFd, Step::warm_up, size < 0 ? errno : ECHILD);

    Taken taken;
    await_order(taken, false);
    apply(inside, taken);
    lock_in(kReportFd, inside, taken.order.limits);
    const BundleView bundle = unpack(taken);
    Words words(kReportFd);
    words.fill(inside.command, taken.order.memory_mib, &bundle);
    steps.require(Step::start_program, send_report(kReportFd, Report(Report::Kind::resumed)));
    write_words(pipes.go_write, words.all());
    (void)::close(pipes.go_write); // at once: the end of a process takes its time
    ::_exit(0);
}

} // namespace cloister::isolate
