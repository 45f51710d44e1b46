// Argument lists, fork and exec.
#include "daemon/keeper/docker_client.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sstream>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cloister::keeper {
namespace {

using isolate::check;
using isolate::Fd;

constexpr const char* kProgram = "/usr/bin/docker";
/// The engine takes no less. The keeper writes the run's own number once the container is there.
constexpr std::uint64_t kLeastMemory = 6 * isolate::kMiB;
/// The engine's own start of a container needs more threads than a program may have.
constexpr std::uint32_t kLeastProcesses = 64;
constexpr std::uint64_t kShm = 16 * isolate::kMiB;

std::string number(std::uint64_t value) { return std::to_string(value); }

std::string owner_options(uid_t user_id) {
    return "uid=" + number(user_id) + ",gid=" + number(user_id);
}

std::string tmpfs(const std::string& place, const ContainerSpec& spec) {
    const isolate::Limits& limits = spec.limits;
    return place + (spec.executable_files ? ":rw,exec" : ":rw,noexec") +
           ",nosuid,nodev,size=" + number(limits.file_bytes) +
           ",nr_inodes=" + number(limits.file_count + 1) + ",mode=700," +
           owner_options(spec.user_id);
}

std::string bind(const std::string& source, const std::string& place) {
    return "type=bind,source=" + source + ",target=" + place + ",readonly";
}

/// A tmpfs of the engine's that lives as long as a container has it.
std::string volume_of(const ContainerSpec& spec) {
    if (!spec.makes_volume)
        return "type=volume,source=" + spec.volume + ",target=/app,readonly,volume-nocopy";
    return "type=volume,source=" + spec.volume +
           ",target=/box,volume-nocopy,volume-driver=local,volume-opt=type=tmpfs,"
           "volume-opt=device=tmpfs,\"volume-opt=o=nosuid,nodev,size=" +
           number(spec.limits.file_bytes) + ",nr_inodes=" + number(spec.limits.file_count + 1) +
           ",mode=755," + owner_options(spec.user_id) + "\",volume-label=" + kContainerLabel + "=" +
           spec.owner;
}

std::string ulimit(const char* name, std::uint64_t value) {
    return std::string(name) + "=" + number(value) + ":" + number(value);
}

} // namespace

std::vector<std::string> run_arguments(const ContainerSpec& spec) {
    const isolate::Limits& limits = spec.limits;
    const std::string memory = number(std::max(limits.memory_bytes, kLeastMemory));
    const std::string user = number(spec.user_id) + ":" + number(spec.user_id);
    std::vector<std::string> all = {
        "run", "--detach", "--rm", "--pull", "never", "--name", spec.name, "--label",
        std::string(kContainerLabel) + "=" + spec.owner,
        // Nothing of the host: no network, no capability, no writable root, nobody's user id.
        "--network", "none", "--dns", "127.0.0.1", "--dns-search", ".", "--hostname", "sandbox",
        "--ipc", "private", "--cgroupns", "private", "--cap-drop", "ALL", "--security-opt",
        "no-new-privileges", "--security-opt", "seccomp=" + spec.profile, "--read-only", "--user",
        user, "--log-driver", "none", "--restart", "no", "--oom-score-adj", "500",
        // Of everything no more than the run may have.
        "--memory", memory, "--memory-swap", memory, "--cpu-period", "100000", "--cpu-quota",
        number(limits.cpu_percent * 1000), "--pids-limit",
        number(std::max(limits.processes + 1, kLeastProcesses)), "--ulimit", ulimit("core", 1),
        "--ulimit", ulimit("fsize", limits.file_bytes), "--ulimit",
        ulimit("memlock", 64 * isolate::kKiB), "--ulimit", ulimit("msgqueue", 0), "--ulimit",
        ulimit("nofile", limits.open_files), "--ulimit", ulimit("rtprio", 0), "--shm-size",
        number(std::min(kShm, limits.memory_bytes)), "--tmpfs", tmpfs("/tmp", spec),
        // In place of the engine's own: what does not exist needs no masking.
        "--tmpfs", "/sys:ro,noexec,nosuid,nodev,size=4k,nr_inodes=2", "--tmpfs",
        "/dev/mqueue:ro,noexec,nosuid,nodev,size=4k,nr_inodes=2", "--mount",
        bind(spec.socket_folder, kContainerSocketFolder), "--mount",
        bind(spec.init_program, kContainerInit)};
    const auto add = [&](const char* option, std::string value) {
        all.emplace_back(option);
        all.push_back(std::move(value));
    };
    if (!spec.makes_volume) add("--tmpfs", tmpfs("/box", spec));
    if (!spec.volume.empty()) add("--mount", volume_of(spec));
    for (const std::string& mount : spec.more_mounts) {
        const std::size_t arrow = mount.find(" => ");
        add("--mount", bind(mount.substr(0, arrow), mount.substr(arrow + 4)));
    }
    add("--workdir", "/box");
    add("--entrypoint", kContainerInit);
    all.push_back(spec.image);
    all.insert(all.end(), spec.words.begin(), spec.words.end());
    return all;
}

