// Scenes, boxes and the search for what is left.
#include "tests/escape/harness.h"

#include "daemon/config/settings.h"

#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <ifaddrs.h>
#include <map>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sstream>
#include <stdexcept>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace cloister::escape {
namespace {

using isolate::check;
using isolate::Fd;
using isolate::kMiB;
using namespace std::chrono_literals;

constexpr const char* kProgramInBox = "/attack/program";
constexpr const char* kWaiterInBox = "/attack/waiter";
constexpr const char* kShownInBox = "/attack/shown";

std::string from_environment(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : otherwise;
}

bool is_script(const Attack& attack) { return attack.program.ends_with(".py"); }

std::string attack_folder() { return from_environment("CLOISTER_ATTACKS", CLOISTER_ATTACKS); }

/// The built program, or the script's source.
std::string program_path(const Attack& attack) {
    return attack_folder() + "/" +
           (is_script(attack) ? attack.program
                              : attack.program.substr(0, attack.program.find('.')));
}

const config::Settings& shipped_settings() {
    static const config::Settings settings = [] {
        // The shipped data alone: this host's operator may have decided otherwise.
        const std::string data = std::filesystem::is_directory(CLOISTER_SOURCE "/policies")
                                     ? CLOISTER_SOURCE
                                     : "/usr/share/cloister";
        config::Settings shipped;
        shipped.policies = policies::parse(policies::read_texts(data + "/policies"));
        shipped.runtimes = runtimes::parse(runtimes::read_texts(data + "/runtimes"));
        return shipped;
    }();
    return settings;
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string own_addresses() {
    ifaddrs* list = nullptr;
    std::string found;
    if (::getifaddrs(&list) != 0) return found;
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET ||
            (entry->ifa_flags & IFF_LOOPBACK) != 0)
            continue;
        sockaddr_in address{};
        std::memcpy(&address, entry->ifa_addr, sizeof address);
        char text[INET_ADDRSTRLEN];
        if (::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text) != nullptr) found = text;
    }
    ::freeifaddrs(list);
    return found;
}

