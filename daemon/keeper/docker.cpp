// The life of a container: asked for, connected, ordered, watched by three clocks, ended, counted,
// answered, let go.
#include "daemon/keeper/docker.h"

#include "daemon/keeper/docker_run.h"
#include "daemon/keeper/pipes.h"
#include "daemon/wire/journal.h"
#include "isolate/box.h"
#include "isolate/collect.h"
#include "isolate/packet.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <utility>

namespace cloister::keeper {

using isolate::check;
using isolate::Fd;
using isolate::Step;
using isolate::Verdict;

namespace {

constexpr std::chrono::milliseconds kRemovalPause{500};
constexpr unsigned kRemovalAttempts = 20;
/// What the engine keeps in memory for a container that holds an artifact, beside the artifact.
constexpr std::uint64_t kHolderBytes = 16 * isolate::kMiB;

std::string text_of(std::uint64_t number) { return std::to_string(number); }

/// A socket in a folder of its own, which one container is shown; its user alone may connect.
Fd listen_in(const std::string& folder, uid_t user_id) {
    check(::mkdir(folder.c_str(), 0755), "make " + folder);
    Fd socket(check(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                    "socket of a container"));
    const std::string path = folder + "/socket";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw isolate::SysError(ENAMETOOLONG, path);
    std::copy(path.begin(), path.end(), address.sun_path);
    check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
          "bind " + path);
    // In this order: what has been given away is changed by CAP_FOWNER alone, and a service has
    // none.
    check(::chmod(path.c_str(), 0600), "close " + path);
    check(::chown(path.c_str(), user_id, user_id), "give " + path);
    check(::listen(socket.get(), 1), "listen on " + path);
    return socket;
}

void remove_folder(const std::string& folder) {
    (void)::unlink((folder + "/socket").c_str());
    (void)::rmdir(folder.c_str());
}

bool says_missing_image(const std::string& said) {
    return said.find("No such image") != std::string::npos ||
           said.find("Unable to find image") != std::string::npos;
}

} // namespace

Docker::~Docker() {
    events_ = {};
    // The first processes end with their sockets, and their containers with them.
    for (const auto& [serial, run] : runs_) {
        if (run->command.process) {
            (void)::kill(run->command.pid, SIGKILL);
            (void)DockerClient::reap(run->command);
        }
        if (run->init) (void)::syscall(SYS_pidfd_send_signal, run->init.get(), SIGKILL, nullptr, 0);
        run->report.reset();
        remove_folder(run->folder);
    }
    for (Removal& removal : removals_) {
        if (!removal.child.process) continue;
        (void)::kill(removal.child.pid, SIGKILL);
        (void)DockerClient::reap(removal.child);
    }
    try {
        sweep();                       // what it has not removed by itself
    } catch (const std::exception&) {} // the next keeper will
    std::error_code error;
    std::filesystem::remove_all(folder_.path, error);
}

uid_t Docker::user_of(unsigned slot) const { return first_id_ + 2 * slot; }

void Docker::watch(int fd, const Run& run, Source source, std::uint32_t events) {
    if (fd < 0) return;
    epoll_event event{};
    event.events = events == 0 ? std::uint32_t{EPOLLIN} : events;
    event.data.u64 = (run.serial << 8) | static_cast<std::uint64_t>(source);
    check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "watch a container");
}

