// cloisterd. Starts as root: reads the settings, tests this host, opens the listening socket,
// starts itself again as the front (fork and exec, so that the two share no memory) and stays as
// the keeper.
#include "daemon/config/settings.h"
#include "daemon/front/front.h"
#include "daemon/front/store_archive.h"
#include "daemon/keeper/executor.h"
#include "daemon/keeper/helpers.h"
#include "daemon/keeper/notify.h"
#include "daemon/keeper/selftest.h"
#include "daemon/keeper/service.h"
#include "daemon/keeper/unprivileged.h"
#include "isolate/fd.h"

#include <arpa/inet.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <netdb.h>
#include <pwd.h>
#include <stdexcept>
#include <string>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using cloister::config::Settings;
using cloister::isolate::check;
using cloister::isolate::Fd;

/// Where the front finds what it is given.
constexpr int kKeeperFd = 3;
constexpr int kListenerFd = 4;
constexpr int kSettingsFd = 5;

constexpr const char* kUsage =
    "usage: cloisterd [--listen ADDR:PORT] [--state-dir DIR] [--config FILE]\n"
    "                 [--policies DIR] [--runtimes DIR] [--check-config | --selftest | --version]\n"
    "Runs programs in isolated boxes and serves them over WebSocket and HTTP. Needs root.\n"
    "  --check-config  read the configuration, policies and runtimes, and say whether they are "
    "good\n"
    "  --selftest      make a box on this host, try what must fail in it, and say whether every "
    "layer holds\n";

struct CommandLine {
    cloister::config::Sources sources{};
    enum class Act { serve, check_config, selftest, version, help } act = Act::serve;
};

CommandLine read_command_line(int argc, char** argv) {
    CommandLine line;
    using Act = CommandLine::Act;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        const auto value = [&]() -> std::string {
            if (i + 1 == argc) throw std::runtime_error(word + " needs a value");
            return argv[++i];
        };
        if (word == "--listen") line.sources.flags["listen"] = value();
        else if (word == "--state-dir") line.sources.flags["state_dir"] = value();
        else if (word == "--config") line.sources.config_file = value();
        else if (word == "--policies") line.sources.policies_dir = value();
        else if (word == "--runtimes") line.sources.runtimes_dir = value();
        else if (word == "--check-config") line.act = Act::check_config;
        else if (word == "--selftest") line.act = Act::selftest;
        else if (word == "--version") line.act = Act::version;
        else if (word == "--help" || word == "-h") line.act = Act::help;
        else throw std::runtime_error("unknown option '" + word + "'\n" + kUsage);
    }
    for (char** entry = ::environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        if (const auto equals = text.find('='); equals != std::string::npos) {
            line.sources.environment[text.substr(0, equals)] = text.substr(equals + 1);
        }
    }
    return line;
}

using cloister::keeper::helper_path;

std::string probe_path() { return helper_path("cloister-probe"); }

/// Standard streams that are closed would give their numbers to pipes of boxes.
void hold_standard_streams() {
    int fd = -1;
    do fd = check(::open("/dev/null", O_RDWR | O_CLOEXEC), "open /dev/null");
    while (fd <= 2);
    (void)::close(fd);
}

void raise_open_files() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit); // no more than the system allows: nothing to report
}

Fd listen_on(const std::string& address) {
    const auto colon = address.rfind(':');
    std::string host = address.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), address.substr(colon + 1).c_str(), &hints, &found) != 0 ||
        found == nullptr) {
        throw std::runtime_error("listen: '" + address + "' is not a numeric ADDR:PORT");
    }
    Fd socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    int error = socket ? 0 : errno;
    const int on = 1;
    if (socket) {
        (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (::bind(socket.get(), found->ai_addr, found->ai_addrlen) != 0 ||
            ::listen(socket.get(), 1024) != 0)
            error = errno;
    }
    ::freeaddrinfo(found);
    if (error == EADDRINUSE)
        throw std::runtime_error("listen: " + address +
                                 " is in use (is another cloisterd running?)");
    if (error != 0) throw cloister::isolate::SysError(error, "listen on " + address);
    return socket;
}

/// The state directory, locked for this daemon's life. The lock is on the directory itself: a file
/// in it could be put there by somebody else.
Fd hold_state_dir(const std::string& path) {
    if (::mkdir(path.c_str(), 0750) != 0 && errno != EEXIST)
        throw cloister::isolate::SysError(errno, "make " + path);
    Fd directory(check(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW),
                       "open " + path));
    if (::flock(directory.get(), LOCK_EX | LOCK_NB) != 0)
        throw std::runtime_error("another cloisterd uses " + path);
    return directory;
}

/// Where there is no account for it, the front has another number at each start. What it wrote
/// becomes its own again, what a killed one has left included. Its directory is not trusted: only
/// plain files are given, that have no other name.
void give_to_front(const Fd& state, uid_t owner, gid_t group) {
    check(::fchown(state.get(), owner, group), "give the state directory to the front");
    for (const char* suffix : {"", "-wal", "-shm"}) {
        const std::string name = std::string(cloister::front::kStoreFile) + suffix;
        const Fd file(
            ::openat(state.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        struct stat info {};
        if (!file || ::fstat(file.get(), &info) != 0)
            continue; // made later, or refused by the front
        if (!S_ISREG(info.st_mode) || info.st_nlink != 1) continue;
        check(::fchown(file.get(), owner, group), "give the store to the front");
    }
}

Fd settings_memfd(const Settings& settings) {
    const std::string text = cloister::config::to_text(settings);
    Fd file(check(::memfd_create("settings", MFD_CLOEXEC | MFD_ALLOW_SEALING),
                  "memory for the settings"));
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        throw cloister::isolate::SysError(errno, "write the settings");
    }
    (void)::lseek(file.get(), 0, SEEK_SET);
    check(
        ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL),
        "seal the settings");
    return file;
}