/// What there is to aim at, for the time of one attack.
class Scene {
public:
    Scene()
        : mark_("cloister-escape-" + std::to_string(::getpid()) + "-" + std::to_string(++scenes)) {
        char folder[] = "/var/tmp/cloister-escape-XXXXXX";
        if (::mkdtemp(folder) == nullptr) throw isolate::SysError(errno, "make a folder");
        folder_ = folder;
        check(::chmod(folder, 0755), "chmod");
        write(sentinel(), 0644);
        write(shown(), 0666);

        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        port_ = Fd(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
        check(::bind(port_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              "bind");
        check(::listen(port_.get(), 8), "listen");
        check(::getsockname(port_.get(), reinterpret_cast<sockaddr*>(&address), &size),
              "getsockname");
        port_number_ = ntohs(address.sin_port);

        sockaddr_un local{};
        local.sun_family = AF_UNIX;
        std::memcpy(local.sun_path + 1, mark_.data(), mark_.size());
        abstract_ = Fd(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
        check(::bind(abstract_.get(), reinterpret_cast<const sockaddr*>(&local),
                     static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + mark_.size())),
              "bind");
        check(::listen(abstract_.get(), 8), "listen");

        // What a careless daemon would hand on: an open descriptor and a variable.
        forgotten_ = Fd(check(::fcntl(abstract_.get(), F_DUPFD, 100), "dup"));
        // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
        check(::setenv("CLOISTER_ESCAPE_TOKEN", "secret", 1), "setenv");
        // A stack limit above the box's, so that only the box's own stops a program.
        check(::getrlimit(RLIMIT_STACK, &stack_), "getrlimit");
        rlimit large = stack_;
        large.rlim_cur = std::min<rlim_t>(large.rlim_max, 64 * kMiB);
        (void)::setrlimit(RLIMIT_STACK, &large);
    }

    ~Scene() {
        (void)::setrlimit(RLIMIT_STACK, &stack_);
        (void)::unsetenv("CLOISTER_ESCAPE_TOKEN"); // NOLINT(concurrency-mt-unsafe): one thread
        (void)::unlink(sentinel().c_str());
        (void)::unlink(shown().c_str());
        (void)::rmdir(folder_.c_str());
        // Left here only by an attack that succeeded as it was meant to.
        if (const int id = ::shmget(key(), 0, 0); id >= 0) (void)::shmctl(id, IPC_RMID, nullptr);
        if (const int id = ::semget(key(), 0, 0); id >= 0) (void)::semctl(id, 0, IPC_RMID);
        if (const int id = ::msgget(key(), 0); id >= 0) (void)::msgctl(id, IPC_RMID, nullptr);
        (void)::mq_unlink(("/cloister-escape-" + std::to_string(key())).c_str());
    }

    Scene(const Scene&) = delete;
    Scene& operator=(const Scene&) = delete;

    std::string sentinel() const { return folder_ + "/sentinel"; }
    std::string shown() const { return folder_ + "/shown"; }

    Words fill(const Words& words, const Limits& limits, bool in_a_box) const {
        utsname host{};
        (void)::uname(&host);
        const std::map<std::string, std::string> values = {
            {"{sentinel}", sentinel()},
            {"{shown}", in_a_box ? kShownInBox : shown()},
            {"{port}", std::to_string(port_number_)},
            {"{abstract}", mark_},
            {"{mark}", mark_},
            {"{key}", std::to_string(key())},
            {"{pid}", std::to_string(::getpid())},
            {"{hostname}", host.nodename},
            {"{addresses}", own_addresses()},
            {"{memory}", std::to_string(limits.memory_bytes)},
            {"{files}", std::to_string(limits.file_count)},
            {"{file_bytes}", std::to_string(limits.file_bytes)},
            {"{processes}", std::to_string(limits.processes)},
            {"{open_files}", std::to_string(limits.open_files)},
            {"{stack}", std::to_string(limits.stack_bytes)},
        };
        Words filled;
        for (const std::string& word : words) {
            const auto value = values.find(word);
            const std::string& text = value == values.end() ? word : value->second;
            if (!text.empty()) filled.push_back(text);
        }
        return filled;
    }

private:
    static void write(const std::string& path, mode_t mode) {
        const Fd file(
            check(::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600), path));
        check(::write(file.get(), "sentinel\n", 9), path);
        check(::fchmod(file.get(), mode), path);
    }
    key_t key() const {
        return static_cast<key_t>(0x45000000 + (::getpid() & 0xffff) * 256 + scenes % 256);
    }

    static inline int scenes = 0;
    std::string mark_;
    std::string folder_;
    Fd port_;
    Fd abstract_;
    Fd forgotten_;
    std::uint16_t port_number_ = 0;
    rlimit stack_{};
};

/// The shipped policies, one of them with this attack's limits, and one runtime: the program.
config::Settings settings_for(const Attack& attack, const Scene& scene) {
    config::Settings settings = shipped_settings();
    settings.config.boxes = 4;
    const runtimes::Runtime python = settings.runtimes.at("python");
    settings.runtimes.clear();
    isolate::Limits& limits = settings.policies.at(attack.policy).limits;
    limits.wall_time *= slowness();
    limits.cpu_time *= slowness();
    if (attack.limits) attack.limits(limits);

    runtimes::StepPlan step;
    step.policy = attack.policy;
    if (is_script(attack)) {
        step = python.run;
        step.policy = attack.policy;
    } else {
        step.command = {kProgramInBox, "{args}"};
        step.mounts = {program_path(attack) + " => " + kProgramInBox};
        runtimes::WarmPlan warm;
        warm.command = {kWaiterInBox};
        warm.mounts = {attack_folder() + "/waiter => " + kWaiterInBox};
        step.warm = warm;
    }
    step.mounts.push_back(scene.shown() + " => " + kShownInBox);
    runtimes::Runtime runtime;
    runtime.id = runtime.name = "attack";
    runtime.default_file = "main.py";
    runtime.version = step;
    runtime.run = step;
    if (attack.order == Attack::Order::compile_then_run) {
        runtime.compile = step;
        runtime.compile->warm.reset();
        runtime.compile->command = {kProgramInBox};
        for (const std::string& word : scene.fill(attack.runs.front(), limits, true))
            runtime.compile->command.push_back(word);
    }
    settings.runtimes.emplace(runtime.id, runtime);
    return settings;
}

keeper::LocalRun request_for(const Attack& attack, const Words& arguments, const Limits& limits) {
    keeper::LocalRun request;
    request.runtime = "attack";
    request.policy = attack.policy;
    request.level = asked_level();
    request.bundle.arguments = arguments;
    if (is_script(attack)) {
        request.bundle.entry = "main.py";
        request.bundle.files.push_back(
            {.path = "main.py", .content = read_file(program_path(attack))});
    }
    for (const std::string& path : attack.bundle_paths)
        request.bundle.files.push_back({.path = path, .content = "planted\n"});
    request.bundle.collect = attack.collect;
    request.bundle.collect_bytes = attack.collect_bytes;
    // The test's own patience, for the attack whose clock is left out.
    request.cancel_after = limits.wall_time + 2500ms;
    return request;
}

/// Processes, wherever they are, that run this program: by the file, not by a name they could
/// change.
std::vector<int> processes_of(const Attack& attack) {
    std::vector<int> found;
    struct stat program {};
    if (is_script(attack) || ::stat(program_path(attack).c_str(), &program) != 0) return found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const int pid = std::atoi(entry.path().filename().c_str());
        struct stat running {};
        if (pid <= 0 || pid == ::getpid() || ::stat((entry.path() / "exe").c_str(), &running) != 0)
            continue;
        if (running.st_ino == program.st_ino && running.st_dev == program.st_dev)
            found.push_back(pid);
    }
    return found;
}

