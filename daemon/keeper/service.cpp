// The keeper's loop. Every frame is checked as if the front were taken: a frame that is not
// permitted ends both. All the front can do is run what the catalogue holds, within the ceilings,
// and kill it.
#include "daemon/keeper/service.h"

#include "daemon/keeper/analyst.h"
#include "daemon/keeper/executor.h"
#include "daemon/keeper/notify.h"
#include "daemon/keeper/unprivileged.h"
#include "daemon/wire/frames.h"
#include "daemon/wire/journal.h"
#include "isolate/instance.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <memory>
#include <poll.h>
#include <sched.h>
#include <stdexcept>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>

namespace cloister::keeper {
namespace {

using isolate::check;
using isolate::Fd;

/// More than this unread by the front means that it no longer reads.
constexpr std::size_t kMaxUnsent = 4 * isolate::kMaxSlots;
constexpr int kFramesPerTurn = 64;             ///< a full queue of the pair holds a few hundred
constexpr std::chrono::seconds kDrainGrace{5}; ///< beyond the front's own drain time

class NotPermitted : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// For the analyst's box, and for the native executor's.
std::unique_ptr<isolate::Instance> instance_for(const config::Settings& settings) {
    try {
        return make_instance(settings);
    } catch (const std::exception& error) {
        if (settings.method == "native" || settings.method == "local") throw;
        std::fprintf(stderr, "cloisterd: no analysis, for which a box of our own is needed: %s\n",
                     error.what());
        return nullptr;
    }
}

class Service {
public:
    Service(const config::Settings& settings, const std::string& analyst_program, Fd front,
            Fd signals, std::function<Reread()> reread)
        : boxes_(boxes_of(settings.config)), drain_time_(settings.config.drain_time),
          notifier_(environment_variable, ::getpid()),
          serving_("Serving on " + settings.config.listen), reread_(std::move(reread)),
          front_(std::move(front)), signals_(std::move(signals)), instance_(instance_for(settings)),
          executor_(make_executor(settings, instance_.get(), events())) {
        if (!instance_) return;
        analyst_.emplace(*instance_, settings, analyst_program, [this](Fd control) {
            wire::Frame frame;
            frame.kind = wire::Kind::analyst;
            Ends ends;
            ends[0] = std::move(control);
            tell(frame, std::move(ends));
        });
    }

    /// For a front without an account: beyond the ids of all instances where we are none.
    uid_t fallback_id() const { return instance_ ? instance_->front_id() : isolate::kFirstFreeId; }
    int serve(pid_t front_pid);

private:
    /// The permit table: what the front may ask, with how many descriptors.
    struct Permit {
        wire::Kind kind;
        std::size_t fds;
        void (Service::*handle)(wire::Received&);
    };
    static const std::array<Permit, 8> kPermits;

    Events events();
    void handle_run(wire::Received& received);
    void handle_kill(wire::Received& received);
    void handle_release(wire::Received& received) {
        executor_->release(received.frame.body.release.run_id);
    }
    void handle_status(wire::Received& received);
    void handle_ready(wire::Received& received);
    void handle_reloaded(wire::Received& received);
    void handle_life(wire::Received& received);
    void reload();
    void reload_failed(const std::string& why);

    void tell(const wire::Frame& frame, Ends ends = {});
    std::size_t unsent_ends() const;
    void flush();
    bool read_front();
    void read_signals();
    void wait(const Fd& front_process);

