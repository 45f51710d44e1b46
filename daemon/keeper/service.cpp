// The keeper's loop. Every frame is checked as if the front were taken: a frame that is not
// permitted ends both. All the front can do is run what the catalogue holds, within the ceilings,
// and kill it.
#include "daemon/keeper/service.h"

#include "daemon/keeper/catalogue.h"
#include "daemon/keeper/runs.h"
#include "daemon/wire/frames.h"
#include "isolate/instance.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <poll.h>
#include <stdexcept>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>

namespace cloister::keeper {
namespace {

using isolate::check;
using isolate::Fd;

/// More than this unread by the front means that it no longer reads.
constexpr std::size_t kMaxUnsent = 4 * isolate::kMaxSlots;
constexpr std::chrono::seconds kDrainGrace{5}; ///< beyond the front's own drain time

class NotPermitted : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

unsigned slots_of(const config::Config& config) {
    const unsigned asked =
        config.boxes != 0 ? config.boxes : 4 * std::max(1U, std::thread::hardware_concurrency());
    return std::min(asked, isolate::kMaxSlots);
}

class Service {
public:
    Service(const config::Settings& settings, Fd front, Fd signals)
        : slots_(slots_of(settings.config)), drain_time_(settings.config.drain_time),
          front_(std::move(front)), signals_(std::move(signals)), instance_(),
          catalogue_(settings, instance_.user_id(0), slots_),
          runs_(instance_, catalogue_, slots_,
                {.started = [this](std::uint64_t id,
                                   std::chrono::nanoseconds setup) { tell_started(id, setup); },
                 .ended = [this](std::uint64_t id,
                                 const isolate::Outcome& outcome) { tell_ended(id, outcome); }}) {}

    uid_t fallback_id() const { return instance_.front_id(); }
    int serve(pid_t front_pid);

private:
    /// The permit table: what the front may ask, with how many descriptors.
    struct Permit {
        wire::Kind kind;
        std::size_t fds;
        void (Service::*handle)(wire::Received&);
    };
    static const std::array<Permit, 4> kPermits;

    void handle_run(wire::Received& received);
    void handle_kill(wire::Received& received);
    void handle_release(wire::Received& received) {
        runs_.release(received.frame.body.release.run_id);
    }
    void handle_status(wire::Received& received);

    void tell_started(std::uint64_t id, std::chrono::nanoseconds setup);
    void tell_ended(std::uint64_t id, const isolate::Outcome& outcome);
    void tell(const wire::Frame& frame);
    void flush();
    bool read_front();
    void read_signals();
    void wait(const Fd& front_process);

    unsigned slots_;
    std::chrono::seconds drain_time_;
    Fd front_;
    Fd signals_;
    isolate::Instance instance_;
    Catalogue catalogue_;
    Runs runs_;
    std::deque<wire::Frame> unsent_;
    std::optional<Clock::time_point> drain_until_;
    bool stop_now_ = false;
};

const std::array<Service::Permit, 4> Service::kPermits = {{
    {wire::Kind::run, 4, &Service::handle_run},
    {wire::Kind::kill, 0, &Service::handle_kill},
    {wire::Kind::release, 0, &Service::handle_release},
    {wire::Kind::status, 0, &Service::handle_status},
}};

void require(bool permitted, const char* what) {
    if (!permitted) throw NotPermitted(what);
}

/// A stream is a pipe or a terminal, the bundle a sealed memfd: a taken front gains nothing by
/// handing over something else, and this keeps it so.
void check_descriptors(const wire::Received& received) {
    for (std::size_t i = 0; i < 3; ++i) {
        struct stat info {};
        require(::fstat(received.fds[i].get(), &info) == 0 &&
                    (S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode)),
                "a stream that is no pipe");
    }
    const int seals = ::fcntl(received.fds[3].get(), F_GET_SEALS);
    constexpr int kNeeded = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
    require(seals >= 0 && (seals & kNeeded) == kNeeded, "a bundle that is not sealed");
}

void Service::handle_run(wire::Received& received) {
    check_descriptors(received);
    const wire::RunFrame& frame = received.frame.body.run;
    require((frame.flags & ~(wire::kFlagTerminal | wire::kFlagLive)) == 0, "an unknown flag");
    RunFds fds;
    for (std::size_t i = 0; i < 3; ++i) fds.streams[i] = std::move(received.fds[i]);
    fds.bundle = std::move(received.fds[3]);
    require(runs_.start(frame, std::move(fds)), "a run beyond what it may ask for");
}

void Service::handle_kill(wire::Received& received) {
    const wire::KillFrame& frame = received.frame.body.kill;
    if (frame.signal != 0) {
        require(frame.signal < static_cast<std::uint32_t>(SIGRTMIN), "an unknown signal");
        return runs_.signal(frame.run_id, static_cast<int>(frame.signal));
    }
    require(frame.reason == isolate::Verdict::cancelled ||
                frame.reason == isolate::Verdict::output_limit,
            "an unknown reason");
    runs_.kill(frame.run_id, frame.reason);
}

void Service::handle_status(wire::Received&) {
    wire::Frame reply;
    reply.kind = wire::Kind::status_reply;
    reply.body.status = {.boxes = runs_.slots() - runs_.quarantined(),
                         .running = static_cast<std::uint32_t>(runs_.running()),
                         .artifacts = static_cast<std::uint32_t>(runs_.artifacts()),
                         .quarantined = runs_.quarantined(),
                         .runs = runs_.total()};
    tell(reply);
}

void Service::tell_started(std::uint64_t id, std::chrono::nanoseconds setup) {
    wire::Frame frame;
    frame.kind = wire::Kind::started;
    frame.body.started = {.run_id = id, .setup_ns = setup.count()};
    tell(frame);
}

void Service::tell_ended(std::uint64_t id, const isolate::Outcome& outcome) {
    wire::Frame frame;
    frame.kind = wire::Kind::ended;
    frame.body.ended = {.run_id = id, .outcome = outcome};
    tell(frame);
}

void Service::tell(const wire::Frame& frame) {
    require(unsent_.size() < kMaxUnsent, "no longer reading its frames");
    unsent_.push_back(frame);
    flush();
}

void Service::flush() {
    while (!unsent_.empty() && wire::send(front_.get(), unsent_.front())) unsent_.pop_front();
}

/// False when the front is gone.
bool Service::read_front() {
    for (;;) {
        wire::Received received = wire::receive(front_.get());
        if (received.state == wire::Received::State::nothing) return true;
        if (received.state == wire::Received::State::closed) return false;
        const auto permit =
            std::find_if(kPermits.begin(), kPermits.end(),
                         [&](const Permit& entry) { return entry.kind == received.frame.kind; });
        require(permit != kPermits.end(), "an unknown frame");
        require(received.fd_count == permit->fds, "a frame with the wrong descriptors");
        (this->*permit->handle)(received);
    }
}

void Service::read_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            std::fputs("cloisterd: SIGHUP: policies and runtimes are read at start only; restart "
                       "to change them\n",
                       stderr);
        } else if (drain_until_) {
            stop_now_ = true; // asked twice
        } else {
            drain_until_ = Clock::now() + drain_time_ + kDrainGrace;
            wire::Frame frame;
            frame.kind = wire::Kind::drain;
            tell(frame);
        }
    }
}