void Docker::unwatch(int fd) const {
    if (fd >= 0) (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

// ---------------------------------------------------------------------------------------------------
// Begin.

bool Docker::start(const wire::RunFrame& frame, RunFds fds) {
    const Stage* plan = stage(frame.runtime, frame.stage);
    if (plan == nullptr || frame.policy >= policies_.size() || frame.run_id == 0) return false;
    const PolicyPlan& policy = policies_[frame.policy];
    if (by_id_.contains(frame.run_id) || artifacts_.contains(frame.run_id)) return false;
    if (!isolate::within(frame.limits, policy.ceilings)) return false;
    const bool lost = lost_.contains(frame.artifact);
    if (frame.artifact != 0 && !lost && !artifacts_.contains(frame.artifact)) return false;

    ++total_;
    const auto refuse = [&](Step step, int error) {
        isolate::Outcome failed;
        failed.ending.failed_step = step;
        failed.ending.error = error;
        if (events_.ended) events_.ended(frame.run_id, failed, 0);
        return true;
    };
    if (lost) return refuse(Step::attach_artifact, ENOENT);
    if (plan->missing_error != 0) return refuse(Step::enter_root, plan->missing_error);
    if (frame.stage == wire::Stage::compile && artifacts_.size() >= wire::kKeptArtifacts + boxes_)
        return refuse(Step::make_work, EAGAIN);
    unsigned slot = 0;
    while (slots_.contains(slot)) ++slot;
    if (by_id_.size() >= boxes_ || slot >= isolate::kMaxSlots)
        return refuse(Step::make_cgroup, EAGAIN);

    auto made = std::make_unique<Run>();
    Run& run = *made;
    run.serial = ++serial_;
    run.id = frame.run_id;
    run.slot = slot;
    run.taken = Clock::now();
    run.policy = &policy;
    try {
        begin(run, frame, std::move(fds), *plan);
    } catch (const isolate::SysError& error) {
        unwatch(run.listener.get());
        if (run.command.process) { // nobody would see its end
            unwatch(run.command.process.get());
            (void)::kill(run.command.pid, SIGKILL);
            (void)DockerClient::reap(run.command);
            remove({"rm", "--force", run.name});
        }
        if (!run.folder.empty()) remove_folder(run.folder);
        return refuse(Step::clone_init, error.code().value());
    }
    slots_.insert(slot);
    by_id_.emplace(run.id, &run);
    if (run.artifact != 0) ++artifacts_.at(run.artifact)->users;
    runs_.emplace(run.serial, std::move(made));
    return true;
}

void Docker::begin(Run& run, const wire::RunFrame& frame, RunFds fds, const Stage& stage) {
    const uid_t user_id = user_of(run.slot);
    run.stage = frame.stage;
    run.flags = frame.flags;
    run.limits = frame.limits;
    run.artifact = frame.artifact;
    run.fds = std::move(fds);
    // The folder's name, with which the instance's is a new one each time, makes the name unique.
    const std::string& ours = folder_.path;
    run.name = "cloister-" + ours.substr(ours.rfind('-') + 1) + "-" + text_of(run.serial);
    run.folder = ours + "/" + text_of(run.serial);
    run.listener = listen_in(run.folder, user_id);
    watch(run.listener.get(), run, Source::listener);
    Pipes pipes;
    if (!run.fds.streams[0]) {
        pipes = make_pipes({user_id, user_id});
        run.fds.streams = std::move(pipes.theirs);
    }

    ContainerSpec spec;
    spec.name = run.name;
    spec.owner = owner_;
    spec.image = stage.image;
    spec.user_id = user_id;
    spec.limits = run.limits;
    spec.profile = run.policy->profile;
    spec.executable_files = run.policy->executable_files;
    spec.socket_folder = run.folder;
    spec.init_program = init_program_;
    spec.words = stage.words;
    spec.more_mounts = more_mounts_;
    if (run.stage == wire::Stage::compile) {
        run.volume = run.name;
        spec.volume = run.volume;
        spec.makes_volume = true;
    } else if (run.artifact != 0) {
        spec.volume = artifacts_.at(run.artifact)->volume;
    }
    run.command = client_.start(run_arguments(spec));
    watch(run.command.process.get(), run, Source::command);
    run.collects = (frame.flags & wire::kFlagCollect) != 0;
    run.wants_usage = (frame.flags & wire::kFlagUsage) != 0 && events_.usage;
    run.talks = (frame.flags & wire::kFlagTalks) != 0;
    if (run.collects) {
        int ends[2];
        isolate::check(::pipe2(ends, O_CLOEXEC), "make a pipe for files");
        pipes.ours[kStreams] = Fd(ends[0]);
        run.collect_pipe = Fd(ends[1]);
    }
    if (pipes.ours[0] && events_.streams) events_.streams(run.id, std::move(pipes.ours));
}

/// `docker run --detach` has ended: the container is there, or it will not be.
void Docker::command_ended(Run& run) {
    unwatch(run.command.process.get());
    const int status = DockerClient::reap(run.command);
    if (run.connected || status == 0) return;
    const std::string said = run.command.said();
    // One run in the front's eyes; for the operator, what the engine said about it.
    if (!run.ending.killed_for)
        wire::JournalLine("container_failed").number("status", status).text("said", said).write();
    fail(run, says_missing_image(said) ? Step::enter_root : Step::clone_init,
         says_missing_image(said) ? ENOENT : ECHILD);
    remove({"rm", "--force", run.name}); // one that was made, but not started
    run.init_gone = true;
}

/// The container's first process is there: who it is, its groups, and then its order.
void Docker::connected(Run& run) {
    Fd socket(::accept4(run.listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket) return;
    unwatch(run.listener.get());
    run.listener.reset();
    (void)::unlink((run.folder + "/socket").c_str()); // nobody else of the container can connect
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0 ||
        peer.uid != user_of(run.slot))
        return fail(run, Step::start_program, EPERM);
    run.report = std::move(socket);
    run.init = Fd(static_cast<int>(::syscall(SYS_pidfd_open, peer.pid, 0)));
    if (!run.init) return fail(run, Step::start_program, errno);
    run.connected = true;
    Step step = Step::make_cgroup;
    try {
        watch(run.init.get(), run, Source::init);
        watch(run.report.get(), run, Source::report);
        if (run.is_settled()) return stop(run);
        run.group = isolate::Cgroup::adopt(layout_, peer.pid);
        run.group.begin(run.limits);
        watch(run.group.oom_event(), run, Source::memory,
              run.group.oom_event_is_file() ? EPOLLPRI : EPOLLIN);
        step = Step::await_order;
        give_order(run);
    } catch (const isolate::SysError& error) {
        fail(run, step, error.code().value());
    }
}

void Docker::give_order(Run& run) {
    isolate::Order order;
    order.memory_mib = static_cast<std::uint32_t>(run.limits.memory_bytes / isolate::kMiB);
    order.limits = isolate::resource_limits(run.limits, isolate::Means::root, false);
    order.flags = isolate::Order::kFilter;
    if (run.policy->has_listener) order.flags |= isolate::Order::kListener;
    if (run.fds.terminal) order.flags |= isolate::Order::kTerminal;
    if ((run.flags & wire::kFlagLive) != 0) order.flags |= isolate::Order::kLive;
    if (run.collects) order.flags |= isolate::Order::kCollects;
    const bool merges = (run.flags & wire::kFlagMerge) != 0;
    const std::array fds = {run.fds.streams[0].get(), run.fds.streams[1].get(),
                            run.fds.streams[merges ? 1 : 2].get(), run.fds.bundle.get(),
                            run.policy->filter.get()};
    run.cpu_before = run.group.cpu_time().value_or(std::chrono::nanoseconds::zero());
    if (!isolate::send_packet(run.report.get(), isolate::bytes_of(order), fds, MSG_DONTWAIT))
        throw isolate::SysError(errno, "send an order");
    // Whoever waits for the order takes one packet; this one is then there for the first process.
    const std::array for_init = {run.fds.bundle.get(), run.collect_pipe.get()};
    if (run.collects &&
        !isolate::send_packet(run.report.get(), isolate::bytes_of(isolate::CollectOrder{}),
                              for_init, MSG_DONTWAIT))
        throw isolate::SysError(errno, "send the order to collect");
    run.collect_pipe.reset();
    run.fds = {};
}

// ---------------------------------------------------------------------------------------------------
// Under way.

void Docker::handle(Run& run, Source source) {
    switch (source) {
    case Source::command: return command_ended(run);
    case Source::listener: return connected(run);
    case Source::report: return read_reports(run);
    case Source::init: return init_ended(run);
    case Source::memory: return memory_event(run);
    case Source::forbidden: return forbidden_call(run);
    case Source::program: run.gone = Clock::now(); return unwatch(run.program.get());
    }
}

void Docker::read_reports(Run& run) {
    for (;;) {
        isolate::Report report;
        isolate::Packet packet = isolate::receive_packet(
            run.report.get(), isolate::writable_bytes_of(report), MSG_DONTWAIT);
        if (packet.size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (packet.size != sizeof report) return unwatch(run.report.get()); // init's end will tell
        take_report(run, report, std::move(packet.fds[0]));
        if (!run.report) return;
    }
}

void Docker::take_report(Run& run, const isolate::Report& report, Fd fd) {
    using Kind = isolate::Report::Kind;
    const Clock::time_point then = run.time_of(report, Clock::now());
    switch (report.kind) {
    case Kind::failed: return fail(run, static_cast<Step>(report.value), report.detail);
    case Kind::listener:
        run.forbidden = std::move(fd);
        return watch(run.forbidden.get(), run, Source::forbidden);
    case Kind::started:
        run.program = std::move(fd);
        if (run.program) run.answer_life(run.program.get(), events_);
        // A program that failed before execve has ended init's wait all the same.
        if (run.is_settled()) return;
        run.begin_clocks(then);
        if (run.talks) watch(run.program.get(), run, Source::program);
        if (events_.started) events_.started(run.id, run.usage.setup_time, wire::Level::cold);
        return;
    case Kind::ended:
        if (run.ended) return;
        run.take_end(report.value, then, run.group.cpu_time());
        count(run); // before anything is read back
        if (!run.collects) program_ended(run);
        return;
    case Kind::collected:
        if (run.ended && std::exchange(run.collects, false)) program_ended(run);
        return;
    case Kind::ready:
    case Kind::resumed: return;
    }
}

/// Nobody but the first process is left in the container.
void Docker::program_ended(Run& run) {
    const bool compiled = run.stage == wire::Stage::compile &&
                          isolate::judge(run.ending, run.usage) == Verdict::ok && run.started;
    if (!compiled) return stop(run);
    artifacts_.emplace(run.id, &run);
    unwatch(run.group.oom_event());
    answer(run, run.group.memory_bytes() + kHolderBytes);
}

void Docker::memory_event(Run& run) {
    run.group.take_oom_event();
    // v1 has killed one process; the rest of the container goes with it.
    if (const auto counters = run.group.counters(); counters && counters->oom_kills == 0) return;
    end(run, Verdict::memory_limit);
}

void Docker::forbidden_call(Run& run) {
    pollfd watched{.fd = run.forbidden.get(), .events = POLLIN, .revents = 0};
    const bool waits = ::poll(&watched, 1, 0) > 0 && (watched.revents & POLLIN) != 0;
    seccomp_notif call{};
    if (waits && ::ioctl(run.forbidden.get(), SECCOMP_IOCTL_NOTIF_RECV, &call) == 0 &&
        !run.is_settled()) {
        run.ending.forbidden_syscall = call.data.nr;
        end(run, Verdict::forbidden_syscall);
    }
    if (run.is_settled() || (watched.revents & POLLHUP) != 0) unwatch(run.forbidden.get());
}

void Docker::kill(std::uint64_t run_id, Verdict reason) {
    if (const auto found = by_id_.find(run_id); found != by_id_.end()) end(*found->second, reason);
}

void Docker::signal(std::uint64_t run_id, int number) {
    const auto found = by_id_.find(run_id);
    if (found != by_id_.end() && found->second->started && found->second->program)
        (void)::syscall(SYS_pidfd_send_signal, found->second->program.get(), number, nullptr, 0);
}

void Docker::end(Run& run, Verdict reason) {
    if (run.answered || (run.ended && !run.collects)) return;
    if (!run.ended && !run.ending.killed_for) run.ending.killed_for = reason; // the first stays
    if (run.spare_init(reason, Clock::now()) && (run.ended || end_program(run))) return;
    run.collects = false;
    if (run.ended) return program_ended(run);
    count(run);
    stop(run);
}

void Docker::ask_life(std::uint64_t run_id, std::uint32_t stream) {
    if (const auto found = by_id_.find(run_id); found != by_id_.end())
        found->second->ask_life(stream, found->second->program.get(), events_);
}

/// The program alone: the first process ends the rest, and reads back what was asked for.
bool Docker::end_program(Run& run) {
    if (!run.program) return false;
    run.group.hurry();
    const long sent = ::syscall(SYS_pidfd_send_signal, run.program.get(), SIGKILL, nullptr, 0);
    return sent == 0 || errno == ESRCH; // reaped: its end is told next
}

void Docker::fail(Run& run, Step step, int error) {
    if (run.ending.failed_step == Step::none) {
        run.ending.failed_step = step;
        run.ending.error = error;
    }
    stop(run);
}

/// Ends the container, or has it ended as soon as its first process is there. The kernel ends the
/// whole pid namespace with it.
void Docker::stop(Run& run) {
    run.stopped = true;
    if (!run.init) return;
    run.group.hurry();
    (void)::syscall(SYS_pidfd_send_signal, run.init.get(), SIGKILL, nullptr, 0);
}

void Docker::count(Run& run) const {
    if (!run.connected) return;
    if (const auto counters = run.group.counters()) run.count(*counters);
    if (const auto cpu_time = run.group.cpu_time()) run.count(*cpu_time);
}

/// The kernel has ended every process of the container.
void Docker::init_ended(Run& run) {
    read_reports(run); // what it said last may still wait
    count(run);        // as long as the engine has not taken the groups away
    unwatch(run.init.get());
    unwatch(run.report.get());
    unwatch(run.forbidden.get());
    unwatch(run.group.oom_event());
    unwatch(run.program.get());
    run.take_loss(Clock::now());
    run.init_gone = true;
}

void Docker::answer(Run& run, std::uint64_t artifact_bytes) {
    run.answered = true;
    by_id_.erase(run.id);
    const isolate::Outcome outcome = run.outcome();
    if (events_.ended) events_.ended(run.id, outcome, artifact_bytes);
}

void Docker::dispatch() {
    std::array<epoll_event, 64> events{};
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < count; ++i) {
        const std::uint64_t data = events[static_cast<std::size_t>(i)].data.u64;
        const auto found = runs_.find(data >> 8);
        if (found != runs_.end()) handle(*found->second, static_cast<Source>(data & 0xff));
    }
    const Clock::time_point now = Clock::now();
    for (auto next = runs_.begin(); next != runs_.end();) {
        Run& run = *next->second;
        check_clocks(run, now);
        if (!run.init_gone) {
            ++next;
            continue;
        }
        if (!run.answered) answer(run, 0);
        if (run.command.process) { // it is about to end, too
            ++next;
            continue;
        }
        const auto holder = artifacts_.find(run.id);
        if (holder != artifacts_.end() && holder->second == &run) { // ended from outside
            lost_.insert(run.id);
            artifacts_.erase(holder);
        }
        drop_artifact_use(run);
        unwatch(run.listener.get());
        remove_folder(run.folder);
        if (!run.volume.empty()) remove({"volume", "rm", "--force", run.volume});
        slots_.erase(run.slot);
        next = runs_.erase(next);
    }
    tend_removals(now);
}

void Docker::check_clocks(Run& run, Clock::time_point now) {
    if (run.answered || run.init_gone) return;
    if (!run.started) {
        if (now < run.taken + kContainerTime) return;
        fail(run, Step::start_program, ETIMEDOUT);
        if (run.connected) return;
        // The engine does not come to an end with it.
        if (run.command.process) (void)::kill(run.command.pid, SIGKILL);
        remove({"rm", "--force", run.name});
        run.init_gone = true;
        return;
    }
    if (run.collects_too_long(now)) {
        run.collects = false;
        return program_ended(run);
    }
    if (run.is_settled()) return;
    if (run.is_late(now)) return end(run, Verdict::wall_limit);
    if (run.next_usage && now >= *run.next_usage) {
        const auto usage = run.sample(run.group.cpu_time(), run.group.memory_bytes(), now);
        if (usage) events_.usage(*usage);
    }
    if (run.next_cpu_check && now >= *run.next_cpu_check &&
        run.is_used_up(run.group.cpu_time(), run.limits.cpu_percent, now))
        end(run, Verdict::time_limit);
}

std::optional<Clock::time_point> Docker::next_deadline() const {
    std::optional<Clock::time_point> next;
    const auto consider = [&](Clock::time_point time) {
        next = next ? std::min(*next, time) : time;
    };
    for (const auto& [serial, run] : runs_) {
        if (run->answered || run->init_gone) continue;
        // One that has not started is watched even when it is to end: its engine may be stuck.
        if (!run->started) consider(run->taken + kContainerTime);
        if (const auto due = run->next_deadline(kContainerTime)) consider(*due);
    }
    for (const Removal& removal : removals_) consider(removal.next);
    return next;
}

// ---------------------------------------------------------------------------------------------------
// What stays, and what goes.

void Docker::release(std::uint64_t run_id) {
    lost_.erase(run_id);
    const auto found = artifacts_.find(run_id);
    if (found == artifacts_.end()) return;
    Run& holder = *found->second;
    artifacts_.erase(found);
    holder.released = true;
    let_go(holder);
}

/// The run no longer shows its artifact.
void Docker::drop_artifact_use(Run& run) {
    if (run.artifact == 0) return;
    const auto holder = std::find_if(runs_.begin(), runs_.end(), [&](const auto& entry) {
        return entry.second->id == run.artifact && !entry.second->volume.empty();
    });
    if (holder == runs_.end()) return;
    --holder->second->users;
    let_go(*holder->second);
}

void Docker::let_go(Run& holder) {
    if (holder.released && holder.users == 0) stop(holder);
}

void Docker::remove(std::vector<std::string> arguments) {
    removals_.push_back({.arguments = std::move(arguments), .next = Clock::now() + kRemovalPause});
}

/// One after the other, and again where the engine was not through with a container yet. What is
/// left in the end is removed when a keeper of this state directory starts.
void Docker::tend_removals(Clock::time_point now) {
    for (auto next = removals_.begin(); next != removals_.end();) {
        Removal& removal = *next;
        if (removal.next > now) {
            ++next;
            continue;
        }
        removal.next = now + kRemovalPause;
        if (removal.child.process) {
            pollfd watched{.fd = removal.child.process.get(), .events = POLLIN, .revents = 0};
            if (::poll(&watched, 1, 0) == 0) {
                ++next;
                continue;
            }
            if (DockerClient::reap(removal.child) == 0) removal.attempts = kRemovalAttempts;
        }
        if (removal.attempts >= kRemovalAttempts) {
            next = removals_.erase(next);
            continue;
        }
        ++removal.attempts;
        try {
            removal.child = client_.start(removal.arguments);
        } catch (const isolate::SysError&) {} // tried again
        ++next;
    }
}

wire::StatusReply Docker::status() const {
    return {.boxes = boxes_,
            .running = static_cast<std::uint32_t>(by_id_.size()),
            .artifacts = static_cast<std::uint32_t>(artifacts_.size()),
            .prepared = 0,
            .warm = 0,
            .quarantined = 0,
            .runs = total_};
}

} // namespace cloister::keeper
