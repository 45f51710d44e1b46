// The life of a run: made, started, watched by three clocks, killed or ended, proven empty,
// answered.
#include "daemon/keeper/runs.h"

#include "isolate/weaken.h"

#include <algorithm>
#include <csignal>
#include <sys/epoll.h>
#include <sys/wait.h>

namespace cloister::keeper {

using isolate::Ending;
using isolate::Step;
using isolate::Verdict;
using isolate::weakened;
using Layer = isolate::Layer;

namespace {

constexpr std::chrono::milliseconds kCpuCheck{5}; ///< smallest wait between two looks at a CPU
                                                  ///< clock
constexpr std::chrono::milliseconds kFinishRetry{2};

} // namespace

struct Runs::Run {
    std::uint64_t id = 0;
    unsigned slot = 0;
    isolate::Limits limits{};
    isolate::Box box;
    isolate::Work work; ///< of a compile run
    Ending ending{};
    isolate::Usage usage{};
    Clock::time_point taken{}; ///< when the frame came
    std::optional<Clock::time_point> started{};
    std::optional<Clock::time_point> ended{}; ///< when the program ended, or init without a word
    std::chrono::nanoseconds cpu_before{};    ///< used by the set-up, not the program's
    std::optional<Clock::time_point> next_cpu_check{};
    bool init_gone = false;
    Clock::time_point init_gone_at{};
    Clock::time_point next_finish{};
};

Runs::Runs(isolate::Instance& instance, const Catalogue& catalogue, unsigned slots, Events events)
    : instance_(instance), catalogue_(catalogue), events_(std::move(events)),
      epoll_(isolate::check(::epoll_create1(EPOLL_CLOEXEC), "epoll")) {
    slots_.resize(std::min(slots, isolate::kMaxSlots));
    for (unsigned slot = this->slots(); slot > 0; --slot) free_.push_back(slot - 1);
}

Runs::~Runs() {
    events_ = {};
    kill_all(Verdict::cancelled);
    // A killed box is gone within milliseconds; what is not is met by the next start's sweep.
    const Clock::time_point patience = Clock::now() + kFinishTime;
    while (running() > 0 && Clock::now() < patience) {
        epoll_event event{};
        (void)::epoll_wait(epoll_.get(), &event, 1, 2);
        dispatch();
    }
}

void Runs::watch(int fd, unsigned slot, Source source) {
    if (fd < 0) return;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = (std::uint64_t{slot} << 8) | static_cast<std::uint64_t>(source);
    isolate::check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "watch a box");
}

