// A handful of threads that each take a request from the socket, which parts them by itself, and
// block. A name is resolved once for all tries, each of its addresses is checked, and the one that
// passed is connected to: nobody is asked again, so no second answer can lead elsewhere.
#include "daemon/front/callbacks/sender.h"

#include "daemon/front/callbacks/addresses.h"
#include "isolate/packet.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <linux/landlock.h>
#include <memory>
#include <netdb.h>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>
#include <vector>

#include <seccomp.h>

namespace cloister::front::callbacks {
namespace {

using isolate::check;
using isolate::Fd;
using isolate::SysError;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPause{1}; ///< between two tries
constexpr std::size_t kMaxHead = 4096;    ///< of an answer that is read for its status
constexpr off_t kMaxRequest = 64 * 1024 * 1024;

// ---- what it may do

/// Names are resolved by files and libraries of these folders, read and nothing else.
constexpr const char* kResolverFiles[] = {"/etc", "/usr/lib", "/lib", "/lib64",
                                          "/run/systemd/resolve"};

/// Calls that resolving and sending never make and that an intruder would. The C library's resolver
/// may load plug-ins, so what is left open here is wider than in the front itself; there is nothing
/// in this process but texts that clients wrote.
constexpr int kDeadly[] = {SCMP_SYS(execve),
                           SCMP_SYS(execveat),
                           SCMP_SYS(fork),
                           SCMP_SYS(vfork),
                           SCMP_SYS(ptrace),
                           SCMP_SYS(process_vm_readv),
                           SCMP_SYS(process_vm_writev),
                           SCMP_SYS(listen),
                           SCMP_SYS(accept),
                           SCMP_SYS(accept4),
                           SCMP_SYS(mount),
                           SCMP_SYS(unshare),
                           SCMP_SYS(setns),
                           SCMP_SYS(bpf),
                           SCMP_SYS(io_uring_setup),
                           SCMP_SYS(userfaultfd),
                           SCMP_SYS(pidfd_getfd),
                           SCMP_SYS(kill),
                           SCMP_SYS(tkill),
                           SCMP_SYS(keyctl),
                           SCMP_SYS(add_key)};

void require(int result) {
    if (result < 0) throw SysError(-result, "build the sender's filter");
}

[[maybe_unused]] void filter_calls() { // see lock_in()
    const std::unique_ptr<void, void (*)(void*)> filter(::seccomp_init(SCMP_ACT_ALLOW),
                                                        ::seccomp_release);
    if (filter == nullptr) throw SysError(ENOMEM, "make the sender's filter");
    for (const int call : kDeadly)
        require(::seccomp_rule_add(filter.get(), SCMP_ACT_KILL_PROCESS, call, 0));
    // The internet, and NETLINK, by which the resolver asks which addresses this machine can reach:
    // no sockets of this machine's other services, no hypervisor's, no kernel's cryptography.
    constexpr std::uint64_t kLow = 0xffffffff;
    constexpr std::uint64_t kFamilies = 64;
    const auto forbid = [&](const scmp_arg_cmp& family) {
        require(::seccomp_rule_add_array(filter.get(), SCMP_ACT_ERRNO(EAFNOSUPPORT),
                                         SCMP_SYS(socket), 1, &family));
    };
    for (std::uint64_t family = 0; family < kFamilies; ++family) {
        if (family == AF_INET || family == AF_INET6 || family == AF_NETLINK) continue;
        forbid({0, SCMP_CMP_MASKED_EQ, kLow, family});
    }
    forbid({0, SCMP_CMP_GE, kFamilies, 0});
    require(::seccomp_load(filter.get()));
}

void lock_in() {
    drop_capabilities();
    close_files(kResolverFiles, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
#ifndef __SANITIZE_ADDRESS__ // the sanitizers' own runtime needs more calls than the product
    filter_calls();
#endif
}

// ---- one delivery

/// Milliseconds until `end`, at least 0.
int left_until(Clock::time_point end) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    return static_cast<int>(std::max<std::int64_t>(0, left.count()));
}

bool wait_for(int socket, short events, Clock::time_point end) {
    pollfd watched{socket, events, 0};
    return ::poll(&watched, 1, left_until(end)) == 1;
}

/// Not blocking, connected; empty when that does not succeed in time.
Fd connected(const sockaddr_storage& address, socklen_t size, Clock::time_point end) {
    Fd socket(::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return {};
    const auto* plain = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(socket.get(), plain, size) == 0) return socket;
    if (errno != EINPROGRESS || !wait_for(socket.get(), POLLOUT, end)) return {};
    int error = 0;
    socklen_t length = sizeof error;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length) < 0 || error != 0)
        return {};
    return socket;
}

bool write_all(int socket, std::string_view text, Clock::time_point end) {
    while (!text.empty()) {
        const ssize_t size = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
        if (size > 0) text.remove_prefix(static_cast<std::size_t>(size));
        else if (errno != EAGAIN || !wait_for(socket, POLLOUT, end)) return false;
    }
    return true;
}