/// As processes_of, but gives them a second to be gone.
std::vector<int> left_after_a_second(const Attack& attack) {
    // Shorter than the programs' own lives, which is 6 s at least.
    const auto patience =
        std::chrono::steady_clock::now() + std::min<std::chrono::seconds>(1s * slowness(), 4s);
    for (;;) {
        std::vector<int> left = processes_of(attack);
        if (left.empty() || std::chrono::steady_clock::now() > patience) return left;
        std::this_thread::sleep_for(20ms);
    }
}

/// The lock of that process's instance, held by us too: another runner on this host would sweep
/// what the dead one left, and so do what is to be shown to happen without it.
Fd lock_of(pid_t holder) {
    const Fd process(check(static_cast<int>(::syscall(SYS_pidfd_open, holder, 0)), "pidfd"));
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/" + std::to_string(holder) + "/fd")) {
        std::error_code error;
        const std::string target = std::filesystem::read_symlink(entry.path(), error).string();
        if (target.find("/cloister/instance-") == std::string::npos) continue;
        return Fd(check(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(),
                                                   std::atoi(entry.path().filename().c_str()), 0)),
                        "take the lock"));
    }
    throw std::runtime_error("the runner holds no lock");
}

LocalResult run_bare(const Attack& attack, const Words& arguments) {
    int ends[2];
    check(::pipe2(ends, O_CLOEXEC), "pipe");
    Fd read_end(ends[0]);
    Fd write_end(ends[1]);
    const std::string path = program_path(attack);
    std::vector<char*> words;
    if (is_script(attack)) words.push_back(const_cast<char*>("/usr/bin/python3"));
    words.push_back(const_cast<char*>(path.c_str()));
    for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    const pid_t child = check(::fork(), "fork");
    if (child == 0) {
        (void)::dup2(write_end.get(), 1);
        (void)::alarm(60);
        (void)::execv(words[0], words.data());
        ::_exit(127);
    }
    write_end.reset();
    LocalResult result;
    char block[4096];
    for (ssize_t size; (size = ::read(read_end.get(), block, sizeof block)) > 0;)
        result.output.append(block, static_cast<std::size_t>(size));
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    result.outcome.ending.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    result.outcome.ending.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    result.verdict = isolate::judge(result.outcome.ending, result.outcome.usage);
    return result;
}

} // namespace

int slowness() { return std::max(1, std::atoi(from_environment("CLOISTER_SLOW", "1").c_str())); }

wire::Level asked_level() {
    const std::string asked = from_environment("CLOISTER_LEVEL", "cold");
    for (std::size_t i = 0; i < wire::kLevelNames.size(); ++i) {
        if (asked == wire::kLevelNames[i]) return static_cast<wire::Level>(i);
    }
    throw std::runtime_error("CLOISTER_LEVEL: expected cold, prepared or warm");
}

wire::Level level_of(const Attack& attack) {
    const bool may_be_warm = attack.order != Attack::Order::together;
    return may_be_warm ? asked_level() : std::min(asked_level(), wire::Level::prepared);
}

bool host_has_a_route() { return !own_addresses().empty(); }