void Runs::unwatch(int fd) {
    // By hand, because a box that is just being made may still hold a copy of the descriptor, and
    // epoll would go on reporting it.
    if (fd >= 0) (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

bool Runs::start(const wire::RunFrame& frame, RunFds fds) {
    const StagePlan* plan = catalogue_.stage(frame.runtime, frame.stage);
    const PolicyPlan* policy = catalogue_.policy(frame.policy);
    if (plan == nullptr || policy == nullptr || frame.run_id == 0) return false;
    if (by_id_.contains(frame.run_id) || artifacts_.contains(frame.run_id)) return false;
    if (!isolate::within(frame.limits, policy->ceilings)) return false;
    const auto artifact = artifacts_.find(frame.artifact);
    if (frame.artifact != 0 && artifact == artifacts_.end()) return false;

    ++total_;
    const Clock::time_point taken = Clock::now();
    const auto refuse = [&](Step step, int error) {
        isolate::Outcome failed;
        failed.ending.failed_step = step;
        failed.ending.error = error;
        if (events_.ended) events_.ended(frame.run_id, failed);
        return true;
    };
    if (!plan->root) return refuse(Step::enter_root, plan->missing_error);
    // Not the asker's fault: a slot may have been put aside since it was told how many there are.
    if (free_.empty()) return refuse(Step::make_cgroup, EAGAIN);
    if (frame.stage == wire::Stage::compile && artifacts_.size() >= kMaxArtifacts)
        return refuse(Step::make_work, EAGAIN);

    const unsigned slot = free_.back();
    auto run = std::make_unique<Run>();
    run->id = frame.run_id;
    run->slot = slot;
    run->limits = frame.limits;
    run->taken = taken;
    const uid_t user_id = instance_.user_id(weakened(Layer::own_user_id) ? 0 : slot);
    Step step = Step::make_work;
    try {
        isolate::Fd work_mount;
        isolate::Fd artifact_mount;
        if (frame.stage == wire::Stage::compile) {
            run->work = instance_.make_work(std::to_string(frame.run_id), user_id,
                                            frame.limits.file_bytes, frame.limits.file_count);
            work_mount = run->work.show(true);
        }
        if (frame.artifact != 0) artifact_mount = artifact->second.show(false);

        std::vector<std::string> storage;
        isolate::BoxSpec spec;
        spec.name = "box-" + std::to_string(slot) + "-" + std::to_string(total_);
        spec.user_id = user_id;
        spec.limits = frame.limits;
        spec.root_namespace = plan->root->mount_namespace();
        spec.filter = policy->filter.get();
        spec.command = fill(plan->command, frame.limits, storage);
        spec.environment = plan->environment;
        if ((frame.flags & wire::kFlagLive) != 0) {
            spec.environment.insert(spec.environment.end(), plan->live_environment.begin(),
                                    plan->live_environment.end());
        }
        for (std::size_t i = 0; i < 3; ++i) spec.streams[i] = fds.streams[i].get();
        spec.bundle_fd = fds.bundle.get();
        spec.work_mount = work_mount.get();
        spec.artifact_mount = artifact_mount.get();
        spec.terminal = (frame.flags & wire::kFlagTerminal) != 0;
        // What a compiler writes is read by another user id in the run step.
        spec.umask = frame.stage == wire::Stage::compile ? 022 : 077;
        step = Step::clone_init;
        run->box = isolate::Box::start(instance_.cgroups(), spec);
        watch(run->box.report_fd(), slot, Source::report);
        watch(run->box.init_fd(), slot, Source::init);
        watch(run->box.oom_event(), slot, Source::memory);
    } catch (const isolate::SysError& error) {
        const auto* box_error = dynamic_cast<const isolate::BoxError*>(&error);
        return refuse(box_error != nullptr ? box_error->step() : step, error.code().value());
    }
    free_.pop_back();
    by_id_.emplace(frame.run_id, slot);
    slots_[slot] = std::move(run);
    return true;
}

void Runs::end(Run& run, Verdict reason) {
    if (run.ended) return;
    if (!run.ending.killed_for) run.ending.killed_for = reason; // the first cause stays
    run.box.kill();
}

void Runs::kill(std::uint64_t run_id, Verdict reason) {
    if (const auto found = by_id_.find(run_id); found != by_id_.end())
        end(*slots_[found->second], reason);
}

void Runs::signal(std::uint64_t run_id, int number) {
    if (const auto found = by_id_.find(run_id); found != by_id_.end())
        (void)slots_[found->second]->box.signal(number);
}

void Runs::release(std::uint64_t run_id) { artifacts_.erase(run_id); }

void Runs::kill_all(Verdict reason) {
    for (const auto& run : slots_) {
        if (run) end(*run, reason);
    }
}

void Runs::read_reports(Run& run) {
    while (const auto report = run.box.next_report()) {
        const Clock::time_point now = Clock::now();
        switch (report->kind) {
        case isolate::Report::Kind::failed:
            run.ending.failed_step = static_cast<Step>(report->value);
            run.ending.error = report->detail;
            break;
        case isolate::Report::Kind::listener:
            watch(run.box.listener_fd(), run.slot, Source::listener);
            break;
        case isolate::Report::Kind::started:
            // A program that failed to start comes back from vfork's wait all the same.
            if (run.ending.failed_step != Step::none) break;
            run.started = now;
            run.usage.setup_time = now - run.taken;
            run.cpu_before = run.box.cpu_time();
            run.next_cpu_check = now;
            if (events_.started) events_.started(run.id, run.usage.setup_time);
            break;
        case isolate::Report::Kind::ended:
            if (run.ended) break;
            run.ended = now;
            if (WIFEXITED(report->value)) run.ending.exit_code = WEXITSTATUS(report->value);
            if (WIFSIGNALED(report->value)) run.ending.signal = WTERMSIG(report->value);
            break;
        }
    }
    if (run.box.reports_ended()) unwatch(run.box.report_fd());
}

void Runs::handle(Run& run, Source source) {
    switch (source) {
    case Source::report: read_reports(run); break;
    case Source::memory: {
        std::uint64_t count = 0;
        (void)!::read(run.box.oom_event(), &count, sizeof count); // resets it
        // v1 has killed one process; the rest of the box goes with it.
        if (run.box.counters().oom_kills > 0) end(run, Verdict::memory_limit);
        break;
    }
    case Source::listener:
        // The listener is also readable when the last process behind the filter has ended well:
        // then there is no call to take, and nothing was forbidden.
        if (const int call = run.box.forbidden_call();
            call >= 0 && !run.ended && !run.ending.killed_for) {
            run.ending.forbidden_syscall = call;
            end(run, Verdict::forbidden_syscall);
        }
        if (run.ending.killed_for || run.box.listener_is_over()) unwatch(run.box.listener_fd());
        break;
    case Source::init:
        if (run.init_gone || !run.box.reap()) break;
        read_reports(run); // what init said last may still wait
        run.init_gone = true;
        run.init_gone_at = Clock::now();
        if (!run.ended) run.ended = run.init_gone_at;
        unwatch(run.box.init_fd());
        try_finish(run, run.init_gone_at);
        break;
    }
}

void Runs::dispatch() {
    std::array<epoll_event, 64> events{};
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < count; ++i) {
        const std::uint64_t data = events[static_cast<std::size_t>(i)].data.u64;
        // An earlier event of this round may have closed the run.
        if (Run* run = slots_[data >> 8].get(); run != nullptr)
            handle(*run, static_cast<Source>(data & 0xff));
    }
    const Clock::time_point now = Clock::now();
    for (const auto& slot : slots_) {
        Run* run = slot.get();
        if (run == nullptr) continue;
        if (run->init_gone) {
            if (run->next_finish <= now) try_finish(*run, now);
        } else {
            check_clocks(*run, now);
        }
    }
}

void Runs::check_clocks(Run& run, Clock::time_point now) {
    if (run.ended || run.ending.killed_for) return;
    if (!run.started) {
        if (now >= run.taken + kSetupTime && run.ending.failed_step == Step::none) {
            run.ending.failed_step = Step::start_program;
            run.ending.error = ETIMEDOUT;
            run.box.kill();
        }
        return;
    }
    if (now >= *run.started + run.limits.wall_time && !weakened(Layer::wall_clock))
        return end(run, Verdict::wall_limit);
    if (run.next_cpu_check && now >= *run.next_cpu_check && !weakened(Layer::cpu_clock)) {
        const std::chrono::nanoseconds left =
            run.limits.cpu_time - (run.box.cpu_time() - run.cpu_before);
        if (left <= std::chrono::nanoseconds::zero()) return end(run, Verdict::time_limit);
        // The quota bounds how soon the rest can be used up; no look is needed before.
        const auto soonest = left * 100 / std::max<std::uint32_t>(run.limits.cpu_percent, 1);
        run.next_cpu_check = now + std::max<std::chrono::nanoseconds>(soonest, kCpuCheck);
    }
}

std::optional<Clock::time_point> Runs::next_deadline() const {
    std::optional<Clock::time_point> next;
    const auto consider = [&](Clock::time_point time) {
        next = next ? std::min(*next, time) : time;
    };
    for (const auto& run : slots_) {
        if (!run) continue;
        if (run->init_gone) {
            consider(run->next_finish);
        } else if (run->ended || run->ending.killed_for) {
            continue; // waiting for init's end, which is an event
        } else if (!run->started) {
            consider(run->taken + kSetupTime);
        } else {
            consider(*run->started + run->limits.wall_time);
            if (run->next_cpu_check) consider(*run->next_cpu_check);
        }
    }
    return next;
}

void Runs::try_finish(Run& run, Clock::time_point now) {
    // Read before the groups go; after init's end nothing adds to them.
    const isolate::Counters counters = run.box.counters();
    const std::chrono::nanoseconds cpu = run.box.cpu_time();
    if (counters.memory_peak_bytes > run.usage.memory_peak_bytes)
        run.usage.memory_peak_bytes = counters.memory_peak_bytes;
    run.usage.processes_peak = std::max(run.usage.processes_peak,
                                        std::max(counters.processes_peak, 1U) - 1); // without init
    run.usage.oom_kills = std::max(run.usage.oom_kills, counters.oom_kills);
    run.usage.forks_refused = std::max(run.usage.forks_refused, counters.forks_refused);
    if (run.started) run.usage.cpu_time = std::max(run.usage.cpu_time, cpu - run.cpu_before);
    if (run.box.finish()) return close(run);
    run.next_finish = now + kFinishRetry;
    if (now < run.init_gone_at + kFinishTime) return;

    // Not proven empty: the slot, its user id and its groups are never used again, and the client
    // is told that the run failed on our side.
    ++quarantined_;
    run.ending.failed_step = Step::make_cgroup;
    run.ending.error = EBUSY;
    const isolate::Outcome outcome{.ending = run.ending, .usage = run.usage};
    const std::uint64_t id = run.id;
    forget(run);
    if (events_.ended) events_.ended(id, outcome);
}

void Runs::forget(Run& run) {
    for (const int fd :
         {run.box.report_fd(), run.box.init_fd(), run.box.oom_event(), run.box.listener_fd()})
        unwatch(fd);
    by_id_.erase(run.id);
    slots_[run.slot].reset();
}

void Runs::close(Run& run) {
    if (run.started) run.usage.wall_time = *run.ended - *run.started;
    // Killed together with its init, which could not tell.
    if (run.started && run.ending.exit_code < 0 && run.ending.signal == 0)
        run.ending.signal = SIGKILL;
    // The kernel's OOM killer may have taken init, which then said nothing.
    if (!run.started && run.ending.failed_step == Step::none && !run.ending.killed_for &&
        run.usage.oom_kills == 0) {
        run.ending.failed_step = Step::start_program;
        run.ending.error = ECHILD;
    }
    const isolate::Outcome outcome{.ending = run.ending, .usage = run.usage};
    const std::uint64_t id = run.id;
    const unsigned slot = run.slot;
    const bool built = isolate::judge(outcome.ending, outcome.usage) == Verdict::ok;
    if (run.work && built) artifacts_.emplace(id, std::move(run.work));
    forget(run);
    free_.push_back(slot);
    if (events_.ended) events_.ended(id, outcome);
}

} // namespace cloister::keeper