void Service::wait(const Fd& front_process) {
    std::optional<Clock::time_point> next = runs_.next_deadline();
    if (drain_until_) next = next ? std::min(*next, *drain_until_) : drain_until_;
    timespec timeout{};
    if (next) {
        const auto left = std::max<std::chrono::nanoseconds>(*next - Clock::now(),
                                                             std::chrono::nanoseconds::zero());
        timeout.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(left).count();
        timeout.tv_nsec = (left % std::chrono::seconds(1)).count();
    }
    const short front_events = unsent_.empty() ? POLLIN : POLLIN | POLLOUT;
    pollfd watched[] = {{.fd = front_.get(), .events = front_events, .revents = 0},
                        {.fd = signals_.get(), .events = POLLIN, .revents = 0},
                        {.fd = runs_.fd(), .events = POLLIN, .revents = 0},
                        {.fd = front_process.get(), .events = POLLIN, .revents = 0}};
    (void)::ppoll(watched, std::size(watched), next ? &timeout : nullptr, nullptr);
}

int Service::serve(pid_t front_pid) {
    const Fd front_process(
        check(static_cast<int>(::syscall(SYS_pidfd_open, front_pid, 0)), "watch the front"));
    int status = 1;
    bool trusted = true;
    try {
        for (bool front_lives = true; front_lives && !stop_now_;) {
            wait(front_process);
            read_signals();
            if (drain_until_ && Clock::now() >= *drain_until_) break;
            flush();
            front_lives = read_front();
            runs_.dispatch();
        }
    } catch (const NotPermitted& refusal) {
        std::fprintf(stderr, "cloisterd: the front sent %s; ending both\n", refusal.what());
        trusted = false;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cloisterd: keeper: %s; ending both\n", error.what());
    }
    // If either dies the other ends: the front by this signal (or its own death signal), the boxes
    // with `runs_`.
    front_.reset();
    siginfo_t info{};
    pollfd watched{.fd = front_process.get(), .events = POLLIN, .revents = 0};
    const int patience_ms =
        trusted && !stop_now_ ? 1000 : 0; // its end of the pair is closed: it goes by itself
    if (::poll(&watched, 1, patience_ms) == 0)
        (void)::syscall(SYS_pidfd_send_signal, front_process.get(), SIGKILL, nullptr, 0);
    if (::waitid(P_PID, static_cast<id_t>(front_pid), &info, WEXITED) == 0 && drain_until_) {
        status = (info.si_code == CLD_EXITED && info.si_status == 0) || stop_now_ ? 0 : 1;
    }
    if (!drain_until_)
        std::fprintf(stderr, "cloisterd: the front ended (%s %d); ending\n",
                     info.si_code == CLD_EXITED ? "status" : "signal", info.si_status);
    return status;
}

Fd catch_signals() {
    sigset_t wanted;
    ::sigemptyset(&wanted);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&wanted, number);
    if (const int error = ::pthread_sigmask(SIG_BLOCK, &wanted, nullptr); error != 0)
        throw isolate::SysError(error, "block signals");
    (void)std::signal(SIGPIPE, SIG_IGN);
    return Fd(check(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd"));
}

} // namespace

int serve(const config::Settings& settings, const std::function<pid_t(int, uid_t)>& start_front) {
    int ends[2];
    check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends),
          "pair of front and keeper");
    Fd theirs(ends[1]);
    Service service(settings, Fd(ends[0]), catch_signals());
    const pid_t front = start_front(theirs.get(), service.fallback_id());
    theirs.reset();
    return service.serve(front);
}

} // namespace cloister::keeper