Evidence attack_a_box(const Attack& attack) {
    const Scene scene;
    const config::Settings settings = settings_for(attack, scene);
    const Limits& limits = settings.policies.at(attack.policy).limits;
    Evidence evidence;
    keeper::LocalRunner runner(settings);
    std::vector<keeper::LocalRun> requests;
    for (const Words& words : attack.runs)
        requests.push_back(request_for(attack, scene.fill(words, limits, true), limits));
    const auto asked = std::chrono::steady_clock::now();
    switch (attack.order) {
    case Attack::Order::one_after_another:
        for (const keeper::LocalRun& request : requests)
            evidence.results.push_back(runner.run(request));
        break;
    case Attack::Order::together: evidence.results = runner.run_all(requests); break;
    case Attack::Order::compile_then_run:
        evidence.results.push_back(runner.compile_and_run(requests.back()));
        break;
    }
    evidence.elapsed = std::chrono::steady_clock::now() - asked;
    evidence.limits.assign(evidence.results.size(), limits);
    evidence.left_behind = left_after_a_second(attack);
    return evidence;
}

Evidence attack_the_host(const Attack& attack) {
    const Scene scene;
    Evidence evidence;
    for (const Words& words : attack.runs)
        evidence.results.push_back(run_bare(attack, scene.fill(words, Limits{}, false)));
    return evidence;
}

Evidence attack_after_keeper_died(const Attack& attack) {
    const Scene scene;
    const config::Settings settings = settings_for(attack, scene);
    int ends[2];
    check(::pipe2(ends, O_CLOEXEC), "pipe");
    Fd read_end(ends[0]);
    Fd write_end(ends[1]);
    const pid_t holder = check(::fork(), "fork");
    if (holder == 0) {
        try {
            keeper::LocalRunner runner(settings);
            keeper::LocalRun request =
                request_for(attack, {}, settings.policies.at(attack.policy).limits);
            request.stdout_fd = write_end.get();
            (void)runner.run(request);
        } catch (const std::exception& error) {
            (void)!::write(write_end.get(), error.what(), std::strlen(error.what()));
        }
        ::_exit(1);
    }
    write_end.reset();
    Evidence evidence;
    LocalResult result;
    pollfd watched{.fd = read_end.get(), .events = POLLIN, .revents = 0};
    char block[256];
    if (::poll(&watched, 1, 20'000 * slowness()) > 0) {
        const ssize_t size = ::read(read_end.get(), block, sizeof block);
        if (size > 0) result.output.assign(block, static_cast<std::size_t>(size));
    }
    // Init looks once more for its keeper after the program's start: only what comes later is left
    // to the death signal alone.
    std::this_thread::sleep_for(200ms * slowness());
    const Fd lock = lock_of(holder);
    (void)::kill(holder, SIGKILL);
    while (::waitpid(holder, nullptr, 0) < 0 && errno == EINTR) {}
    evidence.left_behind = left_after_a_second(attack);
    evidence.results.push_back(result);
    return evidence;
}

void clean_up(const Attack& attack) {
    for (int round = 0; round < 500; ++round) {
        const std::vector<int> left = processes_of(attack);
        if (left.empty()) return;
        for (const int pid : left) (void)::kill(pid, SIGKILL);
        std::this_thread::sleep_for(20ms);
    }
}

Finding by_report(const Evidence& evidence) {
    if (evidence.results.empty()) return Finding::inconclusive;
    const LocalResult& last = evidence.results.back();
    const isolate::Ending& ending = last.outcome.ending;
    if (last.output.find("ESCAPED: ") != std::string::npos && ending.exit_code == 42)
        return Finding::escaped;
    if (last.output.starts_with("contained: ") && last.verdict == isolate::Verdict::ok)
        return Finding::contained;
    return Finding::inconclusive;
}

std::string describe(const Evidence& evidence) {
    std::ostringstream text;
    for (const LocalResult& result : evidence.results) {
        const isolate::Ending& ending = result.outcome.ending;
        const isolate::Usage& usage = result.outcome.usage;
        text << isolate::name_of(result.verdict) << ", exit " << ending.exit_code << ", signal "
             << ending.signal << ", step " << isolate::name_of(ending.failed_step) << " ("
             << std::generic_category().message(ending.error) << "), wall " << usage.wall_time / 1ms
             << " ms, cpu " << usage.cpu_time / 1ms << " ms, peak "
             << usage.memory_peak_bytes / isolate::kKiB << " KiB, " << usage.processes_peak
             << " processes, " << usage.forks_refused << " forks refused, oom " << usage.oom_kills
             << "\n"
             << result.output << result.error << "\n";
        for (const isolate::CollectedFile& file : result.files)
            text << "collected: " << isolate::name_of(file.state) << " "
                 << file.content.substr(0, 80) << "\n";
    }
    text << evidence.left_behind.size() << " processes left, answered after "
         << evidence.elapsed / 1ms << " ms";
    return text.str();
}

} // namespace cloister::escape