    unsigned boxes_;
    std::chrono::seconds drain_time_;
    Notifier notifier_;
    std::string serving_;              ///< in words
    bool ready_ = false;               ///< clients are served
    bool reload_wanted_ = false;       ///< asked for while it could not begin
    std::optional<First> reloading_{}; ///< what the front is taking over
    First current_{};
    bool restart_needed_ = false;
    std::function<Reread()> reread_;
    Fd front_;
    Fd signals_;
    std::unique_ptr<isolate::Instance> instance_; ///< null where no box can be made
    std::unique_ptr<Executor> executor_;
    std::optional<Analyst> analyst_{};
    struct Unsent {
        wire::Frame frame;
        Ends ends; ///< beside a `streams` frame; the first alone beside `analyst`
    };
    std::deque<Unsent> unsent_;
    std::optional<Clock::time_point> drain_until_;
    bool stop_now_ = false;
};

const std::array<Service::Permit, 8> Service::kPermits = {{
    {wire::Kind::run, 1, &Service::handle_run},
    {wire::Kind::run_on_terminal, 2, &Service::handle_run},
    {wire::Kind::kill, 0, &Service::handle_kill},
    {wire::Kind::release, 0, &Service::handle_release},
    {wire::Kind::status, 0, &Service::handle_status},
    {wire::Kind::ready, 0, &Service::handle_ready},
    {wire::Kind::reloaded, 0, &Service::handle_reloaded},
    {wire::Kind::life, 0, &Service::handle_life},
}};

void require(bool permitted, const char* what) {
    if (!permitted) throw NotPermitted(what);
}

/// The bundle is a sealed memfd, a terminal a terminal: a taken front gains nothing by handing over
/// something else, and this keeps it so.
void check_bundle(const Fd& bundle) {
    const int seals = ::fcntl(bundle.get(), F_GET_SEALS);
    constexpr int kNeeded = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
    require(seals >= 0 && (seals & kNeeded) == kNeeded, "a bundle that is not sealed");
}

void check_terminal(const Fd& terminal) {
    struct stat info {};
    require(::fstat(terminal.get(), &info) == 0 && S_ISCHR(info.st_mode) &&
                ::isatty(terminal.get()) == 1,
            "a terminal that is none");
}

void Service::handle_run(wire::Received& received) {
    const wire::RunFrame& frame = received.frame.body.run;
    constexpr std::uint32_t kFlags = wire::kFlagLive | wire::kFlagUsual | wire::kFlagUsage |
                                     wire::kFlagCollect | wire::kFlagMerge | wire::kFlagTalks;
    require((frame.flags & ~kFlags) == 0, "an unknown flag");
    RunFds fds;
    fds.bundle = std::move(received.fds[received.fd_count - 1]);
    check_bundle(fds.bundle);
    fds.terminal = received.frame.kind == wire::Kind::run_on_terminal;
    if (fds.terminal) {
        check_terminal(received.fds[0]);
        for (std::size_t i = 0; i < kStreams; ++i) {
            fds.streams[i] =
                Fd(check(::fcntl(received.fds[0].get(), F_DUPFD_CLOEXEC, 3), "copy a terminal"));
        }
    }
    require(executor_->start(frame, std::move(fds)), "a run beyond what it may ask for");
}

void Service::handle_kill(wire::Received& received) {
    const wire::KillFrame& frame = received.frame.body.kill;
    if (frame.signal != 0) {
        // The C library keeps those between the usual and the real-time ones for itself.
        const auto real_time = static_cast<std::uint32_t>(SIGRTMIN);
        const bool is_known =
            frame.signal < static_cast<std::uint32_t>(__SIGRTMIN) ||
            (frame.signal >= real_time && frame.signal <= static_cast<std::uint32_t>(SIGRTMAX));
        require(is_known, "an unknown signal");
        return executor_->signal(frame.run_id, static_cast<int>(frame.signal));
    }
    require(frame.reason == isolate::Verdict::cancelled ||
                frame.reason == isolate::Verdict::output_limit,
            "an unknown reason");
    executor_->kill(frame.run_id, frame.reason);
}

void Service::handle_life(wire::Received& received) {
    const wire::LifeFrame& frame = received.frame.body.life;
    require(frame.stream < kLifeStreams, "after a stream that there is not");
    executor_->ask_life(frame.run_id, frame.stream);
}

void Service::handle_ready(wire::Received&) {
    require(!ready_, "that it is ready, twice");
    ready_ = true;
    if (!drain_until_) notifier_.ready(serving_);
    if (std::exchange(reload_wanted_, false)) reload();
}

/// Reads everything again and prepares it; the front follows, and only then anything changes. While
/// roots are made no clock of a run is looked at, some tens of milliseconds.
void Service::reload() {
    if (drain_until_) return;
    if (!ready_ || reloading_) {
        reload_wanted_ = true;
        return;
    }
    notifier_.reloading();
    wire::Frame frame;
    frame.kind = wire::Kind::reload;
    Ends ends;
    try {
        if (!reread_) throw std::runtime_error("this daemon reads its settings at start only");
        Reread fresh = reread_();
        const First first = executor_->extend(fresh.settings);
        frame.body.reload = {.first_runtime = first.runtime, .first_policy = first.policy};
        ends[0] = std::move(fresh.text);
        restart_needed_ = fresh.restart_needed;
        reloading_ = first;
    } catch (const std::exception& error) {
        return reload_failed(error.what());
    }
    tell(frame, std::move(ends));
}

void Service::reload_failed(const std::string& why) {
    wire::JournalLine("reload_failed")
        .text("reason", why)
        .text("now", "everything stays as it was")
        .write();
    notifier_.reloaded(serving_);
}

void Service::handle_reloaded(wire::Received& received) {
    require(reloading_.has_value(), "that it has reloaded, unasked");
    const First first = *std::exchange(reloading_, std::nullopt);
    if (drain_until_) return;
    if (received.frame.body.reloaded.taken == 0) {
        reload_failed("the front could not take the new settings over");
    } else {
        // Runs that wait still have the numbers of the reading before; what is older is over.
        executor_->renew(current_, first);
        current_ = first;
        wire::JournalLine("reloaded")
            .number("runtimes", executor_->runtimes() - first.runtime)
            .flag("restart_needed", restart_needed_)
            .write();
        notifier_.reloaded(serving_);
    }
    if (std::exchange(reload_wanted_, false)) reload();
}

void Service::handle_status(wire::Received&) {
    notifier_.alive(Clock::now()); // the front asks every two seconds, whoever else does
    wire::Frame reply;
    reply.kind = wire::Kind::status_reply;
    reply.body.status = executor_->status();
    tell(reply);
}

Events Service::events() {
    return {.streams =
                [this](std::uint64_t id, Ends ends) {
                    wire::Frame frame;
                    frame.kind = wire::Kind::streams;
                    frame.body.streams = {.run_id = id};
                    tell(frame, std::move(ends));
                },
            .started =
                [this](std::uint64_t id, std::chrono::nanoseconds setup, wire::Level level) {
                    wire::Frame frame;
                    frame.kind = wire::Kind::started;
                    frame.body.started = {
                        .run_id = id, .setup_ns = setup.count(), .level = level, .reserved = 0};
                    tell(frame);
                },
            .ended =
                [this](std::uint64_t id, const isolate::Outcome& outcome, std::uint64_t bytes) {
                    wire::Frame frame;
                    frame.kind = wire::Kind::ended;
                    frame.body.ended = {.run_id = id, .outcome = outcome, .artifact_bytes = bytes};
                    tell(frame);
                },
            .usage =
                [this](const wire::UsageFrame& usage) {
                    if (!unsent_.empty()) return; // nothing that matters waits behind it
                    wire::Frame frame;
                    frame.kind = wire::Kind::usage;
                    frame.body.usage = usage;
                    tell(frame);
                },
            .life =
                [this](const wire::LifeFrame& life) {
                    wire::Frame frame;
                    frame.kind = wire::Kind::life_reply;
                    frame.body.life = life;
                    tell(frame);
                }};
}

std::size_t Service::unsent_ends() const {
    return static_cast<std::size_t>(std::count_if(
        unsent_.begin(), unsent_.end(), [](const Unsent& one) { return bool(one.ends[0]); }));
}

void Service::tell(const wire::Frame& frame, Ends ends) {
    // Descriptors that wait here are missing where boxes are watched; a front that reads has no
    // more of them waiting than runs under way.
    require(unsent_.size() < kMaxUnsent && (!ends[0] || unsent_ends() < boxes_ + 1),
            "no longer reading its frames");
    unsent_.push_back({frame, std::move(ends)});
    flush();
}

void Service::flush() {
    while (!unsent_.empty()) {
        const Unsent& next = unsent_.front();
        std::array<int, std::tuple_size_v<Ends>> fds{};
        std::ranges::transform(next.ends, fds.begin(), [](const Fd& end) { return end.get(); });
        const auto count = static_cast<std::size_t>(std::count_if(
            next.ends.begin(), next.ends.end(), [](const Fd& end) { return bool(end); }));
        if (!wire::send(front_.get(), next.frame, fds.data(), count)) return;
        unsent_.pop_front();
    }
}

/// False when the front is gone. A front that never pauses must not stop the clocks of its runs:
/// the rest of its frames wait for the next turn.
bool Service::read_front() {
    for (int frame = 0; frame < kFramesPerTurn; ++frame) {
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
    return true;
}

void Service::read_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            reload();
        } else if (drain_until_) {
            stop_now_ = true; // asked twice
        } else {
            drain_until_ = Clock::now() + drain_time_ + kDrainGrace;
            notifier_.stopping();
            wire::Frame frame;
            frame.kind = wire::Kind::drain;
            tell(frame);
        }
    }
}

