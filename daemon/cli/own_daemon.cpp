// Three processes: this one, which soon is nobody's; one that stays root, waits on a pipe for this
// one's end or the daemon's, and removes what was made; and the daemon. The middle one reads
// nothing: its files are the installed policies, and what is written here.
#include "daemon/cli/own_daemon.h"

#include "isolate/fd.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace cloister::cli {
namespace {

namespace fs = std::filesystem;
using isolate::check;
using isolate::Fd;

constexpr const char* kRunFolder = "/run/cloister";
constexpr const char* kPolicy = "package";
constexpr int kListenerFd = 3; // where sd_listen_fds(3) has it
constexpr int kDrainMs = 300;  // for its end when it is asked once
constexpr int kEndMs = 15'000; // and when it is asked again, before it is killed
constexpr std::size_t kMaxSaid = 4'096;

std::string random_token() {
    std::array<unsigned char, 24> bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        throw isolate::SysError(errno, "make a token");
    constexpr char kDigits[] = "0123456789abcdef";
    std::string token;
    for (const unsigned char byte : bytes) {
        token += kDigits[byte >> 4];
        token += kDigits[byte & 15];
    }
    return token;
}

fs::path folder_of_this_program() { return fs::read_symlink("/proc/self/exe").parent_path(); }

/// Beside this program in a build tree, else where the package puts it.
std::string daemon_path() {
    std::string beside = (folder_of_this_program() / "cloisterd").string();
    if (::access(beside.c_str(), X_OK) == 0) return beside;
    constexpr const char* kInstalled = "/usr/sbin/cloisterd";
    if (::access(kInstalled, X_OK) == 0) return kInstalled;
    throw std::runtime_error("there is no cloisterd beside this program or in /usr/sbin");
}

fs::path policies_folder() {
    std::error_code error;
    const fs::path beside = folder_of_this_program().parent_path() / "policies";
    return fs::is_directory(beside, error) ? beside : fs::path("/usr/share/cloister/policies");
}

void write_file(const fs::path& path, const std::string& text) {
    std::ofstream file(path);
    file << text;
    file.close();
    if (!file) throw std::runtime_error("cannot write " + path.string());
}

std::string mib(std::uint64_t size) { return "\"" + std::to_string(size) + "m\""; }
std::string number(double value) { return std::to_string(static_cast<std::uint64_t>(value)); }

/// The installed policies, one more for programs of packages, and room for their compilers. The
/// walls are the installed ones; limits alone differ.
void write_policies(const fs::path& folder) {
    fs::create_directory(folder);
    for (const auto& entry : fs::directory_iterator(policies_folder())) {
        if (entry.path().extension() != ".jsonc") continue;
        const bool compiles = entry.path().filename() == "compile.jsonc";
        fs::copy_file(entry.path(),
                      folder / (compiles ? "compile_installed.jsonc" : entry.path().filename()));
    }
    const OwnLimits most = own_limits();
    write_file(folder / "compile.jsonc",
               R"({"description": "Compilers of packages.", "extends": "compile_installed", )"
               R"("limits": {"memory_bytes": )" +
                   mib(most.compilation_memory_mib) +
                   ", \"cpu_time\": " + std::to_string(most.compilation_seconds) +
                   ", \"wall_time\": " + std::to_string(2 * most.compilation_seconds) + "}}\n");
    write_file(folder / (std::string(kPolicy) + ".jsonc"),
               R"({"description": "Programs of packages.", "extends": "judge", "limits": {)"
               R"("memory_bytes": )" +
                   mib(most.memory_mib) + ", \"stack_bytes\": " + mib(most.memory_mib) +
                   ", \"cpu_time\": " + number(most.cpu_seconds) + ", \"wall_time\": " +
                   number(most.wall_seconds) + ", \"output_bytes\": " + mib(most.output_mib) +
                   ", \"file_bytes\": \"256m\"}}\n");
}

/// Nothing is made ahead: what else the machine does shows in the times.
std::string configuration(const fs::path& base, std::uint32_t parallel) {
    const std::string boxes = std::to_string(2 * parallel + 2);
    return R"({"state_dir": ")" + (base / "state").string() + R"(", "token_file": ")" +
           (base / "token").string() + R"(", "run_policy": ")" + kPolicy +
           R"(", "judge_policy": ")" + kPolicy +
           R"(", "message_bytes": "256m", "code_bytes": "16m", "files_per_run": 256, )"
           R"("arguments_per_run": 256, "judge_tests": 2000, "prepared_boxes": 0, )"
           R"("warm_boxes": 0, "log_runs": "none", "drain_time": 1, "judge_parallel": )" +
           std::to_string(parallel) + R"(, "runs_per_client": )" + boxes + R"(, "boxes": )" +
           boxes + "}\n";
}