std::string DockerClient::Child::said() const {
    std::string text(4096, '\0');
    const ssize_t size = ::pread(output.get(), text.data(), text.size(), 0);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
}

DockerClient::Child DockerClient::start(const std::vector<std::string>& arguments) const {
    std::vector<std::string> words = {"docker"};
    if (!host_.empty()) words.insert(words.end(), {"--host", host_});
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    // The account's own settings of the command are none of ours.
    char path[] = "PATH=/usr/bin:/bin";
    char home[] = "HOME=/nonexistent";
    char settings[] = "DOCKER_CONFIG=/nonexistent";
    std::string where = "DOCKER_HOST=";
    const char* const given =
        std::getenv("DOCKER_HOST"); // NOLINT(concurrency-mt-unsafe): one thread
    if (host_.empty() && given != nullptr) where += given;
    const bool says_where = where.back() != '=';
    char* const environment[] = {path, home, settings, says_where ? where.data() : nullptr,
                                 nullptr};

    Child child;
    child.output = Fd(check(::memfd_create("docker", MFD_CLOEXEC), "memory for docker's words"));
    const Fd nothing(check(::open("/dev/null", O_RDWR | O_CLOEXEC), "open /dev/null"));
    const pid_t keeper = ::getpid();
    child.pid = check(::fork(), "start docker");
    if (child.pid == 0) {
        (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != keeper) ::_exit(127);
        (void)::dup2(nothing.get(), 0);
        (void)::dup2(child.output.get(), 1);
        (void)::dup2(child.output.get(), 2);
        (void)::close_range(3, ~0U, 0);
        sigset_t none;
        ::sigemptyset(&none);
        (void)::pthread_sigmask(SIG_SETMASK, &none, nullptr);
        (void)std::signal(SIGPIPE, SIG_DFL);
        (void)::execve(kProgram, pointers.data(), environment);
        ::_exit(127);
    }
    child.process = Fd(static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0)));
    if (!child.process) {
        const int error = errno;
        (void)::kill(child.pid, SIGKILL);
        (void)::waitpid(child.pid, nullptr, 0);
        throw isolate::SysError(error, "watch docker");
    }
    return child;
}

int DockerClient::reap(Child& child) {
    siginfo_t info{};
    int result;
    do result = ::waitid(P_PID, static_cast<id_t>(child.pid), &info, WEXITED);
    while (result < 0 && errno == EINTR);
    child.process.reset();
    return result == 0 && info.si_code == CLD_EXITED ? info.si_status : -1;
}

DockerClient::Answer DockerClient::ask(const std::vector<std::string>& arguments,
                                       std::chrono::milliseconds patience) const {
    Child child = start(arguments);
    pollfd watched{.fd = child.process.get(), .events = POLLIN, .revents = 0};
    int ready;
    do ready = ::poll(&watched, 1, static_cast<int>(patience.count()));
    while (ready < 0 && errno == EINTR);
    if (ready == 0) (void)::kill(child.pid, SIGKILL); // not reaped yet, so still this process
    Answer answer;
    answer.status = reap(child);
    constexpr std::size_t kMostText = 1024 * 1024;
    answer.text.resize(kMostText);
    const ssize_t size = ::pread(child.output.get(), answer.text.data(), answer.text.size(), 0);
    answer.text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return answer;
}

std::vector<std::string> DockerClient::Answer::lines() const {
    std::vector<std::string> all;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        if (!line.empty()) all.push_back(line);
    }
    return all;
}

} // namespace cloister::keeper
