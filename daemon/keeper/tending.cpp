// What Runs does in idle time: boxes that stand ready before anybody asks for them, and the kits of
// the runtimes. Nothing here goes before a run: while as many runs are under way as there are
// processors, nothing is made ahead.
#include "daemon/keeper/run.h"
#include "daemon/keeper/runs.h"
#include "isolate/bundle.h"

#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <sys/mman.h>

namespace cloister::keeper {

using isolate::check;
using isolate::Fd;

namespace {

/// After the last start of a run, and between two boxes: the next run may be on its way, and most
/// are over by then; a box that is made beside it would hold it up.
constexpr std::chrono::milliseconds kPause{5};
/// Beside a run that began this lately nothing is made: most programs are over by then, and the
/// making of a box takes as long as they do. But runs without a pause do not keep it for ever.
constexpr std::chrono::milliseconds kLeftInPeace{20};
constexpr std::chrono::seconds kMostPeace{1};
/// Between two looks when there is nothing to do, so that what nobody needs any more is given up.
constexpr std::chrono::seconds kLook{10};

/// A warm interpreter's own limits cannot be changed once it is up.
bool suits_warm(const isolate::Limits& asked, isolate::Limits made_with) {
    made_with.wall_time = asked.wall_time;
    made_with.cpu_time = asked.cpu_time;
    made_with.cpu_percent = asked.cpu_percent;
    made_with.output_bytes = asked.output_bytes;
    return asked == made_with;
}

} // namespace

bool Runs::kit_is_there(std::uint32_t runtime) const {
    const Kit::State state = kits_[runtime].state;
    return state == Kit::State::none || state == Kit::State::ready;
}

/// The shape of a warm box that this frame could use.
std::optional<Shape> Runs::warm_shape(const wire::RunFrame& frame, const RunFds& fds) const {
    const StagePlan* plan = catalogue_.stage(frame.runtime, frame.stage);
    const PolicyPlan* policy = catalogue_.policy(frame.policy);
    if (plan == nullptr || policy == nullptr || !plan->warm || policy->filter->has_listener() ||
        fds.streams[0] || (frame.flags & wire::kFlagUsual) == 0 ||
        (frame.flags & wire::kFlagMerge) != 0 || !kit_is_there(frame.runtime) ||
        !suits_warm(frame.limits, policy->ceilings))
        return std::nullopt;
    const bool live = (frame.flags & wire::kFlagLive) != 0 && !plan->live_environment.empty();
    return Shape{.runtime = frame.runtime,
                 .stage = frame.stage,
                 .policy = frame.policy,
                 .live = live,
                 .warm = true};
}

/// A box for this frame that stands ready, or one that is at least in the making.
Runs::Run* Runs::take_ready(const wire::RunFrame& frame, const RunFds& fds) {
    const Clock::time_point now = Clock::now();
    const Shape plain{.runtime = frame.runtime, .stage = frame.stage, .policy = frame.policy};
    const auto find = [&](const Shape& shape, Run::Phase phase) -> Run* {
        const auto found = std::find_if(slots_.begin(), slots_.end(), [&](const auto& run) {
            return run && run->phase == phase && run->shape == shape && !run->for_kit;
        });
        return found == slots_.end() ? nullptr : found->get();
    };
    if (const auto warm = warm_shape(frame, fds)) {
        if (tends_) pool_.asked(*warm, now);
        if (Run* run = find(*warm, Run::Phase::ready)) {
            run->level = wire::Level::warm;
            return run;
        }
    }
    // A version is asked for once, at the start; who asks for a check can wait for its box.
    const bool hurried = frame.stage == wire::Stage::run || frame.stage == wire::Stage::compile;
    if (tends_ && hurried) pool_.asked(plain, now);
    if (Run* run = find(plain, Run::Phase::ready)) {
        run->level = wire::Level::prepared;
        return run;
    }
    return find(plain, Run::Phase::making);
}

/// One box for a first run, and one for a first compilation. A warm compiler is large: it waits
/// until somebody compiles.
void Runs::expect_usual(std::uint32_t runtime) {
    if (catalogue_.is_hidden(runtime)) return;
    const auto expect = [&](wire::Stage stage, bool may_be_warm) {
        const StagePlan* plan = catalogue_.stage(runtime, stage);
        if (plan == nullptr || !plan->root) return;
        Shape shape{
            .runtime = runtime, .stage = stage, .policy = catalogue_.usual_policy(runtime, stage)};
        const bool listens = catalogue_.policy(shape.policy)->filter->has_listener();
        shape.warm = may_be_warm && plan->warm && !listens && kit_is_there(runtime);
        pool_.expect(shape);
    };
    expect(wire::Stage::run, true);
    expect(wire::Stage::compile, false);
}

void Runs::tend_soon(Clock::time_point now) { tend_at_ = now + kPause; }

void Runs::tend(Clock::time_point now) {
    tend_at_ = now + kLook;
    // The next end of a run, or of a making, calls again.
    if (running() >= processors_ || making() >= processors_) return;
    if (running() > 0 && now < last_start_ + kLeftInPeace && now < tended_at_ + kMostPeace) {
        tend_at_ = last_start_ + kLeftInPeace;
        return;
    }
    tended_at_ = now;
    // Each run that may still come finds a slot, whatever stands ready.
    if (free_.size() <= boxes_ - running()) return;
    if (tend_kits(now)) return;
    Pool::Stocks stocks;
    for (const auto& run : slots_) {
        if (!run || !run->is_made_ahead() || run->for_kit) continue;
        Pool::Stock& stock = stocks[run->shape];
        ++stock.boxes;
        stock.memory += run->box.memory_bytes();
    }
    const auto advice = pool_.advice(stocks, now);
    if (!advice) return;
    tend_soon(now);
    const Shape& shape = advice->shape;
    if (!advice->make) {
        const auto found = std::find_if(slots_.begin(), slots_.end(), [&](const auto& run) {
            return run && run->is_made_ahead() && run->shape == shape && !run->for_kit;
        });
        if (found != slots_.end()) give_up(**found);
        return;
    }
    try {
        const StagePlan& plan = *catalogue_.stage(shape.runtime, shape.stage);
        (void)make(shape, plan, *catalogue_.policy(shape.policy), nullptr);
    } catch (const isolate::SysError&) {
        pool_.failed(shape, now);
    }
}

bool Runs::make_ahead(const wire::RunFrame& frame) {
    const StagePlan* plan = catalogue_.stage(frame.runtime, frame.stage);
    const PolicyPlan* policy = catalogue_.policy(frame.policy);
    if (plan == nullptr || policy == nullptr || !plan->root || free_.empty()) return false;
    const Shape plain{.runtime = frame.runtime, .stage = frame.stage, .policy = frame.policy};
    try {
        (void)make(warm_shape(frame, {}).value_or(plain), *plan, *policy, nullptr);
    } catch (const isolate::SysError&) {
        return false;
    }
    return true;
}

void Runs::renew(First first) {
    for (const auto& run : slots_) {
        const bool old = run && run->shape.runtime < first.runtime;
        if (old && (run->is_made_ahead() || run->for_kit)) give_up(*run);
    }
    pool_.forget_before(first.runtime);
    const std::size_t old = std::min<std::size_t>(first.runtime, kits_.size());
    for (std::size_t runtime = 0; runtime < old; ++runtime) {
        // Not `none`: a command that asks for the kit would look for it in vain.
        if (kits_[runtime].state != Kit::State::none) kits_[runtime].state = Kit::State::failed;
        kits_[runtime].work = {};
    }
    if (!pools_) return;
    want_kits();
    for (std::uint32_t runtime = first.runtime; runtime < catalogue_.runtimes(); ++runtime)
        expect_usual(runtime);
    tend_soon(Clock::now());
}

/// Ends a box that is nobody's.
void Runs::give_up(Run& run) {
    run.phase = Run::Phase::given_up;
    run.box.kill();
}

std::uint32_t Runs::ready(bool warm_only) const {
    return static_cast<std::uint32_t>(
        std::count_if(slots_.begin(), slots_.end(), [&](const auto& run) {
            return run && run->phase == Run::Phase::ready && (run->shape.warm || !warm_only);
        }));
}

std::uint32_t Runs::making() const {
    return static_cast<std::uint32_t>(
        std::count_if(slots_.begin(), slots_.end(),
                      [](const auto& run) { return run && run->phase == Run::Phase::making; }));
}

// ---------------------------------------------------------------------------------------------------
// Kits.

void Runs::want_kits() {
    tends_ = true;
    for (std::uint32_t runtime = 0; runtime < kits_.size(); ++runtime) {
        if (kits_[runtime].state == Kit::State::none && catalogue_.kit(runtime) != nullptr)
            kits_[runtime].state = Kit::State::due;
    }
}

std::uint32_t Runs::kits_due() const {
    return static_cast<std::uint32_t>(std::count_if(kits_.begin(), kits_.end(), [](const Kit& kit) {
        return kit.state == Kit::State::due || kit.state == Kit::State::making;
    }));
}

std::uint32_t Runs::kits_failed() const {
    return static_cast<std::uint32_t>(std::count_if(kits_.begin(), kits_.end(), [](const Kit& kit) {
        return kit.state == Kit::State::failed;
    }));
}

/// Starts the next command of a kit; one at a time. True when it did.
bool Runs::tend_kits(Clock::time_point now) {
    const auto in_making = [](const Kit& kit) { return kit.state == Kit::State::making; };
    if (std::any_of(kits_.begin(), kits_.end(), in_making) || slots_[kit_slot_]) return false;
    const auto due = std::find_if(kits_.begin(), kits_.end(),
                                  [](const Kit& kit) { return kit.state == Kit::State::due; });
    if (due == kits_.end()) return false;
    const auto runtime = static_cast<std::uint32_t>(due - kits_.begin());
    const KitPlan& plan = *catalogue_.kit(runtime);
    const PolicyPlan& policy = *catalogue_.policy(plan.policy);
    due->state = Kit::State::making;
    Run* run = nullptr;
    try {
        if (!due->work) {
            due->work =
                instance_.make_work("kit-" + catalogue_.name(runtime), instance_.owner(kit_slot_),
                                    policy.ceilings.file_bytes, policy.ceilings.file_count);
        }
        const Shape shape{.runtime = runtime, .stage = wire::Stage::compile, .policy = plan.policy};
        run = &make(shape, plan.commands[due->command], policy, &due->work);
        // Nobody reads what the tools say; their exit status is what counts.
        const Fd nowhere(check(::open("/dev/null", O_RDWR | O_CLOEXEC), "open /dev/null"));
        const std::string nothing = isolate::pack({});
        const Fd bundle(check(::memfd_create("bundle", MFD_CLOEXEC), "make a bundle"));
        check(::write(bundle.get(), nothing.data(), nothing.size()), "write a bundle");
        isolate::BoxOrder order;
        order.limits = policy.ceilings;
        order.streams = {nowhere.get(), nowhere.get(), nowhere.get()};
        order.bundle_fd = bundle.get();
        run->box.begin(order);
        run->phase = Run::Phase::under_way;
        run->limits = policy.ceilings;
        // Nobody waits for it, and on a busy host it has little of the processors.
        run->limits.wall_time *= 6;
        run->taken = now;
    } catch (const isolate::SysError& error) {
        std::fprintf(stderr, "cloisterd: the kit of '%s' was not made: %s\n",
                     catalogue_.name(runtime).c_str(), error.what());
        due->state = Kit::State::failed;
        due->work = {};
        if (run != nullptr) give_up(*run);
    }
    return true;
}

void Runs::kit_command_ended(Run& run) {
    const std::uint32_t runtime = run.shape.runtime;
    Kit& kit = kits_[runtime];
    if (kit.state != Kit::State::making) return;
    const KitPlan& plan = *catalogue_.kit(runtime);
    const auto verdict = isolate::judge(run.ending, run.usage);
    tend_soon(Clock::now());
    if (verdict != isolate::Verdict::ok) {
        const std::string_view word = isolate::name_of(verdict);
        std::fprintf(stderr, "cloisterd: the kit of '%s' was not made: command %zu: %.*s %d\n",
                     catalogue_.name(runtime).c_str(), kit.command + 1,
                     static_cast<int>(word.size()), word.data(), run.ending.exit_code);
        kit.state = Kit::State::failed;
        kit.work = {};
        return;
    }
    kit.state = ++kit.command < plan.commands.size() ? Kit::State::due : Kit::State::ready;
    if (kit.state != Kit::State::ready) return;
    // Boxes that were made without it are not what their successors will be.
    for (const auto& other : slots_) {
        if (other && other->is_made_ahead() && other->shape.runtime == runtime) give_up(*other);
    }
    expect_usual(runtime);
}

} // namespace cloister::keeper