[[noreturn]] void become_front(std::array<int, 3> fds, uid_t fallback_id) {
    // Out of the way first, so that no descriptor is overwritten before it has been moved.
    for (int& fd : fds) fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 10);
    const int places[] = {kKeeperFd, kListenerFd, kSettingsFd};
    for (std::size_t i = 0; i < 3; ++i) (void)::dup2(fds[i], places[i]);
    (void)::close_range(kSettingsFd + 1, ~0U, 0);
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    ::sigemptyset(&none);
    (void)::pthread_sigmask(SIG_SETMASK, &none, nullptr);
    char name[] = "cloisterd-front";
    char flag[] = "--front";
    std::string id = std::to_string(fallback_id);
    char* const arguments[] = {name, flag, id.data(), nullptr};
    char path[] = "PATH=/usr/bin:/bin";
    char* const environment[] = {path, nullptr};
    (void)::execve("/proc/self/exe", arguments, environment);
    ::_exit(127);
}

int serve(const CommandLine& line) {
    hold_standard_streams();
    raise_open_files();
    (void)::umask(022);
    // Where the service manager listens for us is where we listen, whatever the file says.
    cloister::config::Sources sources = line.sources;
    Fd listener =
        cloister::keeper::passed_listener(cloister::keeper::environment_variable, ::getpid());
    if (listener) sources.flags["listen"] = cloister::keeper::address_of(listener);
    Settings settings = cloister::config::load(sources);
    if (settings.config.executor == "local") cloister::keeper::become_local(settings);
    else if (::geteuid() != 0)
        throw std::runtime_error("cloisterd must be started by root: making boxes needs it (it "
                                 "serves as an ordinary user). As an ordinary user it can run "
                                 "programs with \"executor\": \"local\", which protects less");
    const Fd state = hold_state_dir(settings.config.state_dir);
    if (!listener) listener = listen_on(settings.config.listen);
    settings.method = cloister::keeper::choose_method(settings, probe_path());
    Fd text = settings_memfd(settings);
    const std::string analyst = helper_path("cloister-analyst");
    const auto start_front = [&](int front_end, uid_t fallback_id) {
        const passwd* account =
            ::getpwnam(settings.config.user.c_str()); // NOLINT(concurrency-mt-unsafe): one thread
        const bool own = ::geteuid() != 0;            // then there is nobody else that it could be
        const uid_t owner = own ? ::geteuid() : account != nullptr ? account->pw_uid : fallback_id;
        const gid_t group = own ? ::getegid() : account != nullptr ? account->pw_gid : fallback_id;
        give_to_front(state, owner, group);
        const pid_t keeper = ::getpid();
        const pid_t front = check(::fork(), "start the front");
        if (front == 0) {
            if (::getppid() != keeper) ::_exit(127);
            become_front({front_end, listener.get(), text.get()}, fallback_id);
        }
        listener.reset();
        text.reset();
        return front;
    };
    const auto reread = [&] {
        cloister::keeper::Reread fresh;
        fresh.settings = cloister::config::reread(settings, sources, fresh.restart_needed);
        fresh.text = settings_memfd(fresh.settings);
        return fresh;
    };
    return cloister::keeper::serve(settings, analyst, start_front, reread);
}

int run(int argc, char** argv) {
    if (argc == 3 && std::strcmp(argv[1], "--front") == 0) {
        cloister::front::FrontFds fds;
        fds.keeper = kKeeperFd;
        fds.listener = kListenerFd;
        fds.settings = kSettingsFd;
        fds.fallback_id = static_cast<uid_t>(std::strtoul(argv[2], nullptr, 10));
        return cloister::front::serve(fds);
    }
    const CommandLine line = read_command_line(argc, argv);
    using Act = CommandLine::Act;
    switch (line.act) {
    case Act::help: std::fputs(kUsage, stdout); return 0;
    case Act::version: std::puts("cloisterd " CLOISTER_VERSION); return 0;
    case Act::check_config:
        (void)cloister::config::load(line.sources);
        std::puts("The configuration is good.");
        return 0;
    case Act::selftest: {
        Settings settings = cloister::config::load(line.sources);
        Fd state;
        if (settings.config.executor == "local") {
            cloister::keeper::become_local(settings);
            state = hold_state_dir(settings.config.state_dir); // where boxes have their work
        }
        const bool docker = settings.config.executor == "docker";
        const std::string missing = docker
                                        ? cloister::keeper::docker_selftest(settings, probe_path())
                                        : cloister::keeper::selftest(settings, probe_path());
        const char* const good = docker ? "Every layer of a container holds on this host."
                                        : "Every layer of the box holds on this host.";
        std::puts(missing.empty() ? good : missing.c_str());
        return missing.empty() ? 0 : 1;
    }
    case Act::serve: return serve(line);
    }
    return 2;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cloisterd: %s\n", error.what());
        return 2;
    }
}
