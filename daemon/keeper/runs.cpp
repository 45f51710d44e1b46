// The life of a box: made, begun, watched by three clocks, killed or ended, proven empty, answered,
// removed.
#include "daemon/keeper/runs.h"

#include "daemon/keeper/pipes.h"
#include "daemon/keeper/run.h"
#include "isolate/weaken.h"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <thread>

namespace cloister::keeper {

using isolate::check;
using isolate::Fd;
using isolate::Step;
using isolate::Verdict;
using isolate::weakened;
using Layer = isolate::Layer;

namespace {

constexpr std::chrono::milliseconds kFinishRetry{2};
/// After a box's end, until its mounts, and those of boxes that ended since, are taken down: the
/// answer is out by then, and what is made ahead is made later.
constexpr std::chrono::milliseconds kMountsStay{3};

/// What boxes made ahead may take of this process's descriptors is what its runs leave.
Pool::Bounds affordable(Pool::Bounds pool, unsigned boxes) {
    constexpr std::uint64_t kOfBox =
        48; // groups of up to five hierarchies and their files, streams, sockets, tables
    constexpr std::uint64_t kOther = 128;
    rlimit files{};
    check(::getrlimit(RLIMIT_NOFILE, &files), "read the limit of open files");
    const std::uint64_t runs = kOther + kOfBox * boxes;
    const std::uint64_t left = files.rlim_cur > runs ? (files.rlim_cur - runs) / kOfBox : 0;
    pool.boxes = static_cast<std::uint32_t>(std::min<std::uint64_t>(pool.boxes, left));
    return pool;
}

} // namespace

unsigned Runs::slots_for(unsigned boxes, const Pool::Bounds& pool) {
    // A run is answered before its box is removed, and a box that is given up takes a moment to
    // end: so many may be on their way out while as many runs begin. The last one is for kits.
    const unsigned leaving = boxes;
    return std::min(boxes + leaving + pool.boxes + 1, isolate::kMaxSlots);
}

Runs::Runs(isolate::Instance& instance, const Catalogue& catalogue, unsigned boxes,
           const Pool::Bounds& pool, Events events)
    : instance_(instance), catalogue_(catalogue), boxes_(std::min(boxes, isolate::kMaxSlots)),
      processors_(std::max(1U, std::thread::hardware_concurrency())),
      pool_(affordable(pool, boxes_)), events_(std::move(events)),
      epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll")), kits_(catalogue.runtimes()) {
    slots_.resize(slots_for(boxes, pool));
    networks_.resize(slots_.size());
    kit_slot_ = static_cast<unsigned>(slots_.size()) - 1;
    for (unsigned slot = kit_slot_; slot > 0; --slot) free_.push_back(slot - 1);
    if (pool.boxes == 0) return;
    pools_ = true;
    want_kits();
    for (std::uint32_t runtime = 0; runtime < catalogue.runtimes(); ++runtime)
        expect_usual(runtime);
}

Runs::~Runs() {
    events_ = {};
    tends_ = false;
    kill_all(Verdict::cancelled);
    for (const auto& run : slots_) {
        if (run && run->is_made_ahead()) give_up(*run);
    }
    // A killed box is gone within milliseconds; what is not is met by the next start's sweep.
    const Clock::time_point patience = Clock::now() + kFinishTime;
    const auto in_use = [](const auto& run) {
        return run != nullptr && run->phase != Run::Phase::aside;
    };
    while (std::any_of(slots_.begin(), slots_.end(), in_use) && Clock::now() < patience) {
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
    check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "watch a box");
}