void Service::wait(const Fd& front_process) {
    std::optional<Clock::time_point> next = executor_->next_deadline();
    if (const auto analyst = analyst_ ? analyst_->next_deadline() : std::nullopt)
        next = next ? std::min(*next, *analyst) : analyst;
    if (drain_until_) next = next ? std::min(*next, *drain_until_) : drain_until_;
    timespec timeout{};
    if (next) {
        const auto left = std::max<std::chrono::nanoseconds>(*next - Clock::now(),
                                                             std::chrono::nanoseconds::zero());
        timeout.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(left).count();
        timeout.tv_nsec = (left % std::chrono::seconds(1)).count();
    }
    const short front_events = unsent_.empty() ? POLLIN : POLLIN | POLLOUT;
    pollfd watched[] = {
        {.fd = front_.get(), .events = front_events, .revents = 0},
        {.fd = signals_.get(), .events = POLLIN, .revents = 0},
        {.fd = executor_->fd(), .events = POLLIN, .revents = 0},
        {.fd = front_process.get(), .events = POLLIN, .revents = 0},
        {.fd = analyst_ ? analyst_->report_fd() : -1, .events = POLLIN, .revents = 0},
        {.fd = analyst_ ? analyst_->init_fd() : -1, .events = POLLIN, .revents = 0},
        {.fd = analyst_ ? analyst_->oom_event() : -1, .events = POLLIN, .revents = 0}};
    (void)::ppoll(watched, std::size(watched), next ? &timeout : nullptr, nullptr);
}

