// The self-test's probe: runs inside a box, statically linked. Exits with the place of the first
// missing layer in kProbedLayers, or 0. Its output is never read.
#include "daemon/keeper/selftest.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <ifaddrs.h>
#include <iterator>
#include <net/if.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

char status_text[8192];

/// The value of a line of /proc/self/status, or "".
const char* status(const char* key) {
    static char value[256];
    value[0] = '\0';
    const char* line = std::strstr(status_text, key);
    if (line == nullptr) return value;
    line += std::strlen(key);
    while (*line == '\t' || *line == ' ') ++line;
    std::size_t size = std::strcspn(line, "\n");
    if (size >= sizeof value) size = sizeof value - 1;
    std::memcpy(value, line, size);
    value[size] = '\0';
    return value;
}

bool is_zero(const char* key) { return std::strcmp(status(key), "0000000000000000") == 0; }
bool is_missing(const char* path) { return ::access(path, F_OK) != 0; }

/// That came before the program in a pid namespace of its own: init, and an engine's threads.
constexpr pid_t kFewProcesses = 64;

/// An engine lists the process's own group a second time.
bool no_other_group() {
    gid_t group = 0;
    const int count = ::getgroups(0, nullptr);
    return count == 0 || (count == 1 && ::getgroups(1, &group) == 1 && group == ::getgid());
}

bool only_loopback() {
    const struct if_nameindex* all = ::if_nameindex();
    if (all == nullptr) return false;
    for (const struct if_nameindex* one = all; one->if_index != 0; ++one) {
        if (std::strcmp(one->if_name, "lo") != 0) return false;
    }
    return true;
}

bool nothing_is_open() {
    for (int fd = 3; fd < 1024; ++fd) {
        if (::fcntl(fd, F_GETFD) >= 0) return false;
    }
    return true;
}

bool cannot_execute_in(const char* folder) {
    char path[64];
    std::snprintf(path, sizeof path, "%s/x", folder);
    const int fd = ::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    if (fd < 0) return true;
    (void)!::write(fd, "#!/x\n", 5);
    (void)::close(fd);
    char* const arguments[] = {path, nullptr};
    (void)::execv(path, arguments);
    return errno == EACCES; // an executable place would answer ENOENT for the interpreter
}

bool cannot_leave_the_group() {
    const pid_t child = ::fork(); // a leader could not anyhow
    if (child == 0) ::_exit(::setsid() < 0 && ::setpgid(0, 0) < 0 ? 0 : 1);
    int status = 1;
    return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

bool cannot_read(const char* path) { return ::open(path, O_RDONLY | O_CLOEXEC) < 0; }

bool holds_behind_fence(std::size_t layer) {
    switch (layer - cloister::keeper::kFirstOfFence) {
    case 0:
        return cannot_read("/") && cannot_read("/etc") && cannot_read("/proc") &&
               cannot_read("/proc/1/status") && cannot_read("..") && !cannot_read(".");
    case 1: return ::socket(AF_UNIX, SOCK_STREAM, 0) < 0 && ::socket(AF_INET, SOCK_DGRAM, 0) < 0;
    case 2: return ::kill(::getppid(), 0) != 0 && errno == EPERM;
    case 3: return cannot_leave_the_group();
    case 4: return ::chmod(".", 0700) != 0;
    case 5: return cannot_execute_in(".");
    default: return true;
    }
}

/// What no fence can keep: other numbers, namespaces, a root and a /proc of its own.
constexpr std::size_t kOfNamespaces[] = {0, 1, 4, 5, 6, 8, 14};

bool is_of_namespaces(std::size_t layer) {
    return std::find(std::begin(kOfNamespaces), std::end(kOfNamespaces), layer) !=
           std::end(kOfNamespaces);
}

bool holds(std::size_t layer) {
    switch (layer) {
    case 0:
        return ::getuid() != 0 && ::geteuid() == ::getuid() && ::getgid() != 0 && no_other_group();
    case 1:
        return is_zero("CapInh:") && is_zero("CapPrm:") && is_zero("CapEff:") &&
               is_zero("CapBnd:") && is_zero("CapAmb:");
    case 2: return std::strcmp(status("NoNewPrivs:"), "1") == 0;
    case 3: return std::strcmp(status("Seccomp:"), "2") == 0;
    case 4: return ::getppid() == 1 && ::getpid() < kFewProcesses;
    case 5: return only_loopback();
    case 6:
        return is_missing("/root") && is_missing("/home") && is_missing("/var") &&
               is_missing("/sys/kernel") && is_missing("/etc/shadow");
    case 7: return ::mkdir("/x", 0700) != 0 && ::open("/etc/passwd", O_WRONLY | O_CLOEXEC) < 0;
    case 8:
        return is_missing("/proc/sys") && is_missing("/proc/kcore") &&
               is_missing("/proc/sysrq-trigger") && is_missing("/proc/1/status");
    case 9: return nothing_is_open();
    case 10: return ::unshare(CLONE_NEWUSER) != 0 && ::unshare(CLONE_NEWNS) != 0;
    case 11: return ::mount("x", "/tmp", "tmpfs", 0, nullptr) != 0;
    case 12: return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0;
    case 13:
        return cannot_execute_in("/box") && cannot_execute_in("/tmp") &&
               cannot_execute_in("/dev/shm");
    case 14:
        return std::getenv("HOME") != nullptr && std::strcmp(std::getenv("HOME"), "/tmp") == 0 &&
               std::getenv("SUDO_USER") == nullptr;
    default: return true;
    }
}

} // namespace

/// `cloister-probe without LAYER`: that one is not expected here. `cloister-probe fenced`: behind a
/// fence.
int main(int argc, char** argv) {
    const char* const without = argc == 3 ? argv[2] : "";
    const int fd = ::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void)!::read(fd, status_text, sizeof status_text - 1);
        (void)::close(fd);
    }
    const bool fenced = argc == 2 && std::strcmp(argv[1], "fenced") == 0;
    for (std::size_t layer = 0; layer < cloister::keeper::kProbedLayers.size(); ++layer) {
        if (std::strcmp(cloister::keeper::kProbedLayers[layer], without) == 0) continue;
        if (fenced && is_of_namespaces(layer)) continue;
        const bool of_fence = layer >= cloister::keeper::kFirstOfFence;
        if (of_fence && !fenced) continue;
        if (!(of_fence ? holds_behind_fence(layer) : holds(layer)))
            return static_cast<int>(layer) + 1;
    }
    return 0;
}