void Runs::unwatch(int fd) {
    // By hand, because a box that is just being made may still hold a copy of the descriptor, and
    // epoll would go on reporting it.
    if (fd >= 0) (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

uid_t Runs::user_of(unsigned slot) const {
    return instance_.user_id(weakened(Layer::own_user_id) ? 0 : slot);
}

isolate::Owner Runs::owner_of(unsigned slot) const {
    return instance_.owner(weakened(Layer::own_user_id) ? 0 : slot);
}

/// A box for `shape` in a free slot; the caller has seen that there is one. `kit_work`: its /box,
/// for a command that makes a kit. Throws SysError.
Runs::Run& Runs::make(const Shape& shape, const StagePlan& plan, const PolicyPlan& policy,
                      const isolate::Work* kit_work) {
    const unsigned slot = kit_work != nullptr ? kit_slot_ : free_.back();
    auto made = std::make_unique<Run>();
    Run& run = *made;
    run.slot = slot;
    run.shape = shape;
    run.policy = &policy;
    run.for_kit = kit_work != nullptr;
    run.made_at = Clock::now();
    const std::string serial = std::to_string(++made_);
    const isolate::Owner owner = owner_of(slot);
    const isolate::Limits& limits = policy.ceilings;

    const bool fence = instance_.means() == isolate::Means::fence;
    Fd work_mount;
    Fd kit_mount;
    Fd tmp_folder;
    if (run.for_kit) {
        work_mount = kit_work->show(isolate::Work::View::unfinished);
    } else if (shape.stage == wire::Stage::compile || fence) {
        run.work =
            instance_.make_work("work-" + serial, owner, limits.file_bytes, limits.file_count);
        work_mount = run.work.show(isolate::Work::View::writable);
    }
    const bool kit = !run.for_kit && kits_[shape.runtime].state == Kit::State::ready;
    if (kit) kit_mount = kits_[shape.runtime].work.show(isolate::Work::View::read_only);
    // One that is kept can be left again by root alone; others' boxes have fresh ones.
    if (!networks_[slot] && instance_.means() == isolate::Means::root &&
        !weakened(Layer::network_namespace))
        networks_[slot] = isolate::Network::make();

    isolate::BoxSpec spec;
    spec.name = "box-" + std::to_string(slot) + "-" + serial;
    spec.means = instance_.means();
    spec.user_id = user_of(slot);
    spec.owner = owner;
    spec.limits = limits;
    spec.root_namespace = plan.root->mount_namespace();
    spec.network_namespace = networks_[slot].fd();
    spec.filter = policy.filter.get();
    spec.command = (kit && plan.command_with_kit ? *plan.command_with_kit : plan.command).words();
    spec.environment = plan.environment;
    spec.live_environment = plan.live_environment;
    spec.work_mount = work_mount.get();
    if (fence) run.place_files(spec, plan, tmp_folder);
    spec.kit_mount = kit_mount.get();
    spec.executable_files = policy.executable_files;
    // What a compiler writes is read by another user id in the run step.
    spec.umask = run.for_kit || shape.stage == wire::Stage::compile ? 022 : 077;
    Pipes pipes;
    std::vector<std::string> warm_environment;
    if (shape.warm) {
        pipes = make_pipes(owner);
        spec.root_namespace = plan.warm->root->mount_namespace();
        spec.warm_command = plan.warm->command.words();
        warm_environment = plan.warm->environment;
        if (shape.live) {
            warm_environment.insert(warm_environment.end(), plan.live_environment.begin(),
                                    plan.live_environment.end());
        }
        spec.warm_environment = warm_environment;
        for (std::size_t i = 0; i < kStreams; ++i) spec.streams[i] = pipes.theirs[i].get();
    }
    run.box = isolate::Box::make(instance_.cgroups(), spec);
    run.ends = std::move(pipes.ours);
    if (!run.for_kit) free_.pop_back();
    slots_[slot] = std::move(made);
    try {
        watch(run.box.report_fd(), slot, Source::report);
        watch(run.box.init_fd(), slot, Source::init);
        watch(run.box.oom_event(), slot, Source::memory);
    } catch (const isolate::SysError&) {
        run.box.kill();
        put_aside(run, Clock::now()); // nobody would see its end
        throw;
    }
    return run;
}

bool Runs::start(const wire::RunFrame& frame, RunFds fds) {
    const StagePlan* plan = catalogue_.stage(frame.runtime, frame.stage);
    const PolicyPlan* policy = catalogue_.policy(frame.policy);
    if (plan == nullptr || policy == nullptr || frame.run_id == 0) return false;
    if (by_id_.contains(frame.run_id) || artifacts_.contains(frame.run_id)) return false;
    if (!isolate::within(frame.limits, policy->ceilings)) return false;
    if (frame.artifact != 0 && !artifacts_.contains(frame.artifact)) return false;
    // Whoever brings streams is not handed any, so neither the one for files.
    if ((frame.flags & wire::kFlagCollect) != 0 && fds.streams[0]) return false;

    ++total_;
    const Clock::time_point taken = Clock::now();
    const auto refuse = [&](Step step, int error) {
        isolate::Outcome failed;
        failed.ending.failed_step = step;
        failed.ending.error = error;
        if (events_.ended) events_.ended(frame.run_id, failed, 0);
        return true;
    };
    if (!plan->root) return refuse(Step::enter_root, plan->missing_error);
    if (frame.stage == wire::Stage::compile && artifacts_.size() >= wire::kKeptArtifacts + boxes_)
        return refuse(Step::make_work, EAGAIN);
    // Not the asker's fault: a slot may have been put aside since it was told how many there are.
    if (running() + quarantined() >= boxes_) return refuse(Step::make_cgroup, EAGAIN);

    Step step = Step::clone_init;
    Run* run = take_ready(frame, fds);
    try {
        if (run == nullptr) {
            if (free_.empty()) return refuse(Step::make_cgroup, EAGAIN);
            run = &make({.runtime = frame.runtime, .stage = frame.stage, .policy = frame.policy},
                        *plan, *policy, nullptr);
        }
        step = Step::await_order;
        run->taken = taken;
        begin(*run, frame, fds);
    } catch (const isolate::SysError& error) {
        const auto* box_error = dynamic_cast<const isolate::BoxError*>(&error);
        if (box_error != nullptr) step = box_error->step();
        if (run != nullptr) give_up(*run);
        return refuse(step, error.code().value());
    }
    last_start_ = taken;
    tend_soon(taken);
    return true;
}

void Runs::begin(Run& run, const wire::RunFrame& frame, const RunFds& fds) {
    isolate::BoxOrder order;
    order.limits = frame.limits;
    order.bundle_fd = fds.bundle.get();
    order.terminal = fds.terminal;
    order.live = (frame.flags & wire::kFlagLive) != 0;
    Fd artifact_mount;
    if (frame.artifact != 0)
        artifact_mount = artifacts_.at(frame.artifact).show(isolate::Work::View::read_only);
    if (frame.artifact != 0 && instance_.means() == isolate::Means::fence)
        run.work.lead_to(artifacts_.at(frame.artifact));
    order.artifact_mount = artifact_mount.get();
    const bool other_files = frame.limits.file_bytes != run.policy->ceilings.file_bytes ||
                             frame.limits.file_count != run.policy->ceilings.file_count;
    if (run.work && other_files) run.work.resize(frame.limits.file_bytes, frame.limits.file_count);
    Pipes pipes;
    pipes.ours = std::move(run.ends);
    const bool own_pipes = !run.shape.warm && !fds.streams[0];
    if (own_pipes) pipes = make_pipes(owner_of(run.slot));
    const Ends& theirs = own_pipes ? pipes.theirs : fds.streams;
    for (std::size_t i = 0; i < kStreams; ++i) order.streams[i] = theirs[i].get();
    if ((frame.flags & wire::kFlagMerge) != 0) order.streams[2] = order.streams[1];
    run.collects = (frame.flags & wire::kFlagCollect) != 0;
    Fd collect_pipe;
    if (run.collects) {
        int ends[2];
        check(::pipe2(ends, O_CLOEXEC), "make a pipe for files");
        pipes.ours[kStreams] = Fd(ends[0]);
        collect_pipe = Fd(ends[1]);
    }
    order.collect_pipe = collect_pipe.get();
    if (run.shape.warm) {
        const auto used = run.box.cpu_time();
        if (!used) throw isolate::SysError(EMFILE, "read a box's processor time");
        run.cpu_before = *used;
    }
    if (running() > 0) (void)run.box.take_mounts();
    run.box.begin(order);

    run.phase = Run::Phase::under_way;
    run.id = frame.run_id;
    run.limits = frame.limits;
    run.wants_usage = (frame.flags & wire::kFlagUsage) != 0 && events_.usage;
    run.talks = (frame.flags & wire::kFlagTalks) != 0;
    by_id_.emplace(frame.run_id, run.slot);
    if (pipes.ours[0] && events_.streams) events_.streams(run.id, std::move(pipes.ours));
}

void Runs::end(Run& run, Verdict reason) {
    if (run.phase != Run::Phase::under_way || (run.ended && !run.collects)) return;
    if (!run.ended && !run.ending.killed_for) run.ending.killed_for = reason; // the first stays
    if (run.spare_init(reason, Clock::now()) && (run.ended || run.box.end_program())) return;
    run.collects = false;
    run.box.kill();
}

void Runs::kill(std::uint64_t run_id, Verdict reason) {
    if (const auto found = by_id_.find(run_id); found != by_id_.end())
        end(*slots_[found->second], reason);
}

void Runs::signal(std::uint64_t run_id, int number) {
    const auto found = by_id_.find(run_id);
    // A warm interpreter that has not been told to go on is not the program yet.
    if (found != by_id_.end() && slots_[found->second]->started)
        (void)slots_[found->second]->box.signal(number);
}

void Runs::ask_life(std::uint64_t run_id, std::uint32_t stream) {
    if (const auto found = by_id_.find(run_id); found != by_id_.end()) {
        Run& run = *slots_[found->second];
        run.ask_life(stream, run.box.program_fd(), events_);
    }
}

void Runs::release(std::uint64_t run_id) { artifacts_.erase(run_id); }

void Runs::kill_all(Verdict reason) {
    for (const auto& run : slots_) {
        if (run) end(*run, reason);
    }
}

void Runs::read_reports(Run& run) {
    while (const auto report = run.box.next_report()) take_report(run, *report);
    if (run.box.reports_ended()) unwatch(run.box.report_fd());
}

void Runs::take_report(Run& run, const isolate::Report& report) {
    const Clock::time_point now = Clock::now();
    const Clock::time_point then = run.time_of(report, now);
    switch (report.kind) {
    case isolate::Report::Kind::failed:
        return fail(run, static_cast<Step>(report.value), report.detail);
    case isolate::Report::Kind::listener:
        return watch(run.box.listener_fd(), run.slot, Source::listener);
    case isolate::Report::Kind::ready:
        // Taking down mounts is a wait, not work: init spares the one who waits for it alone, but
        // when there are many, each had better wait for itself.
        if (run.phase == Run::Phase::making || running() == 1) run.box.hold_mounts();
        if (run.phase != Run::Phase::making) break;
        run.box.get_ready();
        run.phase = Run::Phase::ready;
        pool_.made(run.shape, run.box.memory_bytes());
        tend_soon(now);
        break;
    case isolate::Report::Kind::started:
        // An interpreter comes up while everybody else goes first. It holds no lock of the kernel's
        // that others need, as the making of the box did.
        if (run.shape.warm && run.phase == Run::Phase::making) run.box.set_idle(true);
        // What the box claims to have used can only be lowered: that is to its cost.
        if (!run.shape.warm) {
            run.cpu_before = std::min(run.box.cpu_time().value_or(std::chrono::nanoseconds::zero()),
                                      std::chrono::nanoseconds(report.cpu_time));
            program_started(run, then);
        }
        run.answer_life(run.box.program_fd(), events_);
        break;
    case isolate::Report::Kind::resumed: program_started(run, then); break;
    case isolate::Report::Kind::collected: break; // a container's
    case isolate::Report::Kind::ended:
        if (run.ended) break;
        run.take_end(report.value, then,
                     run.collects ? run.box.cpu_time() : std::nullopt); // else init does nothing
                                                                        // more
        if (run.is_made_ahead()) fail(run, Step::warm_up, ECHILD);
        break;
    }
}

void Runs::program_started(Run& run, Clock::time_point then) {
    // A program that failed before execve has ended init's wait all the same.
    if (run.ending.failed_step != Step::none || run.phase != Run::Phase::under_way) return;
    run.begin_clocks(then);
    if (run.box.is_watched()) run.next_look = then;
    if (run.talks) watch(run.box.program_fd(), run.slot, Source::program);
    if (run.id != 0 && events_.started) events_.started(run.id, run.usage.setup_time, run.level);
}

/// A step of the box's failed. Nobody waits for one that was made ahead.
void Runs::fail(Run& run, Step step, int error) {
    if (run.ending.failed_step == Step::none) {
        run.ending.failed_step = step;
        run.ending.error = error;
    }
    if (run.is_made_ahead()) {
        pool_.failed(run.shape, Clock::now());
        give_up(run);
    } else {
        run.box.kill();
    }
}

void Runs::handle(Run& run, Source source) {
    switch (source) {
    case Source::report: read_reports(run); break;
    case Source::memory: {
        std::uint64_t count = 0;
        (void)!::read(run.box.oom_event(), &count, sizeof count); // resets it
        // v1 has killed one process; the rest of the box goes with it. An event whose counter
        // cannot be read is believed.
        if (const auto counters = run.box.counters(); counters && counters->oom_kills == 0) break;
        if (run.is_made_ahead()) fail(run, Step::warm_up, ENOMEM);
        else end(run, Verdict::memory_limit);
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
    case Source::program:
        // Of several that have ended meanwhile the kernel tells in the order of their ends.
        run.gone = Clock::now();
        unwatch(run.box.program_fd());
        break;
    case Source::init:
        if (run.init_gone || !run.box.reap()) break;
        read_reports(run); // what init said last may still wait
        run.init_gone = true;
        run.init_gone_at = Clock::now();
        run.take_loss(run.init_gone_at);
        if (run.is_made_ahead()) fail(run, Step::warm_up, ECHILD);
        unwatch(run.box.init_fd());
        settle(run, run.init_gone_at);
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
        if (run->phase == Run::Phase::aside) retry(*run, now);
        else if (!run->init_gone) check_clocks(*run, now);
        else if (run->next_finish <= now) settle(*run, now);
    }
    if (mounts_go_at_ <= now) mounts_left_.clear();
    if (tends_ && tend_at_ <= now) tend(now);
}

void Runs::check_clocks(Run& run, Clock::time_point now) {
    if (run.collects_too_long(now)) {
        run.collects = false;
        return run.box.kill();
    }
    if (run.is_settled()) return;
    if (run.phase == Run::Phase::making) {
        if (now >= run.made_at + kWarmUpTime) fail(run, Step::warm_up, ETIMEDOUT);
        return;
    }
    if (run.phase != Run::Phase::under_way) return;
    if (!run.started) {
        if (now >= run.taken + kSetupTime) fail(run, Step::start_program, ETIMEDOUT);
        return;
    }
    if (run.is_late(now) && !weakened(Layer::wall_clock)) return end(run, Verdict::wall_limit);
    if (run.next_look && now >= *run.next_look) {
        run.next_look = now + isolate::kLookPause;
        const bool over = run.box.look();
        if (run.box.is_crowded()) return end(run, Verdict::process_limit); // which memory follows
        if (over) return end(run, Verdict::memory_limit);
    }
    if (run.next_usage && now >= *run.next_usage) {
        const auto usage = run.sample(run.box.cpu_time(), run.box.memory_bytes(), now);
        if (usage) events_.usage(*usage);
    }
    // Where no quota bounds it, all processors do.
    const auto percent = run.box.is_watched() ? 100 * processors_ : run.limits.cpu_percent;
    if (run.next_cpu_check && now >= *run.next_cpu_check && !weakened(Layer::cpu_clock) &&
        run.is_used_up(run.box.cpu_time(), percent, now))
        end(run, Verdict::time_limit);
}

std::optional<Clock::time_point> Runs::next_deadline() const {
    std::optional<Clock::time_point> next;
    const auto consider = [&](Clock::time_point time) {
        next = next ? std::min(*next, time) : time;
    };
    for (const auto& run : slots_) {
        if (!run) continue;
        if (run->init_gone || run->phase == Run::Phase::aside) consider(run->next_finish);
        if (run->phase == Run::Phase::making && !run->is_settled())
            consider(run->made_at + kWarmUpTime);
        if (run->phase != Run::Phase::under_way || run->init_gone) continue;
        if (const auto due = run->next_deadline(kSetupTime)) consider(*due);
        if (run->next_look && !run->is_settled()) consider(*run->next_look);
    }
    if (!mounts_left_.empty()) consider(mounts_go_at_);
    if (tends_) consider(tend_at_);
    return next;
}

/// Init has ended: is anything left?
void Runs::settle(Run& run, Clock::time_point now) {
    if (run.phase == Run::Phase::removing) return clean(run, now);
    // Read before the groups go; after init's end nothing adds to them. What cannot be read is not
    // nothing: a verdict without it would be a guess.
    const std::optional<isolate::Counters> counters = run.box.counters();
    const std::optional<std::chrono::nanoseconds> cpu_time = run.box.cpu_time();
    if (counters && cpu_time) {
        run.count(*counters);
        run.count(*cpu_time);
    }
    if (!counters || !cpu_time || !run.box.is_over()) {
        run.next_finish = now + kFinishRetry;
        if (now >= run.init_gone_at + kFinishTime) put_aside(run, now);
        return;
    }
    run.proven_empty = true;
    answer(run);
    run.phase = Run::Phase::removing;
    clean(run, now);
}

/// The box is proven empty: the verdict is certain, and whoever waits for it is told.
void Runs::answer(Run& run) {
    if (run.for_kit) return kit_command_ended(run);
    if (run.id == 0) return;
    const isolate::Outcome outcome = run.outcome();
    const bool built = isolate::judge(outcome.ending, outcome.usage) == Verdict::ok;
    std::uint64_t artifact_bytes = 0;
    if (run.work && built && run.shape.stage == wire::Stage::compile) {
        if (instance_.means() == isolate::Means::fence) run.work.drop_tmp();
        artifact_bytes = run.work.bytes();
        artifacts_.emplace(run.id, std::move(run.work));
    }
    by_id_.erase(run.id);
    if (events_.ended) events_.ended(run.id, outcome, artifact_bytes);
}

/// After the answer: what costs time and concerns nobody.
void Runs::clean(Run& run, Clock::time_point now) {
    if (run.box.remove()) return release(run, now);
    run.next_finish = now + kFinishRetry;
    if (now >= run.init_gone_at + kFinishTime) put_aside(run, now);
}

/// Not proven empty, or not removed, in time. Its client, if it still waits, is told that the run
/// failed on our side. The slot, its user id and its groups are nobody's until the proof is there.
void Runs::put_aside(Run& run, Clock::time_point now) {
    run.ending.failed_step = Step::make_cgroup;
    run.ending.error = EBUSY;
    if (run.phase != Run::Phase::removing) answer(run);
    unwatch(run);
    run.phase = Run::Phase::aside;
    run.next_finish = now + kFinishTime;
}

void Runs::retry(Run& run, Clock::time_point now) {
    if (now < run.next_finish) return;
    run.next_finish = now + kFinishTime;
    run.init_gone = run.init_gone || run.box.reap();
    run.proven_empty = run.proven_empty || (run.init_gone && run.box.is_over());
    if (run.proven_empty && run.box.remove()) release(run, now);
}

/// The slot is free again.
void Runs::release(Run& run, Clock::time_point now) {
    const unsigned slot = run.slot;
    unwatch(run);
    if (Fd mounts = run.box.take_mounts()) {
        if (mounts_left_.empty()) mounts_go_at_ = now + kMountsStay;
        mounts_left_.push_back(std::move(mounts));
    }
    slots_[slot].reset();
    if (networks_[slot] && !weakened(Layer::fresh_network) && !networks_[slot].is_untouched())
        networks_[slot] = {};
    if (slot != kit_slot_) free_.push_back(slot);
    tend_soon(now);
}

void Runs::unwatch(Run& run) {
    for (const int fd : {run.box.report_fd(), run.box.init_fd(), run.box.oom_event(),
                         run.box.listener_fd(), run.box.program_fd()})
        unwatch(fd);
}

std::uint32_t Runs::quarantined() const {
    return static_cast<std::uint32_t>(
        std::count_if(slots_.begin(), slots_.end(), [](const auto& run) {
            return run && run->phase == Run::Phase::aside && !run->proven_empty;
        }));
}

} // namespace cloister::keeper
