// Trying what a box needs, in the order in which a box needs it.
#include "isolate/means.h"

#include "isolate/fd.h"
#include "isolate/fence.h"

#include <array>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace cloister::isolate {
namespace {

void write_file(const char* path, const std::string& text) {
    const Fd file(check(::open(path, O_WRONLY | O_CLOEXEC), std::string("open ") + path));
    check(::write(file.get(), text.data(), text.size()), std::string("write ") + path);
}

/// Ends this process with 0, or, after a word on the pipe, with 1.
[[noreturn]] void end_trial(const Fd& told, const char* refused) {
    if (refused != nullptr) (void)!::write(told.get(), refused, std::strlen(refused));
    ::_exit(refused == nullptr ? 0 : 1);
}

/// A /proc of its own can be made only where the host's is seen whole: not in most containers.
[[noreturn]] void try_proc(const Fd& told) {
    const Fd proc(::fsopen("proc", FSOPEN_CLOEXEC));
    const bool good = proc && ::fsconfig(proc.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0;
    const Fd mounted(good ? ::fsmount(proc.get(), FSMOUNT_CLOEXEC, 0) : -1);
    if (!mounted)
        end_trial(told, ("mount a /proc: " + std::generic_category().message(errno)).c_str());
    end_trial(told, nullptr);
}

[[noreturn]] void try_all(const Fd& told) {
    try {
        if (::geteuid() == 0) {
            constexpr uid_t kNobody = 65534;
            check(::setresgid(kNobody, kNobody, kNobody), "be an ordinary group");
            check(::setresuid(kNobody, kNobody, kNobody), "be an ordinary user");
            check(::prctl(PR_SET_DUMPABLE, 1), "own its own /proc"); // as after an execve
        }
        enter_user_namespace();
        check(::unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS),
              "make namespaces");
        check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "private mounts");
        const pid_t first = check(::fork(), "start a process"); // in the new pid namespace
        if (first == 0) try_proc(told);
        int status = 0;
        while (::waitpid(first, &status, 0) < 0 && errno == EINTR) {}
        if (status != 0) ::_exit(1);
        // Over something that exists everywhere; nobody sees it.
        check(::mount("cloister", "/proc", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k"),
              "mount a tmpfs");
        check(::chdir("/proc"), "enter a tmpfs");
        check(::syscall(SYS_pivot_root, ".", "."), "pivot_root");
    } catch (const SysError& error) {
        end_trial(told, error.what());
    }
    end_trial(told, nullptr);
}

} // namespace

void enter_user_namespace() {
    const std::string user = std::to_string(::geteuid());
    const std::string group = std::to_string(::getegid());
    check(::unshare(CLONE_NEWUSER), "make a user namespace");
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", user + " " + user + " 1");
    write_file("/proc/self/gid_map", group + " " + group + " 1");
}

FoundMeans find_means() {
    int ends[2];
    check(::pipe2(ends, O_CLOEXEC), "pipe to a trial");
    const Fd ours(ends[0]);
    Fd theirs(ends[1]);
    const pid_t trial = check(::fork(), "start a trial");
    if (trial == 0) try_all(theirs);
    theirs.reset();
    std::string said;
    std::array<char, 512> piece{};
    for (;;) {
        const ssize_t size = ::read(ours.get(), piece.data(), piece.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) break;
        said.append(piece.data(), static_cast<std::size_t>(size));
    }
    int status = 0;
    while (::waitpid(trial, &status, 0) < 0 && errno == EINTR) {}
    FoundMeans found;
    if (status == 0) found.means = Means::user_namespace;
    else found.missing = said.empty() ? "the trial of a user namespace ended" : said;
    if (status == 0) return found;
    if (landlock_form() >= kFenceForm) found.means = Means::fence;
    else found.missing += "; and the kernel has no file rules that keep signals in (Linux 6.12)";
    return found;
}

} // namespace cloister::isolate