/// The keeper ends what others run, so it must not wait its turn among them: where all processors
/// are taken, an ordinary process sleeps tens of milliseconds beyond its time. What it starts
/// begins as ordinary. Where this is refused, limits are kept later, and that is all.
void go_first() {
    const sched_param lowest{.sched_priority = 1};
    if (::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest) != 0)
        std::fprintf(stderr,
                     "cloisterd: no priority for the keeper (%s); on a loaded host, limits "
                     "of time are kept less exactly\n",
                     std::generic_category().message(errno).c_str());
}

int Service::serve(pid_t front_pid) {
    go_first();
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
            executor_->dispatch();
            if (!drain_until_ && analyst_) analyst_->dispatch();
        }
    } catch (const NotPermitted& refusal) {
        std::fprintf(stderr, "cloisterd: the front sent %s; ending both\n", refusal.what());
        trusted = false;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cloisterd: keeper: %s; ending both\n", error.what());
    }
    // If either dies the other ends: the front by this signal (or its own death signal), the boxes
    // with `executor_`.
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

int serve(const config::Settings& settings, const std::string& analyst_program,
          const std::function<pid_t(int, uid_t)>& start_front,
          const std::function<Reread()>& reread) {
    int ends[2];
    check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends),
          "pair of front and keeper");
    Fd theirs(ends[1]);
    Service service(settings, analyst_program, Fd(ends[0]), catch_signals(), reread);
    const pid_t front = start_front(theirs.get(), service.fallback_id());
    theirs.reset();
    return service.serve(front);
}

} // namespace cloister::keeper