/// Never returns: becomes the daemon.
[[noreturn]] void become_daemon(const std::string& program, const fs::path& base, int listener,
                                int log, pid_t parent) {
    (void)::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(127);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE})
        (void)std::signal(number, SIG_DFL);
    const int socket = ::fcntl(listener, F_DUPFD, 10);
    const int output = ::fcntl(log, F_DUPFD, 10);
    (void)::dup2(output, 1);
    (void)::dup2(output, 2);
    (void)::dup2(socket, kListenerFd);
    (void)::close_range(kListenerFd + 1, ~0U, 0);
    std::vector<std::string> words = {program, "--config", (base / "cloister.jsonc").string(),
                                      "--policies", (base / "policies").string()};
    std::vector<std::string> variables = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LISTEN_FDS=1",
                                          "LISTEN_PID=" + std::to_string(::getpid())};
    for (const char* name : {"MAX_EXECUTION_TIME", "MAX_MEMORY_LIMIT", "MAX_CPU_QUOTA"}) {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
        if (const char* value = std::getenv(name))
            variables.push_back(name + ("=" + std::string(value)));
    }
    std::vector<char*> arguments;
    std::vector<char*> environment;
    arguments.reserve(words.size() + 1);
    environment.reserve(variables.size() + 1);
    for (std::string& word : words) arguments.push_back(word.data());
    for (std::string& variable : variables) environment.push_back(variable.data());
    arguments.push_back(nullptr);
    environment.push_back(nullptr);
    (void)::execve(program.c_str(), arguments.data(), environment.data());
    ::_exit(127);
}

/// Waits for the end of either, then ends the daemon.
void stand_by(pid_t daemon, int life) {
    const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, daemon, 0)));
    pollfd waits[] = {{.fd = life, .events = POLLIN, .revents = 0},
                      {.fd = process.get(), .events = POLLIN, .revents = 0}};
    while (::poll(waits, 2, -1) < 0 && errno == EINTR) {}
    for (const int patience : {kDrainMs, kEndMs}) {
        if (waits[1].revents != 0) break;
        (void)::kill(daemon, SIGTERM); // the second one waits for nobody
        while (::poll(waits + 1, 1, patience) < 0 && errno == EINTR) {}
    }
    if (waits[1].revents == 0) (void)::kill(daemon, SIGKILL);
    while (::waitpid(daemon, nullptr, 0) < 0 && errno == EINTR) {}
}

/// The middle process, from its first to its last act.
[[noreturn]] void keep_daemon(const std::string& program, const std::string& token,
                              std::uint32_t parallel, Fd listener, const Fd& life, const Fd& log) {
    (void)::setsid(); // what is typed at the terminal is for the one that asked
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE})
        (void)std::signal(number, SIG_IGN);
    std::error_code ignored;
    fs::path base;
    try {
        (void)::umask(022);
        fs::create_directories(kRunFolder);
        std::string name = std::string(kRunFolder) + "/judge-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) throw isolate::SysError(errno, "make " + name);
        base = name;
        check(::chmod(name.c_str(), 0711), "open " + name); // for the front's way to its state
        write_policies(base / "policies");
        write_file(base / "cloister.jsonc", configuration(base, parallel));
        const mode_t usual = ::umask(077);
        write_file(base / "token", token + "\n");
        (void)::umask(usual);
        const pid_t self = ::getpid();
        const pid_t daemon = check(::fork(), "start the daemon");
        if (daemon == 0) become_daemon(program, base, listener.get(), log.get(), self);
        listener.reset();
        stand_by(daemon, life.get());
    } catch (const std::exception& error) {
        const std::string text = std::string("cloister: ") + error.what() + "\n";
        (void)!::write(log.get(), text.data(), text.size()); // nowhere else to say it
    }
    // The state was the front's own: links in it are removed, not followed.
    if (!base.empty()) fs::remove_all(base, ignored);
    ::_exit(0);
}

} // namespace

OwnLimits own_limits() {
    OwnLimits limits;
    const std::uint64_t whole = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                                static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / (1024 * 1024);
    limits.memory_mib = std::min<std::uint64_t>(2048, whole / 4 * 3);
    limits.compilation_memory_mib = limits.memory_mib;
    return limits;
}

OwnDaemon::OwnDaemon(std::uint32_t parallel) : token_(random_token()) {
    const std::string program = daemon_path();
    Fd listener(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "make a socket"));
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof place;
    auto* name = reinterpret_cast<sockaddr*>(&place);
    check(::bind(listener.get(), name, size), "bind a port of 127.0.0.1");
    check(::listen(listener.get(), 16), "listen on 127.0.0.1");
    check(::getsockname(listener.get(), name, &size), "read the port");
    address_ = "127.0.0.1:" + std::to_string(ntohs(place.sin_port));
    Fd log(check(::memfd_create("log", MFD_CLOEXEC), "memory for the log"));
    check(::fcntl(log.get(), F_SETFL, O_APPEND), "append to the log");
    int ends[2] = {-1, -1};
    check(::pipe2(ends, O_CLOEXEC), "make a pipe");
    Fd watched(ends[0]);
    Fd held(ends[1]);
    keeper_of_it_ = check(::fork(), "start what keeps the daemon");
    if (keeper_of_it_ == 0) {
        held.reset();
        keep_daemon(program, token_, parallel, std::move(listener), watched, log);
    }
    life_ = held.release();
    log_ = log.release();
}

void OwnDaemon::end() {
    if (life_ < 0) return;
    (void)::close(std::exchange(life_, -1));
    while (::waitpid(keeper_of_it_, nullptr, 0) < 0 && errno == EINTR) {}
}

OwnDaemon::~OwnDaemon() {
    end();
    (void)::close(log_);
}

std::string OwnDaemon::last_words() {
    end(); // what it says last it may say after it has closed its socket
    struct stat info {};
    if (::fstat(log_, &info) != 0) return {};
    const auto size = static_cast<std::size_t>(info.st_size);
    std::string text(std::min(size, kMaxSaid), '\0');
    const ssize_t got =
        ::pread(log_, text.data(), text.size(), static_cast<off_t>(size - text.size()));
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
}

} // namespace cloister::cli