/// The status of the answer; 0: none came in time.
std::uint32_t read_status(int socket, Clock::time_point end) {
    std::string head;
    std::array<char, 512> piece{};
    while (head.size() < kMaxHead && head.find('\n') == std::string::npos) {
        const ssize_t size = ::recv(socket, piece.data(), piece.size(), 0);
        if (size > 0) head.append(piece.data(), static_cast<std::size_t>(size));
        else if (size == 0 || errno != EAGAIN || !wait_for(socket, POLLIN, end)) break;
    }
    const bool is_http = head.size() >= 12 && head.starts_with("HTTP/1.") && head[8] == ' ';
    if (!is_http) return 0;
    std::uint32_t status = 0;
    for (const char c : head.substr(9, 3)) {
        if (c < '0' || c > '9') return 0;
        status = status * 10 + static_cast<std::uint32_t>(c - '0');
    }
    return status;
}

struct Target {
    sockaddr_storage address{};
    socklen_t size = 0;
};

/// The first of the host's addresses that may be reached; `is_private` tells of those that may not.
std::optional<Target> resolve(const Url& url, bool anywhere, bool& is_private) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(url.host.c_str(), url.port.c_str(), &wanted, &found) != 0)
        return std::nullopt;
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(found, ::freeaddrinfo);
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
        if (one->ai_addrlen > sizeof(sockaddr_storage)) continue;
        if (!anywhere && !is_public(*one->ai_addr)) {
            is_private = true;
            continue;
        }
        Target target;
        std::memcpy(&target.address, one->ai_addr, one->ai_addrlen);
        target.size = one->ai_addrlen;
        return target;
    }
    return std::nullopt;
}

std::uint32_t send_once(const Target& target, std::string_view request) {
    const auto end = Clock::now() + std::chrono::seconds(kSecondsPerTry);
    const Fd socket = connected(target.address, target.size, end);
    if (!socket || !write_all(socket.get(), request, end)) return 0;
    return read_status(socket.get(), end);
}

Answer deliver(std::string_view address, std::string_view body, bool anywhere) {
    Answer answer;
    const Url url = read_url(address);
    bool is_private = false;
    const auto target = url.is_valid ? resolve(url, anywhere, is_private) : std::nullopt;
    if (!target) {
        answer.delivery = is_private ? Delivery::refused : Delivery::failed;
        return answer;
    }
    std::string request = "PUT " + url.path + " HTTP/1.1\r\nHost: " + url.authority +
                          "\r\nContent-Type: application/json\r\nUser-Agent: cloister\r\n"
                          "Connection: close\r\nContent-Length: " +
                          std::to_string(body.size()) + "\r\n\r\n";
    request += body;
    for (int i = 0; i < kTries; ++i) {
        if (i > 0) std::this_thread::sleep_for(kPause);
        answer.status = send_once(*target, request);
        if (answer.status >= 200 && answer.status < 300) {
            answer.delivery = Delivery::sent;
            return answer;
        }
    }
    return answer;
}

/// The text of a request; empty when it cannot be read.
std::string text_of(const Fd& memory) {
    struct stat about {};
    if (::fstat(memory.get(), &about) < 0 || about.st_size > kMaxRequest) return {};
    std::string text(static_cast<std::size_t>(about.st_size), '\0');
    const ssize_t size = ::pread(memory.get(), text.data(), text.size(), 0);
    return size == about.st_size ? text : std::string();
}

/// Until the front is gone.
void serve(int socket, bool anywhere) {
    for (;;) {
        Request request;
        const isolate::Packet packet =
            isolate::receive_packet(socket, isolate::writable_bytes_of(request));
        if (packet.size == -1 && errno == EINTR) continue;
        if (packet.size != sizeof request || packet.fd_count != 1) return;
        const std::string text = text_of(packet.fds[0]);
        const auto end = text.find('\0');
        Answer answer;
        if (end != std::string::npos) {
            const std::string_view whole = text;
            answer = deliver(whole.substr(0, end), whole.substr(end + 1), anywhere);
        }
        answer.number = request.number;
        if (!isolate::send_packet(socket, isolate::bytes_of(answer))) return;
    }
}

[[noreturn]] void be_sender(int socket, pid_t front, const Identity& identity, bool anywhere) {
    try {
        become(identity);
        check(::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "die with the front");
        if (::getppid() != front) std::_Exit(0); // it died before
        (void)::prctl(PR_SET_NAME, "cloister-caller");
        // Nothing of the front's but this socket and the place of its last words.
        constexpr int kKept = 3;
        if (socket != kKept) check(::dup3(socket, kKept, O_CLOEXEC), "keep the socket");
        check(::syscall(SYS_close_range, kKept + 1, ~0U, 0), "close what is the front's");
        // A name server that does not answer holds one of few threads. NOLINTNEXTLINE
        (void)::setenv("RES_OPTIONS", "timeout:2 attempts:2", 1);
        lock_in();
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < kAtOnce; ++i) threads.emplace_back(serve, kKept, anywhere);
        for (std::thread& thread : threads) thread.join();
    } catch (const std::exception& error) {
        (void)std::fprintf(stderr, "cloister: callbacks: %s\n", error.what());
    }
    std::_Exit(0);
}

} // namespace

Fd start_sender(const Identity& identity, bool anywhere) {
    int ends[2] = {-1, -1};
    check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "make a pair of sockets");
    Fd ours(ends[0]);
    const Fd theirs(ends[1]);
    (void)std::signal(SIGCHLD, SIG_IGN); // nobody waits for it; its socket tells when it is gone
    const pid_t front = ::getpid();
    if (check(::fork(), "start the sender of callbacks") == 0)
        be_sender(theirs.get(), front, identity, anywhere);
    return ours;
}

} // namespace cloister::front::callbacks
